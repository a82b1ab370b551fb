"""How many images each data file holds, where a master names files that are not here."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imgcif_core.errors import UsageError
from imgcif_core.sources.description import Experiment, ImageFiles
from imgcif_core.sources.draft import Draft, Incomplete
from imgcif_core.sources.stacks import SETTLED, fills, shared

KEY = "images_per_file"
# What detectors are set to as a rule.
_USUAL = (10_000, 5_000, 2_000, 1_000, 500, 400, 200, 100, 50, 20, 10)


def absent_files(described: Experiment | Incomplete) -> tuple[ImageFiles, int] | None:
    """The files whose shares nobody told, and how many images lie in them."""
    if isinstance(described, Draft):
        return (described.absent, described.count or 0) if described.absent is not None and described.count else None
    scans = described.scans if isinstance(described, Experiment) else ()
    return next(((scan.absent, scan.frames) for scan in scans if scan.absent is not None and scan.frames), None)


def share_proposal(absent: ImageFiles, frames: int) -> dict[str, tuple[str, str]]:
    """The only usual number of images a file that fills just these files."""
    fitting = [number for number in _USUAL if fills(absent, frames, number)]
    if len(fitting) != 1:
        return {}
    return {KEY: (str(fitting[0]), f"{frames} images then fill the {len(absent.files)} data files")}


def with_shares(described: Experiment | Incomplete, answers: Mapping[str, Any]) -> Experiment | Incomplete:
    """The description with the images given to their files, where a person said how many each holds.

    Raises
    ------
    UsageError
        If so many in each do not fill the files.
    """
    found = absent_files(described)
    if KEY not in answers or found is None:
        return described
    absent, frames = found
    number = answers[KEY]
    if not fills(absent, frames, number):
        raise UsageError(
            f"{KEY} = {number}: {frames} images would fill {-(-frames // number)} files, the master names "
            f"{len(absent.files)}"
        )
    images = shared(absent, frames, number)
    notes = tuple(note for note in described.notes if not note.endswith(SETTLED))
    if isinstance(described, Draft):
        return replace(described, images=images, absent=None, notes=notes)
    assert isinstance(described, Experiment)
    scans = tuple(
        replace(scan, images=images, absent=None) if scan.absent is absent else scan for scan in described.scans
    )
    return replace(described, scans=scans, notes=notes)
