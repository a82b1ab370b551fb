"""Drawings of a sheet as SVG without style attributes, in the units of their data under one matrix each.

The numbers of polygons are those of the data: millimetres or pixels. Texts and arrowheads have a size of their own on
the page, so that their places are computed.
"""

import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence

from imgcif_core.records import dataclass
from imgcif_core.render.escaping import text
from imgcif_core.render.sheet import Arrow, Face, Picture, Point, Sketch

WIDTH = 320.0
SKETCH_HEIGHT = 240.0
FACE_HEIGHT = 320.0
MARGIN = 26.0
# Arrows say a direction; this share of the drawing is long enough to be seen.
HEAD = 6.0
LONGEST_LABEL = 18
_NICE = (1.0, 2.0, 5.0, 10.0)
# Share of the size of a label, per character.
_LETTER = 5.6
# A digit or two behind the comma of a pixel on the page.
_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Scale:
    """From the units of a drawing to the page: (x, y) becomes (left + x size, top + y size), y turned if `is_up`."""

    size: float
    left: float
    top: float
    is_up: bool

    def place(self, point: Point) -> Point:
        """A point on the page."""
        down = -1.0 if self.is_up else 1.0
        return self.left + self.size * point[0], self.top + down * self.size * point[1]

    @property
    def matrix(self) -> str:
        """The same as a transform."""
        down = -self.size if self.is_up else self.size
        return f"matrix({self.size:.9g} 0 0 {down:.9g} {self.left:.9g} {self.top:.9g})"


def fitted(points: Sequence[Point], width: float, height: float, *, is_up: bool) -> Scale:
    """The scale that brings points into a page of that size, in its middle."""
    lows = [min(point[axis] for point in points) for axis in (0, 1)]
    highs = [max(point[axis] for point in points) for axis in (0, 1)]
    spans = [max(high - low, 1e-9) for low, high in zip(lows, highs, strict=True)]
    size = min((width - 2 * MARGIN) / spans[0], (height - 2 * MARGIN) / spans[1])
    middle = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    down = -1.0 if is_up else 1.0
    return Scale(size, width / 2 - size * middle[0], height / 2 - down * size * middle[1], is_up)


def sketch_svg(sketch: Sketch) -> str:
    """A sketch of the instrument."""
    ends = [point for arrow in sketch.arrows for point in (arrow.start, arrow.end)]
    points = [(0.0, 0.0), *ends, *(point for panel in sketch.panels for point in panel)]
    scale = fitted(points, WIDTH, SKETCH_HEIGHT, is_up=True)
    taken: list[Point] = []
    parts = [
        f'<g transform="{scale.matrix}">{_polygons(sketch.panels)}</g>',
        *_arrows(sketch.arrows, scale, taken),
        _dot(scale.place((0.0, 0.0)), "sample", "sample", taken),
        *_scale_bar(scale, "mm", SKETCH_HEIGHT),
        *_triad(sketch),
    ]
    label = f"{sketch.title}: {sketch.across} to the right, {sketch.up} up, {_counted(len(sketch.panels))}"
    return _figure(parts, SKETCH_HEIGHT, label, sketch.title)


def face_svg(face: Face) -> str:
    """The detector as a flat drawing, the image behind it."""
    points = [point for panel in face.panels for point in panel]
    scale = fitted(points or [(0.0, 0.0)], WIDTH, FACE_HEIGHT, is_up=not face.is_downward)
    taken: list[Point] = []
    clip = f'<svg x="4" y="4" width="{WIDTH - 8:g}" height="{FACE_HEIGHT - 8:g}" viewBox="4 4 {WIDTH - 8:g} '
    parts = [
        f'{clip}{FACE_HEIGHT - 8:g}"><g transform="{scale.matrix}">',
        _picture(face.picture) if face.picture else "",
        _polygons(face.panels),
        *(f'<polyline class="ring" points="{_points(ring.points)}"/>' for ring in face.rings),
        "</g>",
        *_ring_labels(face, scale, taken),
        "</svg>",
        *_arrows(face.arrows, scale, taken),
        _cross(scale.place(face.beam)) if face.beam else "",
        *_scale_bar(scale, face.unit, FACE_HEIGHT),
    ]
    rings = ", ".join(f"{ring.spacing:g}" for ring in face.rings)
    label = f"{face.title}: {_counted(len(face.panels))}" + (f", rings at {rings} \u00c5" if rings else "")
    return _figure(parts, FACE_HEIGHT, label, face.title, face.caption)


def _counted(panels: int) -> str:
    return "1 panel" if panels == 1 else f"{panels} panels"


def _figure(parts: Iterable[str], height: float, label: str, title: str, caption: str = "") -> str:
    """An element with its caption; the label is read out."""
    more = f" <span>{text(caption)}</span>" if caption else ""
    return (
        f'<figure><svg viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-label="{text(label)}">'
        f'<rect class="ground" width="{WIDTH:g}" height="{height:g}"/>{"".join(parts)}</svg>'
        f"<figcaption><b>{text(title)}</b>{more}</figcaption></figure>"
    )


def _number(value: float) -> str:
    """A coordinate in millimetres or pixels, to nine digits."""
    return "0" if abs(value) < 5e-5 else f"{value:.9g}"


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _polygons(panels: Iterable[Sequence[Point]]) -> str:
    """Panels, the corner of the first pixel first."""
    return "".join(f'<polygon class="panel" points="{_points(panel)}"/>' for panel in panels)


