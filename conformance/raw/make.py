"""Write the generator cases: raw files of one simulated experiment, and what they describe.

Run as `python -m raw.make` in the folder `conformance`; needs numpy and h5py. The raw files of HDF5 carry
no time stamps of the library, so that they come out alike; `--check` compares the other files only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .model import Axis, Model, Panel, Sweep, expected, rotation, template
from .write_cbf import write_full, write_mini
from .write_hdf5 import write_eiger, write_nxmx
from .write_more import (
    second_wavelength,
    write_archive,
    write_beside,
    write_dtrek,
    write_wavelengths,
    write_xds,
)
from .write_text import write_expt, write_geom, write_smv, write_tiff
from .write_xfel import expected_links, write_psana, write_run, write_shots, write_white

TARGET = Path(__file__).resolve().parents[1] / "datasets" / "generate"
BASE_URL = "https://data.example.org/run"
_OMEGA = (Axis("omega", (1.0, 0.0, 0.0)),)
_KAPPA = (*_OMEGA, Axis("kappa", (0.642787609687, 0.766044443119, 0.0)), Axis("phi", (1.0, 0.0, 0.0)))
_PANEL = (Panel("p0", (-19.04, 16.28, 0.0), (96, 80)),)
# Fast is horizontal in a laboratory whose spindle stands upright: in the frame of imgCIF it points down.
_UPRIGHT = (Panel("p0", (16.28, 19.04, 0.0), (96, 80), (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0)),)
_SQUARE = (Panel("p0", (-16.6, 16.6, 0.0), (84, 80)),)
_SWEEP = Sweep("SCAN1", {"omega": 10.0}, "omega", 0.5, 4, 60.0)


def _eight(straight: float = 3.5) -> tuple[Panel, ...]:
    """Eight modules, none of which lies quite as the others do; one of a number would lie along X."""
    panels = []
    for index in range(8):
        column, row = index % 2, index // 2
        turn = rotation(np.array([0.0, 0.0, 1.0]), 0.3 * (index - straight))
        corner = (-18.2 + 18.9 * column, 21.1 - 10.6 * row, 0.05 * index)
        fast, slow = turn @ np.array([1.0, 0.0, 0.0]), turn @ np.array([0.0, -1.0, 0.0])
        panels.append(Panel(f"p{index}", corner, (44, 24), tuple(fast), tuple(slow), 24 * index))
    return tuple(panels)


_SINGLE = Model(_OMEGA, _PANEL, (_SWEEP,), 1.0, 0.4)
_KAPPA_SWEEP = Sweep("SCAN1", {"omega": -20.0, "kappa": -60.0, "phi": 40.0}, "omega", 0.5, 4, 60.0, 15.0)
_THREE_SWEEPS = (
    Sweep("SCAN1", {"omega": 10.0, "kappa": 0.0, "phi": 0.0}, "omega", 0.5, 4, 60.0),
    Sweep("SCAN2", {"omega": -20.0, "kappa": -60.0, "phi": 0.0}, "phi", 0.5, 4, 60.0, 30.0),
    Sweep("SCAN3", {"omega": -20.0, "kappa": -60.0, "phi": 90.0}, "omega", -0.25, 4, 60.0, 55.0),
)
_SPINDLE = {"principal_axis": "3:00", "rotation_sense": "clockwise"}


@dataclass(frozen=True)
class Case:
    """One generator case: a model, the writer of its raw files, and what a person would answer.

    `more` are models of further data blocks; `archive` the address of the archive, or of one a scan with {number}.
    """

    name: str
    title: str
    model: Model
    write: Callable[[Model, Path], list[str]]
    answers: dict[str, object] = field(default_factory=dict)
    more: tuple[Model, ...] = ()
    archive: str = ""
    source: str = "data-frame conventions of imgCIF: AXIS, ARRAY_STRUCTURE_LIST_AXIS, DIFFRN_SCAN_AXIS"


# Shots of a crystal that is not turned.
_STILLS = Sweep("SCAN1", {}, None, 0.0, 3, 90.0)
_UPRIGHT_MODEL = replace(_SINGLE, turn=90.0)
_KAPPA_MODEL = replace(_SINGLE, axes=_KAPPA, sweeps=(_KAPPA_SWEEP,))
_MODULES = replace(_SINGLE, panels=_eight())
_ELECTRON = replace(
    _SINGLE,
    probe="electron",
    wavelength=0.025079,
    pixel=0.055,
    panels=(Panel("p0", (-2.64, 2.2, 0.0), (96, 80)),),
    sweeps=(replace(_SWEEP, distance=500.0),),
)
_GEOMETRY = Model((), _eight(0), (_STILLS,), 1.3, 0.4)
_ARM = replace(_SINGLE, sweeps=(replace(_SWEEP, two_theta=20.0),))
_ARM_ANSWERS = {"two_theta_axis": "3:00", "two_theta_sense": "clockwise"}
_VECTORS_MODEL = replace(_KAPPA_MODEL, panels=_SQUARE)
_LAYOUT = {"first_pixel": "top left", "fast_direction": "horizontal"}
# The axes of a beam centre in SMV depend on the maker, so that only a person settles it.
_SQUARE_ANSWERS = {**_SPINDLE, **_LAYOUT, "beam_centre": [41.5, 41.5]}
_ALL_ANSWERS = {
    **_SPINDLE,
    **_LAYOUT,
    "wavelength": 1.0,
    "distance": 60.0,
    "pixel_size": 0.4,
    "beam_centre": [47.6, 40.7],
    "start": 10.0,
    "increment": 0.5,
    "probe": "x-ray",
}

CASES = (
    Case("minicbf-single-axis", "miniCBF of one sweep about one axis", _SINGLE, write_mini, _SPINDLE),
    Case(
        "minicbf-vertical",
        "miniCBF of a sweep about a spindle that stands upright, as the person says",
        replace(_UPRIGHT_MODEL, panels=_UPRIGHT),
        write_mini,
        {"principal_axis": "12:00", "rotation_sense": "clockwise"},
    ),
    Case("fullcbf-kappa", "full CBF of a kappa goniometer and a two-theta arm", _KAPPA_MODEL, write_full),
    Case("nxmx-single-axis", "NXmx master with two data files", _SINGLE, write_nxmx),
    Case("nxmx-kappa-two-theta", "NXmx master of a kappa goniometer and a two-theta arm", _KAPPA_MODEL, write_nxmx),
    Case("nxmx-vertical", "NXmx master with a spindle that stands upright", _UPRIGHT_MODEL, write_nxmx),
    Case("nxmx-eight-panels", "NXmx master of eight modules in one array", _MODULES, write_nxmx),
    Case("eiger-master", "master of an Eiger before NXmx: settings but no directions", _SINGLE, write_eiger, _SPINDLE),
    Case("smv-single-axis", "SMV images of one sweep", replace(_SINGLE, panels=_SQUARE), write_smv, _SQUARE_ANSWERS),
    Case("tiff-with-answers", "TIFF images, and a person who knows all the rest", _SINGLE, write_tiff, _ALL_ANSWERS),
    Case("expt-single-axis", "DIALS experiment list of one sweep", _SINGLE, write_expt),
    Case(
        "expt-two-theta-scans",
        "DIALS experiment list of three sweeps with the arm at 0, 30 and 55 degrees",
        replace(_SINGLE, axes=_KAPPA, sweeps=_THREE_SWEEPS),
        write_expt,
    ),
    Case(
        "expt-inverse-rotation",
        "DIALS experiment list of a sweep towards smaller angles",
        replace(_SINGLE, sweeps=(replace(_SWEEP, step=-0.5),)),
        write_expt,
    ),
    Case("expt-vertical", "DIALS experiment list with a spindle that stands upright", _UPRIGHT_MODEL, write_expt),
    Case("expt-eight-panels", "DIALS experiment list of eight modules", _MODULES, write_expt),
    Case("expt-electron", "DIALS experiment list of electron diffraction", _ELECTRON, write_expt),
    Case(
        "archive-minicbf",
        "archive of miniCBF images of one sweep",
        _SINGLE,
        write_archive,
        _SPINDLE,
        archive=f"{BASE_URL}/run1.tar.bz2",
    ),
    Case(
        "expt-two-wavelengths",
        "DIALS experiment list of two wavelengths: two data blocks, an archive for each scan, counted through both",
        _SINGLE,
        write_wavelengths,
        more=(second_wavelength(_SINGLE),),
        archive=f"{BASE_URL}/sweep_{{number}}.zip",
    ),
    Case("minicbf-two-theta", "miniCBF with the arm at an angle", _ARM, write_mini, {**_SPINDLE, **_ARM_ANSWERS}),
    Case(
        "smv-two-theta",
        "SMV with the arm at an angle, about whose axis a person is asked",
        replace(_ARM, panels=_SQUARE),
        write_smv,
        {**_SQUARE_ANSWERS, **_ARM_ANSWERS},
    ),
    Case("smv-vectors", "SMV with vectors of d*TREK: kappa goniometer and arm", _VECTORS_MODEL, write_dtrek),
    Case("smv-beside-detector", "SMV and a detector of DIALS", _SINGLE, write_beside, _SPINDLE),
    Case("xds-vertical", "XDS.INP with a spindle that stands upright", _UPRIGHT_MODEL, write_xds),
    Case("xds-eight-segments", "XDS.INP of eight segments", _MODULES, write_xds),
    Case(
        "geom-stills",
        "CrystFEL geometry and shots of a detector of eight modules",
        _GEOMETRY,
        write_geom,
    ),
    Case(
        "geom-shots",
        "CrystFEL geometry and shots of differing photon energies: the mean of their wavelengths is theirs all",
        _GEOMETRY,
        write_shots,
    ),
    Case(
        "euxfel-modules",
        "run of the European XFEL, a file for each of four modules, one of which lacks an image, and a geometry",
        _GEOMETRY,
        write_run,
    ),
    Case("psana-matrices", "geometry of psana: a turned camera of eight segments", _GEOMETRY, write_psana),
    Case(
        "expt-white-beam",
        "DIALS experiment list of a white beam, an image for each time of flight",
        replace(_SINGLE, probe="neutron"),
        write_white,
    ),
)
_FORMATS = {
    write_smv: "SMV",
    write_dtrek: "SMV",
    write_beside: "SMV",
    write_tiff: "TIFF",
    write_nxmx: "HDF5",
    write_eiger: "HDF5",
    write_geom: "HDF5",
    write_shots: "HDF5",
}


def _names(case: Case, files: list[str]) -> list[str]:
    """The files of single frames, in their order; those that an experiment list names do not exist."""
    found = [name for name in files if name.endswith((".cbf", ".img", ".tif"))]
    if found:
        return found
    sweeps = enumerate((sweep for model in (case.model, *case.more) for sweep in model.sweeps), 1)
    return [f"run{index}_{number + 1:05d}.cbf" for index, sweep in sweeps for number in range(sweep.frames)]


def _packed(case: Case, files: list[str]) -> dict[str, list[dict]]:
    """Where each frame lies within archives."""
    names, found = iter(_names(case, files)), {}
    kind = "ZIP" if case.archive.endswith(".zip") else "TBZ"
    folder = "images/" if case.write is write_archive else ""
    sweeps = [sweep for model in (case.model, *case.more) for sweep in model.sweeps]
    for number, sweep in enumerate(sweeps, 1):
        row = {"uri": case.archive.replace("{number}", str(number)), "format": "CBF", "archive_format": kind}
        found[sweep.name] = [{**row, "archive_path": f"{folder}{next(names)}"} for _ in range(sweep.frames)]
    return found


def _external(case: Case, files: list[str]) -> dict[str, list[dict]]:
    """Where each frame of each scan lies, in the order of the frames."""
    if case.archive:
        return _packed(case, files)
    form = _FORMATS.get(case.write, "CBF")
    names = iter(_names(case, files))
    if form != "HDF5":
        return {
            sweep.name: [{"uri": f"{BASE_URL}/{next(names)}", "format": form} for _ in range(sweep.frames)]
            for sweep in case.model.sweeps
        }
    (sweep,) = case.model.sweeps
    path = "/data" if case.write is write_nxmx else "/entry/data/data"
    if case.write in (write_geom, write_shots):
        row = {"uri": f"{BASE_URL}/stills.h5", "format": form, "path": path}
        return {sweep.name: [{**row, "frame": number + 1} for number in range(sweep.frames)]}
    cut = (sweep.frames + 1) // 2
    parts = [(1, number + 1) if number < cut else (2, number + 1 - cut) for number in range(sweep.frames)]
    return {
        sweep.name: [
            {"uri": f"{BASE_URL}/run_data_{part:06d}.h5", "format": form, "path": path, "frame": number}
            for part, number in parts
        ]
    }


def make(case: Case, folder: Path) -> None:
    """Write one case to a folder."""
    folder.mkdir(parents=True)
    files = case.write(case.model, folder)
    inputs = [name for name in files if not (name.endswith(".h5") and ("data_" in name or name == "stills.h5"))]
    if case.write in (write_geom, write_shots, write_run):
        inputs = files
    options = {"archive_url": case.archive} if case.archive else {"url_base": BASE_URL}
    if case.answers:
        lines = [f"{key} = {json.dumps(value)}" for key, value in case.answers.items()]
        (folder / "answers.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        options["answers"] = "answers.toml"
    document = {
        "schema": 1,
        "kind": "generate",
        "title": case.title,
        "level": "required",
        "source": case.source,
        "dictionary": {"title": "CIF_IMG", "version": "1.8.9"},
        "inputs": inputs,
        "companions": sorted(set(files) - set(inputs)),
        "options": options,
    }
    (folder / "case.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / "expected.json").write_text(json.dumps(_expected(case, files)) + "\n", encoding="utf-8")


def _expected(case: Case, files: list[str]) -> dict:
    """What should be found in an imgCIF made of the files."""
    if case.write is write_psana:
        return template(case.model)
    if case.write is write_run:
        return expected(case.model, by_panel=expected_links(case.model, case.model.sweeps[0], BASE_URL))
    external = _external(case, files)
    wanted = expected(case.model, external)
    for model in case.more:
        wanted["files"][0]["blocks"] += expected(model, external)["files"][0]["blocks"]
    if case.write is write_white:
        # A band has no single wavelength.
        wanted["files"][0]["blocks"][0]["wavelengths"] = []
    return wanted


def main() -> int:
    """Write all cases, or say which differ; status 1 then."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    different = []
    with tempfile.TemporaryDirectory() as scratch:
        for case in CASES:
            made = Path(scratch, case.name)
            make(case, made)
            target = TARGET / case.name
            if not check:
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(made, target)
                continue
            names = {path.name for path in made.iterdir()}
            if not target.is_dir() or names != {path.name for path in target.iterdir()}:
                different.append(f"{case.name}: other files")
            else:
                plain = (name for name in sorted(names) if not name.endswith(".h5"))
                different += [
                    f"{case.name}/{name}"
                    for name in plain
                    if (made / name).read_bytes() != (target / name).read_bytes()
                ]
    for line in different:
        sys.stderr.write(f"{line} is not what the model makes\n")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
