"""Rules about the form of images: shape and type against the tables."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.images.survey import Survey, Surveyed, Unread, reason_of
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule
from imgcif_core.images.mime import element_type

_KINDS = {"i": "integer", "u": "integer", "f": "real", "c": "complex", "b": "integer"}
# Faults whose finding another rule owns, or that say nothing against the file.
_NOT_JUDGED = frozenset({"missing", "unsupported", "unsafe", "budget"})


def described(sizes: tuple[int, ...]) -> str:
    """Sizes for a message, fastest first: 2463 x 2527."""
    return " x ".join(str(size) for size in sizes)


@rule(
    "IMG001",
    "image-shape",
    severity="error",
    source="_array_structure_list.dimension",
    message="image {label} has {found} pixels, but array {array} is described as {listed} (fastest first)",
    messages={
        "transposed": "image {label} has {found} pixels, fastest first, "
        "the dimensions of array {array} exchanged: {listed}",
        "unreadable": "image {label} cannot be read: {reason}",
    },
)
def image_shape(survey_attempt: Survey) -> Iterator[Problem]:
    """What: An image has other dimensions than its array, has them exchanged, or cannot be read at all.
    Why: The geometry belongs to other pixels than those of the image, or there are no pixels.
    How to fix: Give the dimension with precedence 1 the number of pixels in a row; fetch damaged files again.
    Source: Dictionary imgCIF, _array_structure_list.dimension and .precedence.
    """
    told = 0
    for unread in survey_attempt.unread:
        if _is_own(unread):
            told += 1
            yield Problem(unread.place, variant="unreadable", label=unread.label, reason=str(unread.fault))
    judged = 0
    for image in survey_attempt.images:
        if len(image.array.dimensions) < 2 or _is_judged_by_header(image):
            continue
        judged += 1
        found, listed = _without_ones(image.facts.shape[::-1]), _without_ones(image.array.dimensions)
        if found == listed:
            continue
        told += 1
        is_transposed = sorted(found) == sorted(listed)
        yield Problem(
            image.place,
            variant="transposed" if is_transposed else "",
            severity="warning" if is_transposed else None,
            label=image.label,
            found=described(found),
            listed=described(listed),
            array=image.array.array_id,
        )
    if not told and survey_attempt.unread:
        raise NotChecked(reason_of(survey_attempt))
    if not told and not judged:
        raise NotApplicable("no image whose array is described apart from its header")


def _is_own(unread: Unread) -> bool:
    """True if no other rule says that an image is unreadable."""
    if unread.fault.kind in _NOT_JUDGED or (unread.binary is None and unread.fault.is_of_server):
        return False
    binary = unread.binary
    if binary is None:
        return True
    stated = binary.stated_elements()
    return binary.is_whole and (stated is None or binary.payload.elements in (None, stated))


def _is_judged_by_header(image: Surveyed) -> bool:
    """True if the header of an embedded image has dimensions, which are judged without its pixels."""
    return image.binary is not None and len(image.binary.header.dimensions) > 1


def _without_ones(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes without those of one element, unless fewer than two were left."""
    left = tuple(size for size in sizes if size != 1)
    return left if len(left) >= 2 else sizes


@rule(
    "IMG002",
    "image-element-type",
    severity="error",
    source="_array_structure.encoding_type",
    message="image {label} holds elements of type {found}, but encoding_type is {listed}",
)
def image_element_type(survey: Survey) -> Iterator[Problem]:
    """What: The elements of an image are of another type than ARRAY_STRUCTURE says.
    Why: Integers taken for reals are nonsense; another width or sign is converted by most programs.
    How to fix: Write the type in which the image is stored as encoding_type.
    Source: Dictionary imgCIF, _array_structure.encoding_type.
    """
    judged = 0
    for image in survey.images:
        listed = element_type(image.array.encoding_type)
        if listed is None or listed.bits == 1:
            continue
        if image.binary is not None and image.binary.header.element_type is not None:
            continue
        judged += 1
        dtype = image.facts.dtype
        if dtype == listed.dtype().newbyteorder("="):
            continue
        is_other_kind = _KINDS.get(dtype.kind) != listed.kind
        if is_other_kind or dtype.newbyteorder("=") != listed.dtype().newbyteorder("="):
            yield Problem(
                image.place,
                severity=None if is_other_kind else "warning",
                label=image.label,
                found=type_name(dtype),
                listed=listed.text,
            )
    if not judged:
        raise NotApplicable("no image apart from a header with a type of elements")


def type_name(dtype: np.dtype) -> str:
    """A type of elements as the dictionary phrases it."""
    bits = dtype.itemsize * 8
    if dtype.kind in "iub":
        return f"{'signed' if dtype.kind == 'i' else 'unsigned'} {bits}-bit integer"
    return f"signed {bits if dtype.kind == 'f' else bits // 2}-bit {_KINDS.get(dtype.kind, dtype.kind)} IEEE"
