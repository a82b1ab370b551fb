"""The instrument as drawings: three orthogonal sketches, and the detector as stored and as seen from the sample.

Sketches are parallel projections along the axes of the laboratory frame of the file, in mm. As seen from the sample
the detector is a central projection from the sample on the plane of one panel, the reference: what a ray of one
direction meets lies at one point, so that rings of resolution hold for all panels.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.model.detector import Panel
from imgcif_core.model.pose import Pose
from imgcif_core.model.scans import Scan
from imgcif_core.model.scattering import two_theta
from imgcif_core.model.vectors import unit
from imgcif_core.records import dataclass
from imgcif_core.render.sheet import Arrow, Face, Picture, Point, Ring, Sketch
from imgcif_core.show.instrument import AT_SAMPLE_MM, BlockInstrument, ShownScan, beam_pixel, goniometer_rows

MAX_PANELS = 1200
MAX_AXES = 8
RINGS = 4
_RING_POINTS = 145
# Cosine: panels further from the middle of the view are too flat in it to be drawn.
STEEP = 0.15
# Views: title, the laboratory axes to the right and up, as (index, sign).
_VIEWS = (
    ("Along the beam", (0, 1), (1, 1)),
    ("From above, along \N{MINUS SIGN}Y", (2, -1), (0, -1)),
    ("From the side, along \N{MINUS SIGN}X", (2, -1), (1, 1)),
)
_NAMES = "XYZ"
# A cross-section longer or shorter than all others by so much is not told from them.
_SAME_DIRECTION = 3
_SMALL_MM = 1e-9


@dataclass(frozen=True, slots=True)
class Placed:
    """A scan at one of its frames with the panels that can be drawn."""

    entry: BlockInstrument
    shown: ShownScan
    panels: tuple[tuple[Panel, Pose], ...]

    @property
    def reference(self) -> tuple[Panel, Pose] | None:
        """The panel that the beam meets, else the one whose middle is nearest to the beam."""
        if not self.panels:
            return None
        beam = self.entry.beam.direction
        middles = unit(np.array([pose.centre[0] for _, pose in self.panels])) @ beam
        for panel, pose in self.panels:
            pixel = beam_pixel(pose, self.entry.beam)
            if np.isfinite(pixel).all() and pose.holds(pixel[None])[0]:
                return panel, pose
        return self.panels[int(np.argmax(middles))]


def placed(entry: BlockInstrument) -> Placed | None:
    """The first scan whose panels can be drawn; None where nothing has a place."""
    for shown in entry.scans:
        found = [
            (panel, pose)
            for panel, pose in zip(entry.detector.flat, shown.poses, strict=False)
            if min(pose.size) > 0 and np.isfinite(pose.corners()[0]).all()
        ]
        if found:
            return Placed(entry, shown, tuple(found))
    return Placed(entry, entry.scans[0], ()) if entry.scans and len(entry.axes) else None


def sketches(drawn: Placed) -> tuple[Sketch, ...]:
    """The three views of the instrument."""
    corners = np.array([pose.corners()[0] for _, pose in drawn.panels[:MAX_PANELS]]).reshape(-1, 4, 3)
    reach = float(np.linalg.norm(corners, axis=-1).max()) if len(corners) else 100.0
    if not np.isfinite(reach) or reach < _SMALL_MM:
        return ()
    arrows = list(_arrows(drawn, reach))
    found = []
    for title, (first, sign), (second, other) in _VIEWS:
        chosen = np.array([first, second])
        signs = np.array([sign, other], dtype=float)
        panels = tuple(_points(panel[:, chosen] * signs) for panel in corners)
        flat = tuple(
            Arrow(label, kind, _point(start[chosen] * signs), _point(end[chosen] * signs))
            for label, kind, start, end in arrows
        )
        found.append(Sketch(title, _name(first, sign), _name(second, other), panels, flat))
    return tuple(found)


def _name(axis: int, sign: int) -> str:
    return ("\N{MINUS SIGN}" if sign < 0 else "") + _NAMES[axis]


def _point(values: np.ndarray) -> Point:
    return float(values[0]), float(values[1])


def _points(values: np.ndarray) -> tuple[Point, ...]:
    return tuple(map(_point, values))


def _arrows(drawn: Placed, reach: float) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Beam, goniometer axes and gravity: label, kind and two points in the laboratory."""
    beam = drawn.entry.beam
    end = 0.35 * reach * beam.direction
    reference = drawn.reference
    if reference is not None:
        met = reference[1].at(*beam_pixel(reference[1], beam))[0]
        if np.isfinite(met).all() and met @ beam.direction > 0:
            end = met
    yield "beam", "beam", -0.4 * reach * beam.direction, end
    for label, direction in _axes(drawn):
        yield label, "axis", -0.3 * reach * direction, 0.35 * reach * direction
    if beam.gravity is not None:
        yield "gravity", "gravity", np.zeros(3), 0.3 * reach * beam.gravity


