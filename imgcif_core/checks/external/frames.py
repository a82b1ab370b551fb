"""Rules about the order of images: one image for each frame, none twice, none left out."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from imgcif_core.arrays import Flags, Floats
from imgcif_core.checks.dictionary.keys import is_section_id
from imgcif_core.checks.external.formats import rows_without_frame
from imgcif_core.checks.external.inputs import counted
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule
from imgcif_core.checks.relations.arrays import explicit_values
from imgcif_core.cif.columns import Column
from imgcif_core.model.external import ExternalData
from imgcif_core.model.joins import combined, filled_hashes, repeats
from imgcif_core.model.shapes import last_digits
from imgcif_core.model.uris import parse_uri
from imgcif_core.tables import Tables


@rule(
    "EXT011",
    "frame-within-file",
    severity="error",
    source="_array_data_external_data.frame",
    message="frame is {value!r} - expected a whole number from 1, or a section of the array",
    messages={
        "gap": "frame {number} follows frame {before} of {file!r} within a scan - expected {expected}",
    },
)
def frame_within_file(tables: Tables, external: ExternalData) -> Iterator[Problem]:
    """What: The image within a file is named by something that is no number of an image, or images are left out.
    Why: A frame that cannot be found has no image; a gap shifts all later frames against their angles.
    How to fix: Count the images of a file from 1, without gaps, in the order of the frames.
    Source: Dictionary imgCIF, _array_data_external_data.frame.
    """
    table, column = external.table, external.table.column("frame")
    if column is None:
        raise NotApplicable("no frame is given")
    numbers = external.frame_numbers
    wrong = np.flatnonzero(~column.is_null & ~((numbers >= 1) & (numbers == np.floor(numbers)) & _is_whole(column)))
    sections = {value.casefold() for value in explicit_values(tables.table("array_structure_list_section"), "id")}
    seen: dict[str, list[int]] = {}
    for row in wrong[:20_000]:
        seen.setdefault(column.text(int(row)), []).append(int(row))
    for text, rows in seen.items():
        if not is_section_id(text) and text.casefold() not in sections:
            yield problem_at(table, np.array(rows), "frame", value=text[:60])
    yield from _gaps(tables, external, numbers)


def _is_whole(column: Column) -> np.ndarray:
    """Where a value is written as a whole number."""
    return column.numbers().is_integer


def _gaps(tables: Tables, external: ExternalData, numbers: np.ndarray) -> Iterator[Problem]:
    """Steps between images of one stack that are not those of the frames."""
    sequence = external.sequence
    rows = sequence.row
    if len(rows) < 2 or not external.is_container.any():
        return
    before, after = rows[:-1], rows[1:]
    same = (external.dataset_keys[after] == external.dataset_keys[before]) & ~sequence.starts_run[1:]
    # What is no number of an image is told as such.
    counted = np.where(numbers >= 1, numbers, np.nan)
    step, wanted = counted[after] - counted[before], np.diff(sequence.number)
    irregular = _is_irregular(step, wanted)
    if not _moves(tables):
        # Of shots a part of the detector may lack some, and then stores the others without a gap.
        irregular &= step != 1
    bad = np.flatnonzero(same & external.is_container[after] & irregular)
    if len(bad):
        index, row = bad[0], int(after[bad[0]])
        image = external.image(row)
        yield problem_at(
            external.table,
            after[bad],
            "frame",
            severity="warning",
            variant="gap",
            number=int(numbers[row]),
            before=int(numbers[before[index]]),
            expected=int(numbers[before[index]] + wanted[index]),
            file=image.archive_path or image.uri,
        )


def _moves(tables: Tables) -> bool:
    """True if any axis is said to move in a scan."""
    if tables.table("diffrn_scan_frame_axis"):
        return True
    axes = tables.table("diffrn_scan_axis")
    names = [f"{kind}_{part}" for kind in ("angle", "displacement") for part in ("increment", "range")]
    return any((np.nan_to_num(axes.numbers(name)) != 0).any() for name in names)


def _is_irregular(step: Floats, wanted: Floats) -> Flags:
    """Where a step is not the wanted one; the same image twice, and the step after it, others tell."""
    caught_up = np.zeros(len(step), dtype=bool)
    caught_up[1:] = (step[:-1] == 0) & (step[1:] == wanted[1:] + wanted[:-1])
    found: Flags = (step != wanted) & (step != 0) & ~np.isnan(step) & ~caught_up
    return found


@rule(
    "EXT014",
    "one-image-twice",
    severity="warning",
    source="_array_data_external_data.uri",
    message="{count_text} of ARRAY_DATA with the image of an earlier row, the first {file!r}, frame {frame}",
    messages={
        "arrays": "{count_text} of ARRAY_DATA with the image of another array, the first {file!r}, frame {frame}",
    },
)
def one_image_twice(external: ExternalData) -> Iterator[Problem]:
    """What: Two binaries of the table lead to one and the same image.
    Why: One frame then has the image of another, and its own image is not described.
    How to fix: Give each binary its own file, or its own frame of a file.
    Source: Dictionary imgCIF, _array_data_external_data.uri, archive_path, path and frame.
    """
    data = external.data
    column = data.column("external_data_id")
    if data.rows < 2 or column is None:
        raise NotApplicable("fewer than two rows that point to external data")
    if external.has_own_images and not column.has_nulls and column.is_all_distinct:
        return
    used = np.flatnonzero(external.of_data >= 0)
    # A link without address is told by EXT003.
    used = used[external.table.explicit("uri")[external.of_data[used]]]
    without = rows_without_frame(external)
    if without is not None:
        used = used[~np.isin(external.of_data[used], without)]
    images = external.image_keys[external.of_data[used]]
    # Of several arrays in one file, as of several panels, nothing in a link can tell which is meant.
    link_of = external.of_data[used]
    arrays = filled_hashes(data, "array_id", "1", fold=True)[used]
    address_of = partial(_address, external, link_of)
    own = repeats(combined([images, arrays]), address_of).rows
    shared = repeats(images, address_of).rows
    shared = np.setdiff1d(shared, own) if len(shared) else shared
    for variant, rows in (("", used[own]), ("arrays", used[shared])):
        if not len(rows):
            continue
        image = external.image(int(external.of_data[rows[0]]))
        file = image.archive_path or image.uri
        yield problem_at(
            data,
            rows,
            "external_data_id",
            severity="info" if variant else None,
            variant=variant,
            count_text=counted(rows),
            file=file,
            frame=image.frame,
        )


def _address(external: ExternalData, link_of: np.ndarray, row: int) -> tuple[str | None, ...]:
    """What leads to the image of a row: file, dataset and frame."""
    image = external.image(int(link_of[row]))
    return image.uri, image.archive_path, image.path, image.frame


# Files of a series for each one of another name, below which neither can be called the stray.
_RARE = 4


@rule(
    "EXT015",
    "file-numbers-out-of-order",
    severity="warning",
    source="_array_data_external_data.archive_path",
    message="file {name!r} follows {before!r}, but frame {number:.0f} follows {last:.0f} - "
    "a step of {step:.0f} in the files, {wanted:.0f} in the frames",
    messages={
        "stray": "file {name!r} stands among those of another series - {before!r} comes before and {then!r} after"
    },
)
def file_numbers_out_of_order(external: ExternalData) -> Iterator[Problem]:
    """What: The numbers in the names of the image files do not count with the frames of the scan, or one of the
    files has the name of another series.
    Why: Images were most likely exchanged or left out, so that frames have the angles of other images.
    How to fix: Order the links as the detector numbered the files; where
    images were left out, describe what comes before and after as scans of their own.
    Source: Dictionary imgCIF, _diffrn_scan_frame.frame_number and _array_data_external_data.archive_path.
    """
    sequence = external.sequence
    is_single = external.is_single_image
    if len(sequence.row) < 2 or not is_single.any():
        raise NotApplicable("fewer than two files of single images in a scan")
    before, after = sequence.row[:-1], sequence.row[1:]
    if not all(shapes.is_series for shapes in (external.uris, external.archive_paths) if shapes is not None):
        raise NotChecked("the names of the files follow no common pattern")
    numbers, offsets = _file_numbers(external)
    alike = (offsets[after] == offsets[before]) & is_single[after] & ~sequence.starts_run[1:]
    step, wanted = numbers[after] - numbers[before], np.diff(sequence.number)
    bad = np.flatnonzero(alike & _is_irregular(step, wanted))
    bad = np.array([index for index in bad if _is_one_series(external, int(before[index]), int(after[index]))])
    if len(bad):
        index, row = bad[0], int(after[bad[0]])
        has_path = external.table.text("archive_path", row) is not None
        yield problem_at(
            external.table,
            after[bad],
            "archive_path" if has_path else "uri",
            name=_name(external, row),
            before=_name(external, int(before[index])),
            number=sequence.number[index + 1],
            last=sequence.number[index],
            step=step[index],
            wanted=wanted[index],
        )
    yield from _strays(external)


def _strays(external: ExternalData) -> Iterator[Problem]:
    """Single files whose names differ from those of all frames around them."""
    sequence = external.sequence
    code = np.zeros(len(external), dtype=np.int64)
    for shapes in (external.uris, external.archive_paths):
        if shapes is not None:
            code = code * len(shapes.first) + shapes.inverse
    _, own, counts = np.unique(code[sequence.row], return_inverse=True, return_counts=True)
    # A file that is not named at all has its own rules.
    named = external.is_single_image & external.table.explicit("uri")
    inside = named[sequence.row[1:-1]] & ~sequence.starts_run[1:-1] & ~sequence.starts_run[2:]
    is_alone = (own[1:-1] != own[:-2]) & (own[:-2] == own[2:])
    is_rare = counts[own[1:-1]] * _RARE <= counts[own[:-2]]
    found = np.flatnonzero(inside & is_alone & is_rare) + 1
    if len(found):
        before, row, then = (int(sequence.row[found[0] + shift]) for shift in (-1, 0, 1))
        has_path = external.table.text("archive_path", row) is not None
        yield problem_at(
            external.table,
            sequence.row[found],
            "archive_path" if has_path else "uri",
            variant="stray",
            name=_name(external, row),
            before=_name(external, before),
            then=_name(external, then),
        )


def _file_numbers(external: ExternalData) -> tuple[np.ndarray, np.ndarray]:
    """The last number in each file name, and the offset at which it stands: (rows,) each."""
    numbers = np.full(len(external), np.nan)
    offsets = np.zeros(len(external), dtype=np.int64)
    has_path = external.table.explicit("archive_path")
    for shapes, own in ((external.uris, ~has_path), (external.archive_paths, has_path)):
        if shapes is not None and own.any():
            found, at = shapes.last_numbers
            numbers, offsets = np.where(own, found, numbers), np.where(own, at, offsets)
    return numbers, offsets


def _is_one_series(external: ExternalData, one: int, other: int) -> bool:
    """True if two names are alike up to their last number: another number before it begins another series."""
    texts = [external.table.text("archive_path", row) or external.table.text("uri", row, "") for row in (one, other)]
    heads = [text[: span[0]] for text in texts if text and (span := last_digits(text))]
    return len(heads) == 2 and heads[0] == heads[1]


def _name(external: ExternalData, row: int) -> str:
    """The file name of a row."""
    image = external.image(row)
    return image.archive_path.rsplit("/", 1)[-1] if image.archive_path else parse_uri(image.uri or "").name
