"""Runs of the European XFEL: a folder of HDF5 files, one a module and sequence, with trains and pulses.

INDEX/trainId names the trains of a file; INDEX/SOURCE/GROUP/first and count say which rows of
INSTRUMENT/SOURCE/GROUP belong to each. Detectors of bursts (AGIPD, LPD, DSSC) have a row for each pulse,
JUNGFRAU one for each train, with its memory cells along the next dimension.

Source: European XFEL, data format of raw and processed files (EXtra-data documentation, "Data files format").
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.records import dataclass, field
from imgcif_core.sources.description import ImageFiles
from imgcif_core.sources.hdf5 import Master
from imgcif_core.sources.statements import NO_ITEM, Fate, Statement

NAME = re.compile(r"(RAW|CORR)-R\d+-.+-S\d+\.h5\Z")
_DEVICE = re.compile(r"(?:MODULE_|RECEIVER-|JNGFR)?(\d+)(?:CH\d*)?(?:-\w+)?:")
# The group of rows and the images in it, by the kinds of detectors.
_IMAGES = (("image", "data"), ("data", "adc"))
# More pulses than a train has, and more links than a file of text should hold.
_PULSES, MAX_LINKS = 1 << 16, 2_000_000
_MOST_TRAINS = 10_000_000
_SHOWN_SOURCES = 12
_OTHER_DEVICES = "imgCIF has no tables for other devices"


@dataclass(frozen=True)
class Module:
    """The images of one module: its number as the files have it, the shape of a row, and its frames.

    shape : dimensions of one row, slowest first; train, pulse : (n,) of each row; images : file, dataset
    and row of each; cells : how many images a row holds.
    """

    number: int
    shape: tuple[int, ...]
    train: np.ndarray
    pulse: np.ndarray
    images: ImageFiles
    cells: int = 1


@dataclass(frozen=True)
class Run:
    """What a run tells: its detector, modules in the order of their numbers, names, remarks."""

    path: str
    detector: str
    modules: tuple[Module, ...]
    facts: dict[str, str] = field(default_factory=dict)
    details: str = ""
    notes: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    wavelength: float | None = None

    @property
    def is_jungfrau(self) -> bool:
        """True for detectors whose modules are counted from 1 and whose rows hold memory cells."""
        return any(entry.images.path is not None and entry.images.path.endswith("/adc") for entry in self.modules)


def run_files(names: Iterable[Path]) -> list[str]:
    """Those of some files that are named as files of a run, in order."""
    return sorted(str(path) for path in names if NAME.match(path.name))


def read_run_files(path: str, files: Sequence[str], folders: Sequence[str] = (), is_following: bool = False) -> Run:
    """The run that files hold together.

    Raises
    ------
    InputError
        If a file cannot be read, no file holds images, or there is more than one detector.
    """
    found: dict[str, dict[int, list[Module]]] = {}
    facts, details, wavelength = {"facility": "European XFEL"}, "", None
    statements: dict[str, Statement] = {}
    notes: list[str] = []
    others: dict[str, dict[str, None]] = {}
    links = 0
    for name in files:
        with Master(name, folders, follow=is_following) as master:
            trains = _trains(master)
            for detector, number, source in _sources(master, others):
                module = _module(master, trains, source, number, statements)
                if module is not None:
                    links += len(module.train) * module.cells
                    _refuse_many(path, links)
                    found.setdefault(detector, {}).setdefault(number, []).append(module)
            details = details or _details(master, statements)
            if wavelength is None:
                wavelength = _wavelength(master, others)
            dropped = int((~trains[1]).sum())
            if dropped:
                notes.append(f"{Path(name).name}: {dropped} trains are flagged as doubtful and were left out")
            notes += master.notes
    _name_others(statements, others)
    chosen = _chosen(path, found)
    modules = tuple(_together(found[chosen][number], path) for number in sorted(found[chosen]))
    facts["detector"] = chosen.partition("/")[0]
    if instrument := re.match(r"(SPB|MID|FXE|HED|SCS|SQS|SXP)_", chosen):
        facts["beamline"] = instrument[1]
    return Run(
        path,
        facts["detector"],
        modules,
        facts,
        details,
        tuple(dict.fromkeys(notes)),
        tuple(statements.values()),
        wavelength,
    )


def _refuse_many(path: str, links: int) -> None:
    """Raise for more images of modules than a file of text should link to."""
    if links > MAX_LINKS:
        raise InputError(
            f"{path}: holds more images of modules than the {MAX_LINKS} that one file links to; "
            "--exclude PATTERN takes part of the sequences, such as *-S0000[1-9].h5"
        )


def _trains(master: Master) -> tuple[np.ndarray, np.ndarray]:
    """The ids of the trains of a file, and which of them are sound: (n,) int64 and (n,) bool."""
    ids = master.numbers(master.root, "INDEX/trainId")
    if len(ids) > _MOST_TRAINS or not (np.isfinite(ids).all() and (ids >= 0).all() and (ids < 2.0**46).all()):
        raise InputError(f"{master.path}: INDEX/trainId holds no ids of trains")
    named = np.sort(ids[ids > 0])
    if twice := named[1:][np.diff(named) == 0].tolist():
        raise InputError(f"{master.path}: INDEX/trainId has train {twice[0]:.0f} twice")
    flags = master.numbers(master.root, "INDEX/flag")
    is_sound = ids > 0
    if len(flags) == len(ids):
        is_sound &= flags != 0
    return ids.astype(np.int64), is_sound | (ids == 0)


def _sources(master: Master, others: dict[str, dict[str, None]]) -> Iterator[tuple[str, int, str]]:
    """Detector, number of the module and source of what holds images; all other sources are kept by name."""
    for root in ("INSTRUMENT", "CONTROL"):
        for first in master.names(root):
            for second in master.names(f"{root}/{first}"):
                for third in master.names(f"{root}/{first}/{second}"):
                    source = f"{first}/{second}/{third}"
                    device = _DEVICE.match(third) if root == "INSTRUMENT" and second in ("DET", "CORR") else None
                    if device is not None and _dataset(master, source) is not None:
                        yield f"{first}/{second}", int(device[1]), source
                    else:
                        others.setdefault(root, {})[source] = None


def _dataset(master: Master, source: str) -> tuple[str, str, Any] | None:
    """The group of rows, the dataset of images and its node; None where a source has none, or is another's alias."""
    if not master.is_own(f"INSTRUMENT/{source}"):
        return None
    for group, name in _IMAGES:
        node = master.get(master.root, f"INSTRUMENT/{source}/{group}/{name}")
        if master.is_dataset(node) and 3 <= len(node.shape) <= 4:
            return group, name, node
    return None


