"""Whether every frame leads to an image: in the file, or by a complete legal link that nobody has followed yet."""

from collections.abc import Callable, Iterator

import numpy as np

from imgcif_core.checks.external.inputs import rows_by
from imgcif_core.checks.external.targets import no_file_of
from imgcif_core.checks.external.uris import dead_end_of, is_signed
from imgcif_core.checks.joined import JoinedTables, has_images, is_part_of_another, which_of_several
from imgcif_core.checks.registry import NotApplicable, NotChecked, provider
from imgcif_core.model.external import ExternalData, build_external
from imgcif_core.model.frame_images import FrameImages
from imgcif_core.model.joins import NONE
from imgcif_core.model.storage import StoredArrays
from imgcif_core.model.uris import SCHEMES, fault_of, locality_of, parse_uri
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames or links of which the same is wrong; `code` is the rule that tells more."""

    words: str
    code: str


@dataclass(frozen=True, slots=True)
class Fetching:
    """The images of a block: how many frames it has, how many images it holds and links to, and the gaps."""

    frames: int
    embedded: int
    linked: int
    gaps: tuple[Gap, ...]


@provider("fetching")
def fetching_of(tables: Tables, joined: Tables, any_external: ExternalData) -> Fetching:
    """The way to the images of a block; `NotApplicable` where it has neither frames nor data.

    Data that stand in another block of the data set are those of the frames here, unless frames there use them.
    """
    if not has_images(tables):
        raise NotApplicable("no scans, frames or array data")
    if is_part_of_another(tables):
        raise NotApplicable("the scans of these images stand in another block")
    undecided = joined.undecided if isinstance(joined, JoinedTables) else {}
    several = [name for name in undecided if name in ("diffrn_data_frame", "array_data", "array_data_external_data")]
    if several:
        raise NotChecked(which_of_several(undecided, several))
    external = any_external if joined is tables else build_external(joined)
    tables = joined
    data = np.arange(external.data.rows)
    if external.frames:
        data = FrameImages(StoredArrays(tables)).data_rows_of_frames()
    held, rows = np.zeros(len(data), dtype=bool), np.full(len(data), NONE)
    if external.data.rows:
        held = (data >= 0) & external.is_embedded[data]
        rows = np.where(data >= 0, external.of_data[data], NONE)
    is_linked = ~held & (rows >= 0)
    gaps = [*_unled(external, held | is_linked), *_unlisted(tables, external)]
    used = np.unique(rows[is_linked], return_index=True)[0]
    if len(used):
        gaps += _links(external, used)
    return Fetching(len(data), int(held.sum()), int(is_linked.sum()), tuple(gaps))


def _unled(external: ExternalData, is_led: np.ndarray) -> Iterator[Gap]:
    """Frames that lead nowhere."""
    missing = int((~is_led).sum())
    if not len(is_led):
        yield Gap("no frame leads to an image", "")
    elif missing:
        what = "frame" if external.frames else "row of ARRAY_DATA"
        count = f"{missing} of {len(is_led)} {what}s lead" if len(is_led) > 1 else f"the {what} leads"
        yield Gap(f"{count} to no image", "EXT001" if external.data else "REL002")


def _unlisted(tables: Tables, external: ExternalData) -> Iterator[Gap]:
    """Frames that scans count and nothing lists; a file of embedded images may hold a part of a scan."""
    counts = tables.table("diffrn_scan").numbers("frames", 0.0)
    stated = float(np.nansum(counts)) if len(counts) else 0.0
    ids = external.frames.column("id")
    listed = tables.table("diffrn_scan_frame").rows or (
        len(np.unique(ids.hashes, return_index=True)[0]) if ids is not None else 0
    )
    if listed and stated > listed and not external.is_embedded.any():
        yield Gap(f"{stated - listed:.0f} of {stated:.0f} frames not listed", "SCN004")


def _links(external: ExternalData, used: np.ndarray) -> Iterator[Gap]:
    """What is wrong with the links that frames use."""
    table = external.table
    bare = int((~table.explicit("uri")[used]).sum())
    if bare:
        yield Gap(_counted(bare, "without a uri"), "EXT003")
    inside = np.zeros(table.rows, dtype=bool)
    inside[used] = True
    checks: tuple[tuple[Callable[[str], str | None], str], ...] = (
        (_placeholder, "SYN019"),
        (_malformed, "EXT003"),
        (_local, "EXT004"),
        (_dying, "EXT005"),
        (dead_end_of, "EXT018"),
        (no_file_of, "EXT033"),
    )
    uris = external.uris
    for judge, code in checks if uris is not None else ():
        for words, rows in rows_by(uris, judge) if uris is not None else ():
            count = int(inside[rows].sum())
            if count:
                yield Gap(_counted(count, _DEAD_ENDS.get(words, words)), code)
    yield from _archives(external, used)


_DEAD_ENDS = {
    "draft": "to an unpublished draft",
    "page": "to a page about the data",
    "doi": "to a DOI, not a file",
    "folder": "to a folder, not a file",
}


def _archives(external: ExternalData, used: np.ndarray) -> Iterator[Gap]:
    """Links that name an archive without a member, or a file of many data sets without a path."""
    table = external.table
    format_given, path_given = (table.explicit(name)[used] for name in ("archive_format", "archive_path"))
    if (format_given & ~path_given).any():
        yield Gap(_counted(int((format_given & ~path_given).sum()), "into an archive without the member"), "EXT006")
    is_hdf5 = external.where("format", frozenset({"HDF5"}))[used]
    bare = int((is_hdf5 & ~table.explicit("path")[used]).sum())
    if bare:
        yield Gap(_counted(bare, "into HDF5 without a path"), "EXT009")


def _counted(count: int, words: str) -> str:
    """Links with what is wrong with them."""
    return f"{count} {'link' if count == 1 else 'links'} {words}"


def _placeholder(text: str) -> str | None:
    return "to be filled in" if set(text) <= {"?"} or not text.strip() else None


def _malformed(text: str) -> str | None:
    """A URI that cannot be read, or has a scheme that nobody fetches."""
    if _placeholder(text):
        return None
    if fault_of(text) is not None:
        return "not well formed"
    scheme = parse_uri(text).scheme
    return "of an unknown scheme" if len(scheme) > 1 and scheme not in SCHEMES else None


def _local(text: str) -> str | None:
    """A place on one computer or in one network."""
    if _placeholder(text) or fault_of(text) is not None:
        return None
    uri = parse_uri(text)
    return "to a place that is not public" if len(uri.scheme) == 1 or locality_of(uri) else None


def _dying(text: str) -> str | None:
    """A link that expires."""
    return "signed for a limited time" if is_signed(text) else None
