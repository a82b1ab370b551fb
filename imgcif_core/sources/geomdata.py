"""HDF5 and CXI files that a CrystFEL geometry describes: frames, photon energy and camera length."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.images.limits import OWN_FOLDER, Reach
from imgcif_core.inputs import read_text
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.records import dataclass
from imgcif_core.sources.description import ImageFiles
from imgcif_core.sources.geomdraft import FrameData, GeomDraft
from imgcif_core.sources.hdf5 import LENGTHS, WAVELENGTHS, Master, attribute

# Camera lengths that differ by less are those of one place of the detector.
_STEADY_MM = 1e-3
MAX_EVENTS = 1_000_000
# h / sqrt(2 m e) and e / (2 m c^2) of electrons, CODATA 2018: angstrom V^(1/2), 1/V.
ELECTRON_V_ANGSTROM, ELECTRON_PER_V = 12.2642595, 9.7847568e-7


@dataclass(frozen=True, slots=True)
class Source:
    """A data file, and the event of it that a list names: placeholders of the path, then frames; empty for all."""

    name: str
    event: str = ""

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What stands in a path for each %, none for all."""
        return tuple(part for part in self.event.partition("//")[0].split("/") if part)

    @property
    def frame(self) -> int | None:
        """The frame from 0 that the event names, None for all."""
        part = self.event.partition("//")[2].split("/")[0]
        return int(part) if part.isdigit() else None


def listed(files: Sequence[str]) -> list[Source]:
    """Data files, lists among them read line by line: a name, and the event after it.

    Raises
    ------
    InputError
        If a list cannot be read, or names no file.
    """
    found: list[Source] = []
    for name in files:
        if not name.lower().endswith(".lst"):
            found.append(Source(name))
            continue
        lines = read_text(name, errors="replace").splitlines()
        entries = [line.split() for line in lines if line.strip()]
        if not entries:
            raise InputError(f"{name}: lists no data file")
        for words in entries:
            beside = Path(name).parent / words[0]
            place = str(beside) if beside.is_file() or not Path(words[0]).is_file() else words[0]
            found.append(Source(place, words[1] if len(words) > 1 else ""))
    return found


def read_frame_data(
    draft: GeomDraft,
    files: Sequence[str],
    dataset: str,
    energies: Mapping[str, str],
    lengths: Sequence[str],
    reach: Reach = OWN_FOLDER,
) -> FrameData:
    """Frames, wavelengths and distance in all files.

    Raises
    ------
    InputError
        If a file lacks the dataset, its shape does not hold the panels, or the detector moved.
    """
    names: dict[str, int] = {}
    file: list[int] = []
    frame: list[int] = []
    paths: list[str] = []
    waves, distances = [], []
    for name, events in _by_file(listed(files)).items():
        with Master(name, reach.folders, follow=reach.is_following) as master:
            index = names.setdefault(name, len(names))
            for path, filled in _paths(master, dataset, events):
                count = _frames(master, path, draft)
                chosen = [event.frame for event in events if event.placeholders in ((), filled)]
                own = list(range(count)) if None in chosen or not chosen else [one for one in chosen if one is not None]
                if max(own, default=0) >= max(count, 1):
                    raise InputError(f"{name}: {path} has {count} frames, none with number {max(own)}")
                file += [index] * len(own)
                frame += [number + 1 for number in own]
                paths += [path] * len(own)
                for key, place in energies.items():
                    waves.append(_wavelengths(master, key, _filled(place, filled), count)[own])
                distances += [_values(master, _filled(place, filled), LENGTHS, "mm") for place in lengths]
    wavelengths = np.concatenate(waves) if waves else None
    distance = _steady(np.concatenate(distances), files, lengths) if distances else None
    is_one_path = len(set(paths)) == 1
    images = ImageFiles(
        tuple(names),
        np.array(file, dtype=np.int64),
        np.array(frame, dtype=np.int64),
        paths[0] if is_one_path else None,
        "HDF5",
        () if is_one_path else tuple(paths),
    )
    return FrameData(images, wavelengths, distance)


def _by_file(sources: Sequence[Source]) -> dict[str, list[Source]]:
    """The events of each file, in order."""
    found: dict[str, list[Source]] = {}
    for source in sources:
        found.setdefault(source.name, []).append(source)
    return found


def _filled(path: str, filled: Sequence[str]) -> str:
    """A path with each % replaced."""
    for part in filled:
        path = path.replace("%", part, 1)
    return path


