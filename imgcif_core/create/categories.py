"""The categories of a new data block: beam, goniometer, detector, axes, scans and frames."""

from collections.abc import Mapping

import numpy as np

from imgcif_core.cif.write import Category, Values
from imgcif_core.create.builder import DETECTOR, EXPERIMENT, GONIOMETER, WAVELENGTH, Built
from imgcif_core.create.frames import frame_categories, scan_categories
from imgcif_core.create.layout import AxisRow
from imgcif_core.create.names import distinct
from imgcif_core.create.numbers import tidy, tidy_number
from imgcif_core.model.vectors import unit
from imgcif_core.sources.description import AxisFacts

_COMPONENTS = ("1", "2", "3")


def categories(built: Built, external: Mapping[str, Values] | None) -> list[Category]:
    """All categories of the block but the head, in the order in which a person reads them."""
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
    if beam.wavelength is not None or beam.band is not None:
        radiation["wavelength_id"] = WAVELENGTH
    if beam.polarization_fraction is not None:
        radiation.update(_polarization(built))
    radiation["beam_flux"] = beam.flux
    wavelength: dict[str, Values] = {}
    if beam.wavelength is not None:
        wavelength = {"id": WAVELENGTH, "value": tidy_number(beam.wavelength), "wt": 1.0}
        wavelength |= _wavelength_spread(beam.wavelengths)
    elif beam.band is not None:
        wavelength = {"id": WAVELENGTH, "type": "white-beam"}
        if beam.band:
            wavelength["details"] = f"From {beam.band[0]:.9g} to {beam.band[1]:.9g} angstrom."
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
    texts = (facts.get("detector_details"), frame_text(built), _sensor_text(built))
    items: dict[str, Values] = {
        "diffrn_id": EXPERIMENT,
        "id": DETECTOR,
        "make": facts.get("detector"),
        "description": facts.get("detector_description"),
        "layer_thickness": thickness.pop() if len(thickness) == 1 else None,
        "number_of_axes": len(axes) or None,
        "details": "\n".join(filter(None, texts)) or None,
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


_FRAMES = {
    "nxmx": "the NeXus frame with X and Z reversed",
    "dials": "the frame of dxtbx",
    "crystfel": "the frame of CrystFEL with x and z reversed",
    "imgcif": "the frame of the source file",
    "xds": "the laboratory frame of XDS",
    "detector": "the laboratory frame of DIALS",
    "euxfel": "the frame of CrystFEL with x and z reversed",
    "psana": "the frame of psana turned so that X points to the right and Y up",
}
_VIEWED = "the frame with X to the right, Y up and Z to the source, seen from the source,"
_FRAMES |= dict.fromkeys(("minicbf", "smv", "tiff"), _VIEWED)


def _sensor_text(built: Built) -> str | None:
    """What the sensors are made of, for which the dictionary has no item."""
    materials = sorted({panel.material for panel in built.mounting.panels if panel.material})
    return f"Sensor of {', '.join(materials)}." if materials else None


def frame_text(built: Built) -> str | None:
    """How the whole frame was turned from that of the source, or None where it was not."""
    if np.array_equal(built.rotation, np.eye(3)):
        return None
    kind = _FRAMES.get(built.experiment.kind, "the frame of the source")
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
    rows = [_axis_row(axis, "goniometer", None) for axis in built.goniometer]
    said = [built.origin("goniometer")] * len(rows)
    component = "detector" if len(built.layout.panels) > 1 else None
    rows += [_axis_row(axis, "detector", component) for axis in built.mounting.axes]
    own = {axis.id for axis in built.experiment.mounting}
    placed = "derived: where the panels stand, of " + (built.origin("panels") or "the source")
    said += [built.origin("panels") if axis.id in own else placed for axis in built.mounting.axes]
    rows += built.layout.axis_rows(built.mounting.axes[-1].id if built.mounting.axes else None)
    said += [built.origin("panels")] * (len(rows) - len(said))
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
    said += [built.origin("beam.source", "panels"), built.origin("gravity", "panels")][: len(rows) - len(said)]
    return Category("axis", items, comment, {"": built.origin("goniometer", "panels")}, said)


def _axis_row(axis: AxisFacts, equipment: str, component: str | None) -> AxisRow:
    """An axis of the goniometer or the mounting as a row."""
    return AxisRow(axis.id, axis.kind, equipment, axis.depends_on, axis.vector, axis.offset, component)
