"""From the plain description of an experiment to the data block of an imgCIF.

The frame is that of imgCIF: X along the principal goniometer axis, Z towards the source. Corners of
panels stand in the offset of their slow axis; the first pixel's centre is half a step inside, which
the displacement of both surface axes says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from imgcif_core.cif.write import Category, Values
from imgcif_core.create.layout import Layout
from imgcif_core.create.mounting import Mounting, find_mounting, tidied
from imgcif_core.create.names import distinct, plain
from imgcif_core.create.numbers import short_direction, tidy, tidy_number
from imgcif_core.errors import InputError
from imgcif_core.model.vectors import unit
from imgcif_core.sources.description import AxisFacts, Experiment, ImageFiles, PanelFacts, ScanFacts

GONIOMETER, DETECTOR, EXPERIMENT, WAVELENGTH = "GONIOMETER", "DETECTOR", "EXP1", "W1"
# Ten kilometres: longer than any instrument.
LARGEST_MM = 1e7
_COMPONENTS = ("1", "2", "3")


@dataclass(frozen=True)
class Built:
    """An experiment on its way to a data block: turned into imgCIF's frame, mounted, with its ids."""

    experiment: Experiment
    rotation: np.ndarray
    goniometer: tuple[AxisFacts, ...]
    mounting: Mounting
    layout: Layout
    scan_ids: tuple[str, ...]

    @property
    def scans(self) -> tuple[ScanFacts, ...]:
        """The scans of the source."""
        return self.experiment.scans

    @cached_property
    def frames(self) -> int:
        """The number of frames of all scans."""
        return sum(scan.frames for scan in self.scans)

    @cached_property
    def source(self) -> np.ndarray:
        """Unit vector from the sample to the source, in imgCIF's frame: (3,)."""
        return tidy(self.rotation @ unit(self.experiment.beam.source))

    def origin(self, *names: str) -> str:
        """Where the first of some fields that has a provenance comes from."""
        known = self.experiment.provenance
        for name in names:
            while name:
                if name in known:
                    return str(known[name])
                name = name.rpartition(".")[0]
        return ""


def prepare(experiment: Experiment) -> Built:
    """Turn, mount and name the parts of an experiment.

    Raises
    ------
    InputError
        If the panels of its scans are not one rigid detector, or stand beyond all measure.
    """
    _refuse_absurd(experiment)
    rotation = experiment.principal_rotation
    poses: dict[int, tuple[PanelFacts, ...]] = {}
    for scan in experiment.scans:
        if id(scan.panels) not in poses:
            poses[id(scan.panels)] = tuple(panel.turned(rotation) for panel in scan.panels)
    goniometer = _renamed([_turned(axis, rotation) for axis in experiment.goniometer], ())
    if all(scan.frames == 0 for scan in experiment.scans):
        # Without a scan no axis has a setting, so that the panels themselves stand where they are.
        mounting = Mounting((), ({},), tuple(map(tidied, poses[id(experiment.scans[0].panels)])), 0.0)
    else:
        mounting = _mounting(experiment, poses, rotation)
    mounting = _named_mounting(mounting, goniometer)
    taken = [axis.id for axis in (*goniometer, *mounting.axes)]
    layout = Layout.of(mounting.panels, taken, sum(scan.frames for scan in experiment.scans))
    scan_ids = tuple(distinct([scan.id for scan in experiment.scans], "SCAN"))
    return Built(experiment, rotation, goniometer, mounting, layout, scan_ids)


def _refuse_absurd(experiment: Experiment) -> None:
    """Raise for lengths that no laboratory holds."""
    checked: set[int] = set()
    for scan in experiment.scans:
        if id(scan.panels) in checked:
            continue
        checked.add(id(scan.panels))
        for panel in scan.panels:
            reach = max(map(abs, (*panel.corner.tolist(), *panel.pixel_size, *panel.size)))
            if not reach < LARGEST_MM or min(panel.pixel_size) <= 0 or min(panel.size) < 1:
                where = ", ".join(f"{value:.6g}" for value in panel.corner)
                raise InputError(
                    f"{experiment.path}: panel {panel.name or 'without name'} of {panel.size} pixels of "
                    f"{panel.pixel_size} mm at ({where}) mm is beyond all measure"
                )


def _mounting(experiment: Experiment, poses: Mapping[int, tuple[PanelFacts, ...]], rotation: np.ndarray) -> Mounting:
    """The axes that carry the panels in all scans."""
    return find_mounting(
        [poses[id(scan.panels)] for scan in experiment.scans],
        [_turned(axis, rotation) for axis in experiment.mounting],
        [scan.detector_settings for scan in experiment.scans],
    )


