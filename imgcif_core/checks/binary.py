"""BIN: embedded binaries and their headers."""

from collections.abc import Iterator

from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.cif.document import Document, Place


@rule(
    "BIN015",
    "binary-section-cut-off",
    severity="error",
    source="CBF format description, binary sections",
    message="file ends within a binary section: {found} bytes of data{of_expected}, and no closing boundary",
)
def binary_section_cut_off(document: Document) -> Iterator[Problem]:
    """What: A binary section has no closing boundary before the end of the file.
    Why: The file was cut off, most often by an interrupted download, and the image is incomplete.
    How to fix: Fetch the file again, or write it again from its source.
    Source: CBF format description, binary sections; dictionary imgCIF, _array_data.data.
    """
    if not document.sections:
        raise NotApplicable("no binary section")
    for section in document.sections:
        if section.is_terminated:
            continue
        size = section.headers.get("x-binary-size", "")
        found = section.payload_end - section.payload_start
        place = Place(
            document.source,
            section.boundary_start,
            section.header_start,
            None,
            "array_data",
            "_array_data.data",
        )
        yield Problem(place, found=found, of_expected=f" of {size}" if size.isdigit() else "")
