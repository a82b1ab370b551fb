"""Where the first pixel lies: at its centre as the dictionary says, or at its corner as offsets often mean."""

from collections.abc import Iterable, Iterator

import numpy as np

from imgcif_core.checks.detector.faces import named, step_place
from imgcif_core.checks.edits import MAX_CHANGES, new_raw
from imgcif_core.checks.places import problem_of
from imgcif_core.checks.registry import Problem, provider, rule
from imgcif_core.checks.tolerances import Tolerances, last_digit_half
from imgcif_core.cif.document import Change
from imgcif_core.model.arrays import ArrayDimension, SurfaceAxis
from imgcif_core.model.detector import Detector, Panel
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables

_WORDS = ("fast", "slow")


@dataclass(frozen=True, slots=True)
class CornerOffset:
    """A direction whose first pixel stands at the offset, though the offset is that of the corner.

    offset : mm along the axis; evidence : what tells that the corner is meant.
    """

    panel: Panel
    entry: SurfaceAxis
    offset: float
    evidence: str


@provider("corner_offsets")
def corner_offsets(tables: Tables, detector: Detector, tolerances: Tolerances) -> list[CornerOffset]:
    """The directions with displacement 0 whose offset is that of the panel's corner by other evidence."""
    beam_xy = _header_beam(tables) if len(detector.flat) == 1 else None
    found = []
    faces = detector.faces
    at_zero = np.abs(faces.displacement) <= tolerances.half_pixel_share * np.abs(faces.increment)
    for number, index in np.argwhere(at_zero).tolist():
        panel = detector.flat[number]
        entries = [part.surface[0] for part in panel.layout.directions]
        part, entry = panel.layout.directions[index], entries[index]
        offset = sum(detector.axes.offset[row] for row in {entry.axis for entry in entries})
        along = float(np.dot(offset, detector.axes.direction[entry.axis])) * np.sign(entry.increment)
        limit = _limit(tables, [entry.axis for entry in entries], entry, tolerances)
        evidence = _evidence(part, entry, along, limit, beam_xy[index] if beam_xy else None)
        if evidence:
            found.append(CornerOffset(panel, entry, along, evidence))
    return found


def _limit(tables: Tables, rows: list[int], entry: SurfaceAxis, tolerances: Tolerances) -> float:
    """How far an offset may miss an edge by its digits, well below half a pixel."""
    table = tables.table("axis")
    texts = [table.text(f"offset[{part}]", row, "") or "" for row in rows for part in (1, 2, 3)]
    digits = max((last_digit_half(text) for text in texts if text.strip("+-0.")), default=0.0)
    return min(max(tolerances.corner_mm, digits), abs(entry.increment) / 8)


def _evidence(part: ArrayDimension, entry: SurfaceAxis, along: float, limit: float, beam: float | None) -> str:
    """What tells that an offset is that of the corner, or an empty text."""
    step = abs(entry.increment)
    if part.size > 1 and abs(abs(along) - 0.5 * part.size * step) < limit:
        return f"half of {part.size} x {step:g} mm"
    if beam is not None and abs(along + beam * step) < limit:
        return f"the beam centre of the header, {beam:g} x {step:g} mm"
    return ""


def _header_beam(tables: Tables) -> tuple[float, float] | None:
    """The beam centre of a text header in pixels from the corner; None where there is none."""
    text = tables.table("array_data").text("header_contents")
    if not text:
        return None
    from imgcif_core.sources.minicbf import parse_header

    return parse_header(text).beam_xy


