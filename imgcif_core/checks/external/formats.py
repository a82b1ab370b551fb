"""Rules about the formats of external images, and what the format makes of path, frame and version."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.external.inputs import counted, rows_by
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.formats import BY_WORD, IMAGES, archive_suffix, format_suffix
from imgcif_core.model.external import ExternalData
from imgcif_core.model.shapes import Shapes
from imgcif_core.model.uris import parse_uri
from imgcif_core.tables import Tables


def _names(external: ExternalData) -> Iterator[tuple[Shapes, np.ndarray]]:
    """The columns that hold file names, with the rows for which each one counts."""
    has_path = external.table.explicit("archive_path")
    if external.archive_paths is not None:
        yield external.archive_paths, has_path
    if external.uris is not None:
        yield external.uris, ~has_path


@rule(
    "EXT008",
    "format-and-name",
    severity="warning",
    source="_array_data_external_data.format",
    message="format is {format!r}, but by its name {name!r} is {found}",
)
def format_and_name(external: ExternalData) -> Iterator[Problem]:
    """What: The format of an image file is stated otherwise than its name tells.
    Why: Programs choose the reader by the stated format and fail on the file.
    How to fix: State the format in which the file is written, or correct the name of the file.
    Source: Dictionary imgCIF, _array_data_external_data.format.
    """
    table = external.table
    column = table.column("format")
    if column is None:
        raise NotApplicable("no format")
    for shapes, counts in _names(external):
        for found, rows in rows_by(shapes, _format_of_name):
            other = ~external.where("format", frozenset({found}))
            shared = BY_WORD[found].shares_suffix
            if shared:
                other &= external.where("format", frozenset(BY_WORD) - shared - {found})
            wrong = rows[(other & counts & ~column.is_null)[rows]]
            for word in np.unique(column.folded_hashes()[wrong], return_index=True)[0] if len(wrong) else ():
                own = wrong[column.folded_hashes()[wrong] == word]
                name = parse_uri(shapes.column.text(int(own[0]))).name
                value = column.text(int(own[0]))
                yield problem_at(table, own, "format", format=value, name=name, found=found)


def _format_of_name(text: str) -> str | None:
    """The format that a file name tells; archives and other names tell none."""
    name = parse_uri(text).name
    return None if archive_suffix(name) else format_suffix(name)


@rule(
    "EXT009",
    "hdf5-without-path",
    severity="warning",
    source="_array_data_external_data.path",
    message="{count_text} of format HDF5 without a path - a reader cannot choose the dataset",
    messages={"relative": "path {value!r} does not begin with / - it is read from the root of the file"},
)
def hdf5_without_path(external: ExternalData) -> Iterator[Problem]:
    """What: An HDF5 file is named, but not the dataset in it that holds the images.
    Why: HDF5 files hold many datasets; a program has to guess which one is meant.
    How to fix: Give the full path of the dataset, for example /entry/data/data.
    Source: Dictionary imgCIF, _array_data_external_data.path and format.
    """
    table = external.table
    is_hdf5 = external.where("format", frozenset({"HDF5"}))
    if not is_hdf5.any():
        raise NotApplicable("no HDF5 files")
    bare = np.flatnonzero(is_hdf5 & ~table.explicit("path"))
    if len(bare):
        yield problem_at(table, bare, "path", count_text=counted(bare))
    column = table.column("path")
    if column is None:
        return
    first, inverse = column.distinct()
    for index, row in enumerate(first):
        if column.is_null[row] or column.text(int(row)).startswith("/"):
            continue
        rows = np.flatnonzero((inverse == index) & is_hdf5)
        if len(rows):
            value = column.text(int(row))[:100]
            yield problem_at(table, rows, "path", severity="info", variant="relative", value=value)


@rule(
    "EXT010",
    "frame-not-given",
    severity="warning",
    source="_array_data_external_data.frame",
    message="{count_text} for {file!r} without a frame - all of them mean its first image",
)
def frame_not_given(external: ExternalData) -> Iterator[Problem]:
    """What: Several rows lead to one file of many images, and none says which image.
    Why: The default is 1, so that all frames are given the first image.
    How to fix: Add _array_data_external_data.frame with the number of the image in the file.
    Source: Dictionary imgCIF, _array_data_external_data.frame, default 1.
    """
    rows = rows_without_frame(external)
    if rows is None:
        raise NotApplicable("no files of many images, or frames are given")
    keys = external.dataset_keys[rows]
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    for index in np.sort(first[counts > 1])[:50]:
        own = rows[keys == keys[index]]
        image = external.image(int(own[0]))
        file = image.archive_path or image.uri
        yield problem_at(external.table, own, "frame", count_text=counted(own), file=file)


def rows_without_frame(external: ExternalData) -> np.ndarray | None:
    """Rows of multi-image files that do not say which image they mean."""
    rows = np.flatnonzero(external.is_container & ~external.table.explicit("frame"))
    return rows if len(rows) > 1 else None


@rule(
    "EXT022",
    "storage-of-external-data",
    severity="info",
    source="_array_structure.compression_type",
    message="{names} of ARRAY_STRUCTURE hold for the decoded array, not for the bytes of the external files",
)
def storage_of_external_data(tables: Tables, external: ExternalData) -> Iterator[Problem]:
    """What: Byte order or compression is given for arrays whose data lie in external files.
    Why: The dictionary means the array after decoding, so that neither describes the bytes of the files.
    How to fix: Nothing is needed; leave the compression out to avoid the misunderstanding.
    Source: Dictionary imgCIF, _array_data_external_data.format and _array_structure.compression_type.
    """
    structure = tables.table("array_structure")
    given = [name for name in ("byte_order", "compression_type") if structure.explicit(name).any()]
    if external.is_embedded.any() or not given:
        return
    row = int(structure.explicit(given[-1]).argmax())
    yield Problem(structure.at(row, given[-1]), names=" and ".join(given))


@rule(
    "EXT023",
    "version-of-self-describing-format",
    severity="info",
    source="_array_data_external_data.version",
    message="{count_text} of format {format} with a version - the files state it themselves",
)
def version_of_self_describing_format(external: ExternalData) -> Iterator[Problem]:
    """What: The version of a format is given that each of its files states itself.
    Why: Nothing reads it; if it is wrong, nobody notices.
    How to fix: Nothing is needed; a version helps for formats whose files do not state it.
    Source: Dictionary imgCIF, _array_data_external_data.version.
    """
    given = external.table.explicit("version")
    if not given.any():
        raise NotApplicable("no version")
    for word in sorted(entry.word for entry in IMAGES if entry.version == "stated"):
        rows = np.flatnonzero(given & external.where("format", frozenset({word})))
        if len(rows):
            yield problem_at(external.table, rows, "version", count_text=counted(rows), format=word)


@rule(
    "EXT024",
    "frame-of-single-image",
    severity="warning",
    source="_array_data_external_data.frame",
    message="frame is {value} for a file of format {format}, which holds one image",
)
def frame_of_single_image(external: ExternalData) -> Iterator[Problem]:
    """What: A frame other than the first is asked of a file that holds one image.
    Why: There is no such image; often the number of the frame in the scan was written here.
    How to fix: Leave the frame out, or write 1.
    Source: Dictionary imgCIF, _array_data_external_data.frame and format.
    """
    numbers = external.frame_numbers
    if not external.table.explicit("frame").any():
        raise NotApplicable("no frame is given")
    rows = np.flatnonzero(external.is_single_image & (numbers > 1))
    for row in rows[:50]:
        image = external.image(int(row))
        place = external.table.at(int(row), "frame")
        count = 1 if row != rows[0] else 1 + max(0, len(rows) - 50)
        yield Problem(place, count=count, value=image.frame, format=image.format)
