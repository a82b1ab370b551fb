"""XDS.INP of a sweep: geometry, frames, segments and what cannot be trusted.

The laboratory frame is that of the file: XDS takes any right-handed one, as all directions are given.
Pixels count from 1 at the centre of the first. Lab coordinates of pixel (x, y) of a segment are
ORG + ED [(x - ORGXS) QX EDS1 + (y - ORGYS) QY EDS2 + FS EDS3] with ORG = -ORGX QX ED1 - ORGY QY ED2 + F ED3.

Source: W. Kabsch, XDS documentation, coordinate systems and input parameters.
"""

from collections.abc import Iterator

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.export.numbers import in_one_file, numbered, plain, text
from imgcif_core.export.sweeps import Circle, Plan, Sweep
from imgcif_core.model.pose import Pose
from imgcif_core.model.terms import xds_terms
from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.sources.description import PanelFacts

# XDS takes names of at most 50 characters in its older versions, and cuts longer ones.
_LONGEST_NAME = 50
_NAMES = {
    "pilatus": "PILATUS",
    "eiger": "EIGER",
    "adsc": "ADSC",
    "quantum": "ADSC",
    "rayonix": "CCDCHESS",
    "marccd": "CCDCHESS",
    "mar165": "CCDCHESS",
    "mar225": "CCDCHESS",
    "mar345": "MAR345",
    "saturn": "SATURN",
    "raxis": "RAXIS",
    "r-axis": "RAXIS",
}


def write_xds(plan: Plan, sweep: Sweep) -> tuple[str, list[str]]:
    """The text of XDS.INP for one sweep, and what it does not carry.

    Raises
    ------
    InputError
        If nothing turns, or the panels cannot be told to XDS.
    """
    turning = sweep.turning
    if turning is None:
        raise InputError(f"{plan.path}: scan {sweep.id or 1} is a still; XDS processes rotation scans")
    left_out = list(plan.left_out)
    lines = [
        f"! scan {sweep.id} of {plan.path.rpartition('/')[2]}",
        "JOB= XYCORR INIT COLSPOT IDXREF DEFPIX INTEGRATE CORRECT",
    ]
    lines += _beam(plan, sweep)
    lines += _rotation(sweep, turning)
    lines += _frames(sweep, left_out)
    lines += _detector(plan, sweep, left_out)
    comments = [f"! not carried: {entry}" for entry in dict.fromkeys(left_out)]
    return "\n".join([*lines, *comments]) + "\n", list(dict.fromkeys(left_out))


def _beam(plan: Plan, sweep: Sweep) -> list[str]:
    """Wavelength, direction and polarization."""
    lines = [
        f"X-RAY_WAVELENGTH= {plain(sweep.wavelength, 8)}",
        f"INCIDENT_BEAM_DIRECTION= {text(-unit(sweep.source))}",
    ]
    if plan.polarization is not None:
        lines.append(f"FRACTION_OF_POLARIZATION= {plain(plan.polarization[0], 4)}")
        lines.append(f"POLARIZATION_PLANE_NORMAL= {text(plan.polarization[1])}")
    return lines


def spindle(sweep: Sweep, turning: Circle) -> tuple[np.ndarray, float, float]:
    """Direction of the turning circle in the laboratory, start and step with a positive step.

    The circles outside of it stand at their settings; those inside only turn the crystal.
    """
    rotation = np.eye(3)
    for circle in sweep.circles:
        if circle is turning:
            break
        rotation = rotation @ rotation_matrices(circle.vector, np.array([circle.start]))[0]
    positive = turning.forwards
    return rotation @ unit(positive.vector), positive.start, positive.step


def _rotation(sweep: Sweep, turning: Circle) -> list[str]:
    """The spindle with its start and step."""
    direction, start, step = spindle(sweep, turning)
    lines = [
        f"ROTATION_AXIS= {text(direction)}",
        f"OSCILLATION_RANGE= {plain(step, 6)}",
        f"STARTING_ANGLE= {plain(start, 4)}",
    ]
    if turning.step < 0:
        lines.insert(0, f"! {turning.id} turns backwards: axis and angles are reversed, as XDS counts upwards")
    standing = [f"{c.id} {c.start:g}" for c in sweep.circles if c is not turning and c.start]
    if standing:
        lines.insert(0, f"! standing circles: {', '.join(standing)} degrees")
    return lines


def _frames(sweep: Sweep, left_out: list[str]) -> list[str]:
    """The template of the names and the range of the numbers."""
    first, template = sweep.number, None
    if sweep.images is not None:
        names = numbered(sweep.images)
        if names is not None:
            head, first, width, tail = names
            template = f"{head}{'?' * width}{tail}"
        elif in_one_file(sweep.images) and sweep.images.files[0].endswith("_master.h5"):
            first = int(sweep.images.frame[0])
            template = sweep.images.files[0].removesuffix("master.h5") + "??????.h5"
    if template is None:
        template = "PATH_TO_IMAGES_????.cbf"
        left_out.append("names of the images: put the template of their names into NAME_TEMPLATE_OF_DATA_FRAMES")
    elif len(template) > _LONGEST_NAME:
        left_out.append(f"the template of the names has {len(template)} characters; older XDS takes {_LONGEST_NAME}")
    if sweep.images is not None and not sweep.is_local:
        left_out.append("the images were not found on this machine: names are those of the links")
    last = first + sweep.frames - 1
    return [
        f"NAME_TEMPLATE_OF_DATA_FRAMES= {template}",
        f"DATA_RANGE= {first} {last}",
        f"SPOT_RANGE= {first} {last}",
        f"STARTING_FRAME= {first}",
    ]


