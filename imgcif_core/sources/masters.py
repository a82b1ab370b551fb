"""The HDF5 master behind an experiment list: its data files, datasets and frames."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.formats import image_of_name
from imgcif_core.images.limits import OWN_FOLDER, Reach
from imgcif_core.sources.description import Experiment, ImageFiles
from imgcif_core.sources.draft import Draft
from imgcif_core.sources.hdf5 import Master
from imgcif_core.sources.isolated import call
from imgcif_core.sources.stacks import Stack, find_stack


def with_masters(experiment: Experiment, masters: Sequence[str] = (), reach: Reach = OWN_FOLDER) -> Experiment:
    """The experiment with the data files of the masters that it names, where these are found.

    Parameters
    ----------
    masters :
        Masters, or folders that hold them, for lists that name a place where they no longer are.
    reach :
        Where links of the masters may lead.

    Raises
    ------
    InputError
        If a master that is given cannot be read.
    """
    known: dict[str, ImageFiles | None] = {}
    notes = list(experiment.notes)
    folder = Path(experiment.path).parent
    scans = [
        replace(scan, images=_resolved(scan.images, folder, masters, known, notes, reach)) for scan in experiment.scans
    ]
    return replace(experiment, scans=tuple(scans), notes=tuple(dict.fromkeys(notes)))


def with_master(draft: Draft, masters: Sequence[str] = (), reach: Reach = OWN_FOLDER) -> Draft:
    """The draft with the data files of the master that it names, as `with_masters` does it."""
    notes = list(draft.notes)
    images = _resolved(draft.images, Path(draft.path).parent, masters, {}, notes, reach)
    return replace(draft, images=images, notes=tuple(dict.fromkeys(notes)))


def _resolved(
    images: ImageFiles | None,
    folder: Path,
    masters: Sequence[str],
    known: dict[str, ImageFiles | None],
    notes: list[str],
    reach: Reach,
) -> ImageFiles | None:
    """The data files behind images that only name their master; the images as they are otherwise."""
    if images is None or images.path is not None or len(images.files) != 1 or not _is_master(images.files[0]):
        return images
    name = images.files[0]
    if name not in known:
        known[name] = _stack(name, folder, masters, notes, reach)
    stack = known[name]
    chosen = None if stack is None else _chosen(stack, images)
    if stack is not None and chosen is None:
        notes.append(f"{name} holds {len(stack)} frames, the list names frame {int(images.frame.max())}")
    return chosen or images


def _is_master(name: str) -> bool:
    """True for a name of an HDF5 file."""
    found = image_of_name(Path(name).name)
    return found is not None and found.pixels == "hdf5"


def _found(name: str, folder: Path, masters: Sequence[str]) -> Path | None:
    """Where a master lies: as named, beside the list, or where a person says."""
    own = Path(name.replace("\\", "/"))
    places = [own, folder / own.name]
    for given in map(Path, masters):
        places += (
            [given / own.name] if given.is_dir() else [given] if given.name == own.name or len(masters) == 1 else []
        )
    return next((place for place in places if place.is_file()), None)


def _stack(name: str, folder: Path, masters: Sequence[str], notes: list[str], reach: Reach) -> ImageFiles | None:
    """The images of a master, None where it is not found or tells none."""
    path = _found(name, folder, masters)
    if path is None:
        notes.append(
            f"the master {name} is not here, so that neither dataset nor data files of its images are known; "
            "--master FILE says where it is"
        )
        return None
    stack = call("stack", path, list(reach.folders), reach.is_following)
    notes.extend(stack.notes)
    found: ImageFiles | None = stack.images
    return found


def stack_of(path: str, folders: Sequence[str], is_following: bool) -> Stack:
    """The images of the first entry of a master.

    Raises
    ------
    InputError
        If it is no master.
    """
    with Master(path, folders, follow=is_following) as master:
        entry = next((group for _, group in master.groups(master.root, "NXentry")), None)
        if entry is None:
            raise InputError(f"{path}: no NXentry group, so this is no master")
        instrument = next((group for _, group in master.groups(entry, "NXinstrument")), None)
        detector = next((group for _, group in master.groups(instrument, "NXdetector")), entry)
        return find_stack(master, entry, detector)


def _chosen(stack: ImageFiles, images: ImageFiles) -> ImageFiles | None:
    """The frames of a stack that a list names by their numbers from 1; None where it has too few."""
    rows = images.frame - 1
    if not len(rows) or rows.min() < 0 or rows.max() >= len(stack):
        return None
    used, file = np.unique(stack.file[rows], return_inverse=True)
    paths = tuple(stack.paths[row] for row in rows.tolist()) if stack.paths else ()
    names = tuple(stack.files[index] for index in used.tolist())
    return replace(stack, files=names, file=file.astype(np.int64), frame=stack.frame[rows], paths=paths)
