"""A rule about the gaps between the modules of known detectors."""

from collections.abc import Iterator, Sequence

from imgcif_core.checks.images.survey import Survey, Surveyed
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.records import dataclass


@dataclass(frozen=True, slots=True)
class ModuleGrid:
    """Modules of a detector: pixels of one module and of the gap after it, along fast and slow."""

    make: str
    module: tuple[int, int]
    gap: tuple[int, int]

    def gaps(self, along: int, size: int) -> list[tuple[int, int]]:
        """The runs (first, end) of a direction that no module covers."""
        module, gap = self.module[along], self.gap[along]
        starts = range(module, size, module + gap)
        return [(start, min(start + gap, size)) for start in starts]


GRIDS = (
    ModuleGrid("PILATUS", (487, 195), (7, 17)),
    ModuleGrid("EIGER", (1030, 514), (10, 37)),
    ModuleGrid("EIGER2", (1028, 512), (12, 38)),
)


@rule(
    "IMG010",
    "module-gaps-exchanged",
    severity="info",
    source="_array_structure_list.precedence",
    message="gaps of image {label} are those of {make} modules with fast and slow exchanged: "
    "columns {columns}, rows {rows}",
)
def module_gaps_exchanged(survey: Survey) -> Iterator[Problem]:
    """What: The pattern of gaps shows the modules of a known detector lying across the stated directions.
    Why: The image was turned by a quarter, or stored with its directions exchanged.
    How to fix: Check precedence and axes of the two dimensions against the image.
    Source: Dictionary imgCIF, _array_structure_list.precedence.
    """
    with_gaps = [image for image in survey.images if image.facts.gap_rows or image.facts.gap_columns]
    known = 0
    for image in with_gaps:
        upright = next((grid for grid in GRIDS if _fits(image, grid, exchanged=False)), None)
        turned = next((grid for grid in GRIDS if _fits(image, grid, exchanged=True)), None)
        known += upright is not None or turned is not None
        if turned is not None and upright is None:
            yield Problem(
                image.place,
                label=image.label,
                make=turned.make,
                columns=_shown(image.facts.gap_columns),
                rows=_shown(image.facts.gap_rows),
            )
    if not known:
        raise NotApplicable("no image with the gaps of a known detector")


def _fits(image: Surveyed, grid: ModuleGrid, *, exchanged: bool) -> bool:
    """True if the gaps of an image are all those of a grid, and no others."""
    slow, fast = image.facts.shape
    first, second = (1, 0) if exchanged else (0, 1)
    expected_columns, expected_rows = grid.gaps(first, fast), grid.gaps(second, slow)
    found = _inner(image.facts.gap_columns, fast), _inner(image.facts.gap_rows, slow)
    return bool(expected_columns or expected_rows) and found == (
        _inner(expected_columns, fast),
        _inner(expected_rows, slow),
    )


def _inner(runs: Sequence[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """The runs that do not touch an edge."""
    return [run for run in runs if run[0] > 0 and run[1] < size]


def _shown(runs: Sequence[tuple[int, int]]) -> str:
    """Runs for a message, counted from 1."""
    return ", ".join(f"{first + 1}-{end}" for first, end in runs[:4]) or "none"
