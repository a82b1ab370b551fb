"""The outcome of the spot test as text, as plain data and as a picture."""

from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from imgcif_core.spots.cell import KnownCell, spacings
from imgcif_core.spots.geometry import WRITTEN, Reading
from imgcif_core.spots.lattice import Fit
from imgcif_core.spots.predict import FOUND, Predicted, predict
from imgcif_core.spots.search import Entry
from imgcif_core.spots.verdict import BETTER, CONSISTENT, SpotTest

SCHEMA = 1
WIDTH = 420.0
_LABELS = ("predicted", "found, as predicted", "found elsewhere")


def cell_parameters(vectors: np.ndarray) -> tuple[float, ...]:
    """The reduced cell of a lattice (vectors in rows): three lengths in ångström, three angles in degrees."""
    import gemmi

    lengths = np.linalg.norm(vectors, axis=1)
    cosines = [float(vectors[i] @ vectors[j] / (lengths[i] * lengths[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = [float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))) for cosine in cosines]
    reduced = gemmi.GruberVector(gemmi.UnitCell(*lengths.tolist(), *angles), "P")
    reduced.niggli_reduce()
    return tuple(round(float(value), 3) for value in reduced.cell_parameters())


def as_json(test: SpotTest, cell: KnownCell | None) -> dict[str, Any]:
    """The outcome as plain data."""
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "verdict": test.verdict,
        "reason": test.reason,
        "spots": test.sample.count,
        "frames": [{"label": shot.label, "scan": shot.scan, "spots": shot.count} for shot in test.sample.shots],
        "notes": list(test.notes),
        "readings": [_entry(test, entry) for entry in test.entries],
    }
    best = test.best
    if test.verdict in (CONSISTENT, BETTER) and best is not None:
        chosen = test.written if test.verdict == CONSISTENT and test.written is not None else best
        found["predicted"] = [
            {
                "label": frame.label,
                "predicted": sum(map(len, frame.pixels)),
                "found": len(frame.off),
                "again": frame.again,
            }
            for frame in predict(test.sample, chosen.fit)
        ]
    if cell is not None:
        found["cell"] = _cell(test, cell)
    return found


def _entry(test: SpotTest, entry: Entry) -> dict[str, Any]:
    """One entry with its figures."""
    fit = entry.fit
    return {
        "names": list(entry.names),
        "as_written": entry.is_written,
        "score": round(fit.score, 3),
        "log10_by_chance": round(entry.chance, 1),
        "on_lattice": fit.indexed,
        "of": test.sample.count,
        "by_frame": [round(share, 3) for share in fit.by_frame],
        "shift_pixels": [round(float(value), 2) for value in fit.shift],
        "cell": list(cell_parameters(fit.vectors)) if fit.by_frame else None,
    }


def _cell(test: SpotTest, cell: KnownCell) -> dict[str, Any]:
    """What the stated cell says."""
    stated = cell_parameters(cell.vectors())
    written = test.written
    found = cell_parameters(written.fit.vectors) if written is not None and written.fit.by_frame else None
    lines = spacings(test.sample, cell, Reading(WRITTEN)) if test.sample.count else []
    return {
        "reduced": list(stated),
        "found": list(found) if found else None,
        "agrees": bool(found and np.allclose(found, stated, rtol=0.03, atol=0.3)),
        "by_spacing": [
            {
                "label": e.label,
                "spots": e.spots,
                "on_line": e.on_line,
                "by_chance": round(e.expected, 1),
                "fault": e.fault,
            }
            for e in lines
        ],
    }


def as_text(test: SpotTest, cell: KnownCell | None) -> str:
    """The outcome as lines of text."""
    lines = [f"{test.verdict}: {test.reason}", ""]
    lines += [f"  {shot.label}: {shot.count} spots" for shot in test.sample.shots]
    lines += [f"  {note}" for note in test.notes]
    if test.entries:
        lines += ["", "  score  on lattice     by chance  reading of the geometry"]
    for entry in test.entries:
        names = ", or ".join(entry.names)
        shift = f" (moved {entry.fit.shift[0]:+.1f}, {entry.fit.shift[1]:+.1f} px)" if entry.fit.by_frame else ""
        figures = f"{entry.fit.score:5.2f}  {entry.fit.indexed:4d} of {test.sample.count:4d}  {_odds(entry):>10s}"
        lines.append(f"  {figures}  {names}{shift}")
    written = test.written
    if written is not None and len(written.names) > 1:
        lines += ["", f"  These spots cannot tell the geometry as written from: {', '.join(written.names[1:])}."]
    lines += _more(test, cell)
    return "\n".join(lines)