@rule(
    "DET006",
    "first-pixel",
    severity="info",
    source="_array_structure_list_axis.displacement",
    message="the first pixel of {panels} stands {steps:.6g} steps ({value:g} mm) along {axis} from where that axis is",
    messages={
        "zero": "displacement 0 puts the centre of the first pixel of {panels} where axis {axis} is, "
        "not half a pixel further"
    },
)
def first_pixel(
    tables: Tables, detector: Detector, corner_offsets: list[CornerOffset], tolerances: Tolerances
) -> Iterator[Problem]:
    """What: The displacement of the first pixel is not half a step.
    Why: Any displacement is legal; half a step says that the offset is that of the outer corner, zero that of
    the centre.
    How to fix: Nothing is needed if the axis is meant to stand there.
    Source: Dictionary imgCIF, _array_structure_list_axis.displacement: the centre of the first pixel.
    """
    reported = {offset.entry.row for offset in corner_offsets}
    groups: dict[str, list[tuple[Panel, SurfaceAxis, float]]] = {}
    away = detector.faces.displacement / detector.faces.increment
    for number, side in np.argwhere(np.abs(np.abs(away) - 0.5) >= tolerances.half_pixel_share).tolist():
        panel = detector.flat[number]
        entry, steps = panel.layout.directions[side].surface[0], float(away[number, side])
        if entry.row not in reported:
            groups.setdefault(f"{steps:.4g}", []).append((panel, entry, steps))
    for group in groups.values():
        _, entry, steps = group[0]
        yield problem_of(
            (step_place(tables, entry, "displacement") for _, entry, _ in group),
            len(group),
            variant="zero" if abs(steps) < tolerances.half_pixel_share else "",
            panels=named(list(dict.fromkeys(panel for panel, _, _ in group))),
            steps=steps,
            value=entry.displacement,
            axis=detector.axes.id[entry.axis],
        )


@rule(
    "DET007",
    "half-pixel",
    severity="warning",
    source="_array_structure_list_axis.displacement",
    message="displacement 0 puts the centre of the first pixel of {panels} at the offset, {centre} mm along {axes}; "
    "the offset is {evidence}, as for the corner, which puts that centre at {corner} mm - "
    "the two readings are 0.5 px = {shift} mm apart",
)
def half_pixel(tables: Tables, detector: Detector, corner_offsets: list[CornerOffset]) -> Iterator[Problem]:
    """What: The offset of a panel is that of its outer corner, but the displacement of the first pixel is zero.
    Why: The dictionary takes displacement as the setting at the centre of the first pixel, so that every pixel
    lies half a pixel off; some programs take the same numbers for the corner.
    How to fix: Give a displacement of half of displacement_increment in both directions, or an offset to the
    centre of the first pixel.
    Source: Dictionary imgCIF, _array_structure_list_axis.displacement: the centre of the pixel with index 1.
    """
    by_panel: dict[int, list[CornerOffset]] = {}
    for found in corner_offsets:
        by_panel.setdefault(id(found.panel), []).append(found)
    groups: dict[tuple[str, ...], list[list[CornerOffset]]] = {}
    for entries in by_panel.values():
        groups.setdefault(tuple(found.evidence for found in entries), []).append(entries)
    for evidence, group in groups.items():
        steps = [abs(found.entry.increment) for found in group[0]]
        yield problem_of(
            (step_place(tables, found.entry, "displacement") for entries in group for found in entries),
            len(group),
            edits=_half_steps(tables, [found.entry for entries in group for found in entries]),
            panels=named([entries[0].panel for entries in group]),
            axes=_joined(detector.axes.id[found.entry.axis] for found in group[0]),
            evidence=_joined(evidence),
            centre=_joined(f"{found.offset:.6g}" for found in group[0]),
            corner=_joined(f"{found.offset + 0.5 * step:.6g}" for found, step in zip(group[0], steps, strict=True)),
            shift=_joined(dict.fromkeys(f"{0.5 * step:.4g}" for step in steps)),
        )


def _half_steps(tables: Tables, entries: list[SurfaceAxis]) -> list[Change]:
    """Half a step as displacement of each entry, where the column is there."""
    table = tables.table("array_structure_list_axis")
    column = table.column("displacement")
    if column is None or len(entries) > MAX_CHANGES:
        return []
    rows = {entry.row: f"{0.5 * entry.increment:.12g}" for entry in entries}
    return [new_raw(column, row, text, is_safe=False) for row, text in rows.items()]


def _joined(texts: Iterable[str]) -> str:
    """Texts for a message."""
    return " and ".join(texts)
