"""Inputs of a creation: one description, several of one instrument, or the single images of scans."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.formats import TEXT_PACKINGS, image_of_name
from imgcif_core.images.limits import OWN_FOLDER, Reach
from imgcif_core.records import dataclass
from imgcif_core.sources.description import Experiment, ImageFiles, PanelFacts, ScanFacts
from imgcif_core.sources.detect import SINGLE_IMAGES, Detected, detect, refuse_links
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.euxfel import run_files
from imgcif_core.sources.masters import with_master, with_masters
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
    masters: Sequence[str] = (),
    exclude: Sequence[str] = (),
    images_per_file: int | None = None,
    reach: Reach = OWN_FOLDER,
) -> Described:
    """What one or more inputs describe together.

    Parameters
    ----------
    paths :
        Descriptions of one instrument, or images; a directory or an archive stands for the images and masters in
        it and in its folders.
    gaps :
        "split" to make a scan of each unbroken run of numbers; a gap is refused otherwise.
    dxtbx :
        True to let dxtbx read what no reader here knows.
    progress :
        Called now and then with what is done, how many files are done, and of how many.
    masters :
        Where the masters lie that an experiment list names.
    exclude :
        Patterns of names, with * and ?, that are passed over in directories and archives.
    images_per_file :
        How many images each data file of a master holds, where these files are not here.
    reach :
        Where links of HDF5 files may lead.

    Raises
    ------
    InputError
        If an input cannot be read, or two of them contradict each other.
    """
    from imgcif_core.sources.archive import Opened, is_archive

    with Opened() as opened:
        try:
            files = []
            for path in paths:
                found = opened.files(path) if is_archive(path) else _files(path, exclude, reach)
                files += [file for file in found if file == path or not _is_excluded(opened.member(file), exclude)]
            if not files:
                raise InputError(f"{paths[0]}: all files are excluded by {', '.join(exclude)}")
            described = _read(_described_only(files), gaps, dxtbx, progress, images_per_file, reach)
            if isinstance(described, Experiment) and described.kind == "dials":
                described = with_masters(described, masters, reach)
            if isinstance(described, Draft) and described.kind == "xds":
                described = with_master(described, masters, reach)
            return opened.renamed(described)
        except InputError as error:
            raise type(error)(opened.told(str(error))) from None


def _is_excluded(path: str, patterns: Sequence[str]) -> bool:
    """True if the name of a file, or its path within the folder or archive, is as a pattern says."""
    return any(fnmatch(Path(path).name, pattern) or fnmatch(path, pattern) for pattern in patterns)


def _described_only(files: list[str]) -> list[str]:
    """The files of a folder or archive that have something to say: masters instead of their data files."""
    masters = [file for file in files if _is_master(Path(file))]
    if len(files) < 2 or not masters:
        return files
    stems = tuple(re.sub(r"_?master.*$", "", name, flags=re.I) for name in masters)
    own = [name for name in files if name not in masters and Path(name).suffix == ".h5" and name.startswith(stems)]
    return [name for name in files if name not in set(own)]


def _read(
    files: Sequence[str],
    gaps: str | None,
    dxtbx: bool,
    progress: Progress | None,
    images_per_file: int | None,
    reach: Reach,
) -> Described:
    """What files describe together."""
    from imgcif_core.sources.any import KINDS, read_described

    if len(files) == 1:
        if images_per_file is not None and _detected(files[0]).kind == "nxmx":
            from imgcif_core.sources.isolated import read_described_master

            master, is_following = _detected(files[0]).path, reach.is_following
            master_told: Described = read_described_master(
                master, images_per_file, folders=reach.folders, links_lead_out=is_following
            )
            return master_told
        return read_described(files[0], dxtbx=dxtbx, reach=reach)
    counted = _counted(files, "looking at files", progress)
    found = [Detected(file, "list", False) if file.lower().endswith(".lst") else _detected(file) for file in counted]
    if any(entry.kind == "euxfel" for entry in found):
        return _run(found, reach)
    geometries = [entry.path for entry in found if entry.kind == "geom"]
    if len(geometries) == 1:
        from imgcif_core.sources.geom import read_geom

        return read_geom(geometries[0], [entry.path for entry in found if entry.path != geometries[0]], reach)
    if sorted(entry.kind for entry in found) == ["xds", "xds"]:
        return _xds_together([entry.path for entry in found])
    images = [entry for entry in found if entry.is_single_image]
    detectors = [entry.path for entry in found if entry.kind == "detector"]
    if detectors and len(detectors) + len(images) == len(found):
        from imgcif_core.sources.detector import with_detector

        others = [file for file, entry in zip(files, found, strict=True) if entry.kind != "detector"]
        if len(detectors) == 1 and others:
            return with_detector(_read(others, gaps, dxtbx, progress, images_per_file, reach), detectors[0])
    if not images:
        return _together([read_described(file, dxtbx=dxtbx, reach=reach) for file in files])
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
    parts: list[Described] = []
    for start, run in zip(starts, runs, strict=False):
        frames = described[start : start + len(run)]
        shots = _screening(frames)
        parts += shots if shots else [_joined(frames, run)]
    return _together(parts)


def _run(found: Sequence[Detected], reach: Reach) -> Described:
    """The files of a run of the European XFEL with the one geometry beside them."""
    from imgcif_core.sources.any import KINDS
    from imgcif_core.sources.extrageom import QuadrantDraft
    from imgcif_core.sources.geomdraft import GeomDraft
    from imgcif_core.sources.rundraft import read_run, refuse_lone_run

    files = [entry.path for entry in found if entry.kind == "euxfel"]
    others = [entry for entry in found if entry.kind != "euxfel"]
    place = str(Path(files[0]).parent) if len(files) > 1 else files[0]
    if not others:
        return refuse_lone_run(place)
    strange = next((entry.path for entry in others if entry.kind not in ("geom", "extra-geom")), None)
    if strange is not None or len(others) > 1:
        raise InputError(
            f"{strange or others[1].path}: stands beside a run of the European XFEL, with which one geometry is read "
            "and nothing else; --exclude PATTERN leaves files out"
        )
    geometry = KINDS[others[0].kind].read(others[0].path, reach)
    assert isinstance(geometry, GeomDraft | QuadrantDraft)
    return read_run(place, files, geometry, reach)


def _xds_together(files: Sequence[str]) -> Described:
    """Refined parameters with the inputs of the same run of XDS."""
    from imgcif_core.sources.xds import read_xds, with_inputs

    drafts = sorted(map(read_xds, files), key=lambda draft: draft.images is not None)
    if drafts[0].frames is None and drafts[1].frames is not None:
        return with_inputs(drafts[0], drafts[1])
    return _together(drafts)


def _together(parts: Sequence[Described]) -> Described:
    """Parts as one: drafts keep what is missing of each, else all must be whole."""
    if len(parts) == 1:
        return parts[0]
    drafts = tuple(part for part in parts if isinstance(part, Draft))
    return Drafts(drafts) if len(drafts) == len(parts) else merged([_whole(part) for part in parts])


# More images of one template than these are no shots to look at a crystal.
_MOST_SHOTS = 12


def _screening(frames: Sequence[Described]) -> list[Draft]:
    """Shots that look at a crystal from several sides, none of which begins where the one before ends; else none."""
    drafts = [frame for frame in frames if isinstance(frame, Draft)]
    if not 1 < len(drafts) == len(frames) <= _MOST_SHOTS or any(draft.start is None for draft in drafts):
        return []
    step = drafts[0].increment or 0.0
    jumps = np.diff([draft.start or 0.0 for draft in drafts])
    if not step or not (np.abs(jumps - step) > 5.0 * abs(step)).all() or not (np.abs(jumps) > 1.0).all():
        return []
    note = f"{len(drafts)} images, each turned on by far more than its own step, were taken for shots of their own"
    return [replace(draft, notes=(*draft.notes, note)) for draft in drafts]


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


def _files(path: str, exclude: Sequence[str] = (), reach: Reach = OWN_FOLDER) -> list[str]:
    """A file, or the images or masters of a directory and its folders in the order of their names."""
    if not Path(path).is_dir():
        return [path]
    found = [entry for entry in islice(Path(path).rglob("*"), _MOST_FILES) if entry.is_file()]
    found = [entry for entry in found if not _is_excluded(entry.relative_to(path).as_posix(), exclude)]
    refuse_links(path, found, reach)
    if runs := run_files(found):
        return runs
    images = sorted(str(entry) for entry in found if _is_image(entry))
    masters = sorted(str(entry) for entry in found if _is_master(entry))
    if images and masters:
        raise InputError(
            f"{path}: holds single images such as {images[0]} and masters such as {masters[0]}; "
            "--exclude PATTERN leaves one kind out"
        )
    if not images and not masters:
        raise InputError(f"{path}: no image and no master in this directory")
    return images or masters


# More files than one experiment has.
_MOST_FILES = 2_000_000


def _is_master(path: Path) -> bool:
    """True for a name of an HDF5 master."""
    found = image_of_name(path.name)
    return "master" in path.name.lower() and found is not None and found.pixels == "hdf5"


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
    _compare_panels(first.path, first.scans[0].panels, other.path, other.scans[0].panels)


def _compare_panels(first: str, one: Sequence[PanelFacts], path: str, two: Sequence[PanelFacts]) -> None:
    """Raise where the panels of two frames of one scan do not stand in the same place."""
    if len(one) != len(two):
        raise InputError(f"{path}: has {len(two)} panels, {first} has {len(one)}")
    for panel, twin in zip(one, two, strict=True):
        if panel.size != twin.size:
            raise InputError(f"{path}: has {twin.size} pixels, {first} has {panel.size}")
        away = float(np.abs(panel.corners() - twin.corners()).max())
        if away > 1e-3:
            raise InputError(f"{path}: puts the detector {away:.4g} mm from where {first} has it")


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
_FRAMEWISE: tuple[str, ...] = ("start_angle", "osc_start", "date", "DateTime", "image_number")
_FRAMEWISE += ("ROTATION", "CRYSTAL_GONIO_VALUES", "DTREK_DATE_TIME")


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
        _compare_panels(first.path, first.panels, draft.path, draft.panels)
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
