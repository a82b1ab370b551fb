"""Inputs of a creation: one description, several of one instrument, or the single images of scans."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.formats import TEXT_PACKINGS, image_of_name
from imgcif_core.sources.description import Experiment, ImageFiles, ScanFacts
from imgcif_core.sources.detect import SINGLE_IMAGES, Detected, detect
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.merging import Drafts, compare_axes, merged
from imgcif_core.sources.statements import varying

Described = Experiment | Incomplete
Progress = Callable[[str, int, int], None]
_NUMBER = re.compile(r"\d+(?!.*\d)")
_BETWEEN_NEWS = 50
_SAME = 1e-6
# Headers print angles with few digits: half a unit of the third decimal, and a tenth of a step.
_ANGLE_ROUNDING, _ANGLE_SHARE = 6e-4, 0.1


class MissingFrames(InputError):
    """Numbers are missing among images, and nobody has said what to do about it."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """An image file with the template and number in its name; number None where it has none."""

    path: str
    template: str
    number: int | None


def numbered(path: str) -> Numbered:
    """Template and number of a file: the last run of digits before the endings counts."""
    name = Path(path).name
    stem, ending = name, ""
    for packed in (entry.suffix for entry in TEXT_PACKINGS):
        if stem.lower().endswith(packed):
            stem, ending = stem[: -len(packed)], stem[-len(packed) :]
    suffix = Path(stem).suffix
    # Names such as run.0026 end in the number itself.
    if suffix and not suffix[1:].isdigit():
        stem, ending = stem[: -len(suffix)], suffix + ending
    found = _NUMBER.search(stem)
    folder = str(Path(path).parent)
    if found is None:
        return Numbered(path, f"{folder}/{name}", None)
    template = f"{folder}/{stem[: found.start()]}#{stem[found.end() :]}{ending}"
    return Numbered(path, template, int(found[0]))


def read_inputs(
    paths: Sequence[str],
    gaps: str | None = None,
    *,
    dxtbx: bool = False,
    progress: Progress | None = None,
) -> Described:
    """What one or more inputs describe together.

    Parameters
    ----------
    paths :
        Descriptions of one instrument, or images; a directory stands for the images in it.
    gaps :
        "split" to make a scan of each unbroken run of numbers; a gap is refused otherwise.
    dxtbx :
        True to let dxtbx read what no reader here knows.
    progress :
        Called now and then with what is done, how many files are done, and of how many.

    Raises
    ------
    InputError
        If an input cannot be read, or two of them contradict each other.
    """
    from imgcif_core.sources.archive import Opened, is_archive

    with Opened() as opened:
        try:
            files = [file for path in paths for file in (opened.files(path) if is_archive(path) else _files(path))]
            return opened.renamed(_read(_described_only(files), gaps, dxtbx, progress))
        except InputError as error:
            raise type(error)(opened.told(str(error))) from None


def _described_only(files: list[str]) -> list[str]:
    """The files of a folder or archive that have something to say: masters instead of their data files."""
    masters = [file for file in files if "master" in Path(file).name.lower() and Path(file).suffix in (".h5", ".nxs")]
    if len(files) < 2 or not masters:
        return files
    stems = tuple(re.sub(r"_?master.*$", "", name, flags=re.I) for name in masters)
    own = [name for name in files if name not in masters and Path(name).suffix == ".h5" and name.startswith(stems)]
    return [name for name in files if name not in set(own)]


def _read(files: Sequence[str], gaps: str | None, dxtbx: bool, progress: Progress | None) -> Described:
    """What files describe together."""
    from imgcif_core.sources.any import KINDS, read_described

    if len(files) == 1:
        return read_described(files[0], dxtbx=dxtbx)
    counted = _counted(files, "looking at files", progress)
    found = [Detected(file, "list", False) if file.lower().endswith(".lst") else _detected(file) for file in counted]
    geometries = [entry.path for entry in found if entry.kind == "geom"]
    if len(geometries) == 1:
        from imgcif_core.sources.geom import read_geom

        return read_geom(geometries[0], [entry.path for entry in found if entry.path != geometries[0]])
    images = [entry for entry in found if entry.is_single_image]
    if not images:
        return merged([_whole(read_described(file, dxtbx=dxtbx)) for file in files])
    if len(images) < len(files):
        other = next(entry for entry in found if not entry.is_single_image)
        raise InputError(
            f"{other.path}: is a description, which cannot stand beside single images such as {images[0].path}"
        )
    kinds = {entry.path: entry.kind for entry in images}
    runs = _runs([numbered(entry.path) for entry in images], gaps)
    ordered = _counted([entry.path for run in runs for entry in run], "reading headers", progress)
    described = [KINDS[kinds[path]].read(path) for path in ordered]
    starts = np.cumsum([0, *map(len, runs)]).tolist()
    parts = [_joined(described[start : start + len(run)], run) for start, run in zip(starts, runs, strict=False)]
    if all(isinstance(part, Draft) for part in parts):
        return _one_draft([part for part in parts if isinstance(part, Draft)])
    return merged([_whole(part) for part in parts])


def _counted(files: Sequence[str], what: str, progress: Progress | None) -> Iterator[str]:
    """Files one by one; whoever waits is told how far it is."""
    for done, file in enumerate(files):
        if progress is not None and done % _BETWEEN_NEWS == 0:
            progress(what, done, len(files))
        yield file
    if progress is not None:
        progress(what, len(files), len(files))


def _detected(source: str) -> Detected:
    """The kind of one of several inputs; a prefix settles it."""
    from imgcif_core.sources.any import split_kind

    kind, path = split_kind(source)
    return Detected(path, kind, kind in SINGLE_IMAGES) if kind else detect(path)


def _files(path: str) -> list[str]:
    """A file, or the images of a directory in the order of their names."""
    if not Path(path).is_dir():
        return [path]
    found = sorted(str(entry) for entry in Path(path).iterdir() if _is_image(entry) and entry.is_file())
    if not found:
        raise InputError(f"{path}: no image in this directory")
    return found


def _is_image(path: Path) -> bool:
    """True for a name of an image of a scan; HDF5 files are named one by one, as a master has data files beside it."""
    found = image_of_name(path.name)
    return found is not None and found.pixels != "hdf5"


def _whole(described: Described) -> Experiment:
    """An experiment; a draft with all facts is one."""
    return described.experiment() if isinstance(described, Incomplete) else described


def _runs(files: Sequence[Numbered], gaps: str | None) -> list[list[Numbered]]:
    """Files of one template in the order of their numbers, cut at gaps if that is wanted."""
    by_template: dict[str, list[Numbered]] = {}
    for entry in files:
        by_template.setdefault(entry.template, []).append(entry)
    runs = []
    for group in by_template.values():
        ordered = sorted(group, key=lambda entry: entry.number or 0)
        run = [ordered[0]]
        for before, entry in pairwise(ordered):
            if entry.number == before.number:
                raise InputError(f"{entry.path}: has the same number {entry.number} as {before.path}")
            if entry.number != (before.number or 0) + 1:
                _refuse_gap(before, entry, gaps)
                runs.append(run)
                run = []
            run.append(entry)
        runs.append(run)
    return runs


def _refuse_gap(before: Numbered, after: Numbered, gaps: str | None) -> None:
    """Raise for a gap in the numbers, unless it is said what to do."""
    if gaps == "split":
        return
    first, last = (before.number or 0) + 1, (after.number or 0) - 1
    missing = f"number {first} is" if first == last else f"numbers {first} to {last} are"
    raise MissingFrames(
        f"{after.path}: {missing} missing after {Path(before.path).name}; "
        'answer missing_frames = "split" to make a scan of each unbroken run'
    )


def _joined(frames: Sequence[Described], run: Sequence[Numbered]) -> Described:
    """One scan of the single frames of a run."""
    if len(frames) == 1:
        return frames[0]
    if all(isinstance(frame, Draft) for frame in frames):
        drafts = [frame for frame in frames if isinstance(frame, Draft)]
        return _joined_drafts(drafts, run[0].number or 1)
    wholes = [_whole(frame) for frame in frames]
    first = wholes[0]
    if any(len(whole.scans) != 1 or whole.scans[0].frames > 1 for whole in wholes):
        raise InputError(f"{first.path}: holds more than one frame, which cannot stand in a series of single images")
    for whole in wholes[1:]:
        _compare(first, whole)
    scans = [whole.scans[0] for whole in wholes]
    settings, varying = _settings(first, scans, [whole.path for whole in wholes])
    images = ImageFiles(
        tuple(entry.path for entry in run),
        np.arange(len(run)),
        np.ones(len(run), dtype=np.int64),
        None,
        scans[0].images.format if scans[0].images else None,
    )
    scan = replace(
        scans[0],
        frames=len(run),
        settings=settings,
        varying=varying,
        images=images,
        first_number=run[0].number or 1,
        end_date=scans[-1].end_date or None,
    )
    return replace(first, scans=(scan,))


def _compare(first: Experiment, other: Experiment) -> None:
    """Raise where two frames of one scan contradict each other."""
    _same_number(first.path, other.path, "wavelength in ångström", first.beam.wavelength, other.beam.wavelength)
    compare_axes(first, other)
    one, two = first.scans[0].panels, other.scans[0].panels
    if len(one) != len(two):
        raise InputError(f"{other.path}: has {len(two)} panels, {first.path} has {len(one)}")
    for panel, twin in zip(one, two, strict=True):
        if panel.size != twin.size:
            raise InputError(f"{other.path}: has {twin.size} pixels, {first.path} has {panel.size}")
        away = float(np.abs(panel.corners() - twin.corners()).max())
        if away > 1e-3:
            raise InputError(f"{other.path}: puts the detector {away:.4g} mm from where {first.path} has it")


def _same_number(first_path: str, path: str, what: str, one: float | None, other: float | None) -> None:
    """Raise where two numbers differ, or only one of them is known."""
    if one is None and other is None:
        return
    if one is None or other is None or abs(one - other) > _SAME * max(abs(one), abs(other)):
        raise InputError(f"{path}: {what} is {other}, in {first_path} it is {one}")


def _settings(
    experiment: Experiment, scans: Sequence[ScanFacts], paths: Sequence[str]
) -> tuple[dict[str, tuple[float, float]], dict[str, np.ndarray]]:
    """Start and increment of all axes over a run of frames, which must follow each other."""
    settings: dict[str, tuple[float, float]] = {}
    for axis in experiment.goniometer:
        starts = np.array([scan.settings.get(axis.id, (0.0, 0.0))[0] for scan in scans])
        steps = np.array([scan.settings.get(axis.id, (0.0, 0.0))[1] for scan in scans])
        settings[axis.id] = float(starts[0]), float(steps[0])
        _refuse_jumps(axis.id, starts, steps, paths)
    return settings, {}


def _refuse_jumps(name: str, starts: np.ndarray, steps: np.ndarray, paths: Sequence[str]) -> None:
    """Raise where a frame does not begin where its number says, or steps differently."""
    tolerance = _ANGLE_ROUNDING + _ANGLE_SHARE * abs(steps[0])
    uneven = np.flatnonzero(np.abs(steps - steps[0]) > max(_SAME, 1e-3 * abs(steps[0])))
    if len(uneven):
        row = int(uneven[0])
        raise InputError(
            f"{paths[row]}: turns {name} by {steps[row]:g} degrees, {paths[0]} turns it by {steps[0]:g} degrees"
        )
    expected = starts[0] + steps[0] * np.arange(len(starts))
    off = np.abs((starts - expected + 180.0) % 360.0 - 180.0)
    wrong = np.flatnonzero(off > tolerance)
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{paths[row]}: {name} starts at {starts[row]:g} degrees, expected {expected[row]:g} degrees "
            f"after {row} frames of {steps[0]:g} degrees"
        )


_COMPARED = {
    "size": "size in pixels",
    "pixel_size": "pixel size in mm",
    "distance": "distance in mm",
    "beam_centre": "beam centre in pixels",
    "wavelength": "wavelength in ångström",
    "two_theta": "two theta in degrees",
    "axis_id": "moving axis",
}
# Places of headers that are taken image by image.
_FRAMEWISE = ("start_angle", "osc_start", "date", "DateTime", "image_number")


def _joined_drafts(drafts: Sequence[Draft], first_number: int) -> Draft:
    """One draft of single images with equal headers."""
    first = drafts[0]
    for draft in drafts[1:]:
        for name, words in _COMPARED.items():
            one, other = getattr(first, name), getattr(draft, name)
            if one != other and not (
                isinstance(one, (float, tuple)) and isinstance(other, (float, tuple)) and np.allclose(one, other, _SAME)
            ):
                raise InputError(f"{draft.path}: {words} is {other}, in {first.path} it is {one}")
        if draft.increment != first.increment:
            steps = [f"{part.increment:g}" if part.increment is not None else "?" for part in (draft, first)]
            raise InputError(
                f"{draft.path}: turns {first.axis_id} by {steps[0]} degrees, "
                f"{first.path} turns it by {steps[1]} degrees"
            )
        for name, angle in first.standing.items():
            other_angle = draft.standing.get(name)
            if other_angle is None or abs(other_angle - angle) > _ANGLE_ROUNDING:
                raise InputError(f"{draft.path}: {name} stands at {other_angle}, in {first.path} at {angle}")
    if first.start is not None and first.increment is not None:
        starts = np.array([draft.start if draft.start is not None else np.nan for draft in drafts])
        if np.isnan(starts).any():
            row = int(np.flatnonzero(np.isnan(starts))[0])
            raise InputError(f"{drafts[row].path}: gives no start angle, {first.path} gives {first.start:g} degrees")
        _refuse_jumps(first.axis_id, starts, np.full(len(starts), first.increment), [draft.path for draft in drafts])
    pictured = [draft.images for draft in drafts if draft.images is not None]
    files = tuple(name for images in pictured for name in images.files)
    images = ImageFiles(
        files,
        np.concatenate([images.file + index for index, images in enumerate(pictured)]),
        np.concatenate([images.frame for images in pictured]),
        pictured[0].path,
        pictured[0].format,
    )
    framewise = (*_FRAMEWISE, first.axis_id, *(("phi",) if "phi" not in first.standing else ()))
    statements = varying([draft.statements for draft in drafts], framewise)
    ends = drafts[-1].date if drafts[-1].date != first.date else None
    return replace(first, images=images, statements=statements, first_number=first_number, end_date=ends)


def _one_draft(drafts: Sequence[Draft]) -> Described:
    """The only draft, or all of them, with what is missing of each."""
    return drafts[0] if len(drafts) == 1 else Drafts(tuple(drafts))