def _odds(entry: Entry) -> str:
    """How many lattices as good strewn spots are expected to have."""
    return f"1e{entry.chance:+.0f}" if entry.chance < 0 else "1 or more"


def _more(test: SpotTest, cell: KnownCell | None) -> list[str]:
    """Prediction and cell in words."""
    data = as_json(test, cell)
    lines = []
    for frame in data.get("predicted", ()):
        lines.append(
            f"  {frame['label']}: {frame['again']} of {frame['found']} spots within {FOUND:g} px of "
            f"{frame['predicted']} predicted"
        )
    known = data.get("cell")
    if known:
        word = "agrees with" if known["agrees"] else "is not"
        found = known["found"]
        shown = " ".join(f"{value:g}" for value in found) if found else "none"
        lines.append(f"  reduced cell of the lattice as written ({shown}) {word} the one given")
        for frame in known["by_spacing"]:
            told = frame["fault"] or f"{frame['by_chance']:g} by chance"
            lines.append(
                f"  {frame['label']}: {frame['on_line']} of {frame['spots']} spots on d-spacings of the cell ({told})"
            )
    return ["", *lines] if lines else []


def picture(test: SpotTest) -> str:
    """Found and predicted spots of the main panel of each frame, as written and under the best reading, as SVG."""
    chosen = [test.written] if test.best is None or test.best.is_written else [test.written, test.best]
    columns = [entry for entry in chosen if entry is not None and entry.fit.by_frame]
    parts: list[str] = []
    top = 34.0
    for row in range(len(test.sample.shots)):
        height = 0.0
        for column, entry in enumerate(columns):
            predicted = predict(test.sample, entry.fit)[row]
            drawn, height = _frame(test, row, predicted, entry.fit, 10.0 + column * (WIDTH + 20.0), top)
            parts += drawn
        top += height + 40.0
    for column, entry in enumerate(columns):
        title = f"{', or '.join(entry.names)}: {entry.fit.indexed} of {test.sample.count}"
        parts.append(f'<text x="{10.0 + column * (WIDTH + 20.0):.0f}" y="20">{escape(title[:90])}</text>')
    wide = 20.0 + max(1, len(columns)) * (WIDTH + 20.0)
    style = "text{font:12px sans-serif}.p{fill:none;stroke:#0072b2}"
    style += ".y{fill:#009e73}.n{fill:#d55e00}.f{fill:#fff;stroke:#999}"
    legend = "".join(
        f'<text x="{10 + 170 * place}" y="{top + 12:.0f}" fill="{colour}">{name}</text>'
        for place, (name, colour) in enumerate(zip(_LABELS, ("#0072b2", "#009e73", "#d55e00"), strict=True))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {top + 24:.0f}" width="{wide:.0f}">'
        f"<title>{escape(test.verdict)}</title><style>{style}</style>{''.join(parts)}{legend}</svg>\n"
    )


def _frame(
    test: SpotTest, row: int, predicted: Predicted, fit: Fit, left: float, top: float
) -> tuple[list[str], float]:
    """One frame: its panel with most spots."""
    shot = test.sample.shots[row]
    sizes = [len(spots) for spots in shot.spots]
    panel = int(np.argmax(sizes))
    begin = sum(sizes[:panel])
    face, spots = shot.faces[panel], shot.spots[panel]
    scale = WIDTH / max(face.size)
    width, height = face.size[0] * scale, face.size[1] * scale
    parts = [
        f'<rect class="f" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>',
        f'<text x="{left:.1f}" y="{top + height + 14:.1f}">{escape(shot.label[-60:])}</text>',
    ]
    for along, down in predicted.pixels[panel][:3000]:
        parts.append(f'<circle class="p" cx="{left + along * scale:.1f}" cy="{top + down * scale:.1f}" r="3"/>')
    for index in range(len(spots)):
        kind = "y" if predicted.off[begin + index] <= FOUND else "n"
        x, y = left + spots.fast[index] * scale, top + spots.slow[index] * scale
        parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="1.6"/>')
    return parts, height