def _picture(picture: Picture) -> str:
    """The image, its pixels left as they are."""
    data = b64encode(picture.png).decode("ascii")
    matrix = " ".join(f"{value:.10g}" for value in picture.transform)
    width, height = picture.size
    return (
        f'<image width="{width}" height="{height}" transform="matrix({matrix})" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>'
    )


def _page(value: float) -> str:
    return f"{value:.{_DIGITS}f}"


def _arrows(arrows: Iterable[Arrow], scale: Scale, taken: list[Point]) -> Iterator[str]:
    """Arrows with heads and labels at their ends."""
    for arrow in arrows:
        (x, y), (u, v) = scale.place(arrow.start), scale.place(arrow.end)
        length = math.hypot(u - x, v - y)
        if length < 1.0:
            if arrow.kind != "beam":
                yield _end_on((u, v), arrow, taken)
            continue
        along = (u - x) / length, (v - y) / length
        across = -along[1], along[0]
        base = u - HEAD * along[0], v - HEAD * along[1]
        head = [
            (u, v),
            *((base[0] + s * 0.45 * HEAD * across[0], base[1] + s * 0.45 * HEAD * across[1]) for s in (1, -1)),
        ]
        yield _line(arrow.kind, (x, y), base)
        yield f'<polygon class="head {arrow.kind}" points="{" ".join(f"{_page(a)},{_page(b)}" for a, b in head)}"/>'
        if arrow.label:
            # The beam ends at the detector; its name stands where it comes from.
            beyond = 7.0 + 0.5 * _LETTER * min(len(arrow.label), LONGEST_LABEL) * abs(along[0])
            place = u + beyond * along[0], v + beyond * along[1]
            if arrow.kind == "beam":
                place = x + 20 * along[0], y + 20 * along[1] - 9
            yield _label(place, arrow.label, arrow.kind, taken)


def _line(kind: str, start: Point, end: Point) -> str:
    (x, y), (u, v) = start, end
    return f'<line class="{kind}" x1="{_page(x)}" y1="{_page(y)}" x2="{_page(u)}" y2="{_page(v)}"/>'


def _end_on(place: Point, arrow: Arrow, taken: list[Point]) -> str:
    """An arrow that points to the viewer or away: a ring with its label."""
    x, y = place
    ring = f'<circle class="{arrow.kind}" cx="{_page(x)}" cy="{_page(y)}" r="5"/>'
    return ring + (_label((x + 9, y - 9), arrow.label, arrow.kind, taken) if arrow.label else "")


def _label(place: Point, label: str, kind: str, taken: list[Point]) -> str:
    """A short text at a place, moved off the labels that are there and kept on the page."""
    shown = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "\u2026"
    half = 0.5 * _LETTER * len(shown)
    x = min(max(place[0], 4 + half), WIDTH - 4 - half)
    y = min(max(place[1], 10.0), max(SKETCH_HEIGHT, FACE_HEIGHT) - 6)
    step = 0
    while step < 8 and any(abs(x - a) < half + 14 and abs(y - b) < 11 for a, b in taken):
        step += 1
        y = place[1] + 11.5 * ((step + 1) // 2) * (1 if step % 2 else -1)
    taken.append((x, y))
    return f'<text class="{kind}" x="{_page(x)}" y="{_page(y + 3.5)}">{text(shown)}</text>'


def _dot(place: Point, kind: str, label: str, taken: list[Point]) -> str:
    x, y = place
    dot = f'<circle class="{kind}" cx="{_page(x)}" cy="{_page(y)}" r="3"/>'
    return dot + _label((x, y + 12), label, kind, taken)


def _cross(place: Point) -> str:
    """Where the beam meets the plane."""
    x, y = place
    arms = f"M{_page(x - 7)} {_page(y)}h14M{_page(x)} {_page(y - 7)}v14"
    return f'<path class="cross halo" d="{arms}"/><path class="cross" d="{arms}"/>'


def _ring_labels(face: Face, scale: Scale, taken: list[Point]) -> Iterator[str]:
    """The resolution of each ring, at the first of its points that lies on the page."""
    for ring in face.rings:
        places = [scale.place(point) for point in ring.points]
        count = len(places)
        for share in (0.125, 0.375, 0.625, 0.875, 0.0, 0.25, 0.5, 0.75):
            x, y = places[int(share * (count - 1))]
            if 22 < x < WIDTH - 22 and 16 < y < FACE_HEIGHT - 22:
                yield _label((x, y), f"{ring.spacing:g} \u00c5", "spacing", taken)
                break


def _scale_bar(scale: Scale, unit: str, height: float) -> Iterator[str]:
    """A bar of a round length."""
    wanted = 60.0 / scale.size
    if not math.isfinite(wanted) or wanted <= 0:
        return
    power = 10.0 ** math.floor(math.log10(wanted))
    length = max(nice * power for nice in _NICE if nice * power <= wanted * 1.000001)
    x, y, width = 8.0, height - 8.0, length * scale.size
    yield f'<path class="bar" d="M{_page(x)} {_page(y - 3)}v3h{_page(width)}v-3"/>'
    yield f'<text class="bar" x="{_page(x + width + 4)}" y="{_page(y)}">{length:g} {text(unit)}</text>'


def _triad(sketch: Sketch) -> Iterator[str]:
    """Which way the axes of the laboratory frame point on the page."""
    x, y = WIDTH - 46.0, SKETCH_HEIGHT - 12.0
    yield f'<path class="triad" d="M{_page(x)} {_page(y - 20)}v20h20"/>'
    yield f'<text class="triad" x="{_page(x + 30)}" y="{_page(y + 3)}">{text(sketch.across)}</text>'
    yield f'<text class="triad" x="{_page(x)}" y="{_page(y - 24)}">{text(sketch.up)}</text>'
