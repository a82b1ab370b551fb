"""Rules about values: overload, underload, undefined values and codes."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.images.survey import Survey
from imgcif_core.checks.registry import NotApplicable, Problem, rule, say_beyond
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.images.measure import ImageFacts
from imgcif_core.images.mime import element_type
from imgcif_core.model.storage import StoredArrays
from imgcif_core.tables import Tables

# Rows are gone through one by one; a file has one or two for each panel.
MAX_ROWS = 100_000
# A value that so many pixels share is a level at which counting stops, not chance.
MIN_SATURATED = 5
# So few distinct negative values are codes of bad pixels; counts that were subtracted take many.
FEW_CODES = 3


@rule(
    "IMG003",
    "many-overloaded-pixels",
    severity="warning",
    source="_array_intensities.overload",
    message="{count_text} of image {label}, {share:.2%}, are at or above the overload of {overload:g}",
)
def many_overloaded_pixels(survey: Survey, tolerances: Tolerances) -> Iterator[Problem]:
    """What: More pixels than strong reflections have are at or above the stated overload.
    Why: They count as not valid; an overload that is too low throws measured counts away.
    How to fix: State the true saturation level as _array_intensities.overload, or the value of masked pixels as
    _array_intensities.undefined_value.
    Source: Dictionary imgCIF, _array_intensities.overload and .undefined_value.
    """
    limited = [image for image in survey.images if np.isfinite(image.array.overload)]
    if not limited:
        raise NotApplicable("no array has an overload")
    for image in limited:
        share = image.facts.overloaded / max(1, image.facts.pixels)
        if share > tolerances.overloaded_share:
            count_text = f"{image.facts.overloaded} pixels"
            yield Problem(
                image.place, count_text=count_text, label=image.label, share=share, overload=image.array.overload
            )


@rule(
    "IMG004",
    "overload-beyond-type",
    severity="warning",
    source="_array_intensities.overload",
    message="overload is {overload:g}, more than elements of type {type} can hold - no pixel ever reaches it",
)
def overload_beyond_type(tables: Tables) -> Iterator[Problem]:
    """What: The overload lies above the largest value of the type of the elements.
    Why: No stored value reaches it, so that saturated pixels pass for measured ones.
    How to fix: State the level at which the detector saturates, at most the largest value of the type plus one.
    Source: Dictionary imgCIF, _array_intensities.overload and _array_structure.encoding_type.
    """
    intensities = tables.table("array_intensities")
    if not intensities.has("overload"):
        raise NotApplicable("no overload")
    arrays = StoredArrays(tables)
    overloads = intensities.numbers("overload")
    judged = 0
    for row in range(min(intensities.rows, MAX_ROWS)):
        kind = element_type(arrays[intensities.text("array_id", row, "1") or "1"].encoding_type)
        if kind is None or not np.isfinite(overloads[row]):
            continue
        judged += 1
        if overloads[row] > kind.largest + 1:
            yield Problem(intensities.at(row, "overload"), overload=float(overloads[row]), type=kind.text)
    say_beyond(intensities.rows, MAX_ROWS, "rows")
    if not judged:
        raise NotApplicable("no overload of an array with a type of elements")


@rule(
    "IMG005",
    "undeclared-saturation",
    severity="warning",
    source="_array_intensities.overload",
    message="{pixels} pixels of image {label} hold {value:g} and {below} the ten values below it, "
    "and array {array} has no overload",
)
def undeclared_saturation(survey: Survey) -> Iterator[Problem]:
    """What: Many pixels hold one highest value, as saturated ones do, and no overload is stated.
    Why: Programs then integrate reflections whose counts were cut off.
    How to fix: State the value as _array_intensities.overload.
    Source: Dictionary imgCIF, _array_intensities.overload.
    """
    described = [image for image in survey.images if image.array.list_rows or image.array.intensity_row is not None]
    judged = [image for image in described if not np.isfinite(image.array.overload)]
    if not judged:
        raise NotApplicable("all arrays that are described have an overload")
    for image in judged:
        found = _saturation(image.facts)
        if found is not None:
            value, count, below = found
            yield Problem(
                image.place, pixels=count, label=image.label, value=value, below=below, array=image.array.array_id
            )


def _saturation(facts: ImageFacts) -> tuple[float, int, int] | None:
    """The value at which many pixels stop: the largest of the type, or the largest of fewer bits."""
    if facts.dtype.kind not in "iu" or facts.is_constant:
        return None
    if facts.at_largest >= MIN_SATURATED and facts.at_largest > facts.below_largest:
        return facts.maximum, facts.at_largest, facts.below_largest
    is_full_scale = facts.maximum_valid >= 255 and float(np.log2(facts.maximum_valid + 1)).is_integer()
    if is_full_scale and facts.at_maximum >= MIN_SATURATED and facts.at_maximum > facts.below_maximum:
        return facts.maximum_valid, facts.at_maximum, facts.below_maximum
    return None


@rule(
    "IMG006",
    "undeclared-negative-values",
    severity="warning",
    source="_array_intensities.underload",
    message="image {label} holds the negative values {values}, and array {array} has {limits}",
    messages={
        "counts": "image {label} holds {distinct} distinct negative values down to {minimum:g}, and array {array} "
        "has no underload",
    },
)
def undeclared_negative_values(survey: Survey) -> Iterator[Problem]:
    """What: Pixels hold negative values that neither undefined_value nor underload explains.
    Why: Detectors mark gaps and defective pixels so; a program that is not told takes them for counts.
    How to fix: State the least valid value as _array_intensities.underload, for example 0, or the mark as
    _array_intensities.undefined_value.
    Source: Dictionary imgCIF, _array_intensities.underload and .undefined_value.
    """
    with_levels = [image for image in survey.images if image.array.intensity_row is not None]
    signed = [image for image in with_levels if image.facts.dtype.kind in "if"]
    if not signed:
        raise NotApplicable("no image of a signed type whose array has a row in ARRAY_INTENSITIES")
    for image in signed:
        facts, array = image.facts, image.array
        unexplained = [value for value, _ in facts.negative if value != array.undefined]
        if not unexplained or np.isfinite(array.underload):
            continue
        limits = "no underload"
        if np.isfinite(array.undefined):
            limits += f" and the undefined_value {array.undefined:g}"
        if facts.distinct_negative <= FEW_CODES:
            values = ", ".join(f"{value:g}" for value in sorted(unexplained, reverse=True))
            yield Problem(image.place, values=values, limits=limits, label=image.label, array=array.array_id)
        else:
            # Counts below zero are what subtraction of a background leaves.
            yield Problem(
                image.place,
                variant="counts",
                severity="info",
                distinct=facts.distinct_negative,
                minimum=facts.minimum,
                label=image.label,
                array=array.array_id,
            )


@rule(
    "IMG007",
    "undefined-value-valid",
    severity="warning",
    source="_array_intensities.undefined_value",
    message="undefined_value {undefined:g} lies among the valid values, from underload {underload:g}{to_overload}",
    messages={"masked": "{share:.0%} of image {label} are masked pixels"},
)
def undefined_value_valid(tables: Tables, any_survey: Survey, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The value of undefined pixels is one that valid pixels may have, or many pixels are masked.
    Why: By the dictionary all values from underload to below overload are valid, so gaps pass for counts.
    How to fix: State an underload above the undefined value, or an undefined value that no pixel can have.
    Source: Dictionary imgCIF, _array_intensities.undefined_value, .underload and .overload.
    """
    intensities = tables.table("array_intensities")
    has_both = intensities.has("undefined_value") and intensities.has("underload")
    if not has_both and not any_survey.images:
        raise NotApplicable("not both of undefined_value and underload")
    numbers = {name: intensities.numbers(name) for name in ("undefined_value", "underload", "overload")}
    with np.errstate(invalid="ignore"):
        inside = (numbers["undefined_value"] >= numbers["underload"]) & ~(
            numbers["undefined_value"] >= numbers["overload"]
        )
    for row in np.flatnonzero(inside)[:MAX_ROWS].tolist():
        overload = numbers["overload"][row]
        yield Problem(
            intensities.at(row, "undefined_value"),
            undefined=float(numbers["undefined_value"][row]),
            underload=float(numbers["underload"][row]),
            to_overload=f" to below overload {overload:g}" if np.isfinite(overload) else "",
        )
    for image in any_survey.images:
        if image.facts.masked_share > tolerances.masked_share:
            yield Problem(
                image.place, variant="masked", severity="info", share=image.facts.masked_share, label=image.label
            )