def _axes(drawn: Placed) -> Iterator[tuple[str, np.ndarray]]:
    """The axes of rotation of the goniometer as they stand, those of one direction together."""
    axes, scan = drawn.entry.axes, drawn.shown.scan
    rows = [row for row in goniometer_rows(drawn.entry.tables, axes) if axes.kind[row] == "rotation"]
    found: dict[tuple[float, ...], list[str]] = {}
    # What cannot be read has no direction, and an axis that it carries has none either.
    known = [row for row in rows if not np.isnan([axes.vector[step] for step in axes.chain(row)]).any()]
    for row in known[:MAX_AXES]:
        settings = _settings(scan, drawn.shown.index or 0, axes.chain(row)[1:])
        direction = axes.placement(row, {**settings, row: np.zeros(1)}).turn(axes.direction[row])[0]
        if np.isfinite(direction).all() and direction.any():
            key = tuple((np.round(direction, _SAME_DIRECTION) + 0.0).tolist())
            found.setdefault(key, []).append(axes.id[row])
    for key, names in found.items():
        yield ", ".join(names), unit(np.array(key))


def _settings(scan: Scan | None, index: int, rows: Sequence[int]) -> dict[int, np.ndarray]:
    """Settings of some axes at a frame."""
    return {row: np.array([scan.setting(row, index)]) for row in rows} if scan is not None else {}


@dataclass(frozen=True, slots=True)
class View:
    """The plane on which the detector is seen from the sample.

    normal : unit vector from the sample to the plane; distance : mm; right, up : unit vectors in the plane as a
    viewer at the sample sees them. Points are (right, up) in mm from the foot of the sample.
    """

    normal: np.ndarray
    distance: float
    right: np.ndarray
    up: np.ndarray

    def project(self, points: Floats) -> Floats:
        """Where rays to points (..., 3) meet the plane: (..., 2) mm; nan for those behind or flat."""
        along = points @ self.normal
        steep = along > STEEP * np.linalg.norm(points, axis=-1)
        reach = np.divide(self.distance, along, out=np.full(along.shape, np.nan), where=steep)
        found: Floats = reach[..., None] * np.stack([points @ self.right, points @ self.up], axis=-1)
        return found


def view_of(drawn: Placed) -> View | None:
    """The view from the sample on the plane of the reference panel; None where that lies at the sample."""
    reference = drawn.reference
    if reference is None or not reference[1].normal_distance[0] > AT_SAMPLE_MM:
        return None
    pose = reference[1]
    normal = pose.normal[0] * (np.sign(pose.normal[0] @ pose.origin[0]) or 1.0)
    gravity = drawn.entry.beam.gravity
    upward = -gravity if gravity is not None else np.array([0.0, 1.0, 0.0])
    across = np.cross(normal, upward)
    if np.linalg.norm(across) < 0.1:
        # A detector above or below: the beam then runs up the page.
        across = np.cross(normal, drawn.entry.beam.direction)
    right = unit(across)
    if not right.any():
        right = unit(pose.fast[0])
    return View(normal, float(pose.normal_distance[0]), right, np.cross(right, normal))


