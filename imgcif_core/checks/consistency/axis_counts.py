"""A rule about the number of axes that is stated beside the axes themselves."""

from collections.abc import Iterator

from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.scans.common import listed_axes
from imgcif_core.model.axes import Axes
from imgcif_core.tables import Table, Tables

_DEVICES = (
    ("diffrn_detector", "diffrn_detector_axis", "detector_id"),
    ("diffrn_measurement", "diffrn_measurement_axis", "measurement_id"),
)


@rule(
    "CON002",
    "number-of-axes",
    severity="warning",
    source="_diffrn_detector.number_of_axes",
    message="{device} {value} has {stated} axes by number_of_axes, but {rows} in {table}",
)
def number_of_axes(tables: Tables, any_axes: Axes) -> Iterator[Problem]:
    """What: The number of axes of a detector or goniometer is not the number of axes that are listed for it.
    Why: One of the axes is missing in the list, or the number was taken over from another instrument.
    How to fix: Count the axes that position the device; those along the pixels do not count.
    Source: Dictionary imgCIF, _diffrn_detector.number_of_axes and _diffrn_measurement.number_of_axes.
    """
    surface = {any_axes.id[row].casefold() for row in listed_axes(tables, any_axes, "array_structure_list_axis")}
    is_judged = False
    for category, axis_category, link in _DEVICES:
        table, listing = tables.table(category), tables.table(axis_category)
        numbers = table.numbers("number_of_axes")
        if not listing or not table.explicit("number_of_axes").any():
            continue
        for row in range(min(table.rows, 1000)):
            names = _axes_of(table, listing, link, row)
            # Zero lies outside the permitted range, which DIC011 reports.
            if not numbers[row] >= 1 or names is None:
                continue
            is_judged = True
            counts = {len(names), len([name for name in names if name not in surface])}
            if int(numbers[row]) not in counts:
                yield Problem(
                    table.at(row, "number_of_axes"),
                    device="detector" if link == "detector_id" else "goniometer",
                    value=table.text("id", row) or "(unnamed)",
                    stated=int(numbers[row]),
                    rows=len(names),
                    table=axis_category.upper(),
                )
    if not is_judged:
        raise NotApplicable("no number of axes beside a list of them")


def _axes_of(table: Table, listing: Table, link: str, row: int) -> list[str] | None:
    """The axes listed for one device, None where none is: the link is broken then, which REL001 reports."""
    own = (table.text("id", row) or "").casefold()
    names = [(name or "").casefold() for name in listing.texts("axis_id")]
    owners = [(name or "").casefold() for name in listing.texts(link)]
    if table.rows == 1 and not any(owners):
        return names
    return [name for name, owner in zip(names, owners, strict=True) if owner == own] or None
