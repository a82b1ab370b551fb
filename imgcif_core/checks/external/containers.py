"""Rules about archives and packed files: what the table says of them against their names."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.external.inputs import counted, rows_by
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.formats import ARCHIVE_GAPS, PACKINGS, archive_suffix, compression_suffix
from imgcif_core.images.members import danger_of
from imgcif_core.model.external import ExternalData
from imgcif_core.model.joins import combined, filled_hashes, leaders
from imgcif_core.model.uris import parse_uri

# Files told one by one.
MAX_FILES = 50


@rule(
    "EXT006",
    "archive-format-and-name",
    severity="warning",
    source="_array_data_external_data.archive_format",
    message="archive_format is {format!r}, but by its name {name!r} is {found}",
    messages={
        "no_path": "{count_text} with archive_format {format!r} and no archive_path",
        "no_format": "{count_text} with an archive_path and no archive_format",
        "plain": "by its name {name!r} is {found}, but neither archive_format nor archive_path is given",
        "gap": "{count_text} with an archive_path and no archive_format, as for plain tar, "
        "which the dictionary has no state for (dictionary gap)",
    },
    helps={
        "": "give the archive_format that the file really has",
        "no_path": "add archive_path, the name of each image in the archive; for plain files leave archive_format out",
        "no_format": "add archive_format, ZIP, TGZ or TBZ; for plain files leave archive_path out",
        "gap": "nothing is needed, as readers know tar by the name of the file; packed as .tar.gz it is a TGZ",
        "plain": "add archive_format {found}, and in archive_path the name of each image within the archive",
    },
)
def archive_format_and_name(external: ExternalData) -> Iterator[Problem]:
    """What: The kind of an archive, the path within it and the name of its file do not fit together.
    Why: A program that unpacks by the stated kind fails, or takes the archive itself for an image.
    How to fix: State both archive_format and archive_path for members of archives, and neither for plain files.
    Source: Dictionary imgCIF, _array_data_external_data.archive_format and archive_path.
    """
    table = external.table
    has_format, has_path = table.explicit("archive_format"), table.explicit("archive_path")
    named = dict(rows_by(external.uris, _suffix_of_uri)) if external.uris is not None else {}
    no_path = np.flatnonzero(has_format & ~has_path)
    if len(no_path):
        value = table.text("archive_format", int(no_path[0]))
        text = counted(no_path)
        yield problem_at(table, no_path, "archive_format", variant="no_path", count_text=text, format=value)
    gap = np.zeros(table.rows, dtype=bool)
    for suffix in ARCHIVE_GAPS & set(named):
        gap[named[suffix]] = True
    lone = has_path & ~has_format
    for variant, rows in (("gap", np.flatnonzero(lone & gap)), ("no_format", np.flatnonzero(lone & ~gap))):
        if len(rows):
            severity = "info" if variant == "gap" else None
            text = counted(rows)
            yield problem_at(table, rows, "archive_path", severity=severity, variant=variant, count_text=text)
    for suffix, rows in named.items():
        other = ~external.where("archive_format", frozenset({suffix})) & has_format
        yield from _contradictions(external, suffix, rows[other[rows]], rows[~(has_format | has_path)[rows]])


def _contradictions(external: ExternalData, suffix: str, other: np.ndarray, plain: np.ndarray) -> Iterator[Problem]:
    """Names that tell another kind of archive than is stated, or one where none is stated."""
    table = external.table
    for variant, rows, item in (("", other, "archive_format"), ("plain", plain, "uri")):
        if len(rows):
            name = parse_uri(table.text("uri", int(rows[0]), "") or "").name
            value = table.text("archive_format", int(rows[0]))
            yield problem_at(table, rows, item, variant=variant, format=value, name=name, found=suffix)


def _suffix_of_uri(text: str) -> str | None:
    """The archive format that the path or the query of a URI names."""
    return archive_suffix(parse_uri(text).name)


@rule(
    "EXT007",
    "archive-path-unsafe",
    severity="warning",
    source="_array_data_external_data.archive_path",
    message="archive_path {value!r} {fault}",
)
def archive_path_unsafe(external: ExternalData) -> Iterator[Problem]:
    """What: The name of a member is absolute, climbs with .., uses backslashes or names a folder.
    Why: Such members exist in badly made archives; programs refuse to unpack them, or write outside their folder.
    How to fix: Make the archive again with relative names, for example with tar -C FOLDER.
    Source: Dictionary imgCIF, _array_data_external_data.archive_path; POSIX pax format, member names.
    """
    paths = external.archive_paths
    if paths is None:
        raise NotApplicable("no archive_path")
    for fault, rows in rows_by(paths, _fault_of_path):
        value = paths.column.text(int(rows[0]))[:100]
        yield problem_at(external.table, rows, "archive_path", value=value, fault=fault)


def _fault_of_path(text: str) -> str | None:
    """Why a member name is unwise."""
    danger = danger_of(text)
    if danger:
        return danger
    if "\\" in text:
        return "has a backslash, where archives use /"
    return "names a folder" if text.endswith("/") or not text.strip() else None


@rule(
    "EXT017",
    "member-name-in-two-archives",
    severity="info",
    source="_array_data_external_data.archive_path",
    message="{count_text} with a member name that another archive has too, the first {value!r}",
)
def member_name_in_two_archives(external: ExternalData) -> Iterator[Problem]:
    """What: Archives of different addresses hold members of the same name.
    Why: This is legal; a program that unpacks all archives into one folder overwrites one file with the other.
    How to fix: Nothing is needed; unpack each archive into a folder of its own.
    Source: Dictionary imgCIF, _array_data_external_data.uri and archive_path.
    """
    table, column = external.table, external.table.column("archive_path")
    uri = table.column("uri")
    if column is None or uri is None or uri.is_constant:
        raise NotApplicable("fewer than two archives")
    if not column.has_nulls and column.is_all_distinct:
        return
    paths, files = filled_hashes(table, "archive_path", ""), external.file_keys
    rows = np.flatnonzero((files != files[leaders(paths)]) & ~column.is_null)
    if len(rows):
        value = column.text(int(rows[0]))
        yield problem_at(table, rows, "archive_path", count_text=counted(rows), value=value)


@rule(
    "EXT021",
    "file-compression-and-name",
    severity="warning",
    source="_array_data_external_data.file_compression",
    message="file_compression is {stated}, but by its name {name!r} {found}",
)
def file_compression_and_name(external: ExternalData) -> Iterator[Problem]:
    """What: The packing of single image files is stated otherwise than their names tell.
    Why: A program that follows the table does not unpack the file, or tries to unpack what is not packed.
    How to fix: State GZ for .gz, BZ2 for .bz2 and . for files that are not packed.
    Source: Dictionary imgCIF, _array_data_external_data.file_compression.
    """
    table = external.table
    states = {"": ~table.explicit("file_compression")}
    for word in filter(None, (entry.word for entry in PACKINGS)):
        states[word] = external.where("file_compression", frozenset({word}))
    is_member = table.explicit("archive_path")
    # The last path component counts: that of the member, where there is one.
    for shapes, counts in ((external.uris, ~is_member), (external.archive_paths, is_member)):
        for packing, rows in rows_by(shapes, _packing) if shapes is not None else ():
            found = packing.removeprefix("-")
            for word, stated in states.items():
                wrong = rows[(stated & counts)[rows]] if word != found else rows[:0]
                if len(wrong):
                    yield _packing_problem(external, wrong, word, found)


def _packing_problem(external: ExternalData, rows: np.ndarray, word: str, packing: str) -> Problem:
    """The finding for rows whose packing is stated as one thing and named as another."""
    image = external.image(int(rows[0]))
    name = image.archive_path or parse_uri(image.uri or "").name
    text = f"is packed as {packing}" if packing else "is not packed"
    return problem_at(external.table, rows, "file_compression", stated=word or "not given", name=name, found=text)


def _packing(text: str) -> str | None:
    """The packing that a file name tells, `-` for a name with another suffix, None for a name without one."""
    name = parse_uri(text).name
    if archive_suffix(name) or "." not in name:
        return None
    return compression_suffix(name) or "-"


@rule(
    "EXT028",
    "one-file-two-kinds",
    severity="warning",
    source="_array_data_external_data.format",
    message="{name} is {value!r} here and {other!r} before for the same file {file!r}",
)
def one_file_two_kinds(external: ExternalData) -> Iterator[Problem]:
    """What: Rows that name one file state different formats, archive formats or packings for it.
    Why: At most one of them is right, so that a part of the frames cannot be read.
    How to fix: State the same format, archive_format and file_compression in all rows of a file.
    Source: Dictionary imgCIF, _array_data_external_data.format, archive_format and file_compression.
    """
    table = external.table
    archives = filled_hashes(table, "uri", "")
    for name, keys in (("format", None), ("archive_format", archives), ("file_compression", None)):
        column = table.column(name)
        if column is None or column.is_constant or (keys is None and external.has_own_images):
            continue
        files = external.file_keys if keys is None else keys
        yield from _changes(external, name, files)


def _changes(external: ExternalData, name: str, files: np.ndarray) -> Iterator[Problem]:
    """Rows whose word differs from that of the first row of the same file."""
    table, column = external.table, external.table.column(name)
    if column is None:
        return
    words = column.folded_hashes()
    first = leaders(files)
    differs = np.flatnonzero(words != words[first])
    if not len(differs):
        return
    kinds = combined([words[differs], files[differs]])
    for index in np.flatnonzero(leaders(kinds) == np.arange(len(kinds)))[:MAX_FILES]:
        rows = differs[kinds == kinds[index]]
        image = external.image(int(rows[0]))
        other = table.text(name, int(first[rows[0]]), "none")
        file = image.archive_path if name != "archive_format" and image.archive_path else image.uri
        value = table.text(name, int(rows[0]), "none")
        yield problem_at(table, rows, name, name=column.name, value=value, other=other, file=file)
