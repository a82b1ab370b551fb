"""Rules about what lies behind the links: members of local archives against the table."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.checks.external.inputs import counted, may_lie_here, no_copy
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule, say_beyond
from imgcif_core.cif.columns import Column
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import LocalData
from imgcif_core.images.members import Listing, danger_of, plain_name
from imgcif_core.model.external import ExternalData

if TYPE_CHECKING:
    from imgcif_core.images.archives import Archive

# Files that are looked for one by one; an archive costs one look, however many members it has.
MAX_FILES = 20_000
# Names that a missing one is compared with.
_NEAREST = 5000
_ALIKE = 0.8


@rule(
    "EXT019",
    "member-missing",
    severity="error",
    source="_array_data_external_data.archive_path",
    message="{archive} has no member {value!r}{others}",
    messages={
        "partial": "{archive} shows no member {value!r}{others} as far as it can be read",
        "empty": "{archive} holds nothing in {value!r}{others} (0 bytes)",
        "folder": "{value!r}{others} is a folder in {archive}, no image file",
        "no_file": "{value!r}{others} is no plain file in {archive} but {kind}, which is not followed",
        "format": "archive_format is {stated}, but the bytes of {archive} are {found}",
        "extra": "{archive} has {count_text} that no row names, the first {value!r}",
        "unsafe": "{archive} has {count_text} that would be unpacked outside its folder, the first {value!r} {fault}",
        "fault": "{fault} - its members cannot all be compared",
        "absent": "{count_text} without a local copy, the first {value!r}",
        "no_bytes": "{archive} is empty (0 bytes)",
    },
    helps={
        "": "correct archive_path to the name by which the archive lists the image",
        "partial": "fetch the whole archive and check again",
        "empty": "put the image into the archive again; the member holds no bytes",
        "folder": "name the image in the folder",
        "no_file": "make the archive again with the files themselves, for example with tar -h",
        "format": "give the archive_format that the file really has",
        "extra": "nothing is needed; name these members too, if they are images of the experiment",
        "unsafe": "make the archive again with relative names, for example with tar -C FOLDER",
        "fault": "fetch or make the archive again",
        "absent": "give the folder with the archive as --local, or leave them unchecked",
        "no_bytes": "fetch the archive again",
    },
)
def member_missing(external: ExternalData, local_data: LocalData, options: CheckOptions) -> Iterator[Problem]:
    """What: The archive on this machine and the table disagree about what is in it.
    Why: Frames whose member is missing or empty have no image; members that no row names may be forgotten frames.
    How to fix: Compare the list of members with the table, and correct archive_path or make the archive again.
    Source: Dictionary imgCIF, _array_data_external_data.archive_path and archive_format.
    """
    if options.images == "none":
        raise NotChecked("images and archives were not opened, as asked")
    uris = external.uris
    if uris is None:
        raise NotApplicable("no uri")
    if not may_lie_here(external, local_data):
        raise no_copy(local_data)
    is_member = external.table.explicit("archive_path") | external.table.explicit("archive_format")
    archives = _by_uri(uris.column, np.flatnonzero(is_member))
    files = _by_uri(uris.column, np.flatnonzero(~is_member), most=MAX_FILES)
    away: list[np.ndarray] = []
    here = [
        {uri: rows for uri, rows in group.items() if _is_here(local_data, uri, rows, away)}
        for group in (archives, files)
    ]
    if not any(here):
        raise no_copy(local_data)
    unasked: list[str] = []
    for uri, rows in here[0].items():
        yield from _judge_archive(external, local_data, uri, rows, unasked)
    yield from _judge_files(external, local_data, here[1])
    if away:
        rows = np.sort(np.concatenate(away))
        value = external.table.text("uri", int(rows[0]))
        yield problem_at(
            external.table, rows, "uri", severity="info", variant="absent", count_text=counted(rows), value=value
        )
    remote = sum(local_data.is_remote(uri) for uri in here[1])
    if unasked or (remote and not here[0]):
        if not unasked and all(map(local_data.is_remote, here[1])):
            raise NotApplicable("no archive among the links - whether single files are there is told by EXT018")
        raise NotChecked(unasked[0] if unasked else "no archive among the links")
    say_beyond(external.table.rows and len(np.unique(uris.column.hashes[~is_member])), MAX_FILES, "files")


def _is_here(local: LocalData, uri: str, rows: np.ndarray, away: list[np.ndarray]) -> bool:
    """True if something stands in for a URI; the rows of the others are gathered."""
    if local.stand_in(uri) is not None:
        return True
    away.append(rows)
    return False


def _by_uri(column: Column, rows: np.ndarray, most: int | None = None) -> dict[str, np.ndarray]:
    """Some rows by their URI, of at most that many URIs."""
    rows = rows[~column.is_null[rows]]
    _, first, inverse = np.unique(column.hashes[rows], return_index=True, return_inverse=True)
    wanted = np.sort(first)[:most]
    if len(wanted) < len(first):
        chosen = np.isin(inverse, inverse[wanted])
        rows, inverse = rows[chosen], inverse[chosen]
    order = np.argsort(inverse, kind="stable")
    groups = np.split(rows[order], np.flatnonzero(np.diff(inverse[order])) + 1) if len(rows) else []
    return {column.text(int(group[0])): group for group in groups}


def _judge_archive(
    external: ExternalData, local: LocalData, uri: str, rows: np.ndarray, unasked: list[str]
) -> Iterator[Problem]:
    """What is wrong with one archive; what a server did not give goes to `unasked`."""
    table = external.table
    try:
        archive = local.archive(uri)
        listing = archive.listing()
    except BytesError as error:
        if error.is_of_server:
            unasked.append(str(error))
        else:
            yield problem_at(table, rows, "uri", severity="warning", variant="fault", fault=str(error))
        return
    label = Path(archive.label).name
    predicted = getattr(archive, "predicted", 0)
    if predicted:
        text = f"{predicted} of {len(listing.members)} members of {label} are only known by their place"
        unasked.append(f"{text}: the first two, one in the middle and the last were looked at")
    is_partly_seen = listing.fault is not None and listing.fault.is_of_server
    if is_partly_seen:
        unasked.append(str(listing.fault))
    elif listing.fault is not None:
        yield problem_at(table, rows, "uri", severity="warning", variant="fault", fault=str(listing.fault))
    yield from _wrong_format(external, archive, label, rows)
    rows = rows[table.explicit("archive_path")[rows]]
    column = table.column("archive_path")
    names = [column.text(int(row)) for row in rows] if column is not None else []
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        member = listing.find(name)
        if member is None and is_partly_seen:
            continue
        kind = "" if member is None else "empty" if member.kind == "file" and not member.size else member.kind
        if kind != "file":
            groups.setdefault(kind, []).append(index)
    for kind, found in groups.items():
        own = rows[np.array(found)]
        yield _member_problem(external, listing, label, kind, own, names, found[0])
    yield from _unnamed(external, listing, label, rows, names)


def _member_problem(
    external: ExternalData, listing: Listing, label: str, kind: str, rows: np.ndarray, names: list[str], index: int
) -> Problem:
    """The finding for members that are missing, empty or no files; `index` is the first of them."""
    variants = {"": "" if listing.is_complete else "partial", "empty": "empty", "folder": "folder"}
    variant = variants.get(kind, "no_file")
    name = names[index]
    hint = _same_name(listing, name) if kind == "" else None
    if kind == "" and hint is None and len(rows) == 1:
        hint = _nearest(listing, name, names)
    article = "an" if kind == "encrypted" else "a"
    noun = f"{kind} file" if kind == "encrypted" else kind
    return problem_at(
        external.table,
        rows,
        "archive_path",
        severity={"partial": "info", "no_file": "warning"}.get(variant),
        variant=variant,
        help=hint,
        archive=label,
        value=name[:100],
        others=f" and {len(rows) - 1} others" if len(rows) > 2 else " and 1 other" if len(rows) == 2 else "",
        kind=f"{article} {noun}",
    )


def _same_name(listing: Listing, name: str) -> str | None:
    """A hint at a member of the same file name in another folder."""
    last = PurePosixPath(name).name
    found = next((member.name for member in listing.members if member.name.rsplit("/", 1)[-1] == last), None)
    return f"the archive has it as {found}" if found else None


def _nearest(listing: Listing, name: str, names: list[str]) -> str | None:
    """A hint at the member of the most similar name among those that no row names."""
    named = {plain_name(text) for text in names}
    files = (plain_name(member.name) for member in listing.members if member.kind == "file")
    free = {
        entry.rpartition("/")[2]: entry for entry in islice((file for file in files if file not in named), _NEAREST)
    }
    # Folders that all of them lie in make no two names alike.
    close = get_close_matches(plain_name(name).rpartition("/")[2][:200], list(free), 1, _ALIKE)
    return f"the nearest name that no row has is {free[close[0]]}" if close else None


def _wrong_format(external: ExternalData, archive: Archive, label: str, rows: np.ndarray) -> Iterator[Problem]:
    """An archive_format that the bytes contradict."""
    if not archive.format:
        return
    stated = external.table.explicit("archive_format")[rows]
    other = rows[stated & ~external.where("archive_format", frozenset({archive.format}))[rows]]
    if len(other):
        value = external.table.text("archive_format", int(other[0]))
        yield problem_at(
            external.table,
            other,
            "archive_format",
            variant="format",
            stated=value,
            archive=label,
            found=archive.format,
        )


def _unnamed(
    external: ExternalData, listing: Listing, label: str, rows: np.ndarray, names: list[str]
) -> Iterator[Problem]:
    """Members that no row names, and members whose names lead outside."""
    if not len(rows):
        return
    named = {plain_name(name) for name in names}
    extra = [entry for entry in listing.members if entry.kind == "file" and plain_name(entry.name) not in named]
    place = external.table.at(int(rows[0]), "archive_path")
    if extra:
        text = "1 member" if len(extra) == 1 else f"{len(extra)} members"
        shown = [entry.name for entry in extra[:20]]
        yield Problem(
            place, severity="info", variant="extra", archive=label, count_text=text, value=shown[0], members=shown
        )
    unsafe = [entry.name for entry in listing.members if danger_of(entry.name)]
    if unsafe:
        text = "1 member" if len(unsafe) == 1 else f"{len(unsafe)} members"
        fault = danger_of(unsafe[0])
        yield Problem(
            place,
            severity="warning",
            variant="unsafe",
            help="unpack this archive only with a program that refuses such names",
            archive=label,
            count_text=text,
            value=unsafe[0][:100],
            fault=fault,
        )


def _judge_files(external: ExternalData, local: LocalData, files: dict[str, np.ndarray]) -> Iterator[Problem]:
    """Single files that hold nothing."""
    for uri, rows in files.items():
        place = local.stand_in(uri)
        if isinstance(place, Path) and place.is_file() and place.stat().st_size == 0:
            yield problem_at(external.table, rows, "uri", variant="no_bytes", archive=place.name)
