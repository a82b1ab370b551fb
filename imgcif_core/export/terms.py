"""The geometry of each sweep in the words and numbers of one program, for people who type them."""

from collections.abc import Callable, Iterator

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.export.expt import trusted_range
from imgcif_core.export.numbers import plain, text
from imgcif_core.export.sweeps import Plan, Sweep
from imgcif_core.export.xds import detector_origin, spindle
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.model.pose import Pose
from imgcif_core.model.terms import mcstas_matrix
from imgcif_core.model.vectors import unit
from imgcif_core.sources.description import PanelFacts

MAX_PANELS = 20
RULES = {
    "xds": (
        "XDS takes any right-handed frame: directions are those of the file. Pixels count from 1 at the "
        "centre of the first one, so that ORGX is our index from 0 plus 1. The distance is negative "
        "where fast x slow points towards the crystal. The spindle turns by positive steps; one that "
        "turns backwards is reversed with its angles."
    ),
    "dials": (
        "dxtbx takes the frame of the file. The origin of a panel is the outer corner of its first "
        "pixel, half a pixel back from the centre along both directions. Axes are listed from the sample "
        "outwards. Pixels count from 0 at that corner, so that centres lie at halves."
    ),
    "crystfel": (
        "CrystFEL has z along the beam and y up: x and z are those of the file with opposite signs where "
        "gravity is along -Y. Corners are in pixels from the beam, lengths in metres."
    ),
    "nexus": (
        "NeXus has the frame of McStas, z along the beam and y against gravity: (x, y, z) of the file "
        "becomes (-x, y, -z) where gravity is along -Y. Module offsets are outer corners of first "
        "pixels, in mm."
    ),
    "mosflm": (
        "MOSFLM gives the beam centre in mm from the outer corner of the first pixel, X along the slow "
        "direction of the stored image and Y along the fast one."
    ),
}


def terms_text(plan: Plan, program: str) -> str:
    """What a program wants to be told, sweep by sweep, with the rule of conversion in words.

    Raises
    ------
    InputError
        If no program of that name is known.
    """
    if program not in RULES:
        raise InputError(f"no terms of {program}; those of {', '.join(RULES)} are known")
    lines = _wrapped(RULES[program])
    for sweep in plan.sweeps:
        lines += ["", f"scan {sweep.id or 1}, {sweep.frames} {'frame' if sweep.frames == 1 else 'frames'}"]
        lines += [f"  {line}" for line in _WRITERS[program](plan, sweep)]
    lines += ["", *(f"not carried: {entry}" for entry in plan.left_out)] if plan.left_out else []
    return "\n".join(lines) + "\n"


def _wrapped(rule: str) -> list[str]:
    import textwrap

    return textwrap.wrap(rule, 100)


def _pose(panel: PanelFacts) -> Pose:
    """A panel as a pose of one frame."""
    steps = panel.pixel_size[0] * panel.fast, panel.pixel_size[1] * panel.slow
    return Pose(panel.origin[None], steps[0][None], steps[1][None], panel.size)


def _shown(sweep: Sweep) -> Iterator[tuple[str, PanelFacts]]:
    """The first panels with how they are called, and a word about the rest."""
    for panel in sweep.panels[:MAX_PANELS]:
        yield f"panel {panel.name}: ", panel


def _rest(sweep: Sweep) -> list[str]:
    more = len(sweep.panels) - MAX_PANELS
    return [f"... and {more} more panels; imgcif export writes them all"] if more > 0 else []


def _xds(plan: Plan, sweep: Sweep) -> Iterator[str]:
    yield f"X-RAY_WAVELENGTH= {plain(sweep.wavelength, 8)}"
    yield f"INCIDENT_BEAM_DIRECTION= {text(-unit(sweep.source))}"
    if sweep.turning is not None:
        direction, start, step = spindle(sweep, sweep.turning)
        yield f"ROTATION_AXIS= {text(direction)}"
        yield f"STARTING_ANGLE= {plain(start, 4)}  OSCILLATION_RANGE= {plain(step, 6)}"
    for name, panel in _shown(sweep):
        orgx, orgy, distance = detector_origin(panel)
        yield f"{name}ORGX= {plain(orgx, 4)} ORGY= {plain(orgy, 4)} DETECTOR_DISTANCE= {plain(distance, 4)}"
        yield f"{name}DIRECTION_OF_DETECTOR_X-AXIS= {text(panel.fast)}"
        yield f"{name}DIRECTION_OF_DETECTOR_Y-AXIS= {text(panel.slow)}"
    yield from _rest(sweep)