def faces(drawn: Placed, picture: Picture | None) -> tuple[Face, ...]:
    """The reference panel as stored, and all panels as seen from the sample; `picture` is in stored pixels."""
    reference = drawn.reference
    if reference is None:
        return ()
    view = view_of(drawn)
    seen = _seen(drawn, view, picture) if view is not None else None
    return (_stored(drawn, *reference, picture), *([seen] if seen else ()))


def _stored(drawn: Placed, panel: Panel, pose: Pose, picture: Picture | None) -> Face:
    """One panel as it is stored: fast to the right, slow down, pixels from the first centre."""
    fast, slow = pose.size
    corners = ((-0.5, -0.5), (fast - 0.5, -0.5), (fast - 0.5, slow - 0.5), (-0.5, slow - 0.5))
    beam = beam_pixel(pose, drawn.entry.beam)
    rings = [
        Ring(spacing, _points(_pixels(pose, rays)))
        for spacing, rays in _rings(drawn)
        if np.isfinite(_pixels(pose, rays)).all()
    ]
    arrows = [
        Arrow("fast", "fast", (-0.5, -0.5), (0.35 * fast, -0.5)),
        Arrow("slow", "slow", (-0.5, -0.5), (-0.5, 0.35 * slow)),
    ]
    gravity = drawn.entry.beam.gravity
    if gravity is not None:
        down = np.array([gravity @ pose.fast[0], gravity @ pose.slow[0]])
        arrows += _gravity(down, np.array([0.85 * fast, 0.15 * slow]), 0.16 * min(fast, slow))
    name = "" if len(drawn.panels) == 1 else f" (panel {panel.id})"
    caption = f"{fast} x {slow} pixels, the first one top left; fast to the right, slow down."
    met = _point(beam) if np.isfinite(beam).all() else None
    return Face(f"As stored{name}", "px", True, (corners,), met, tuple(arrows), tuple(rings), picture, caption)


def _gravity(down: np.ndarray, start: np.ndarray, length: float) -> list[Arrow]:
    """Gravity in the plane of a drawing, where it is not along the line of sight."""
    size = float(np.linalg.norm(down))
    return [Arrow("gravity", "gravity", _point(start), _point(start + length * down / size))] if size > 0.2 else []


def _pixels(pose: Pose, rays: np.ndarray) -> np.ndarray:
    """Where rays (n, 3) meet the plane of a panel: (n, 2) pixels."""
    origin, fast, slow = (
        np.broadcast_to(part[0], rays.shape) for part in (pose.origin, pose.fast_step, pose.slow_step)
    )
    return Pose(origin, fast, slow, pose.size).intersect(rays)


def _seen(drawn: Placed, view: View, picture: Picture | None) -> Face | None:
    """All panels as seen from the sample; None where the sample is in or beside the plane of all of them."""
    corners = np.array([pose.corners()[0] for _, pose in drawn.panels[:MAX_PANELS]])
    flat = view.project(corners)
    is_seen = np.isfinite(flat).all(axis=(1, 2))
    if not is_seen.any():
        return None
    beam = view.project(drawn.entry.beam.direction[None])[0]
    reference = drawn.reference
    assert reference is not None
    panel, pose = reference
    arrows = list(_edges(view, pose, flat[is_seen]))
    if drawn.entry.beam.gravity is not None:
        lows, highs = flat[is_seen].min(axis=(0, 1)), flat[is_seen].max(axis=(0, 1))
        down = np.array([drawn.entry.beam.gravity @ view.right, drawn.entry.beam.gravity @ view.up])
        start = lows + np.array([0.85, 0.85]) * (highs - lows)
        arrows += _gravity(down, start, 0.16 * float((highs - lows).min()))
    rings = [Ring(spacing, _points(points)) for spacing, points in _seen_rings(drawn, view)]
    hidden = len(drawn.panels) - int(is_seen.sum())
    caption = "Central projection from the sample" + (
        f" on the plane of panel {panel.id}" if len(drawn.panels) > 1 else ""
    )
    caption += f"; {hidden} panels not drawn." if hidden else "."
    met = _point(beam) if np.isfinite(beam).all() else None
    laid = _turned(picture, view, pose) if picture is not None else None
    panels = tuple(_points(panel) for panel in flat[is_seen])
    return Face("As seen from the sample", "mm", False, panels, met, tuple(arrows), tuple(rings), laid, caption)


