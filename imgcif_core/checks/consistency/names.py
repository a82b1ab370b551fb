"""Rules about names and descriptions that occur twice in a file."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from imgcif_core.checks.registry import NotApplicable, Problem, rule, say_beyond
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.axes import Axes, build_axes
from imgcif_core.model.facilities import facility_named
from imgcif_core.model.vectors import angle_between
from imgcif_core.tables import Tables

# Each block costs its axes; blocks beyond are told as not checked.
MAX_BLOCKS = 200


@rule(
    "CON009",
    "raw-with-gain",
    severity="info",
    source="_array_intensities.linearity",
    message="array {array} is raw, but has a gain of {gain} - a gain holds for linear counts",
)
def raw_with_gain(tables: Tables) -> Iterator[Problem]:
    """What: The counts are said to be raw, and a gain is given as well.
    Why: Raw counts need not be proportional to photons, so that the gain does not turn them into photons.
    How to fix: Give linear as linearity if the gain holds; otherwise leave the gain out.
    Source: Dictionary imgCIF, _array_intensities.linearity and _array_intensities.gain.
    """
    table = tables.table("array_intensities")
    linearity = [(text or "").lower() for text in table.texts("linearity")]
    if "raw" not in linearity:
        raise NotApplicable("no raw counts")
    given = table.explicit("gain")
    for row, text in enumerate(linearity):
        if text == "raw" and given[row]:
            array = table.text("array_id", row) or "1"
            yield Problem(table.at(row, "linearity"), array=array, gain=table.text("gain", row))


@rule(
    "CON023",
    "names-disagree",
    severity="info",
    source="_audit.block_code",
    message="block {block} calls itself {code!r}",
    messages={"facility": "facility is {facility!r}, but {name} {text!r} names {other}"},
)
def names_disagree(tables: Tables) -> Iterator[Problem]:
    """What: The block code is not the name of the block, or two items name different facilities.
    Why: The block was copied from another file, and parts of the old description were left in it.
    How to fix: Give the block and its code one name, and the facility where the data were taken.
    Source: Core dictionary, _audit.block_code; Dictionary imgCIF, _diffrn_source.facility.
    """
    audit, source = tables.table("audit"), tables.table("diffrn_source")
    code, facility = audit.text("block_code"), source.text("facility")
    known = facility_named(facility) if facility else None
    if code is None and known is None:
        raise NotApplicable("neither a block code nor a known facility")
    if code is not None and code.casefold() != tables.block.name.casefold():
        yield Problem(audit.at(0, "block_code"), block=tables.block.name, code=code)
    for name in ("description", "make", "details", "beamline"):
        text = source.text(name)
        other = _facility_in(text) if text and known else None
        if text and other is not None and other != known:
            yield Problem(
                source.at(0, name),
                variant="facility",
                facility=facility,
                name=f"_diffrn_source.{name}",
                text=text[:60],
                other=other,
            )


def _facility_in(text: str) -> str | None:
    """The facility that a text, or the part of it before a beamline, names."""
    parts = [text, *(part.strip() for sign in (",", ";", "beamline", "-", "(") for part in text.split(sign)[:1])]
    return next((found for found in map(facility_named, parts) if found is not None), None)


@rule(
    "CON025",
    "descriptions-disagree",
    severity="info",
    source="_axis.vector[1]",
    message="axis {axis} has vector ({own}) in block {block}, and ({theirs}) in block {other} for {instrument}",
    messages={
        "offset": "axis {axis} has offset ({own}) mm in block {block}, and ({theirs}) mm in {other} for {instrument}"
    },
)
def descriptions_disagree(all_tables: Sequence[Tables], tolerances: Tolerances) -> Iterator[Problem]:
    """What: Two blocks of a file describe one instrument, and place an axis of the goniometer differently.
    Why: A goniometer is built once; a changed sign or offset in one description turns the crystal in it. Gravity is
    left to AXI010, and detectors are exchanged.
    How to fix: Find out which description holds, and correct the other one.
    Source: Dictionary imgCIF, _axis.vector and _axis.offset.
    """
    seen: dict[tuple[str, str], tuple[Tables, Axes]] = {}
    pairs = 0
    for tables in all_tables[:MAX_BLOCKS]:
        source = tables.table("diffrn_source")
        facility, beamline = source.text("facility"), source.text("beamline")
        if not facility or not beamline or not tables.table("axis"):
            continue
        axes = build_axes(tables)
        first, known = seen.setdefault((facility.casefold(), beamline.casefold()), (tables, axes))
        if first is not tables:
            pairs += 1
            yield from _differences(tables, axes, first, known, f"{facility} {beamline}", tolerances)
    say_beyond(len(all_tables), MAX_BLOCKS, "blocks")
    if not pairs:
        raise NotApplicable("no two descriptions of one instrument")


def _differences(
    tables: Tables, axes: Axes, first: Tables, known: Axes, instrument: str, tolerances: Tolerances
) -> Iterator[Problem]:
    """Goniometer axes of the same name that two blocks place differently."""
    for row, name in enumerate(axes.id):
        other = known.find(name, axes.equipment[row])
        if other < 0 or axes.equipment[row] != "goniometer" or known.equipment[other] != "goniometer":
            continue
        if np.isnan(axes.vector[row]).any() or np.isnan(known.vector[other]).any():
            continue
        table = tables.table("axis")
        facts: dict[str, Any] = {
            "axis": name,
            "block": tables.block.name,
            "other": first.block.name,
            "instrument": instrument,
        }
        angle = float(angle_between(axes.vector[row], known.vector[other]))
        apart = float(np.linalg.norm(axes.offset[row] - known.offset[other]))
        if angle > tolerances.principal_axis_deg:
            place = table.at(row, "vector[1]")
            yield Problem(place, own=_shown(axes.vector[row]), theirs=_shown(known.vector[other]), **facts)
        elif apart > tolerances.distance_mm:
            place = table.at(row, "offset[1]")
            own, theirs = _shown(axes.offset[row]), _shown(known.offset[other])
            yield Problem(place, variant="offset", own=own, theirs=theirs, **facts)


def _shown(vector: np.ndarray) -> str:
    """Three numbers in one line."""
    return ", ".join(f"{value:g}" for value in vector)
