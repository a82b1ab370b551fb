"""The parts of a page that describe the file: title block, drawings, scans, external data, instrument in numbers."""

from collections.abc import Iterable, Iterator, Sequence

from imgcif_core.render.escaping import bidi_safe, text
from imgcif_core.render.sheet import Sheet
from imgcif_core.render.svg import face_svg, sketch_svg
from imgcif_core.render.svg_spots import spot_svg


def facts(pairs: Iterable[tuple[str, str]], kind: str = "facts") -> str:
    """A list of named facts, in columns; one below the other with the kind `facts one`."""
    rows = "".join(f"<div><dt>{text(name)}</dt><dd>{bidi_safe(value, 600)}</dd></div>" for name, value in pairs)
    return f'<dl class="{kind}">{rows}</dl>' if rows else ""


def drawings(sheet: Sheet) -> Iterator[str]:
    """The sketches, the faces of the detector, and what is not drawn, in words."""
    if sheet.sketches or sheet.faces or sheet.figures:
        yield "<h3>The instrument</h3>"
    if sheet.sketches:
        yield f'<div class="drawings">{"".join(map(sketch_svg, sheet.sketches))}</div>'
    if sheet.faces:
        yield f'<div class="drawings two">{"".join(map(face_svg, sheet.faces))}</div>'
    yield facts(sheet.figures, "facts one")
    yield from (f'<p class="soft">{text(note)}</p>' for note in sheet.notes)


def spots(sheet: Sheet) -> Iterator[str]:
    """The spots that were found against those that a lattice predicts."""
    if not sheet.spots:
        return
    yield "<h3>Spots against the geometry</h3>"
    yield '<p class="soft">Squares: predicted. Dots: found where one is predicted. Crosses: found elsewhere.</p>'
    for plot in sheet.spots:
        yield f"<h4>{bidi_safe(plot.title, 400)}</h4><p>{text(plot.caption)}.</p>"
        yield f'<div class="drawings">{"".join(map(spot_svg, plot.frames))}</div>'


def scans(sheet: Sheet) -> Iterator[str]:
    """The scans in ranges."""
    if not sheet.scans:
        return
    yield "<h4>Scans</h4>"
    heads = ("Scan", "Frames", "Moving", "Standing still", "Exposure")
    yield table(heads, ((row.id, row.frames, row.moving, row.still, row.exposure) for row in sheet.scans), "1")
    left = sheet.scans_in_all - len(sheet.scans)
    if left > 0:
        yield f"<p>{left} more lines of scans not shown.</p>"


def links(sheet: Sheet) -> Iterator[str]:
    """External data, with what is known of each place."""
    yield "<h4>Images and external data</h4>"
    if not sheet.links:
        yield "<p>The file names no image: neither data of its own nor a link.</p>"
        return
    heads = ("Where", "Images", "Format", "First and last", "Evidence")
    yield table(heads, ((row.address, row.links, row.kind, row.span, row.evidence) for row in sheet.links), "1")
    left = sheet.links_in_all - len(sheet.links)
    if left > 0:
        yield f"<p>{left} more places not shown.</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> str:
    """A table whose rows become lists on a narrow screen; `right` names the columns of numbers."""
    kinds = [' class="n"' if str(index) in right else "" for index in range(len(heads))]
    head = "".join(f'<th scope="col"{kind}>{text(name)}</th>' for name, kind in zip(heads, kinds, strict=True))
    body = []
    for row in rows:
        cells = zip(heads, kinds, row, strict=True)
        body.append("".join(f'<td{kind} data-head="{text(name)}">{_cell(value)}</td>' for name, kind, value in cells))
    lines = "".join(f"<tr>{cells}</tr>" for cells in body)
    return f'<table class="stack"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'


def _cell(value: str) -> str:
    return bidi_safe(value, 600) if value else ""


def passport(sheet: Sheet) -> Iterator[str]:
    """The instrument in numbers, in the terms of all programs."""
    if sheet.passport:
        lines = "\n".join(text(line) for line in sheet.passport.split("\n"))
        yield "<h4>Geometry passport</h4>"
        yield f'<pre class="passport" tabindex="0">{lines}</pre>'