def detector_name(make: str) -> str | None:
    """How XDS calls a detector, by its make; None for one that it has no name for."""
    return next((name for word, name in _NAMES.items() if word in make.lower()), None)


def _detector(plan: Plan, sweep: Sweep, left_out: list[str]) -> list[str]:
    """Size, place and limits; segments where there are several panels."""
    panels = sweep.panels
    first = panels[0]
    if any(not np.allclose(panel.pixel_size, first.pixel_size, rtol=1e-6) for panel in panels):
        raise InputError(f"{plan.path}: XDS takes one size of pixels; the panels of scan {sweep.id} have several")
    if len({(*panel.raw_offset, panel.raw_index) for panel in panels}) < len(panels) or any(
        panel.raw_index for panel in panels
    ):
        raise InputError(
            f"{plan.path}: XDS takes panels that lie side by side in one image; those of scan {sweep.id} are stacked"
        )
    for panel in panels:
        if abs(float(panel.fast @ panel.slow)) > 1e-6:
            raise InputError(f"{plan.path}: panel {panel.name} has directions that are not at right angles")
    size = [max(panel.raw_offset[k] + panel.size[k] for panel in panels) for k in (0, 1)]
    name = detector_name(plan.facts.get("detector", ""))
    if name is None:
        left_out.append(
            f"XDS has no name for the detector {plan.facts.get('detector', '(not named)')}: check DETECTOR="
        )
    low = first.underload if first.underload is not None and first.underload > 0 else 0.0
    overload = min((panel.overload for panel in panels if panel.overload), default=None)
    if overload is None:
        left_out.append("overload is not given; a million is written")
    lines = [f"DETECTOR= {name or 'PILATUS'}  MINIMUM_VALID_PIXEL_VALUE= {low:g}  OVERLOAD= {overload or 1e6:.0f}"]
    if first.thickness:
        lines.append(f"SENSOR_THICKNESS= {plain(first.thickness, 4)}")
    lines.append(f"NX= {size[0]} NY= {size[1]} QX= {plain(first.pixel_size[0])} QY= {plain(first.pixel_size[1])}")
    lines += [
        f"DIRECTION_OF_DETECTOR_X-AXIS= {text(first.fast)}",
        f"DIRECTION_OF_DETECTOR_Y-AXIS= {text(first.slow)}",
    ]
    orgx, orgy, distance = detector_origin(first)
    lines += [f"ORGX= {plain(orgx, 8)} ORGY= {plain(orgy, 8)}", f"DETECTOR_DISTANCE= {plain(distance)}"]
    lines.append("TRUSTED_REGION= 0.0 1.42")
    if len(panels) > 1:
        lines += list(_segments(panels))
    return lines


def detector_origin(panel: PanelFacts) -> tuple[float, float, float]:
    """ORGX, ORGY and the signed distance of the plane of a panel, in pixels of the image from 1 and mm."""
    steps = panel.pixel_size[0] * panel.fast, panel.pixel_size[1] * panel.slow
    terms = xds_terms(Pose(panel.origin[None], steps[0][None], steps[1][None], panel.size))
    return terms.orgx + panel.raw_offset[0], terms.orgy + panel.raw_offset[1], terms.distance


def _segments(panels: tuple[PanelFacts, ...]) -> Iterator[str]:
    """The segments, each in the frame that the first panel spans."""
    first = panels[0]
    frame = np.stack([first.fast, first.slow, np.cross(first.fast, first.slow)])
    orgx, orgy, distance = detector_origin(first)
    begin = np.array([-orgx * first.pixel_size[0], -orgy * first.pixel_size[1], distance])
    for panel in panels:
        x, y = panel.raw_offset
        fast, slow = frame @ panel.fast, frame @ panel.slow
        normal = np.cross(fast, slow)
        # The first pixel's centre in the detector's frame, from the place of its pixel 0,0.
        place = frame @ panel.origin - begin
        own = [x + 1.0 - float(place @ fast) / panel.pixel_size[0], y + 1.0 - float(place @ slow) / panel.pixel_size[1]]
        yield f"SEGMENT= {x + 1} {x + panel.size[0]} {y + 1} {y + panel.size[1]}  ! {panel.name}"
        yield f"DIRECTION_OF_SEGMENT_X-AXIS= {text(fast)}"
        yield f"DIRECTION_OF_SEGMENT_Y-AXIS= {text(slow)}"
        yield f"SEGMENT_ORGX= {plain(own[0], 8)} SEGMENT_ORGY= {plain(own[1], 8)}"
        yield f"SEGMENT_DISTANCE= {plain(float(place @ normal))}"
