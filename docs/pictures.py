"""The pictures of docs/conventions.md, drawn by the product itself from files of the conformance suite."""

import math
import re
from pathlib import Path

from imgcif_core import load_dictionary, read
from imgcif_core.render.sheet import Arrow, Face, Sketch
from imgcif_core.render.svg import face_svg, sketch_svg
from imgcif_core.show.drawing import Placed, faces, placed, sketches
from imgcif_core.show.instrument import block_instruments
from imgcif_core.sources.draft import clock_direction

HERE = Path(__file__).parent
FOLDER = HERE / "pictures"
BASES = HERE.parent / "conformance" / "datasets" / "bases"
STYLE = """\
.ground{fill:#f4f6f8;stroke:#c9d0d8}
.panel{fill:#dfe6ee;fill-opacity:.45;stroke:#1b1f24;stroke-width:1;vector-effect:non-scaling-stroke}
.ring{fill:none;stroke:#1a5a96;stroke-width:1;stroke-dasharray:4 3;vector-effect:non-scaling-stroke}
line,circle{stroke-width:1.6;fill:none}
line.beam,circle.beam{stroke:#b35900}line.axis,circle.axis{stroke:#6b2fa0}line.gravity,circle.gravity{stroke:#4c5560}
line.fast,circle.fast{stroke:#a3141f}line.slow,circle.slow{stroke:#17663a}
.head{stroke:none}.head.beam{fill:#b35900}.head.axis{fill:#6b2fa0}.head.gravity{fill:#4c5560}
.head.fast{fill:#a3141f}.head.slow{fill:#17663a}
text{font:10.5px system-ui,sans-serif;text-anchor:middle;fill:#1b1f24;paint-order:stroke}
text{stroke:#f4f6f8;stroke-width:3px}
circle.sample{fill:#1b1f24;stroke:none}.cross{stroke:#b35900;stroke-width:1.8;fill:none}
.cross.halo{stroke:#f4f6f8;stroke-width:4.5}.bar{stroke:#1b1f24;fill:none}.triad{stroke:#4c5560;fill:none}
text.bar,text.triad{stroke:#f4f6f8;fill:#1b1f24}"""


def drawn(name: str, scan: int = 0) -> Placed:
    """An instrument of the suite in one of its scans."""
    (entry, *_) = block_instruments(read(BASES / name), load_dictionary())
    found = placed(entry)
    assert found is not None
    if scan:
        shown = entry.scans[scan]
        found = Placed(entry, shown, tuple(zip(entry.detector.flat, shown.poses, strict=True)))
    return found


def clock_face() -> str:
    """Hours as directions of the principal axis, seen from the source, X of the file along one of them."""
    arrows = []
    for hour in range(1, 13):
        x, y, _ = clock_direction(float(hour))
        length = 100.0 if hour % 3 == 0 else 80.0
        arrows.append(Arrow(str(hour), "axis" if hour == 3 else "gravity", (0.0, 0.0), (length * x, length * y)))
    return sketch_svg(Sketch("Seen from the source", "X", "Y", (), tuple(arrows)))


def half_pixel() -> str:
    """Three by three pixels: the dictionary's origin in the middle of the first, other programs' at its corner."""
    squares = tuple(
        ((x - 0.5, y - 0.5), (x + 0.5, y - 0.5), (x + 0.5, y + 0.5), (x - 0.5, y + 0.5))
        for y in range(3)
        for x in range(3)
    )
    arrows = (
        Arrow("fast", "fast", (0.0, 0.0), (1.0, 0.0)),
        Arrow("slow", "slow", (0.0, 0.0), (0.0, 1.0)),
        Arrow("corner", "gravity", (0.0, 0.0), (-0.5, -0.5)),
    )
    return face_svg(Face("The first pixels", "px", True, squares, (0.0, 0.0), arrows, (), None, ""))


def pictures() -> dict[Path, str]:
    """All pictures by their files."""
    kappa = drawn("kappa-two-theta.cif")
    turned = drawn("two-theta-scans.cif", 1)
    front, above, side = sketches(kappa)
    stored, seen = faces(drawn("single-panel.cif"), None)
    found = {
        "frame-front": sketch_svg(front),
        "frame-side": sketch_svg(side),
        "frame-above": sketch_svg(above),
        "clock-face": clock_face(),
        "stored": face_svg(stored),
        "seen": face_svg(seen),
        "half-pixel": half_pixel(),
        "two-theta": sketch_svg(sketches(turned)[2]),
    }
    return {FOLDER / f"{name}.svg": standing_alone(figure) for name, figure in found.items()}


def standing_alone(figure: str) -> str:
    """The drawing of a figure as a file of its own, with its colours."""
    drawing = figure.partition("<figure>")[2].partition("<figcaption>")[0]
    size = re.search(r'viewBox="0 0 (\S+) (\S+)"', drawing)
    assert size is not None
    width, height = (math.ceil(1.4 * float(number)) for number in size.groups())
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    text = drawing.replace("<svg ", head, 1).replace(">", f">\n<style>{STYLE}</style>\n", 1)
    return text.replace("><", ">\n<") + "\n"
