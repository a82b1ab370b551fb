"""The rule about the order of dimensions against the headers of images, without reading pixels."""

import re
from collections.abc import Iterator

from imgcif_core.checks.detector.faces import panel_place
from imgcif_core.checks.external.inputs import may_lie_here, no_copy, open_external
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import LocalData
from imgcif_core.model.detector import Detector
from imgcif_core.model.external import ExternalData
from imgcif_core.tables import Tables

# The sizes are looked for at the beginning of an image file, which may be large.
HEAD_BYTES = 64 * 1024
_SIZES = (
    (re.compile(r"(?i)X-Binary-Size-Fastest-Dimension:\s*(\d+)"), re.compile(r"(?i)-Second-Dimension:\s*(\d+)")),
    (re.compile(r"\bSIZE1\s*[=:]\s*(\d+)"), re.compile(r"\bSIZE2\s*[=:]\s*(\d+)")),
)


@rule(
    "DET020",
    "transposed-header",
    severity="warning",
    source="_array_structure_list.dimension",
    message="panel {panel} has {fast} x {slow} pixels along fast and slow, but the header of {image} says "
    "{first} x {second} - the two seem to be exchanged",
)
def transposed_header(
    tables: Tables, detector: Detector, any_external: ExternalData, local_data: LocalData, options: CheckOptions
) -> Iterator[Problem]:
    """What: The dimensions of the array are those of the header of the image, exchanged.
    Why: The longer side need not be the fast one; if the order is wrong, every row of the image is cut at the
    wrong place.
    How to fix: Give precedence 1 to the dimension that runs fastest in the file.
    Source: Dictionary imgCIF, _array_structure_list.precedence and _array_data.header_contents.
    """
    if len(detector.flat) != 1:
        raise NotApplicable("not one flat panel")
    text, image = tables.table("array_data").text("header_contents"), "the image"
    if not text:
        text, image = _local_header(any_external, local_data, options)
    found = [[pattern.search(text) for pattern in pair] for pair in _SIZES]
    sizes = [(int(first[1]), int(second[1])) for first, second in found if first and second]
    if not sizes:
        raise NotApplicable("no header that tells the size of the image")
    (panel,) = detector.flat
    first, second = sizes[0]
    if panel.size == (second, first) and first != second:
        yield Problem(
            panel_place(tables, panel, "dimension"),
            panel=panel.id,
            image=image,
            fast=panel.size[0],
            slow=panel.size[1],
            first=first,
            second=second,
        )


def _local_header(external: ExternalData, local: LocalData, options: CheckOptions) -> tuple[str, str]:
    """The beginning of the first image file on this machine, and its name."""
    if not len(external):
        raise NotApplicable("no header and no external image")
    if options.images != "header":
        raise NotChecked("images are not read" if options.images == "none" else "judged with the pixels, by IMG001")
    if not may_lie_here(external, local):
        raise no_copy(local)
    try:
        source = open_external(external, local, 0)
        head = source.read(0, min(HEAD_BYTES, source.size))
    except BytesError as error:
        raise NotChecked(str(error)) from None
    return head.decode("latin-1"), source.label
