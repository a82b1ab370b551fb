"""Frames with spots of several files, for the command that judges them together."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from imgcif_core.checks.engine import Crashed, inputs_of
from imgcif_core.checks.images.spots import SpotFrames
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import Blocked, NotApplicable, NotChecked
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError
from imgcif_core.records import dataclass
from imgcif_core.spots.cell import KnownCell
from imgcif_core.spots.geometry import Sample, Shot


@dataclass(frozen=True, slots=True)
class Gathered:
    """Frames of all files, the first cell among them, and why blocks gave none."""

    sample: Sample
    cell: KnownCell | None
    reasons: tuple[str, ...]


def gather_frames(
    documents: Iterable[Document], dictionary: Dictionary, local: Sequence[str], maps: Mapping[str, str]
) -> Gathered:
    """The frames of the sample of each scan of some files.

    Raises
    ------
    InputError
        If no file has a frame whose spots can be placed.
    """
    options = CheckOptions(images="sample", local=[Path(folder) for folder in local] or None, maps=maps)
    shots: list[Shot] = []
    reasons: list[str] = []
    cell = None
    for document in documents:
        path = document.source.path
        top, inner = inputs_of(document, dictionary, options)
        try:
            for inputs in inner:
                try:
                    found: SpotFrames = inputs.get("spot_frames")
                except Blocked as error:
                    reasons.append(f"{path}: its geometry has faults ({error})")
                except (NotApplicable, NotChecked) as error:
                    reasons.append(f"{path}: {error}")
                except Crashed as error:
                    reasons.append(f"{path}: a fault of the checker ({error})")
                else:
                    shots += found.sample.shots
                    cell = cell or found.cell
        finally:
            for inputs in (*inner, top):
                inputs.close()
    if not shots:
        raise InputError(reasons[0] if reasons else "no data block with frames")
    return Gathered(Sample(tuple(shots)), cell, tuple(reasons))