def _edges(view: View, pose: Pose, flat: np.ndarray) -> Iterator[Arrow]:
    """Fast and slow of the reference panel from its first corner, long enough to be seen."""
    extent = float((flat.max(axis=(0, 1)) - flat.min(axis=(0, 1))).max())
    start = view.project(pose.corners()[0, 0])
    for name, direction, count, size in zip(
        ("fast", "slow"), (pose.fast, pose.slow), pose.size, pose.pixel_size, strict=True
    ):
        length = max(0.35 * count * size, 0.12 * extent)
        flat_direction = np.array([direction[0] @ view.right, direction[0] @ view.up])
        yield Arrow(name, name, _point(start), _point(start + length * flat_direction))


def _turned(picture: Picture, view: View, pose: Pose) -> Picture:
    """An image of the reference panel laid on the view: from stored pixels to mm."""
    steps = [np.array([step[0] @ view.right, step[0] @ view.up]) for step in (pose.fast_step, pose.slow_step)]
    matrix = np.stack(steps, axis=1)
    origin = view.project(pose.origin[0])
    a, b, c, d, e, f = picture.transform
    inner = matrix @ np.array([[a, c], [b, d]])
    moved = matrix @ np.array([e, f]) + origin
    return Picture(picture.png, picture.size, (*inner.T.ravel().tolist(), *moved.tolist()))


def _rings(drawn: Placed) -> Iterator[tuple[float, np.ndarray]]:
    """Spacings in angstrom, and rays (n, 3) of each, spread over the detector."""
    beam, wavelength = drawn.entry.beam.direction, drawn.entry.beam.wavelength
    reference = drawn.reference
    if reference is None or not wavelength > 0 or not np.isfinite(wavelength):
        return
    corners = np.array([pose.corners()[0] for _, pose in drawn.panels]).reshape(-1, 3)
    widest = float(np.nanmax(two_theta(corners, beam)))
    if not np.isfinite(widest) or widest <= 0:
        return
    across = unit(np.cross(beam, [0.0, 1.0, 0.0] if abs(beam[1]) < 0.9 else [1.0, 0.0, 0.0]))
    turns_rad = np.linspace(0.0, 2.0 * np.pi, _RING_POINTS)
    circle = np.cos(turns_rad)[:, None] * across + np.sin(turns_rad)[:, None] * np.cross(beam, across)
    told = set()
    for share in np.linspace(1.0, 0.25, RINGS):
        half_rad = 0.5 * np.arctan(share * np.tan(np.radians(min(widest, 75.0))))
        spacing = float(f"{wavelength / (2.0 * np.sin(half_rad)):.2g}")
        sine = wavelength / (2.0 * spacing)
        if not 0 < sine < 1 or spacing in told:
            continue
        told.add(spacing)
        angle_rad = 2.0 * np.arcsin(sine)
        yield spacing, np.cos(angle_rad) * beam + np.sin(angle_rad) * circle


def _seen_rings(drawn: Placed, view: View) -> Iterator[tuple[float, np.ndarray]]:
    """The rings on the plane of the view; of one that leaves the plane, the longest part that stays."""
    for spacing, rays in _rings(drawn):
        points = view.project(rays)
        good = np.asarray(np.isfinite(points).all(axis=1))
        if good.all():
            yield spacing, points
        elif good.any():
            # The circle is closed: begin behind its gap.
            start = int(np.flatnonzero(~good)[-1]) + 1
            order = np.roll(np.arange(len(points)), -start)
            kept = points[order][good[order]]
            if len(kept) > 1:
                yield spacing, kept
