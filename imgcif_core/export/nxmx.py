"""NXmx masters: beam, goniometer and detector as transformations, with the images linked or copied.

NeXus takes the frame of McStas: z along the beam, y against gravity. Lengths are in mm, angles in degrees.

Source: NeXus definitions NXmx, NXtransformations, NXdetector_module.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.export.sweeps import Plan, Sweep
from imgcif_core.model.terms import mcstas_matrix
from imgcif_core.model.vectors import unit
from imgcif_core.sources.description import PanelFacts

if TYPE_CHECKING:
    import h5py

_GONIOMETER = "/entry/sample/transformations"
_DETECTOR = "/entry/instrument/detector"
_ORIGIN = f"{_DETECTOR}/transformations/origin"


def write_nxmx(
    plan: Plan, sweep: Sweep, target: Path, pixels: "Iterator[np.ndarray] | None", folder: Path
) -> list[str]:
    """Write the master of one sweep into a new file, and give what it does not carry.

    Parameters
    ----------
    target :
        The file to write; it must be empty or absent.
    pixels :
        The images in their order, each (slow, fast), to be stored in the file; None for links.
    folder :
        Where the master will lie: links are relative to it.

    Raises
    ------
    InputError
        Without h5py, or where the images cannot be linked.
    """
    try:
        import h5py
    except ImportError:
        raise InputError("NXmx masters are written by h5py: install imgcif_core with the extra `images`") from None
    left_out = list(plan.left_out)
    frame = mcstas_matrix(-unit(sweep.source), sweep.gravity)
    with h5py.File(target, "w") as file:
        file.attrs["default"] = "entry"
        entry = _group(file, "entry", "NXentry")
        entry.attrs["default"] = "data"
        entry["definition"] = "NXmx"
        entry["definition"].attrs["version"] = "1.0"
        for name, date in zip(("start_time", "end_time"), sweep.dates, strict=True):
            if date:
                entry[name] = date
        _sample(entry, sweep, frame)
        instrument = _group(entry, "instrument", "NXinstrument")
        if plan.facts.get("beamline"):
            instrument["name"] = plan.facts["beamline"]
        _source(entry, plan)
        _beam(instrument, plan, sweep, frame)
        _detector(instrument, plan, sweep, frame)
        if not plan.facts.get("sensor_material") or not sweep.panels[0].thickness:
            left_out.append("material or thickness of the sensor, which NXmx demands: give --sensor, such as Si:0.32")
        data = _group(entry, "data", "NXdata")
        data.attrs["signal"] = "data"
        left_out += _images(data, sweep, folder, pixels)
    return list(dict.fromkeys(left_out))


def _group(parent: "h5py.Group", name: str, kind: str) -> "h5py.Group":
    group = parent.create_group(name)
    group.attrs["NX_class"] = kind
    return group


def _axis(parent: "h5py.Group", name: str, values: Any, **attributes: Any) -> "h5py.Dataset":
    """A transformation: its settings, its vector and what it depends on."""
    node = parent.create_dataset(name, data=values)
    node.attrs.update(attributes)
    return node


def _sample(entry: "h5py.Group", sweep: Sweep, frame: np.ndarray) -> None:
    """The goniometer: one setting for a circle that stands, one for each frame for the one that turns."""
    sample = _group(entry, "sample", "NXsample")
    sample["name"] = sweep.block
    places = _group(sample, "transformations", "NXtransformations")
    parent = "."
    names = _axis_names(sweep)
    for name, circle in zip(names, sweep.circles, strict=True):
        values = circle.start + circle.step * np.arange(sweep.frames if circle.step else 1)
        _axis(
            places,
            name,
            values,
            transformation_type="rotation",
            units="deg",
            vector=frame @ circle.vector,
            offset=np.zeros(3),
            offset_units="mm",
            depends_on=parent,
        )
        if circle.step:
            places[f"{name}_increment_set"] = circle.step
            places[f"{name}_increment_set"].attrs["units"] = "deg"
            places[f"{name}_end"] = values + circle.step
            places[f"{name}_end"].attrs["units"] = "deg"
        parent = f"{_GONIOMETER}/{name}"
    sample["depends_on"] = parent


def _axis_names(sweep: Sweep) -> list[str]:
    """Names of circles that HDF5 can hold, each once."""
    found: dict[str, None] = {}
    for circle in sweep.circles:
        name = circle.id.replace("/", "_").strip(".") or "axis"
        while name in found:
            name += "_"
        found[name] = None
    return list(found)


def _source(entry: "h5py.Group", plan: Plan) -> None:
    """The source, as far as the file names it."""
    source = _group(entry, "source", "NXsource")
    if plan.facts.get("facility"):
        source["name"] = plan.facts["facility"]
    if plan.probe in ("x-ray", "electron", "neutron"):
        source["probe"] = plan.probe


def _beam(instrument: "h5py.Group", plan: Plan, sweep: Sweep, frame: np.ndarray) -> None:
    """Wavelength and polarization."""
    beam = _group(instrument, "beam", "NXbeam")
    beam["incident_wavelength"] = sweep.wavelength
    beam["incident_wavelength"].attrs["units"] = "angstrom"
    if plan.polarization is not None:
        fraction = plan.polarization[0]
        beam["incident_polarization_stokes"] = np.array([1.0, 2.0 * fraction - 1.0, 0.0, 0.0])


def _detector(instrument: "h5py.Group", plan: Plan, sweep: Sweep, frame: np.ndarray) -> None:
    """The detector with a module for each panel."""
    detector = _group(instrument, "detector", "NXdetector")
    for name, key in (("description", "detector"), ("serial_number", "detector_id")):
        if plan.facts.get(key):
            detector[name] = plan.facts[key]
    first = sweep.panels[0]
    for name, value, unit_name in (
        ("x_pixel_size", first.pixel_size[0], "mm"),
        ("y_pixel_size", first.pixel_size[1], "mm"),
        ("sensor_thickness", first.thickness, "mm"),
        ("count_time", sweep.exposure_time, "s"),
        ("frame_time", sweep.exposure_time, "s"),
    ):
        if value:
            detector[name] = value
            detector[name].attrs["units"] = unit_name
    if plan.facts.get("sensor_material"):
        detector["sensor_material"] = plan.facts["sensor_material"]
    if first.overload is not None:
        detector["saturation_value"] = first.overload - 1.0
    if first.underload is not None:
        detector["underload_value"] = first.underload
    places = _group(detector, "transformations", "NXtransformations")
    distance = float(np.mean([(frame @ panel.corner)[2] for panel in sweep.panels]))
    _axis(
        places,
        "origin",
        distance,
        transformation_type="translation",
        units="mm",
        vector=np.array([0.0, 0.0, 1.0]),
        offset=np.zeros(3),
        offset_units="mm",
        depends_on=".",
    )
    detector["depends_on"] = _ORIGIN
    detector["distance"] = distance
    detector["distance"].attrs["units"] = "mm"
    for index, panel in enumerate(sweep.panels):
        _module(detector, index, panel.turned(frame), distance)


def _module(detector: "h5py.Group", index: int, panel: PanelFacts, distance: float) -> None:
    """One panel: where its data begin, how many there are, and its two directions."""
    name = panel.name.replace("/", "_").strip(".") or f"module{index}"
    while name in detector:
        name += "_"
    module = _group(detector, name, "NXdetector_module")
    slower = tuple(reversed(panel.raw_index))
    module["data_origin"] = np.array([*slower, panel.raw_offset[1], panel.raw_offset[0]])
    module["data_size"] = np.array([*(1 for _ in slower), panel.size[1], panel.size[0]])
    module["data_stride"] = np.ones(len(slower) + 2, dtype=int)
    common = {"transformation_type": "translation", "units": "mm", "offset_units": "mm"}
    offset = panel.corner - np.array([0.0, 0.0, distance])
    place = f"{_DETECTOR}/{name}/module_offset"
    _axis(module, "module_offset", 0.0, vector=np.array([1.0, 0.0, 0.0]), offset=offset, depends_on=_ORIGIN, **common)
    for word, size, vector in (
        ("fast", panel.pixel_size[0], panel.fast),
        ("slow", panel.pixel_size[1], panel.slow),
    ):
        _axis(module, f"{word}_pixel_direction", size, vector=vector, offset=np.zeros(3), depends_on=place, **common)


def _images(data: "h5py.Group", sweep: Sweep, folder: Path, pixels: "Iterator[np.ndarray] | None") -> Sequence[str]:
    """The images of the sweep: copied, or linked where they are HDF5 on this machine."""
    if pixels is not None:
        _copied(data, sweep, pixels)
        return ()
    images = sweep.images
    if images is None or images.path is None:
        return ["the images: they are not HDF5 files that a master can link; --copy-images stores them"]
    if not sweep.is_local:
        return ["links to the images: the HDF5 files were not found on this machine; give --local DIR"]
    if list(images.file) != sorted(images.file):
        return ["links to the images: frames do not follow each other file by file"]
    import h5py

    for number, name in enumerate(images.files, 1):
        # Relative to the master, so that both can be moved together.
        relative = os.path.relpath(name, folder)
        link = "data" if len(images.files) == 1 else f"data_{number:06d}"
        data[link] = h5py.ExternalLink(relative, images.path)
    frames = images.frame[images.file == 0]
    if int(frames[0]) != 1:
        return [f"the place of the sweep in its file: it begins with image {int(frames[0])}"]
    return ()


def _copied(data: "h5py.Group", sweep: Sweep, pixels: Iterator[np.ndarray]) -> None:
    """Store the images one after the other, each a chunk of its own."""
    stack = None
    for index, image in zip(range(sweep.frames), pixels, strict=False):
        if stack is None:
            stack = data.create_dataset(
                "data",
                shape=(sweep.frames, *image.shape),
                dtype=image.dtype,
                chunks=(1, *image.shape),
                compression="gzip",
                shuffle=True,
            )
        if image.shape != stack.shape[1:]:
            raise InputError(f"image {index + 1} of scan {sweep.id} has {image.shape} pixels, not {stack.shape[1:]}")
        stack[index] = image
