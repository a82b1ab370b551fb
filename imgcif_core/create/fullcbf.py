"""One frame of an experiment as a full CBF: all tables that CBFlib and its customers ask for, and the image.

These readers know neither sections of arrays nor the current names of some items, want a row of
settings for each axis and frame, and stand still without a date and an exposure time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from imgcif_core.cif.sections import element_type, section
from imgcif_core.cif.write import NOT_APPLICABLE, Category, DataBlock, Value, Values, write_blocks
from imgcif_core.create.builder import EXPERIMENT, Built
from imgcif_core.create.categories import categories
from imgcif_core.create.layout import Layout
from imgcif_core.create.names import plain
from imgcif_core.errors import UsageError
from imgcif_core.sources.description import ScanFacts

MAGIC = "###CBF: VERSION 1.5"
_OLD_NAMES = {
    ("diffrn_radiation_wavelength", "value"): "wavelength",
    ("diffrn_detector", "make"): "type",
    ("diffrn_source", "make"): "type",
}
_FRAME = "frame1"
_NO_DATE = "1970-01-01T00:00:00"


def full_cbf(built: Built, scan: int, frame: int, images: Sequence[np.ndarray], name: str = "image") -> bytes:
    """A CBF with one frame.

    Parameters
    ----------
    scan, frame :
        Counted from 0, the frame within its scan.
    images :
        The image of each panel: (slow, fast) each.

    Raises
    ------
    UsageError
        If the images do not have the sizes of the panels.
    """
    single = one_frame(built, scan, frame)
    panels = single.layout.panels
    shapes = [(panel.size[1], panel.size[0]) for panel in panels]
    if [image.shape for image in images] != shapes:
        raise UsageError(f"{len(images)} images of {[image.shape for image in images][:3]} for panels of {shapes[:3]}")
    found = [Category("diffrn", {"id": EXPERIMENT}), *categories(single, None)]
    found = [_by_old_names(_completed(category, single, images)) for category in found]
    found += [_data_frames(single.layout), _settings(single)]
    if not single.goniometer:
        found.append(Category("diffrn_measurement", {"diffrn_id": EXPERIMENT, "id": "NONE", "number_of_axes": 0}))
    text = "".join(write_blocks([DataBlock(plain(name, "image"), found)], MAGIC))
    return text.replace("\n", "\r\n").encode() + _array_data(single, images)


def one_frame(built: Built, scan: int, frame: int) -> Built:
    """The experiment as it stands for one frame, each panel an array of its own."""
    chosen = built.scans[scan]
    if not 0 <= frame < chosen.frames:
        raise UsageError(f"scan {built.scan_ids[scan]} has {chosen.frames} frames, not a frame {frame + 1}")
    settings = {axis: (start + frame * step, step) for axis, (start, step) in chosen.settings.items()}
    for axis, values in chosen.varying.items():
        settings[axis] = (float(values[frame]), settings.get(axis, (0.0, 0.0))[1])
    single = replace(chosen, frames=1, settings=settings, varying={}, images=None)
    taken = [axis.id for axis in (*built.goniometer, *built.mounting.axes)]
    return replace(
        built,
        experiment=replace(built.experiment, scans=(single,)),
        mounting=replace(built.mounting, settings=(built.mounting.settings[scan],)),
        layout=Layout.of(built.layout.panels, taken, keep_stack=False),
        scan_ids=(built.scan_ids[scan],),
    )


def _completed(category: Category, built: Built, images: Sequence[np.ndarray]) -> Category:
    """A category with the items without which old readers stop."""
    scan = built.scans[0]
    items: dict[str, Values] = dict(category.items)
    if category.name == "diffrn_scan_frame":
        items.setdefault("integration_time", scan.exposure_time or 0.0)
        # CBFlib does not read the Z of a date without offset.
        items["date"] = (scan.start_date or _NO_DATE).replace("Z", "+00:00")
    elif category.name == "array_structure":
        items |= {
            "encoding_type": [element_type(image) for image in images],
            "compression_type": ["byte_offset" if _is_compressed(built, images) else "none"] * len(images),
            "byte_order": "little_endian",
        }
    elif category.name == "array_intensities":
        items |= _limits(built, items)
    elif category.name == "diffrn_scan":
        items["date_start"] = scan.start_date or NOT_APPLICABLE
        items["date_end_estimated"] = scan.end_date or NOT_APPLICABLE
        items.pop("date_end", None)
    elif category.name == "diffrn_detector":
        items.setdefault("make", NOT_APPLICABLE)
    elif category.name == "diffrn_scan_axis":
        items = _with_surface_axes(items, built)
    return replace(category, items=items)


def _with_surface_axes(items: Mapping[str, Values], built: Built) -> dict[str, Values]:
    """The axes of a scan with those along the pixels, which stand still; CBFlib asks for them too."""
    surface = [axis_id for pair in zip(built.layout.slow, built.layout.fast, strict=True) for axis_id in pair]
    found: dict[str, Values] = {}
    for name, values in items.items():
        value: Value = built.scan_ids[0] if name == "scan_id" else 0.0
        more: list[Value] = list(surface) if name == "axis_id" else [value] * len(surface)
        # A dot for the other kind of setting is no number to these readers.
        found[name] = [*(0.0 if own is None else own for own in values), *more]  # type: ignore[union-attr]
    return found


def _limits(built: Built, items: Mapping[str, Values]) -> dict[str, Values]:
    """Gain and the values of pixels that do not count, for each array."""
    panels = built.layout.panels
    lowest = [panel.underload if panel.underload is not None else 0.0 for panel in panels]
    marks: list[Value] = [
        panel.undefined_value if panel.undefined_value is not None else low - 1.0
        for panel, low in zip(panels, lowest, strict=True)
    ]
    return {
        "binary_id": list(range(1, len(panels) + 1)),
        "gain": [panel.gain or 1.0 for panel in panels],
        "gain_esd": NOT_APPLICABLE,
        "overload": [panel.overload if panel.overload is not None else 2.0**31 for panel in panels],
        "undefined_value": marks,
    }


def _by_old_names(category: Category) -> Category:
    """A category under the names of items that CBFlib looks for."""
    items = {_OLD_NAMES.get((category.name, name), name): values for name, values in category.items.items()}
    return replace(category, items=items)


def _data_frames(layout: Layout) -> Category:
    """One row for each panel."""
    count = len(layout.panels)
    return Category(
        "diffrn_data_frame",
        {
            "id": [_FRAME] * count,
            "detector_element_id": list(layout.elements),
            "array_id": list(layout.arrays),
            "binary_id": list(range(1, count + 1)),
        },
    )


def _settings(built: Built) -> Category:
    """A row for each axis: what it stands at, and by how much it moves."""
    scan: ScanFacts = built.scans[0]
    rows: list[tuple[str, str, Value, Value, Value, Value]] = []
    originals = [axis.id for axis in built.experiment.goniometer]
    for axis, original in zip(built.goniometer, originals, strict=True):
        rows.append(_row(axis.id, axis.kind, *scan.settings.get(original, (0.0, 0.0))))
    for axis in built.mounting.axes:
        rows.append(_row(axis.id, axis.kind, built.mounting.settings[0].get(axis.id, 0.0), 0.0))
    for pair in zip(built.layout.slow, built.layout.fast, strict=True):
        rows += [_row(axis_id, "translation", 0.0, 0.0) for axis_id in pair]
    names = ("frame_id", "axis_id", "angle", "angle_increment", "displacement", "displacement_increment")
    return Category(
        "diffrn_scan_frame_axis", {name: list(column) for name, column in zip(names, zip(*rows), strict=True)}
    )


def _row(axis_id: str, kind: str, start: float, step: float) -> tuple[str, str, Value, Value, Value, Value]:
    """The setting of one axis."""
    if kind == "translation":
        return _FRAME, axis_id, 0.0, 0.0, start, step
    return _FRAME, axis_id, start, step, 0.0, 0.0


def _is_compressed(built: Built, images: Sequence[np.ndarray]) -> bool:
    """True for one image of integers: dxtbx takes any compressed file for a single panel with a goniometer."""
    return len(images) == 1 and images[0].dtype.kind in "iu" and bool(built.goniometer)


def _array_data(built: Built, images: Sequence[np.ndarray]) -> bytes:
    """The images: one by itself, as simple readers want it, several in a loop."""
    compress = _is_compressed(built, images)
    if len(images) == 1:
        head = f"\r\n_array_data.array_id {built.layout.arrays[0]}\r\n_array_data.binary_id 1\r\n_array_data.data\r\n"
        return head.encode() + section(images[0], 1, compress)
    names = b"\r\nloop_\r\n_array_data.array_id\r\n_array_data.binary_id\r\n_array_data.data\r\n"
    rows = [
        f"{array_id} {number}\r\n".encode() + section(image, number, compress)
        for number, (array_id, image) in enumerate(zip(built.layout.arrays, images, strict=True), 1)
    ]
    return names + b"".join(rows)
