"""imgCIF itself as a source: the description of one data block, through the geometry model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.model.axes import Axes, build_axes
from imgcif_core.model.beam import build_beam
from imgcif_core.model.detector import Detector, build_detector
from imgcif_core.model.pose import Poses
from imgcif_core.model.scans import Scan, build_scans
from imgcif_core.sources.description import (
    AxisFacts,
    BeamFacts,
    Experiment,
    ImageFiles,
    Origin,
    PanelFacts,
    Provenance,
    ScanFacts,
)
from imgcif_core.tables import Tables

KIND = "imgcif"
_STEADY = 1e-5
_FACTS = {
    "detector": ("diffrn_detector", "make"),
    "facility": ("diffrn_source", "facility"),
    "beamline": ("diffrn_source", "beamline"),
    "source": ("diffrn_source", "make"),
    "detector_details": ("diffrn_detector", "details"),
}


def describe(tables: Tables, path: str) -> Experiment:
    """The experiment of a data block, read strictly by the dictionary.

    Raises
    ------
    InputError
        If the block has no axes, no flat panel can be placed, or a number of the axes or scans cannot be read.
    """
    axes = build_axes(tables)
    if not len(axes):
        raise InputError(f"{path}: block {tables.block.name} has no axes")
    detector = build_detector(tables, axes)
    if not detector.flat:
        raise InputError(f"{path}: block {tables.block.name} has no panel whose pixels can be placed")
    scans = build_scans(tables, axes)
    beam = build_beam(tables, axes)
    goniometer = goniometer_rows(tables, axes)
    lost = [row for row in goniometer if not axes.is_read[row]]
    lost += [row for scan in scans for row in scan.unread_axes()]
    if lost:
        raise InputError(f"{path}: block {tables.block.name}: a number of axis {axes.id[lost[0]]} cannot be read")
    wavelength = beam.wavelength if np.isfinite(beam.wavelength) else None
    maker = _ScanMaker(tables, axes, detector, goniometer, wavelength)
    described = tuple(maker.scan(scan) for scan in scans) or (maker.scan(None),)
    facts = {name: tables.table(category).text(item) or "" for name, (category, item) in _FACTS.items()}
    if not (facts["detector_details"] or "").startswith("All vectors were turned"):
        facts["detector_details"] = facts["detector_details"].strip()
    provenance = {name: Provenance(Origin.FILE, path) for name in ("beam.wavelength", "goniometer", "scans", "panels")}
    return Experiment(
        path,
        KIND,
        BeamFacts(beam.source, wavelength, probe=beam.probe),
        tuple(_axis(axes, row) for row in goniometer),
        described,
        tuple(_axis(axes, row) for row in common_carriers(detector)),
        {name: text for name, text in facts.items() if text},
        provenance | {"items": Provenance(Origin.FILE, path)},
        gravity=beam.gravity,
        items=_carried(tables),
    )


# What no geometry holds and every reader wants to keep, by category.
_CARRIED = {
    "diffrn": ("ambient_temperature", "ambient_environment", "details", "crystal_support", "crystal_treatment"),
    "diffrn_source": ("details", "current", "power", "voltage", "size", "target", "description"),
    "diffrn_radiation": (
        *("collimation", "monochromator", "type", "filter_edge", "inhomogeneity", "beam_width", "beam_flux"),
        *("polarizn_source_ratio", "polarizn_source_norm", "polarisn_ratio", "polarisn_norm"),
        *("div_x_source", "div_y_source", "div_x_y_source"),
    ),
    "diffrn_detector": ("dtime", "gain_setting"),
    "diffrn_measurement": ("method", "details", "device_details", "specimen_support", "sample_detector_voffset"),
}


def _carried(tables: Tables) -> dict[str, str | float]:
    """Values of a source that are carried over as they stand, by data name."""
    found: dict[str, str | float] = {}
    for category, names in _CARRIED.items():
        table = tables.table(category)
        for name in names:
            text = table.text(name)
            if not text or not text.strip():
                continue
            numbers = table.numbers(name)
            is_number = len(numbers) > 0 and np.isfinite(numbers[0])
            found[f"_{category}.{name}"] = float(numbers[0]) if is_number else text.strip()
    return found


def read_imgcif(path: str) -> Experiment:
    """The experiment of an imgCIF: that of its first block with axes; a CBF is its own image.

    Raises
    ------
    InputError
        If the file cannot be read, or no block places a detector.
    """
    from imgcif_core.cif.reader import open_source, read
    from imgcif_core.ddlm.bundled import load_bundled

    dictionary = load_bundled()
    document = read(open_source(path, None))
    blocks = [Tables(block, dictionary) for block in document.blocks]
    chosen = next((tables for tables in blocks if tables.table("axis")), None)
    if chosen is None:
        raise InputError(f"{path}: no data block with axes")
    experiment = describe(chosen, path)
    return _with_own_image(experiment, path) if document.sections else experiment


def _with_own_image(experiment: Experiment, path: str) -> Experiment:
    """The experiment of a CBF whose image lies in the file itself."""
    if len(experiment.scans) != 1 or experiment.scans[0].frames > 1:
        return experiment
    images = ImageFiles((path,), np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), None, "CBF")
    return replace(experiment, scans=(replace(experiment.scans[0], frames=1, images=images),))


def goniometer_rows(tables: Tables, axes: Axes) -> list[int]:
    """Rows of the axes that carry the sample, from the base inwards.

    Those that DIFFRN_MEASUREMENT_AXIS lists; without that table those labelled goniometer.
    """
    listed = tables.table("diffrn_measurement_axis")
    named = [axes.find(name) for name in listed.texts("axis_id") if name is not None] if listed else []
    rows = [row for row in dict.fromkeys(named) if row >= 0]
    if not rows:
        rows = [row for row, equipment in enumerate(axes.equipment) if equipment == "goniometer"]
    depth = {row: len(axes.chain(row)) for row in rows}
    return sorted(rows, key=lambda row: depth[row])


def intensities(tables: Tables) -> dict[str, dict[str, Any]]:
    """Gain and range of valid values by case-folded array id, as far as they are given."""
    table = tables.table("array_intensities")
    columns = {name: table.numbers(name) for name in ("gain", "overload", "underload", "undefined_value")}
    arrays = table.texts("array_id", "1")
    return {
        (array or "1").casefold(): {
            name: float(values[row]) if np.isfinite(values[row]) else None for name, values in columns.items()
        }
        for row, array in reversed(list(enumerate(arrays)))
    }


def common_carriers(detector: Detector) -> list[int]:
    """Rows of the axes that carry every panel, from the base."""
    chains = [[row for row in panel.axis_rows(detector.axes) if row in detector.moving_axes] for panel in detector.flat]
    shared = set.intersection(*map(set, chains)) if chains else set()
    return [row for row in reversed(chains[0]) if row in shared] if chains else []


def _axis(axes: Axes, row: int) -> AxisFacts:
    """One axis of the file."""
    parent = int(axes.parent[row])
    kind = axes.kind[row] if axes.kind[row] in ("rotation", "translation") else "general"
    return AxisFacts(
        axes.id[row],
        kind,
        axes.direction[row],
        axes.id[parent] if parent >= 0 else None,
        axes.offset[row],
    )


class _ScanMaker:
    """Describes the scans of a block; scans with the detector at the same place share their panels."""

    def __init__(
        self, tables: Tables, axes: Axes, detector: Detector, goniometer: Sequence[int], wavelength: float | None
    ) -> None:
        self.axes, self.detector, self.goniometer, self.wavelength = axes, detector, goniometer, wavelength
        self._frames = tables.table("diffrn_scan_frame")
        self._limits = intensities(tables)
        told = tables.table("diffrn_scan")
        columns = [told.texts(name) for name in ("id", "date_start", "date_end")]
        self._dates = {(name or "").casefold(): (begun, ended) for name, begun, ended in zip(*columns, strict=True)}
        thickness = tables.table("diffrn_detector").numbers("layer_thickness")
        self._thickness = float(thickness[0]) if len(thickness) and thickness[0] > 0 else None
        self._known: dict[tuple[float, ...], tuple[PanelFacts, ...]] = {}

    def scan(self, scan: Scan | None) -> ScanFacts:
        """One scan; without any the axes stand at zero."""
        settings = self.detector.settings(scan, np.zeros(1, dtype=np.int64))
        key = tuple(float(settings[row][0]) if row in settings else 0.0 for row in self.detector.moving_axes)
        if key not in self._known:
            self._known[key] = self._panels(self.detector.poses(scan))
        mounting = {self.axes.id[row]: value for row, value in zip(self.detector.moving_axes, key, strict=True)}
        if scan is None:
            zero = {self.axes.id[row]: (0.0, 0.0) for row in self.goniometer}
            return ScanFacts("", 0, zero, self._known[key], wavelength=self.wavelength, detector_settings=mounting)
        stated, varying = {}, {}
        for row in self.goniometer:
            stated[self.axes.id[row]], uneven = self._settings(scan, row)
            if uneven is not None:
                varying[self.axes.id[row]] = uneven
        exposure = self._frames.numbers("integration_time")[scan.frame_rows[:1]]
        dates = self._frames.texts("date") if len(scan.frame_rows) else []
        begun, ended = self._dates.get(scan.id.casefold(), (None, None))
        period = self._frames.numbers("time_period")[scan.frame_rows[:1]]
        return ScanFacts(
            scan.id,
            scan.frames,
            stated,
            self._known[key],
            first_number=int(scan.numbers[0]) if len(scan.numbers) else 1,
            exposure_time=float(exposure[0]) if len(exposure) and exposure[0] > 0 else None,
            period=float(period[0]) if len(period) and period[0] > 0 else None,
            start_date=begun or (dates[int(scan.frame_rows[0])] if dates else None),
            end_date=ended,
            wavelength=self.wavelength,
            varying=varying,
            detector_settings=mounting,
        )

    def _settings(self, scan: Scan, row: int) -> tuple[tuple[float, float], np.ndarray | None]:
        """Start and step of an axis, and its settings where they are uneven."""
        count = scan.count
        values = scan.settings(row, np.arange(count)) if count else np.zeros(1)
        if len(values) == 1:
            increments = scan.increments(row, np.zeros(1, dtype=np.int64)) if count else np.zeros(1)
            return (float(values[0]), float(increments[0])), None
        numbers = scan.numbers[:count] if len(scan.numbers) else np.arange(1, count + 1)
        drive = scan.drives.get(row)
        step = drive.step if drive is not None and drive.moves else 0.0
        if step == 0.0:
            step = float(f"{(values[-1] - values[0]) / max(1, int(numbers[-1] - numbers[0])):.10g}")
        start = float(values[0] - step * (numbers[0] - 1))
        even = start + step * (numbers - 1)
        uneven = np.abs(even - values).max() > max(_STEADY, 1e-3 * abs(step))
        return (start, step), values if uneven else None

    def _panels(self, poses: Poses) -> tuple[PanelFacts, ...]:
        """The flat panels at the start of a scan."""
        places = (part[:, 0] for part in (poses.corner, poses.fast, poses.slow))
        facts = zip(self.detector.flat, poses.size.tolist(), poses.pixel_size.tolist(), *places, strict=True)
        return tuple(
            PanelFacts(
                panel.id,
                (size[0], size[1]),
                (pixel[0], pixel[1]),
                corner,
                fast,
                slow,
                thickness=self._thickness,
                **self._limits.get(panel.array_id.casefold(), {}),
            )
            for panel, size, pixel, corner, fast, slow in facts
        )