def _dials(plan: Plan, sweep: Sweep) -> Iterator[str]:
    yield f"wavelength {plain(sweep.wavelength, 8)}, sample to source {text(sweep.source)}"
    for circle in reversed(sweep.circles):
        moves = f" in steps of {plain(circle.step, 6)}" if circle.step else ""
        yield f"axis {circle.id}: {text(circle.vector)}, at {plain(circle.start, 6)}{moves} degrees"
    for name, panel in _shown(sweep):
        yield f"{name}origin {text(panel.corner, 6)}, fast {text(panel.fast)}, slow {text(panel.slow)}"
        beam = _pose(panel).beam_centre(-unit(sweep.source))[0] + 0.5
        if np.isfinite(beam).all():
            mm = beam * np.array(panel.pixel_size)
            yield f"{name}beam centre {text(mm, 4)} mm, {text(beam, 3)} px (fast, slow)"
        low, high = trusted_range(panel)
        yield f"{name}trusted range from {plain(low + 0.5)} below {plain(high + 0.5)}"
    yield from _rest(sweep)


def _crystfel(plan: Plan, sweep: Sweep) -> Iterator[str]:
    frame = mcstas_matrix(-unit(sweep.source), sweep.gravity)
    yield f"photon_energy = {HC_KEV_ANGSTROM / sweep.wavelength * 1e3:.8g} eV"
    for name, panel in _shown(sweep):
        turned = panel.turned(frame)
        corner = turned.corner / panel.pixel_size[0]
        yield f"{name}corner_x = {plain(corner[0], 4)}  corner_y = {plain(corner[1], 4)}"
        yield f"{name}clen = {plain(turned.corner[2] / 1e3, 8)}"
        yield f"{name}fs = {_letters(turned.fast)}  ss = {_letters(turned.slow)}  res = {1e3 / panel.pixel_size[0]:.8g}"
    yield from _rest(sweep)


def _letters(vector: np.ndarray) -> str:
    return " ".join(f"{value:+.6f}{letter}" for value, letter in zip(vector + 0.0, "xyz", strict=True))


def _nexus(plan: Plan, sweep: Sweep) -> Iterator[str]:
    frame = mcstas_matrix(-unit(sweep.source), sweep.gravity)
    yield f"incident_wavelength = {plain(sweep.wavelength, 8)} angstrom"
    parent = "."
    for circle in sweep.circles:
        values = plain(circle.start, 6) + (f" + {plain(circle.step, 6)} n" if circle.step else "")
        yield f"{circle.id} = {values} deg, vector {text(frame @ circle.vector)}, depends_on {parent}"
        parent = circle.id
    for name, panel in _shown(sweep):
        turned = panel.turned(frame)
        yield f"{name}module_offset {text(turned.corner, 6)} mm"
        yield f"{name}fast_pixel_direction {plain(panel.pixel_size[0], 6)} mm, vector {text(turned.fast)}"
        yield f"{name}slow_pixel_direction {plain(panel.pixel_size[1], 6)} mm, vector {text(turned.slow)}"
    yield from _rest(sweep)


def _mosflm(plan: Plan, sweep: Sweep) -> Iterator[str]:
    yield f"WAVELENGTH {plain(sweep.wavelength, 6)}"
    if len(sweep.panels) > 1:
        yield "MOSFLM takes one panel; this detector has several"
        return
    (panel,) = sweep.panels
    pose = _pose(panel)
    beam = (pose.beam_centre(-unit(sweep.source))[0] + 0.5) * np.array(panel.pixel_size)
    if np.isfinite(beam).all():
        yield f"BEAM {plain(beam[1], 3)} {plain(beam[0], 3)}"
    else:
        yield "the beam does not meet the detector"
    yield f"DISTANCE {plain(float(pose.normal_distance[0]), 3)}"
    tilt = np.degrees(np.arccos(min(1.0, abs(float(pose.normal[0] @ unit(sweep.source))))))
    if tilt > 0.01:
        yield f"the normal of the detector stands {plain(float(tilt), 3)} degrees off the beam"
    if sweep.turning is not None:
        start, end = sweep.turning.start, sweep.turning.start + sweep.turning.step
        yield f"PHI {plain(start, 4)} TO {plain(end, 4)} for the first image"


_WRITERS: dict[str, Callable[[Plan, Sweep], Iterator[str]]] = {
    "xds": _xds,
    "dials": _dials,
    "crystfel": _crystfel,
    "nexus": _nexus,
    "mosflm": _mosflm,
}
