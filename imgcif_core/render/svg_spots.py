"""Spots that were found against those that a lattice predicts, as SVG without style attributes."""

from collections.abc import Iterable

from imgcif_core.render.escaping import bidi_safe, text
from imgcif_core.render.sheet import Point, SpotFrame
from imgcif_core.render.svg import WIDTH

# What marks a spot, about its place, in units of the page; and the margin.
_SQUARE = "m-3.5 -3.5h7v7h-7z"
_CROSS = "m-3.5 -3.5l7 7m0 -7l-7 7"
_EDGE = 6.0


def spot_svg(frame: SpotFrame) -> str:
    """One panel of one frame: squares where spots are predicted, dots and crosses where they were found."""
    scale = (WIDTH - 2 * _EDGE) / max(*frame.size, 1)
    wide, high = (scale * side for side in frame.size)
    width, height = wide + 2 * _EDGE, high + 2 * _EDGE
    found = len(frame.again) + len(frame.elsewhere)
    told = f"{len(frame.again)} of {found} spots lie where one of {frame.predictions} is predicted"
    parts = [
        f'<rect class="ground" x="{_EDGE:g}" y="{_EDGE:g}" width="{wide:.1f}" height="{high:.1f}"/>',
        _marks("predicted", frame.predicted, scale, _SQUARE),
        _marks("again", frame.again, scale, "h0"),
        _marks("off", frame.elsewhere, scale, _CROSS),
    ]
    box = f'viewBox="0 0 {width:.1f} {height:.1f}" role="img" aria-label="{text(f"Spots of one frame: {told}")}"'
    return (
        f"<figure><svg {box}>{''.join(parts)}</svg>"
        f"<figcaption><b>{bidi_safe(frame.label, 80)}</b> {text(told)}</figcaption></figure>"
    )


def _marks(kind: str, places: Iterable[Point], scale: float, mark: str) -> str:
    """A mark at each place, as one path."""
    drawn = "".join(f"M{_EDGE + scale * x:.1f} {_EDGE + scale * y:.1f}{mark}" for x, y in places)
    return f'<path class="spot {kind}" d="{drawn}"/>' if drawn else ""