def _paths(master: Master, dataset: str, events: Sequence[Source]) -> list[tuple[str, tuple[str, ...]]]:
    """The datasets that a path with % means, with what stands for each %: those of the events, else all."""
    count = dataset.count("%")
    if not count:
        return [(dataset, ())]
    named = [event.placeholders for event in events if event.placeholders]
    if named:
        wrong = next((entry for entry in named if len(entry) != count), None)
        if wrong is not None:
            raise InputError(f"{master.path}: event {'/'.join(wrong)} does not fill the {count} places of {dataset}")
        return [(_filled(dataset, entry), entry) for entry in dict.fromkeys(named)]
    found: list[tuple[str, tuple[str, ...]]] = [("", ())]
    for part in dataset.strip("/").split("/"):
        longer = []
        for path, filled in found:
            if "%" not in part:
                longer.append((f"{path}/{part}", filled))
                continue
            pattern = re.compile(re.escape(part).replace("%", "(.+)") + r"\Z")
            for name in master.names(path or "/"):
                if match := pattern.match(name):
                    longer.append((f"{path}/{name}", (*filled, *match.groups())))
        found = longer[:MAX_EVENTS]
    present = [entry for entry in found if master.is_dataset(master.get(master.root, entry[0]))]
    if not present:
        raise InputError(f"{master.path}: has no dataset {dataset}")
    return present


def _frames(master: Master, dataset: str, draft: GeomDraft) -> int:
    """The number of frames of a dataset, whose other dimensions must hold all panels."""
    node = master.get(master.root, dataset)
    if not master.is_dataset(node):
        raise InputError(f"{master.path}: has no dataset {dataset}, in which {draft.path} has the images")
    dims = draft.panels[0].dims or (("%", "ss", "fs") if len(node.shape) == 3 else ("ss", "fs"))
    if len(dims) != len(node.shape):
        raise InputError(f"{master.path}: {dataset} has {len(node.shape)} dimensions, {draft.path} has {len(dims)}")
    for panel in draft.panels:
        ends = {
            "fs": panel.first[0] + panel.size[0],
            "ss": panel.first[1] + panel.size[1],
        }
        for entry, length in zip(panel.dims or dims, node.shape, strict=True):
            end = ends.get(entry, int(entry) + 1 if entry.isdigit() else 0)
            if end > length:
                raise InputError(f"{master.path}: {dataset} ends at {length}, panel {panel.name} needs {end}")
    return int(node.shape[dims.index("%")]) if "%" in dims else 1


ENERGIES = {"ev": 1.0, "kev": 1e3, "mev": 1e6, "j": 6.241509074e18}
VOLTAGES = {"v": 1.0, "kv": 1e3, "mv": 1e6}


def _values(master: Master, path: str, units: Mapping[str, float], default: str) -> np.ndarray:
    """The finite numbers of a dataset: (n,), in the unit of a table; that of the geometry counts before the file's.

    A path may be followed by a unit, as in `/LCLS/wavelength A`.
    """
    words = path.split()
    node: Any = master.get(master.root, words[0])
    if not master.is_dataset(node):
        raise InputError(f"{master.path}: has no dataset {words[0]}")
    values = master.numbers(master.root, words[0])
    unit = words[1] if len(words) > 1 else attribute(node, "units") or default
    scale = units.get(unit.lower())
    if scale is None:
        raise InputError(f"{master.path}: {words[0]} has the unit {unit!r}, expected one of {', '.join(units)}")
    found: np.ndarray = values[np.isfinite(values)] * scale
    return found


def _wavelengths(master: Master, key: str, path: str, frames: int) -> np.ndarray:
    """The wavelength of each frame, from photon energies, wavelengths or voltages of electrons."""
    units, default = {
        "photon_energy": (ENERGIES, "eV"),
        "wavelength": (WAVELENGTHS, "m"),
        "electron_voltage": (VOLTAGES, "V"),
    }[key]
    values = _values(master, path, units, default)
    values = values[values > 0]
    if len(values) not in (1, frames):
        raise InputError(f"{master.path}: {path} holds {len(values)} positive values for {frames} frames")
    if key == "photon_energy":
        values = 1e3 * HC_KEV_ANGSTROM / values
    elif key == "electron_voltage":
        values = ELECTRON_V_ANGSTROM / np.sqrt(values * (1.0 + ELECTRON_PER_V * values))
    found = np.array([float(f"{value:.12g}") for value in values.tolist()])
    return np.broadcast_to(found, frames) if len(found) == 1 else found


def _steady(values: np.ndarray, files: Sequence[str], paths: Sequence[str]) -> float:
    """The one camera length of all frames, in mm."""
    if not len(values):
        raise InputError(f"{files[0]}: {paths[0]} holds no number")
    if np.ptp(values) > _STEADY_MM:
        raise InputError(
            f"{files[0]}: {paths[0]} runs from {values.min():g} to {values.max():g} mm: the detector moved; "
            "give the files of one position at a time"
        )
    return float(f"{np.mean(values):.9g}")