def _module(
    master: Master,
    trains: tuple[np.ndarray, np.ndarray],
    source: str,
    number: int,
    statements: dict[str, Statement],
) -> Module | None:
    """The images of one module in one file; None where it has no row."""
    found = _dataset(master, source)
    if found is None:
        return None
    group, name, node = found
    rows, owner = _rows(master, f"INDEX/{source}/{group}", trains, int(node.shape[0]))
    place = f"INSTRUMENT/{source}/{group}"
    pulse = _pulses(master, place, rows, owner, is_burst=group == "image")
    shape = tuple(int(length) for length in node.shape[1:])
    cells = shape[0] if group == "data" and len(shape) == 3 else 1
    used = {name, "trainId", "pulseId"}
    for other in master.names(place):
        if other not in used:
            reason = "it repeats the pulses" if other == "cellId" else NO_ITEM
            key = f"{group}/{other} of modules"
            statements.setdefault(key, Statement(key, "", Fate.LEFT_OUT, reason))
    for other in used:
        statements.setdefault(f"{group}/{other}", Statement(f"{group}/{other}", ""))
    if group == "image" and len(shape) == 3 and shape[0] > 1:
        key = f"{group}/{name}"
        reason = "only the first plane of an image holds intensities"
        which = "plane 2" if shape[0] == 2 else f"planes 2 to {shape[0]}"
        statements[f"{key} planes"] = Statement(f"{key} {which}", "", Fate.LEFT_OUT, reason)
    if not len(rows):
        return None
    images = ImageFiles((str(master.path),), np.zeros(len(rows), dtype=np.int64), rows + 1, f"/{place}/{name}", "HDF5")
    return Module(number, shape, owner, pulse, images, cells)


