"""The tables of scans and frames, column by column: no loop over frames but inside numpy and join."""

from collections.abc import Mapping
from itertools import chain, repeat

import numpy as np

from imgcif_core.cif.write import Category, Plain, Value, Values
from imgcif_core.create.builder import Built
from imgcif_core.create.layout import Layout
from imgcif_core.create.numbers import tidy_number
from imgcif_core.sources.description import ScanFacts


def frame_ids(count: int) -> Plain:
    """The ids of all frames of a block, in order."""
    return Plain(map("frame%d".__mod__, range(1, count + 1)))


def scan_categories(built: Built) -> list[Category]:
    """DIFFRN_SCAN and DIFFRN_SCAN_AXIS; nothing for a bare geometry."""
    if not built.frames:
        return []
    scans, ends = built.scans, np.cumsum([scan.frames for scan in built.scans]).tolist()
    starts = [end - scan.frames + 1 for end, scan in zip(ends, scans, strict=True)]
    items: dict[str, Values] = {
        "id": list(built.scan_ids),
        "frame_id_start": [f"frame{number}" for number in starts],
        "frame_id_end": [f"frame{number}" for number in ends],
        "frames": [scan.frames for scan in scans],
    }
    optional: dict[str, list[Value]] = {
        "date_start": [scan.start_date for scan in scans],
        "date_end": [scan.end_date for scan in scans],
        "integration_time": [scan.exposure_time for scan in scans],
        "time_period": [scan.period for scan in scans],
    }
    items |= {name: values for name, values in optional.items() if any(value is not None for value in values)}
    found = [Category("diffrn_scan", items, sources={"": built.origin("scans")})]
    rows = _axis_rows(built)
    if rows:
        names = ("scan_id", "axis_id", *(f"{word}_{part}" for word in ("angle", "displacement") for part in _PARTS))
        columns: dict[str, Values] = {name: list(column) for name, column in zip(names, zip(*rows), strict=True)}
        comment = "The range is from the start of the first frame to the end of the last one."
        turning = {axis.id for axis in built.goniometer}
        placed = "derived: where the panels stand, of " + (built.origin("panels") or "the source")
        said = [built.origin("scans") if row[1] in turning else placed for row in rows]
        found.append(Category("diffrn_scan_axis", columns, comment, {"": built.origin("scans")}, said))
    # Without a word about it a scan is taken for one of rotation.
    still = [
        name for name, scan in zip(built.scan_ids, scans, strict=True) if scan.frames > 1 and not scan.scanned_axis
    ]
    if still:
        kinds: dict[str, Values] = {"scan_id": list(still), "type": ["still"] * len(still)}
        found.append(Category("diffrn_scan_collection", kinds, sources={"": "derived: no axis moves in the scan"}))
    return found


_PARTS = ("start", "increment", "range")


def _axis_rows(built: Built) -> list[tuple[Value, ...]]:
    """One row for each scan and each axis of goniometer and mounting."""
    rows = []
    originals = [axis.id for axis in built.experiment.goniometer]
    for number, (scan, scan_id) in enumerate(zip(built.scans, built.scan_ids, strict=True)):
        for axis, original in zip(built.goniometer, originals, strict=True):
            start, increment = scan.settings.get(original, (0.0, 0.0))
            if original in scan.varying and len(scan.varying[original]):
                start = float(scan.varying[original][0])
            start, increment = tidy_number(start), tidy_number(increment)
            span = tidy_number(increment * scan.frames)
            rows.append((scan_id, axis.id, *_by_kind(axis.kind, (start, increment, span))))
        settings = built.mounting.settings[number]
        for axis in built.mounting.axes:
            values = (settings.get(axis.id, 0.0), 0.0, 0.0)
            if axis.kind in ("rotation", "translation"):
                rows.append((scan_id, axis.id, *_by_kind(axis.kind, values)))
    return rows


def _by_kind(kind: str, values: tuple[float, float, float]) -> tuple[float | None, ...]:
    """Start, increment and range as angles or as displacements."""
    empty = (None, None, None)
    return (*empty, *values) if kind == "translation" else (*values, *empty)


