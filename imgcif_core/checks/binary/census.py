"""Rules about sections and rows as a whole, and about the text header of a miniCBF."""

import re
from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.binary.sections import Binary
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.cif.document import Quoting
from imgcif_core.tables import Tables

# Creators whose text headers processing programs know, and the detectors that their headers describe.
CONVENTIONS = {
    "SLS": re.compile(r"SLS_\d+(\.\d+)*"),
    "PILATUS": re.compile(r"PILATUS_\d+(\.\d+)*"),
    "EIGER": re.compile(r"EIGER_\d+(\.\d+)*"),
    "ADSC": re.compile(r"ADSC_\d+(\.\d+)*"),
    "XDS": re.compile(r"XDS[ _]?(special|\d+(\.\d+)*)", re.I),
}
OWN_DETECTOR = ("PILATUS", "EIGER")
_DETECTOR = re.compile(r"Detector:[ \t]*([^\r\n,]*)", re.I)


@rule(
    "BIN013",
    "sections-and-rows",
    severity="warning",
    source="_array_data.data",
    message="binary section is no value of _array_data.data, so no frame can use it",
    messages={"row": "{count_text} of _array_data.data with a value that is no binary section"},
)
def sections_without_rows(binaries: list[Binary]) -> Iterator[Problem]:
    """What: A binary section stands outside the table of data.
    Why: An image that is no value of the table cannot be found by any frame.
    How to fix: Make each section the value of _array_data.data in a row of its own.
    Source: Dictionary imgCIF, _array_data.data.
    """
    # Photographs and the like may be values of other items.
    loose = [binary for binary in binaries if binary.arrays is None and binary.section.is_terminated]
    loose = [binary for binary in loose if binary.header.is_array]
    for binary in loose:
        yield Problem(binary.at())
    for tables in {id(binary.tables): binary.tables for binary in binaries if binary.tables is not None}.values():
        yield from _rows_without_sections(tables)


def _rows_without_sections(tables: Tables) -> Iterator[Problem]:
    """Rows of a table that holds sections whose value is neither null nor a section, nor a list of CIF 2."""
    data = tables.table("array_data")
    column = data.column("data")
    if column is None or column.quoting is None:
        return
    rows = np.flatnonzero(~column.is_null & ~np.isin(column.quoting, (Quoting.BINARY, Quoting.LIST)))
    if len(rows):
        count_text = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
        yield problem_at(data, rows, "data", variant="row", count_text=count_text)


@rule(
    "BIN017",
    "header-convention",
    severity="info",
    source="_array_data.header_convention",
    message="header_convention is {convention}, which names no creator and version known to readers",
    messages={"detector": "header_convention is {convention}, but the header speaks of the detector {detector}"},
    helps={"detector": "nothing is needed where the lines are written as in {convention}, which many programs read"},
)
def header_convention(tables: Tables) -> Iterator[Problem]:
    """What: The convention of the text header is not a registered one, or belongs to another make of detector.
    Why: Programs choose by the convention how to read wavelength, distance and angles from the text.
    How to fix: Use a registered name such as PILATUS_1.2 or SLS_1.0, or write the full set of tags.
    Source: Dictionary imgCIF, _array_data.header_convention.
    """
    data = tables.table("array_data")
    if not data.has("header_convention"):
        raise NotApplicable("no text header")
    for row in range(min(data.rows, 1000)):
        convention = data.text("header_convention", row)
        if convention is None:
            continue
        creator = next((name for name, form in CONVENTIONS.items() if form.fullmatch(convention)), None)
        if creator is None:
            yield Problem(data.at(row, "header_convention"), convention=convention)
            continue
        match = _DETECTOR.search((data.text("header_contents", row) or "")[:20_000])
        detector = match[1].strip() if match else ""
        if creator in OWN_DETECTOR and detector and creator not in detector.upper():
            yield Problem(
                data.at(row, "header_convention"), variant="detector", convention=convention, detector=detector
            )