def _rows(
    master: Master, place: str, trains: tuple[np.ndarray, np.ndarray], length: int
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a dataset that belong to sound trains, from 0, and the train of each: (n,) int64 each."""
    ids, is_sound = trains
    first = master.numbers(master.root, f"{place}/first")
    count = master.numbers(master.root, f"{place}/count")
    if not len(count) and len(first):
        # Older files give the last row of each train, and whether it has any.
        last, status = (master.numbers(master.root, f"{place}/{name}") for name in ("last", "status"))
        if len(last) == len(status) == len(first):
            count = np.where(status > 0, last - first + 1, 0)
    count_of = min(len(ids), len(first), len(count))
    if not count_of:
        raise InputError(f"{master.path}: {place} does not say which rows belong to which train")
    first, count, ids = first[:count_of], count[:count_of], ids[:count_of]
    chosen = is_sound[:count_of] & (ids > 0) & (count > 0)
    first, count, ids = (values[chosen] for values in (first, count, ids))
    if len(first) and not ((first >= 0) & (first + count <= length)).all():
        raise InputError(f"{master.path}: {place} points beyond the {length} rows of its images")
    counts = count.astype(np.int64)
    if counts.sum() > MAX_LINKS:
        raise InputError(f"{master.path}: {place} counts {counts.sum()} images, more than {MAX_LINKS}")
    starts = np.repeat(first.astype(np.int64) - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return starts + np.arange(int(counts.sum())), np.repeat(ids, counts)


def _pulses(master: Master, place: str, rows: np.ndarray, owner: np.ndarray, *, is_burst: bool) -> np.ndarray:
    """The pulse of each row within its train: its own id where these tell the rows apart, else its number."""
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    counted = np.arange(len(rows)) - np.repeat(begins, np.diff([*begins, len(rows)]))
    told = master.numbers(master.root, f"{place}/pulseId") if is_burst else np.zeros(0)
    if not len(told) or (len(rows) and rows.max() >= len(told)):
        return counted
    own = told[rows]
    if not ((own >= 0) & (own < _PULSES)).all():
        return counted
    keys = owner * _PULSES + own.astype(np.int64)
    return own.astype(np.int64) if len(np.unique(keys)) == len(keys) else counted


def _details(master: Master, statements: dict[str, Statement]) -> str:
    """Proposal and run in words; other values about the files are named."""
    words = []
    for name, title in (("proposalNumber", "proposal"), ("runNumber", "run")):
        value = master.number(master.root, f"METADATA/{name}")
        if value is not None:
            words.append(f"{title} {value:.0f}")
            statements[f"METADATA/{name}"] = Statement(f"METADATA/{name}", f"{value:.0f}")
    for name in master.names("METADATA"):
        key = f"METADATA/{name}"
        if key in statements or not master.is_dataset(master.get(master.root, key)):
            continue
        reason = "it tells of the file, not of the measurement" if name != "sample" else NO_ITEM
        statements[key] = Statement(key, master.shown(master.get(master.root, key)), Fate.LEFT_OUT, reason)
    return f"European XFEL {', '.join(words)}" if words else ""


def _wavelength(master: Master, others: dict[str, dict[str, None]]) -> float | None:
    """The wavelength in angstrom for which a gas monitor was set; None where there is none."""
    for source in others.get("CONTROL", {}):
        if "XGM" not in source:
            continue
        value = master.number(master.root, f"CONTROL/{source}/pulseEnergy/wavelengthUsed/value")
        if value is not None and 1e-3 < value < 10.0:
            return float(f"{10.0 * value:.7g}")
    return None


def _name_others(statements: dict[str, Statement], others: dict[str, dict[str, None]]) -> None:
    """A statement for the devices of a run that are no part of the detector, with as many names as a line holds."""
    for root, sources in others.items():
        names = list(sources)
        more = f" and {len(names) - _SHOWN_SOURCES} more" if len(names) > _SHOWN_SOURCES else ""
        place = f"{root} of {', '.join(names[:_SHOWN_SOURCES])}{more}"
        statements[root] = Statement(place, "", Fate.LEFT_OUT, _OTHER_DEVICES)


def _chosen(path: str, found: dict[str, dict[int, list[Module]]]) -> str:
    """The detector of a run; that of corrected images before that of raw ones."""
    if not found:
        raise InputError(f"{path}: no file of this run holds images of a detector")
    corrected = [name for name in found if name.endswith("/CORR")]
    names = corrected or list(found)
    if len({name.partition("/")[0] for name in found}) > 1 or len(names) > 1:
        shown = ", ".join(sorted({name.partition("/")[0] for name in found}))
        raise InputError(f"{path}: holds several detectors ({shown}); --exclude PATTERN leaves the files of others out")
    return names[0]


def _together(parts: Sequence[Module], path: str) -> Module:
    """One module of all its files, each row once."""
    first = parts[0]
    if any(part.shape != first.shape or part.images.path != first.images.path for part in parts):
        raise InputError(f"{path}: the images of module {first.number} are not alike in all files")
    files = tuple(part.images.files[0] for part in parts)
    index = np.repeat(np.arange(len(parts)), [len(part.train) for part in parts])
    train, pulse, frame = (
        np.concatenate(values)
        for values in zip(*((part.train, part.pulse, part.images.frame) for part in parts), strict=True)
    )
    order = np.lexsort((pulse, train))
    keys = (train * _PULSES + pulse)[order]
    if len(keys) > 1 and (np.diff(keys) == 0).any():
        twice = int(train[order][int(np.flatnonzero(np.diff(keys) == 0)[0])])
        raise InputError(f"{path}: module {first.number} has an image of train {twice} twice")
    images = replace(first.images, files=files, file=index[order], frame=frame[order])
    return replace(first, train=train[order], pulse=pulse[order], images=images)