def frame_categories(built: Built, external: Mapping[str, Values] | None) -> list[Category]:
    """DIFFRN_SCAN_FRAME, uneven settings, and the way from frames to data outside."""
    if not built.frames:
        return []
    ids = frame_ids(built.frames)
    counts = [scan.frames for scan in built.scans]
    frames: dict[str, Values] = {
        "scan_id": list(chain.from_iterable(map(repeat, built.scan_ids, counts))),
        "frame_id": ids,
        "frame_number": np.concatenate([np.arange(1, count + 1) for count in counts]),
    }
    if any(scan.exposure_time is not None for scan in built.scans):
        times: list[Value] = [scan.exposure_time for scan in built.scans]
        frames["integration_time"] = (
            times[0] if len(set(times)) == 1 else list(chain.from_iterable(map(repeat, times, counts)))
        )
    if len(built.scan_ids) == 1 and built.frames > 1:
        frames["scan_id"] = built.scan_ids[0]
    found = [Category("diffrn_scan_frame", frames, sources={"": built.origin("scans")}), _uneven(built, ids)]
    if external is not None:
        found += _data_categories(built, ids, external)
    return found


def _uneven(built: Built, ids: list[str]) -> Category:
    """DIFFRN_SCAN_FRAME_AXIS for axes whose settings are not evenly spaced."""
    frame: list[Value] = []
    axis_ids: list[Value] = []
    settings: dict[str, list[Value]] = {"angle": [], "displacement": []}
    start = 0
    names = {old.id: new for old, new in zip(built.experiment.goniometer, built.goniometer, strict=True)}
    for scan in built.scans:
        for original, values in scan.varying.items():
            axis = names.get(original)
            if axis is None:
                continue
            frame += ids[start : start + scan.frames]
            axis_ids += [axis.id] * scan.frames
            own = "displacement" if axis.kind == "translation" else "angle"
            settings[own] += (np.asarray(values, dtype=float) + 0.0).tolist()
            settings["angle" if own == "displacement" else "displacement"] += [None] * scan.frames
        start += scan.frames
    items: dict[str, Values] = {"frame_id": frame, "axis_id": axis_ids}
    items |= {name: values for name, values in settings.items() if any(value is not None for value in values)}
    return Category("diffrn_scan_frame_axis", items if frame else {}, sources={"": built.origin("scans")})


def _data_categories(built: Built, ids: list[str], external: Mapping[str, Values]) -> list[Category]:
    """DIFFRN_DATA_FRAME, ARRAY_DATA and ARRAY_DATA_EXTERNAL_DATA for the frames that have images."""
    layout = built.layout
    origin = {"": built.origin("scans")}
    if layout.modules:
        data, frames, count = module_tables(built, ids)
        outside = Plain(map("E%d".__mod__, range(1, count + 1)))
        data["external_data_id"] = outside
    else:
        pictured = np.concatenate([np.full(scan.frames, has_images(scan)) for scan in built.scans])
        chosen = np.flatnonzero(pictured)
        count = len(chosen)
        numbers = np.arange(1, count + 1)
        outside = Plain(map("E%d".__mod__, range(1, count + 1)))
        arrays = list(layout.array_ids)
        copies = len(arrays)
        data = {
            "array_id": arrays[0] if copies == 1 else arrays * count,
            "binary_id": numbers if copies == 1 else np.repeat(numbers, copies),
            "external_data_id": outside
            if copies == 1
            else list(chain.from_iterable(map(repeat, outside, repeat(copies)))),
        }
        names = ids if pictured.all() else [ids[index] for index in chosen.tolist()]
        frames = _data_frames(built, names, numbers)
        frames |= _details(built, np.repeat(chosen, len(layout.elements)))
    return [
        Category("diffrn_data_frame", frames, sources=origin),
        Category("array_data", data),
        Category("array_data_external_data", {"id": outside, **external}, "Where the images lie.", origin),
    ]


