"""CrystFEL geometry files: panels, distance, photon energy, and where the pixels lie in HDF5 files.

CrystFEL's frame has z along the beam and y up. Corners and directions are in pixels, `clen` in metres;
what a panel's corner is off from the common distance is its `coffset`.

Source: CrystFEL manual, crystfel_geometry(5).
"""

from collections.abc import Iterator

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.export.numbers import plain
from imgcif_core.export.sweeps import Plan, Sweep
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.model.terms import mcstas_matrix
from imgcif_core.model.vectors import unit
from imgcif_core.sources.description import PanelFacts

_LETTERS = "xyz"


def write_geom(plan: Plan, sweep: Sweep) -> tuple[str, list[str]]:
    """The text of a geometry file for one sweep, and what it does not carry."""
    left_out = list(plan.left_out)
    frame = mcstas_matrix(-unit(sweep.source), sweep.gravity)
    panels = [panel.turned(frame) for panel in sweep.panels]
    clen = _round(float(np.mean([panel.corner[2] for panel in panels])))
    if clen <= 0:
        raise InputError(f"{plan.path}: the detector of scan {sweep.id or 1} lies before the sample")
    lines = [f"; scan {sweep.id} of {plan.path.rpartition('/')[2]}".replace("scan  of", "from")]
    lines.append(_energy(plan, sweep))
    lines.append(f"clen = {plain(clen / 1e3, 9)}")
    lines += _data(sweep, left_out)
    if sweep.circles:
        moving = sweep.turning
        if moving is not None:
            left_out.append(f"the rotation of {moving.id}: CrystFEL takes every frame as a still")
        elif any(circle.start for circle in sweep.circles):
            left_out.append("the settings of the goniometer: CrystFEL takes crystals at any orientation")
    if sweep.images is not None:
        left_out.append("the list of images is a file of its own (.lst), one name a line")
    if any(panel.undefined_value is not None for panel in panels):
        left_out.append("masks: give `mask` and `mask_good` where the data hold one")
    names = _names([panel.name for panel in panels])
    for name, panel in zip(names, panels, strict=True):
        lines += ["", *_panel(name, panel, clen)]
    if len(set(sweep.arrays)) > 1:
        lines += ["", *_groups(names, sweep.arrays)]
    comments = [f"; not carried: {entry}" for entry in dict.fromkeys(left_out)]
    return "\n".join([*lines, *comments]) + "\n", list(dict.fromkeys(left_out))


def _round(value: float) -> float:
    """The common distance in mm, to a micrometre."""
    return round(value, 3)


def _energy(plan: Plan, sweep: Sweep) -> str:
    """Photon energy, or the wavelength of particles."""
    if plan.probe == "electron":
        return f"wavelength = {sweep.wavelength:.10g} A"
    # In eV where no unit stands, which every reader takes.
    return f"photon_energy = {HC_KEV_ANGSTROM / sweep.wavelength * 1e3:.10g}"


def _data(sweep: Sweep, left_out: list[str]) -> Iterator[str]:
    """The dataset and its dimensions, slowest first: frames, the slower indices, slow, fast."""
    images = sweep.images
    if images is None:
        left_out.append("the dataset of the pixels: the images are several arrays, or not linked")
        return
    if images.path is None:
        return
    yield f"data = {images.path}"
    if not any(panel.raw_index for panel in sweep.panels):
        yield from ("dim0 = %", "dim1 = ss", "dim2 = fs")


def _names(names: list[str]) -> list[str]:
    """Names that CrystFEL can read: no blanks or slashes, none that means a group or a bad region."""
    found: dict[str, None] = {}
    for index, name in enumerate(names):
        plain_name = "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in name)
        if not plain_name or plain_name.startswith(("bad", "group", "rigid_group")) or plain_name in found:
            plain_name = f"p{index}"
        while plain_name in found:
            plain_name += "x"
        found[plain_name] = None
    return list(found)


def _panel(name: str, panel: PanelFacts, clen: float) -> Iterator[str]:
    """One panel; steps along slow that differ from those along fast lengthen the direction."""
    size = panel.pixel_size[0]
    ratio = panel.pixel_size[1] / size
    first, last = panel.raw_offset, tuple(panel.raw_offset[k] + panel.size[k] - 1 for k in (0, 1))
    values = {
        "min_fs": str(first[0]),
        "max_fs": str(last[0]),
        "min_ss": str(first[1]),
        "max_ss": str(last[1]),
        "corner_x": plain(panel.corner[0] / size, 9),
        "corner_y": plain(panel.corner[1] / size, 9),
        "fs": _direction(panel.fast),
        "ss": _direction(ratio * panel.slow),
        "res": f"{1e3 / size:.10g}",
        "coffset": plain((panel.corner[2] - clen) / 1e3, 12),
    }
    if panel.overload is not None:
        values["max_adu"] = f"{panel.overload:.10g}"
    if panel.gain is not None:
        values["adu_per_photon"] = f"{panel.gain:.10g}"
    if panel.raw_index:
        # The slower dimensions of an image, fastest of them first in our order, come after the frames.
        dims = ["%", *map(str, reversed(panel.raw_index)), "ss", "fs"]
        values.update({f"dim{index}": entry for index, entry in enumerate(dims)})
    yield from (f"{name}/{key} = {value}" for key, value in values.items())


def _direction(vector: np.ndarray) -> str:
    """A direction as CrystFEL writes it: +0.1x -0.9y +0.0z."""
    return " ".join(f"{value:+.12f}{letter}" for value, letter in zip(vector + 0.0, _LETTERS, strict=True))


def _groups(names: list[str], arrays: tuple[str, ...]) -> Iterator[str]:
    """The panels of each array as a rigid group."""
    groups = dict.fromkeys(arrays)
    for index, array in enumerate(groups):
        members = [name for name, own in zip(names, arrays, strict=True) if own == array]
        yield f"rigid_group_a{index} = {','.join(members)}"
    yield f"rigid_group_collection_arrays = {','.join(f'a{index}' for index in range(len(groups)))}"