def _turned(axis: AxisFacts, rotation: np.ndarray) -> AxisFacts:
    """An axis in the turned frame."""
    vector = rotation @ unit(axis.vector)
    vector = short_direction(vector) if axis.kind == "rotation" else tidy(vector)
    return replace(axis, vector=vector, offset=tidy(rotation @ axis.offset))


def _renamed(axes: Sequence[AxisFacts], taken: Sequence[str]) -> tuple[AxisFacts, ...]:
    """Axes with plain and distinct ids; links follow."""
    names = dict(zip((axis.id for axis in axes), distinct([axis.id for axis in axes], "axis", taken), strict=True))
    return tuple(
        replace(axis, id=names[axis.id], depends_on=names.get(axis.depends_on) if axis.depends_on else None)
        for axis in axes
    )


def _named_mounting(mounting: Mounting, goniometer: Sequence[AxisFacts]) -> Mounting:
    """The mounting with ids that differ from those of the goniometer; settings follow."""
    axes = _renamed(mounting.axes, [axis.id for axis in goniometer])
    names = {old.id: new.id for old, new in zip(mounting.axes, axes, strict=True)}
    settings = tuple({names[name]: value for name, value in own.items() if name in names} for own in mounting.settings)
    return replace(mounting, axes=axes, settings=settings)


def categories(built: Built, external: Mapping[str, Values] | None) -> list[Category]:
    """All categories of the block but the head, in the order in which a person reads them."""
    from imgcif_core.create.frames import frame_categories, scan_categories

    found = [
        *_beam(built),
        *_goniometer(built),
        *_detector(built),
        _axes(built),
        *built.layout.categories(built.origin("panels")),
        *scan_categories(built),
        *frame_categories(built, external),
    ]
    return [category for category in found if category.items and (not category.is_looped or category.rows)]


def _given(values: Mapping[str, Values]) -> dict[str, Values]:
    """The items that have a value."""
    return {name: value for name, value in values.items() if value is not None}


def _beam(built: Built) -> list[Category]:
    """Source, radiation and wavelength."""
    beam, facts = built.experiment.beam, built.experiment.facts
    source = _given(
        {
            "diffrn_id": EXPERIMENT,
            "facility": facts.get("facility"),
            "beamline": facts.get("beamline"),
            "make": facts.get("source"),
        }
    )
    radiation: dict[str, Values] = {"diffrn_id": EXPERIMENT, "probe": beam.probe}
    if beam.wavelength is not None:
        radiation["wavelength_id"] = WAVELENGTH
    if beam.polarization_fraction is not None:
        radiation.update(_polarization(built))
    radiation["beam_flux"] = beam.flux
    wavelength: dict[str, Values] = {}
    if beam.wavelength is not None:
        wavelength = {"id": WAVELENGTH, "value": beam.wavelength, "wt": 1.0}
        wavelength |= _wavelength_spread(beam.wavelengths)
    return [
        Category("diffrn_source", source if len(source) > 1 else {}, sources={"": built.origin("facts.facility")}),
        Category(
            "diffrn_radiation",
            _given(radiation),
            sources={
                "": built.origin("beam"),
                "probe": built.origin("beam.probe"),
                "polarizn_source_ratio": built.origin("beam.polarization_fraction"),
                "polarizn_source_norm": built.origin("beam.polarization_fraction"),
            },
        ),
        Category("diffrn_radiation_wavelength", wavelength, sources={"": built.origin("beam.wavelength")}),
    ]


def _wavelength_spread(values: np.ndarray | None) -> dict[str, Values]:
    """What is said where each frame has a wavelength of its own: imgCIF has no place for these."""
    if values is None or len(values) < 2 or np.ptp(values) <= 1e-6 * np.mean(values):
        return {}
    return {
        "details": (
            f"Mean of {len(values)} frames, each with its own wavelength: from {np.min(values):.6g} "
            f"to {np.max(values):.6g}, standard deviation {np.std(values):.3g} angstrom."
        )
    }


def _polarization(built: Built) -> dict[str, Values]:
    """Ratio and direction of the polarization as the dictionary defines them.

    dxtbx's fraction f is the part in the plane of polarization: (Ip - In)/(Ip + In) = 2 f - 1. The angle
    of the normal is counted from Y as viewed from the specimen, where +X lies to the left of Y: the
    usual anticlockwise sense counts it positive towards +X, as dxtbx reads it.
    """
    beam = built.experiment.beam
    found: dict[str, Values] = {"polarizn_source_ratio": tidy_number(2.0 * (beam.polarization_fraction or 0.0) - 1.0)}
    if beam.polarization_normal is not None:
        x, y, _ = built.rotation @ unit(beam.polarization_normal)
        if abs(x) + abs(y) > 1e-3:
            angle = float(np.degrees(np.arctan2(x, y)))
            angle -= 180.0 * np.round(angle / 180.0)
            found["polarizn_source_norm"] = round(angle, 6) + 0.0
    return found


