"""DIALS experiment lists (.expt, .json), read as JSON; no dxtbx is needed.

Their frame is right-handed with Z from the sample towards the source for the default beam. A panel's
origin is the outer corner of its first pixel, in the frame of the group that holds it. Goniometer axes
are listed from the sample outwards.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.inputs import read_path
from imgcif_core.model.vectors import axis_and_angle, unit
from imgcif_core.sources.description import (
    AxisFacts,
    BeamFacts,
    Experiment,
    ImageFiles,
    Origin,
    PanelFacts,
    Provenance,
    ScanFacts,
)
from imgcif_core.sources.exptlist import statements_of
from imgcif_core.sources.facts import Record

KIND = "dials"
# The axis that carries a constant turn of the crystal.
FIXED = "fixed_rotation"
_MAX_DEPTH = 32
# Each frame has a name and a row: more would not fit into a file that anybody reads.
_MAX_FRAMES = 5_000_000
_PARTS = ("beam", "detector", "goniometer", "scan", "imageset")


def is_expt(head: bytes) -> bool:
    """True if the first bytes of a file look like a list of experiments."""
    return head.lstrip().startswith(b"{") and (b'"__id__"' in head or b'"experiment"' in head)


def is_detector(head: bytes) -> bool:
    """True if the first bytes of a file look like those of a detector, and nothing else, of DIALS."""
    plain = head.lstrip()
    if not plain.startswith((b"{", b"[")) or b"\0" in head[:4096]:
        return False
    return b'"fast_axis"' in head and (b'"image_size"' in head or b'"children"' in head)


def read_expt(path: str | Path) -> Experiment:
    """The experiment that a DIALS file describes.

    Raises
    ------
    InputError
        If the file is no list of experiments, or something in it does not fit.
    """
    name = str(path)
    try:
        data = json.loads(read_path(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not JSON, or cut off - {str(error)[:100]}") from None
    return describe(data, name)


def describe(data: Any, path: str) -> Experiment:
    """The experiment in the parsed JSON of a DIALS file."""
    top = Record(data, path, "file")
    models = {part: top.records(part) for part in _PARTS}
    experiments = top.records("experiment")
    if not experiments:
        hint = f"; detector:{path} takes the panels of its detector" if len(models["detector"]) == 1 else ""
        raise InputError(f"{path}: lists no experiments{hint}")
    if not models["beam"] or not models["detector"]:
        raise InputError(f"{path}: holds no {'beam' if models['detector'] else 'detector'}")
    chosen = _distinct(experiments, models)
    beam = _beam(models["beam"][chosen[0]["beam"] or 0])
    axes, sense = _goniometers(models["goniometer"], path)
    detectors: dict[int, tuple[PanelFacts, ...]] = {}
    scans = []
    for number, entry in enumerate(chosen, 1):
        index = entry["detector"] or 0
        if index not in detectors:
            detectors[index] = detector_panels(models["detector"][index])
        scans.append(_scan(number, entry, models, detectors[index], axes))
    first = next((record for detector in models["detector"] for record in detector.records("panels")), None)
    facts = {"detector": first.text("identifier")} if first is not None and first.text("identifier") else {}
    provenance = {
        part: Provenance(Origin.FILE, path) for part in ("beam", "goniometer", "scans", "panels", "facts.detector")
    }
    return Experiment(
        path,
        KIND,
        beam,
        axes,
        tuple(scans),
        (),
        facts,
        provenance,
        tuple(sense),
        statements=statements_of(data),
    )


def _distinct(experiments: list[Record], models: dict[str, list[Record]]) -> list[dict[str, int | None]]:
    """The combinations of models, each once: crystals of one image share all but the crystal.

    Experiments with neither scan nor images are shots of their own.
    """
    found: dict[tuple[int | None, ...], dict[str, int | None]] = {}
    for number, record in enumerate(experiments):
        entry: dict[str, int | None] = {}
        for part in _PARTS:
            index = record.integer(part) if record.has(part) else None
            if index is not None and not 0 <= index < len(models[part]):
                raise InputError(f"{record.path}: {record.place} names {part} {index} of {len(models[part])}")
            entry[part] = index
        if entry["beam"] is None or entry["detector"] is None:
            raise InputError(f"{record.path}: {record.place} has no {'beam' if entry['beam'] is None else 'detector'}")
        is_shot = entry["scan"] is None and entry["imageset"] is None
        key = (*entry.values(), number if is_shot else None)
        found.setdefault(key, entry)
    return list(found.values())


def _beam(record: Record) -> BeamFacts:
    """One beam model."""
    is_white = record.text("__id__") == "polychromatic"
    if not is_white and not record.has("wavelength"):
        raise InputError(f"{record.path}: {record.place} has no wavelength")
    band = tuple(record.numbers("wavelength_range", 2).tolist()) if is_white and record.has("wavelength_range") else ()
    normal = record.numbers("polarization_normal", 3) if record.has("polarization_normal") else None
    return BeamFacts(
        unit(record.numbers("direction", 3)),
        None if is_white else record.number("wavelength"),
        probe=_probe(record),
        polarization_fraction=record.number("polarization_fraction") if record.has("polarization_fraction") else None,
        polarization_normal=normal,
        band=band if is_white else None,
        flux=record.number("flux", 0.0) or None,
    )


def _probe(record: Record) -> str | None:
    """The probe as imgCIF names it; an old file without one says nothing."""
    names = {"x-ray": "x-ray", "xray": "x-ray", "electron": "electron", "neutron": "neutron"}
    return names.get(record.text("probe").lower())


def detector_panels(record: Record) -> tuple[PanelFacts, ...]:
    """The panels of one detector, hierarchy undone."""
    panels = record.records("panels")
    if not panels:
        raise InputError(f"{record.path}: {record.place} has no panels")
    frames: dict[int | None, tuple[np.ndarray, np.ndarray, tuple[str, ...]]] = {}
    if record.has("hierarchy"):
        root = Record(record.data["hierarchy"], record.path, f"{record.place}, hierarchy")
        _walk(root, np.eye(3), np.zeros(3), (), frames, 0)
    whole = (np.eye(3), np.zeros(3), ())
    return tuple(_panel(panel, *frames.get(index, whole)) for index, panel in enumerate(panels))


def _walk(
    node: Record,
    rotation: np.ndarray,
    origin: np.ndarray,
    group: tuple[str, ...],
    frames: dict[int | None, tuple[np.ndarray, np.ndarray, tuple[str, ...]]],
    depth: int,
) -> None:
    """Note the frame of every panel below a node of the hierarchy."""
    if depth > _MAX_DEPTH:
        raise InputError(f"{node.path}: {node.place} is deeper than {_MAX_DEPTH} levels")
    own = _frame(node)
    origin = rotation @ node.numbers("origin", 3) + origin
    rotation = rotation @ own
    name = node.text("name")
    group = (*group, name) if name else group
    for child in node.records("children"):
        if child.has("panel"):
            frames[child.integer("panel")] = (rotation, origin, group)
        else:
            _walk(child, rotation, origin, group, frames, depth + 1)


def _frame(record: Record) -> np.ndarray:
    """Fast, slow and normal of a node as the columns of a rotation: (3, 3)."""
    fast, slow = record.numbers("fast_axis", 3), record.numbers("slow_axis", 3)
    normal = np.cross(fast, slow)
    if np.linalg.norm(normal) < 1e-6:
        raise InputError(f"{record.path}: {record.place} has fast and slow axes that are parallel or null")
    return np.stack([unit(fast), unit(slow), unit(normal)], axis=1)


def _panel(record: Record, rotation: np.ndarray, origin: np.ndarray, group: tuple[str, ...]) -> PanelFacts:
    """One panel in the laboratory frame."""
    own = _frame(record)
    size, pixel = record.numbers("image_size", 2), record.numbers("pixel_size", 2)
    if (size < 1).any() or (pixel <= 0).any():
        raise InputError(f"{record.path}: {record.place} has {size.tolist()} pixels of {pixel.tolist()} mm")
    underload, overload = _trusted(record)
    raw = record.numbers("raw_image_offset", 2) if record.has("raw_image_offset") else np.zeros(2)
    return PanelFacts(
        record.text("name"),
        (int(size[0]), int(size[1])),
        (float(pixel[0]), float(pixel[1])),
        rotation @ record.numbers("origin", 3) + origin,
        rotation @ own[:, 0],
        rotation @ own[:, 1],
        (int(raw[0]), int(raw[1])),
        group,
        underload,
        overload,
        gain=record.number("gain") if record.has("gain") and record.number("gain") > 0 else None,
        material=record.text("material") or None,
        thickness=record.number("thickness", 0.0) or None,
    )


def _trusted(record: Record) -> tuple[float | None, float | None]:
    """Underload and overload in imgCIF's sense.

    Newer files hold the lowest and highest good value; older ones, with a negative lower limit for
    pixels without a value, the two values next to the good ones. Halves lie between good and bad ones.
    """
    if not record.has("trusted_range"):
        return None, None
    low, high = record.numbers("trusted_range", 2)
    if high <= low:
        return None, None
    if low % 1.0 == high % 1.0 == 0.5:
        return float(low) + 0.5, float(high) + 0.5
    return (0.0, float(high)) if low == -1 else (float(low), float(high) + (0.0 if low < 0 else 1.0))


def _goniometers(records: list[Record], path: str) -> tuple[tuple[AxisFacts, ...], list[str]]:
    """The axes from the base to the sample, the same for all experiments but for their sense, and remarks."""
    if not records:
        return (), []
    all_axes = [_axes(record) for record in records]
    first = all_axes[0]
    for record, axes in zip(records, all_axes, strict=True):
        same = len(axes) == len(first) and all(
            one.id == other.id and np.allclose(np.cross(one.vector, other.vector), 0.0, atol=1e-6)
            for one, other in zip(axes, first, strict=True)
        )
        if not same:
            raise InputError(
                f"{path}: {record.place} has other axes than goniometer 1; give one file for each instrument"
            )
    return first, []


def _constant_rotation(record: Record) -> tuple[np.ndarray, float] | None:
    """Direction and angle of the turn that a crystal has before the moving axis turns it; None where there is none.

    The setting rotation S, the moving R and the fixed rotation F place a crystal by S R F, which is the
    moving axis turned by S, then S F: one axis more, next to the sample.
    """
    matrix = np.eye(3)
    for name in ("setting_rotation", "fixed_rotation"):
        if record.has(name):
            matrix = matrix @ record.numbers(name, 9).reshape(3, 3)
    if not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-5) or np.linalg.det(matrix) < 0:
        raise InputError(f"{record.path}: {record.place} has a fixed or setting rotation that is no rotation")
    direction, angle = axis_and_angle(matrix)
    return None if abs(angle) < 1e-9 else (direction, float(f"{angle:.12g}"))


def _axes(record: Record) -> tuple[AxisFacts, ...]:
    """The axes of one goniometer, from the base to the sample."""
    if not record.has("axes"):
        vector = record.numbers("rotation_axis", 3)
        if record.has("setting_rotation"):
            vector = record.numbers("setting_rotation", 9).reshape(3, 3) @ vector
        moving = AxisFacts("omega", "rotation", _direction(record, vector))
        constant = _constant_rotation(record)
        if constant is None:
            return (moving,)
        return moving, AxisFacts(FIXED, "rotation", constant[0], "omega")
    names, vectors = record.data.get("names"), record.data["axes"]
    if not isinstance(vectors, list) or not isinstance(names, list) or len(names) != len(vectors) or not vectors:
        raise record.fail("names", "one name for each axis")
    found: list[AxisFacts] = []
    for index in reversed(range(len(vectors))):
        entry = Record({"vector": vectors[index]}, record.path, f"{record.place}, axis {index + 1}")
        parent = found[-1].id if found else None
        found.append(AxisFacts(str(names[index]), "rotation", _direction(entry, entry.numbers("vector", 3)), parent))
    return tuple(found)


def _direction(record: Record, vector: np.ndarray) -> np.ndarray:
    """The unit vector, refused where it is null."""
    if np.linalg.norm(vector) < 1e-9:
        raise InputError(f"{record.path}: {record.place} has a null rotation axis")
    return unit(vector)


def _scan(
    number: int,
    entry: dict[str, int | None],
    models: dict[str, list[Record]],
    panels: tuple[PanelFacts, ...],
    axes: tuple[AxisFacts, ...],
) -> ScanFacts:
    """One sweep or still with its settings, times and files."""
    beam = models["beam"][entry["beam"] or 0]
    record = models["scan"][entry["scan"]] if entry["scan"] is not None else None
    images = models["imageset"][entry["imageset"]] if entry["imageset"] is not None else None
    frames, first = 1, 1
    if record is not None:
        low, high = record.numbers("image_range", 2)
        frames, first = int(high - low) + 1, int(low)
        if not 1 <= frames <= _MAX_FRAMES:
            raise InputError(f"{record.path}: {record.place} runs from image {low:.6g} to {high:.6g}")
    settings, varying = _settings(entry, models, axes, record, frames)
    times = _per_frame(record, "exposure_time", frames)
    epochs = _per_frame(record, "epochs", frames)
    return ScanFacts(
        f"SCAN{number}",
        frames,
        settings,
        panels,
        _images(images, frames, first) if images is not None else None,
        first,
        float(times[0]) if len(times) and times[0] > 0 else None,
        None,
        _date(epochs[0]) if len(epochs) else None,
        _date(epochs[-1]) if len(epochs) else None,
        None if beam.text("__id__") == "polychromatic" else beam.number("wavelength"),
        varying,
        texts=tuple(
            f"time of flight {value:.9g} us" for value in _per_frame(record, "time_of_flight", frames).tolist()
        ),
    )


def _per_frame(record: Record | None, name: str, frames: int) -> np.ndarray:
    """A property of the frames, from an old or a new scan: (frames,), empty where not given."""
    if record is None:
        return np.zeros(0)
    holder = record
    if record.has("properties"):
        holder = Record(record.data["properties"], record.path, f"{record.place}, properties")
    if not holder.has(name):
        return np.zeros(0)
    values = holder.numbers(name)
    if len(values) not in (1, frames):
        raise InputError(f"{record.path}: {record.place} has {frames} images but {len(values)} values of {name}")
    return values


def _settings(
    entry: dict[str, int | None],
    models: dict[str, list[Record]],
    axes: tuple[AxisFacts, ...],
    scan: Record | None,
    frames: int,
) -> tuple[dict[str, tuple[float, float]], dict[str, np.ndarray]]:
    """Start and increment of every goniometer axis, and the uneven settings of the scanned one."""
    if entry["goniometer"] is None or not axes:
        return {}, {}
    record = models["goniometer"][entry["goniometer"]]
    settings, scanned = dict.fromkeys((axis.id for axis in axes), (0.0, 0.0)), axes[0].id
    if not record.has("axes") and (constant := _constant_rotation(record)) is not None:
        settings[FIXED] = (constant[1], 0.0)
    if record.has("angles"):
        angles = record.numbers("angles", len(axes))[::-1]
        settings = {axis.id: (float(angle), 0.0) for axis, angle in zip(axes, angles, strict=True)}
        position = record.integer("scan_axis", 0)
        if not 0 <= position < len(axes):
            raise record.fail("scan_axis", f"0 to {len(axes) - 1}")
        scanned = axes[len(axes) - 1 - position].id
    varying: dict[str, np.ndarray] = {}
    if scan is not None and scan.has("oscillation"):
        start, width = scan.numbers("oscillation", 2)
        settings[scanned] = (float(start), float(width))
    elif scan is not None and scan.has("properties"):
        settings[scanned], varying = _even(scan, scanned, settings[scanned], frames)
    return _in_sense(record, axes, settings, varying)


def _in_sense(
    record: Record,
    axes: tuple[AxisFacts, ...],
    settings: dict[str, tuple[float, float]],
    varying: dict[str, np.ndarray],
) -> tuple[dict[str, tuple[float, float]], dict[str, np.ndarray]]:
    """Settings about the axes of the first goniometer; one that points the other way has the opposite signs.

    dxtbx takes no negative steps, so that sweeps in both senses have two goniometers.
    """
    reversed_ones = {
        own.id for own, axis in zip(_axes(record), axes, strict=True) if float(own.vector @ axis.vector) < 0
    }
    turned = {
        name: (-start or 0.0, -step or 0.0) if name in reversed_ones else (start, step)
        for name, (start, step) in settings.items()
    }
    return turned, {name: -values if name in reversed_ones else values for name, values in varying.items()}


def _even(
    scan: Record, axis: str, default: tuple[float, float], frames: int
) -> tuple[tuple[float, float], dict[str, np.ndarray]]:
    """Start and increment from the settings of all frames; these too where they are uneven."""
    record = Record(scan.data["properties"], scan.path, f"{scan.place}, properties")
    if not record.has("oscillation"):
        return default, {}
    angles = record.numbers("oscillation")
    width = record.number("oscillation_width", 0.0)
    if len(angles) != frames:
        raise InputError(f"{scan.path}: {scan.place} has {frames} images but {len(angles)} settings")
    if frames == 1:
        return (float(angles[0]), width), {}
    step = float(angles[-1] - angles[0]) / (frames - 1)
    rounded = float(f"{step:.10g}")
    uneven = np.abs(angles[0] + rounded * np.arange(frames) - angles).max() > 1e-5
    return (float(angles[0]), rounded), {axis: angles} if uneven else {}


def _date(epoch: float) -> str | None:
    """The time of an epoch in seconds, as an RFC 3339 stamp; None for the zero of clocks not set."""
    from datetime import UTC, datetime

    if not 1e8 < epoch < 1e10:
        return None
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _images(record: Record, frames: int, first: int) -> ImageFiles:
    """The files of a sweep: numbered ones, one container, or a list."""
    names = record.data.get("images")
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        inside = record.data.get("single_file_indices")
        numbers = record.numbers("single_file_indices") + 1 if isinstance(inside, list) and inside else np.ones(frames)
        file = np.arange(frames) if len(names) == frames else np.zeros(frames)
        frame = numbers if len(numbers) == frames else np.arange(1, frames + 1)
        return ImageFiles(tuple(names), file.astype(np.int64), frame.astype(np.int64))
    template = record.text("template")
    if "#" not in template:
        files = (template,) if template else ()
        return ImageFiles(files, np.zeros(frames if files else 0, np.int64), first + np.arange(frames if files else 0))
    head, _, tail = template.rpartition("#")
    start = len(head.rstrip("#"))
    width = len(head) - start + 1
    form = f"{head[:start].replace('%', '%%')}%0{width}d{tail.replace('%', '%%')}"
    numbered = tuple(map(form.__mod__, range(first, first + frames)))
    return ImageFiles(numbered, np.arange(frames), np.ones(frames, dtype=np.int64))