def module_tables(built: Built, ids: list[str]) -> tuple[dict[str, Values], dict[str, Values], int]:
    """ARRAY_DATA and DIFFRN_DATA_FRAME where each array has its own images, which some frames may lack.

    An image has the number of its frame as binary id; rows of frames follow frame by frame. The last
    value is the number of images.
    """
    layout, start = built.layout, 0
    arrays, binaries, frame, element = [], [], [], []
    own = {array: np.array(_elements_of(layout, array)) for array in layout.array_ids}
    for scan in built.scans:
        for images in scan.modules:
            array = layout.modules[images.array]
            rows = start + (np.arange(len(images)) if images.rows is None else images.rows)
            arrays += [array] * len(rows)
            binaries.append(rows + 1)
            frame.append(np.repeat(rows, len(own[array])))
            element.append(np.tile(own[array], len(rows)))
        start += scan.frames
    frames, elements = np.concatenate(frame), np.concatenate(element)
    order = np.lexsort((elements, frames))
    frames, elements = frames[order], elements[order]
    chosen = elements.tolist()
    is_part = layout.elements == layout.names
    array_of = layout.arrays if is_part else layout.array_ids
    items: dict[str, Values] = {
        "id": [ids[index] for index in frames.tolist()],
        "detector_element_id": [layout.elements[index] for index in chosen],
        "array_id": [array_of[index] for index in chosen],
        "binary_id": frames + 1,
    }
    if is_part:
        items["array_section_id"] = [layout.sections[index] for index in chosen]
    data: dict[str, Values] = {"array_id": arrays, "binary_id": np.concatenate(binaries)}
    return data, items | _details(built, frames), len(arrays)


def _elements_of(layout: Layout, array: str) -> list[int]:
    """The numbers of the elements whose pixels an array holds."""
    if layout.elements == layout.names:
        return [index for index, own in enumerate(layout.arrays) if own == array]
    return [layout.array_ids.index(array)]


def _details(built: Built, frames: np.ndarray) -> dict[str, Values]:
    """What is said of frames in words, in the first row of each; `frames` : (rows,) their numbers from 0."""
    texts = frame_texts(built)
    if not texts or not len(frames):
        return {}
    is_first = np.diff(frames, prepend=-1) != 0
    said: list[Value] = [None] * len(frames)
    for row in np.flatnonzero(is_first).tolist():
        said[row] = texts[int(frames[row])]
    return {"details": said}


def frame_texts(built: Built) -> list[str]:
    """What no item but words can say of each frame: train and pulse, a wavelength of its own; empty for nothing."""
    waves = built.experiment.beam.wavelengths
    has_waves = waves is not None and len(waves) == built.frames and len(np.unique(waves)) > 1
    if not has_waves and not any(scan.texts for scan in built.scans):
        return []
    told = list(chain.from_iterable(scan.texts or repeat("", scan.frames) for scan in built.scans))
    if waves is not None and has_waves:
        words = [f"wavelength {value:.9g} angstrom" for value in waves.tolist()]
        return [", ".join(filter(None, pair)) for pair in zip(told, words, strict=True)]
    return told


def _data_frames(built: Built, ids: list[str], numbers: np.ndarray) -> dict[str, Values]:
    """A row for each frame and element."""
    layout = built.layout
    copies = len(layout.elements)
    if copies == 1:
        return {
            "id": ids,
            "detector_element_id": layout.elements[0],
            "array_id": layout.arrays[0],
            "binary_id": numbers,
        }
    items: dict[str, Values] = {
        "id": list(chain.from_iterable(map(repeat, ids, repeat(copies)))),
        "detector_element_id": list(layout.elements) * len(ids),
        "array_id": layout.arrays[0] if layout.is_stack else list(layout.arrays) * len(ids),
        "binary_id": np.repeat(numbers, copies),
    }
    if layout.is_stack:
        items["array_section_id"] = list(layout.sections) * len(ids)
    return items


def has_images(scan: ScanFacts) -> bool:
    """True if the images of a scan are known."""
    return bool(scan.image_sets)
