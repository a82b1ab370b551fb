"""HDF5 and CXI files that a CrystFEL geometry describes: frames, photon energy and camera length."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.sources.description import ImageFiles
from imgcif_core.sources.geomdraft import FrameData, GeomDraft
from imgcif_core.sources.hdf5 import Master

# Camera lengths that differ by less are those of one place of the detector.
_STEADY_MM = 1e-3


def read_frame_data(
    draft: GeomDraft,
    files: Sequence[str],
    dataset: str,
    energies: Mapping[str, str],
    lengths: Sequence[str],
) -> FrameData:
    """Frames, wavelengths and distance in all files.

    Raises
    ------
    InputError
        If a file lacks the dataset, its shape does not hold the panels, or the detector moved.
    """
    counts, waves, distances = [], [], []
    for name in files:
        with Master(name) as master:
            counts.append(_frames(master, dataset, draft))
            for key, path in energies.items():
                waves.append(_wavelengths(master, key, path, counts[-1]))
            for path in lengths:
                distances.append(_values(master, path))
    wavelengths = np.concatenate(waves) if waves else None
    distance = _steady(np.concatenate(distances), files, lengths) if distances else None
    file = np.repeat(np.arange(len(files)), counts)
    frame = np.concatenate([np.arange(1, count + 1) for count in counts])
    return FrameData(ImageFiles(tuple(files), file, frame, dataset, "HDF5"), wavelengths, distance)


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


def _values(master: Master, path: str) -> np.ndarray:
    """The finite numbers of a dataset: (n,)."""
    words = path.split()
    node: Any = master.get(master.root, words[0])
    if not master.is_dataset(node):
        raise InputError(f"{master.path}: has no dataset {words[0]}")
    try:
        values = np.asarray(node[()], dtype=float).ravel()
    except (TypeError, ValueError, OSError):
        raise InputError(f"{master.path}: {words[0]} holds no numbers") from None
    scale = {"m": 1e3, "mm": 1.0, "kev": 1e3}.get(words[1].lower(), 1.0) if len(words) > 1 else 1.0
    return values[np.isfinite(values)] * scale


def _wavelengths(master: Master, key: str, path: str, frames: int) -> np.ndarray:
    """The wavelength of each frame, from photon energies in eV or wavelengths in metres."""
    values = _values(master, path)
    values = values[values > 0]
    if len(values) not in (1, frames):
        raise InputError(f"{master.path}: {path} holds {len(values)} positive values for {frames} frames")
    found = 1e3 * HC_KEV_ANGSTROM / values if key == "photon_energy" else 1e10 * values
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