def _goniometer(built: Built) -> list[Category]:
    """The goniometer and its axes, from the base."""
    axes = built.goniometer
    if not axes:
        return []
    return [
        Category(
            "diffrn_measurement",
            {"diffrn_id": EXPERIMENT, "id": GONIOMETER, "number_of_axes": len(axes)},
            sources={"": built.origin("goniometer")},
        ),
        Category("diffrn_measurement_axis", {"measurement_id": GONIOMETER, "axis_id": [axis.id for axis in axes]}),
    ]


def _detector(built: Built) -> list[Category]:
    """The detector, its mounting axes and its elements."""
    axes, facts = built.mounting.axes, built.experiment.facts
    thickness = {panel.thickness for panel in built.mounting.panels}
    items: dict[str, Values] = {
        "diffrn_id": EXPERIMENT,
        "id": DETECTOR,
        "make": facts.get("detector"),
        "description": facts.get("detector_description"),
        "layer_thickness": thickness.pop() if len(thickness) == 1 else None,
        "number_of_axes": len(axes) or None,
        "details": frame_text(built),
    }
    found = [
        Category(
            "diffrn_detector",
            _given(items),
            sources={
                "": built.origin("panels"),
                "make": built.origin("facts.detector"),
                "details": "derived: turn of the frame",
            },
        )
    ]
    if axes:
        found.append(Category("diffrn_detector_axis", {"detector_id": DETECTOR, "axis_id": [axis.id for axis in axes]}))
    found.append(Category("diffrn_detector_element", {"id": list(built.layout.elements), "detector_id": DETECTOR}))
    return found


def frame_text(built: Built) -> str | None:
    """How the whole frame was turned from that of the source, or None where it was not."""
    if np.array_equal(built.rotation, np.eye(3)):
        return None
    kind = {"nxmx": "the NeXus frame with X and Z reversed", "dials": "the frame of dxtbx"}.get(
        built.experiment.kind, "the frame of the source"
    )
    rows = "; ".join(
        f"{name} = ({', '.join(f'{value:.12g}' for value in tidy(row))})"
        for name, row in zip("XYZ", built.rotation, strict=True)
    )
    along = "the principal goniometer axis" if built.goniometer else "the fast direction of the first panel"
    return (
        f"All vectors were turned from {kind} so that X lies along {along}.\n"
        f"The axes of the laboratory frame are, in {kind}: {rows}."
    )


def _axes(built: Built) -> Category:
    """All axes: goniometer, mounting, surface of the panels, source and gravity."""
    from imgcif_core.create.layout import AxisRow

    rows = [_axis_row(axis, "goniometer", None) for axis in built.goniometer]
    component = "detector" if len(built.layout.panels) > 1 else None
    rows += [_axis_row(axis, "detector", component) for axis in built.mounting.axes]
    rows += built.layout.axis_rows(built.mounting.axes[-1].id if built.mounting.axes else None)
    taken = [row.id for row in rows]
    rows.append(AxisRow(distinct(["source"], "source", taken)[0], "general", "source", None, built.source, None))
    gravity = built.experiment.gravity
    if gravity is not None:
        down = tidy(built.rotation @ unit(gravity))
        rows.append(AxisRow(distinct(["gravity"], "gravity", taken)[0], "general", "gravity", None, down, None))
    items: dict[str, Values] = {
        "id": [row.id for row in rows],
        "type": [row.kind for row in rows],
        "equipment": [row.equipment for row in rows],
        "depends_on": [row.depends_on for row in rows],
    }
    if any(row.component for row in rows):
        items["equipment_component"] = [row.component for row in rows]
    for index, part in enumerate(_COMPONENTS):
        items[f"vector[{part}]"] = [float(row.vector[index]) for row in rows]
    for index, part in enumerate(_COMPONENTS):
        items[f"offset[{part}]"] = [None if row.offset is None else float(row.offset[index]) for row in rows]
    comment = (
        "Right-handed frame, origin at the sample, Z towards the source, lengths in mm. The offset of a slow\n"
        "axis is the outer corner of the first pixel; its centre is half a pixel inside."
    )
    return Category("axis", items, comment, {"": built.origin("goniometer", "panels")})


def _axis_row(axis: AxisFacts, equipment: str, component: str | None):
    """An axis of the goniometer or the mounting as a row."""
    from imgcif_core.create.layout import AxisRow

    return AxisRow(axis.id, axis.kind, equipment, axis.depends_on, axis.vector, axis.offset, component)


__all__ = ["Built", "ImageFiles", "categories", "frame_text", "plain", "prepare"]
