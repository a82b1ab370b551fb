"""Free-electron lasers: runs of modules with files of their own, geometries of psana, shots of differing energies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .images import frame
from .model import Model, Sweep
from .write_text import geom_panel, geom_top, write_expt, write_geom

HC = 12398.4198
# Trains and pulses of the frames; the last module has no image of the second pulse.
PULSES = ((20001, 0), (20001, 4), (20002, 0))
PANELS_A_MODULE, ABSENT = 2, (3, 1)
BAND, FLIGHT = (0.9, 1.6), (1500.0, 1520.0, 1540.0, 1560.0)
# Shares by which the wavelength of the shots differs from their mean.
SHARES = (-0.002, 0.0, 0.002)


def module_path(module: int) -> str:
    """The dataset of a module's images."""
    return f"/INSTRUMENT/SPB_DET_AGIPD1M-1/DET/{module}CH0:xtdf/image/data"


def module_file(module: int) -> str:
    """The file of a module."""
    return f"RAW-R0001-AGIPD{module:02d}-S00000.h5"


def row_of(module: int, number: int) -> int | None:
    """The row, from 1, of a frame in the file of a module; None where it has none."""
    if (module, number) == ABSENT:
        return None
    return number + 1 - sum(1 for earlier in range(number) if (module, earlier) == ABSENT)


def write_run(model: Model, folder: Path) -> list[str]:
    """A run of the European XFEL: one file a module, intensities and gains beside each other, and a geometry."""
    import h5py

    (sweep,), names = model.sweeps, []
    modules = range(len(model.panels) // PANELS_A_MODULE)
    for module in modules:
        own = model.panels[PANELS_A_MODULE * module : PANELS_A_MODULE * (module + 1)]
        kept = [number for number in range(sweep.frames) if row_of(module, number) is not None]
        counts = [np.concatenate([frame(model, sweep, number, panel) for panel in own]) for number in kept]
        stack = np.stack([np.stack([image, np.zeros_like(image)]) for image in counts]).astype(np.uint16)
        trains = sorted({train for train, _ in PULSES})
        many = [sum(1 for number in kept if PULSES[number][0] == train) for train in trains]
        names.append(module_file(module))
        place = module_path(module).rpartition("/")[0]
        index = place.replace("/INSTRUMENT/", "/INDEX/")
        with h5py.File(folder / names[-1], "w") as file:
            file["METADATA/dataSources/dataSourceId"] = [place.lstrip("/").encode()]
            file["INDEX/trainId"] = np.array(trains, "u8")
            file[f"{index}/first"] = np.concatenate([[0], np.cumsum(many)[:-1]]).astype("u8")
            file[f"{index}/count"] = np.array(many, "u8")
            file[f"{place}/trainId"] = np.array([PULSES[number][0] for number in kept], "u8")
            file[f"{place}/pulseId"] = np.array([PULSES[number][1] for number in kept], "u8")
            file.create_dataset(f"{place}/data", data=stack, compression="gzip", chunks=(1, *stack.shape[1:]))
    lines = geom_top(model, sweep)
    for number, panel in enumerate(model.panels):
        module, part = divmod(number, PANELS_A_MODULE)
        place = [f"{panel.name}/dim{level} = {entry}" for level, entry in enumerate(("%", module, "ss", "fs"))]
        lines += [*place, *geom_panel(model, panel, part * panel.size[1])]
    (folder / "detector.geom").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [*names, "detector.geom"]


def write_psana(model: Model, folder: Path) -> list[str]:
    """A geometry of psana: segments in a camera that is turned by 90 degrees, below the interaction point.

    Its x points down and its y to the right, where imgCIF has Y up and X to the right.
    """
    (sweep,) = model.sweeps
    lines = ["# TITLE      Geometry of an example", "# DETECTOR   Example 8k"]
    lines.append("# HDR PARENT IND OBJECT IND X0[um] Y0[um] Z0[um] ROT-Z ROT-Y ROT-X TILT-Z TILT-Y TILT-X")
    step = 1e3 * model.pixel
    for number, panel in enumerate(model.panels):
        corner, fast, slow = (np.array(part) for part in (panel.corner, panel.fast, panel.slow))
        x, y, z = corner + 0.5 * model.pixel * (fast + slow)
        angle = float(np.degrees(np.arctan2(fast[1], fast[0])))
        # Turned back by the 90 degrees of the camera: (x, y) of psana is (-Y, X), and goes to (X, Y).
        place = " ".join(f"{1e3 * part:.6f}" for part in (x, y, z))
        name = f"MTRX:{panel.size[1]}:{panel.size[0]}:{step:.3f}:{step:.3f}"
        lines.append(f"CAMERA:V1 0 {name} {number} {place} -90.0 0.0 0.0 {angle:.9f} 0.0 0.0")
    lines.append(f"IP 0 CAMERA:V1 0 0 0 {-1e3 * sweep.distance:.3f} 90.0 0.0 0.0 0.0 0.0 0.0")
    (folder / "0-end.data").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["0-end.data"]


def write_shots(model: Model, folder: Path) -> list[str]:
    """CrystFEL geometry and shots, each with a photon energy of its own beside the images."""
    import h5py

    names = write_geom(model, folder)
    path = folder / "detector.geom"
    _, *rest = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(["photon_energy = /beam/photon_energy eV", *rest]) + "\n", encoding="utf-8")
    with h5py.File(folder / "stills.h5", "a") as file:
        file["/beam/photon_energy"] = [HC / (model.wavelength * (1.0 + share)) for share in SHARES]
    return names


def write_white(model: Model, folder: Path) -> list[str]:
    """DIALS experiment list of a white beam of neutrons, an image for each time of flight."""
    (name,) = write_expt(model, folder)
    data = json.loads((folder / name).read_text(encoding="utf-8"))
    (beam,), (scan,) = data["beam"], data["scan"]
    del beam["wavelength"]
    beam |= {"__id__": "polychromatic", "probe": "neutron", "wavelength_range": list(BAND)}
    scan["properties"] = {**scan.get("properties", {}), "time_of_flight": list(FLIGHT)}
    (folder / name).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return [name]


def expected_links(model: Model, sweep: Sweep, base: str) -> dict[str, list[dict | None]]:
    """Where the image of each panel lies, frame by frame; None where there is none."""
    found: dict[str, list[dict | None]] = {}
    for index, panel in enumerate(model.panels):
        module = index // PANELS_A_MODULE
        row = {"uri": f"{base}/{module_file(module)}", "format": "HDF5", "path": module_path(module)}
        numbers = [row_of(module, number) for number in range(sweep.frames)]
        found[panel.name] = [None if number is None else {**row, "frame": number} for number in numbers]
    return found
