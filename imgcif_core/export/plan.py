"""What is exported of an imgCIF, before any format: beam, circles, panels and images of each sweep.

The frame is that of the file: right-handed, X along the principal goniometer axis, Z towards the
source. Millimetres, degrees, ångström, seconds.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError
from imgcif_core.export.even import EVEN, breaks_of, is_even
from imgcif_core.export.files import LocalFiles, ScanImages
from imgcif_core.export.sweeps import Circle, Plan, Sweep
from imgcif_core.model.arrays import grouped_rows
from imgcif_core.model.axes import CYCLIC, NO_PARENT, Axes, build_axes
from imgcif_core.model.beam import Beam, build_beam
from imgcif_core.model.detector import Detector, build_detector
from imgcif_core.model.scans import Scan, build_scans
from imgcif_core.model.sections import list_sections
from imgcif_core.sources.description import ImageFiles, PanelFacts
from imgcif_core.sources.imgcif import goniometer_rows, intensities
from imgcif_core.tables import Tables

# Beyond so many sweeps a file is no description that a person would process.
MAX_SWEEPS = 10_000


_MATERIALS = {"silicon": "Si", "si": "Si", "cdte": "CdTe", "gaas": "GaAs"}
_SENSOR = re.compile(r"\b(silicon|si|cdte|gaas)[ -]+sensor\b(?:,? +thickness +(\d*\.?\d+(?:e-?\d+)?) *m\b)?", re.I)
_FACTS = {
    "detector": ("diffrn_detector", "make"),
    "detector_id": ("diffrn_detector", "id"),
    "details": ("diffrn_detector", "details"),
    "facility": ("diffrn_source", "facility"),
    "beamline": ("diffrn_source", "beamline"),
}


def make_plan(
    document: Document,
    dictionary: Dictionary,
    files: LocalFiles,
    scan: str | None = None,
    sensor: tuple[str, float | None] | None = None,
) -> Plan:
    """The sweeps of a file, or of its scan of one id.

    `sensor` is the material of the sensor and its thickness in mm, for what the file does not state:
    imgCIF has an item for the thickness only.

    Raises
    ------
    InputError
        If the file cannot be interpreted: no wavelength, panels that cannot be placed, and the like.
    """
    path = document.source.path
    blocks = [Tables(block, dictionary) for block in document.blocks]
    for tables in blocks:
        tables.file = blocks
    described = [tables for tables in blocks if tables.table("axis")]
    if not described:
        raise InputError(f"{path}: no data block with axes; nothing can be exported")
    parts = [_Block(tables, path, document, files, sensor[1] if sensor else None) for tables in described]
    known = [name for part in parts for name in part.scan_ids]
    if scan is not None and scan not in known:
        raise InputError(f"{path}: no scan {scan}; it has {', '.join(known[:10]) or 'none'}")
    sweeps: list[Sweep] = []
    for part in parts:
        for sweep in part.sweeps(scan):
            sweeps.append(sweep)
            if len(sweeps) > MAX_SWEEPS:
                raise InputError(f"{path}: more than {MAX_SWEEPS} even stretches of frames; export one with --scan ID")
    if not sweeps:
        raise InputError(f"{path}: has no frames to export")
    first = parts[0]
    polarization = first.polarization()
    left_out = dict.fromkeys(text for part in parts for text in part.left_out)
    texts = {name: first.tables.table(category).text(item) or "" for name, (category, item) in _FACTS.items()}
    texts["sensor_material"] = sensor[0] if sensor else _stated_sensor(first.tables)[0]
    return Plan(
        path,
        first.beam.probe,
        polarization,
        tuple(sweeps),
        {name: text for name, text in texts.items() if text},
        tuple(left_out),
    )


def _stated_sensor(tables: Tables) -> tuple[str, float | None]:
    """Material and thickness in mm of the sensor, where a text of the detector or of an image header names it."""
    detector = tables.table("diffrn_detector")
    texts = [detector.text(name) or "" for name in ("details", "description", "type", "make")]
    texts.append(tables.table("array_data").text("header_contents") or "")
    found = (_SENSOR.search(text) for text in texts)
    match = next((entry for entry in found if entry), None)
    if match is None:
        return "", None
    return _MATERIALS[match[1].lower()], 1e3 * float(match[2]) if match[2] else None


class _Block:
    """The sweeps of one data block."""

    def __init__(
        self, tables: Tables, path: str, document: Document, files: LocalFiles, thickness: float | None
    ) -> None:
        self.tables, self.path = tables, path
        self._thickness = thickness or _stated_sensor(tables)[1]
        self.where = f"{path}: block {tables.block.name}"
        self.axes: Axes = build_axes(tables)
        self.beam: Beam = build_beam(tables, self.axes)
        self.detector: Detector = build_detector(tables, self.axes)
        self.scans: list[Scan] = list(build_scans(tables, self.axes))
        self.images = ScanImages(tables, document, files)
        self.left_out: list[str] = []
        self._refuse()
        self.wavelength = self._wavelength()
        self.route = self._route()
        self.places = self._places()
        self._limits = intensities(tables)

    @property
    def scan_ids(self) -> list[str]:
        """The ids of the scans."""
        return [scan.id for scan in self.scans]

    def polarization(self) -> tuple[float, np.ndarray] | None:
        """Fraction of polarization and the normal of its plane, from the ratio and the norm.

        Source: _diffrn_radiation.polarizn_source_ratio is (Ip - In) / (Ip + In), polarizn_source_norm the
        angle between the laboratory Y axis and the normal of the plane, as seen from the sample.
        """
        table = self.tables.table("diffrn_radiation")
        ratio, norm = (table.numbers(f"polarizn_source_{name}") for name in ("ratio", "norm"))
        if not len(ratio) or not np.isfinite(ratio[0]):
            return None
        if np.isnan(norm[0]) and table.explicit("polarizn_source_norm")[0]:
            self.left_out.append("the polarization: polarizn_source_norm cannot be read")
            return None
        angle = float(norm[0]) if np.isfinite(norm[0]) else 0.0
        if angle % 180.0 != 0.0:
            self.left_out.append(f"polarizn_source_norm {angle:g}: its sense is not defined, Y is used as the normal")
        return 0.5 * (1.0 + float(ratio[0])), np.array([0.0, 1.0, 0.0])

    def sweeps(self, wanted: str | None) -> Iterator[Sweep]:
        """The sweeps of all scans, or of one."""
        if not self.scans and wanted is None:
            yield self._without_scan()
        for scan in self.scans:
            if wanted is None or scan.id == wanted:
                yield from self._sweeps(scan)

    def _refuse(self) -> None:
        """Refuse what cannot be interpreted, by its reason."""
        for row, name in enumerate(self.axes.id):
            end = self.axes.walk(row)[1]
            if end != NO_PARENT:
                reason = "depends on itself" if end == CYCLIC else "depends on an axis that is not defined"
                raise InputError(f"{self.where}: axis {name} {reason}, so that pixels have no place")
        unplaced = np.setdiff1d(self.detector.panels.numbers, self.detector.flat.numbers)
        if len(unplaced):
            panel = self.detector.panel(int(unplaced[0]))
            raise InputError(
                f"{self.where}: panel {panel.id} is {panel.shape} ({panel.fault}); only flat ones are known"
            )
        if not len(self.detector.flat):
            raise InputError(f"{self.where}: no panel whose pixels can be placed")
        for row in goniometer_rows(self.tables, self.axes):
            lost = [self.axes.id[step] for step in self.axes.chain(row) if not self.axes.is_read[step]]
            if lost:
                raise InputError(f"{self.where}: vector or offset of axis {lost[0]} cannot be read")
        for scan in self.scans:
            for row in scan.unread_axes():
                raise InputError(
                    f"{self.where}: a setting of axis {self.axes.id[row]} in scan {scan.id} cannot be read"
                )
        for panel in self.detector.flat:
            if min(panel.size) < 1:
                raise InputError(f"{self.where}: panel {panel.id} has no number of pixels in both directions")

    def _wavelength(self) -> float:
        """The wavelength that the scans used."""
        values = self.beam.wavelengths
        usable = values[np.isfinite(values) & (values > 0)]
        if not len(usable):
            is_written = self.tables.table("diffrn_radiation_wavelength").explicit("value").any()
            raise InputError(f"{self.where}: the wavelength {'cannot be read' if is_written else 'is not given'}")
        if len(usable) > 1 and self.tables.table("diffrn_radiation").text("wavelength_id") is None:
            weights = self.tables.table("diffrn_radiation_wavelength").numbers("wt")
            if len(weights) != len(values) or not (np.nan_to_num(weights) > 0).any():
                listed = ", ".join(f"{value:g}" for value in usable[:5])
                raise InputError(
                    f"{self.where}: several wavelengths ({listed}) and no statement which one the scans used; "
                    "give _diffrn_radiation.wavelength_id"
                )
            usable = values[[int(np.argmax(np.nan_to_num(weights)))]]
        if len(values) > 1:
            self.left_out.append(f"of {len(values)} wavelengths only {usable[0]:g} A is carried")
        return float(usable[0])

    def _route(self) -> list[tuple[int, float]]:
        """The axes that carry the sample from the base inwards, each with a constant added angle."""
        rows = goniometer_rows(self.tables, self.axes)
        if not rows:
            return []
        leaf = max(rows, key=lambda row: len(self.axes.chain(row)))
        route = list(reversed(self.axes.route(leaf)))
        carried = {row for row, _ in route}
        for scan in self.scans:
            for row in rows:
                if row not in carried and self._moves(scan, row):
                    raise InputError(
                        f"{self.where}: axis {self.axes.id[row]} moves in scan {scan.id} but does not carry the sample "
                        f"(axis {self.axes.id[leaf]} does)"
                    )
        return route

    def _moves(self, scan: Scan, row: int) -> bool:
        """True if the setting of an axis differs among the frames of a scan, or changes during them."""
        indices = np.arange(scan.count)
        if not len(indices):
            return False
        settings = scan.settings(row, indices)
        return bool(np.ptp(settings) > EVEN or np.abs(scan.increments(row, indices)).max() > EVEN)

    def _places(self) -> list[tuple[tuple[int, int], tuple[int, ...]]]:
        """Where each flat panel begins in its stored array: (fast, slow) and the slower indices, from 0."""
        sections = list_sections(self.tables)
        found = []
        for panel in self.detector.flat:
            ranges = sections.get(panel.section_id or "", ("", {}))[1]
            if any(entry.stride != 1 for entry in ranges.values()):
                raise InputError(
                    f"{self.where}: section {panel.section_id} is stored with a stride; it is not exported"
                )
            begins = {index: (entry.start or 1) - 1 for index, entry in ranges.items()}
            offset = begins.get(panel.fast.index, 0), begins.get(panel.slow.index, 0)
            slower = sorted(begins.keys() - {panel.fast.index, panel.slow.index}, key=self._order(panel.array_id))
            found.append((offset, tuple(begins[index] for index in slower)))
        return found

    def _order(self, array: str) -> Callable[[int], int]:
        """How slowly the dimensions of an array run, by index; as their indices where the file does not tell."""
        table = self.tables.table("array_structure_list")
        numbers = {name: table.numbers(name) for name in ("index", "precedence")}
        known = {}
        for (name, section), rows in grouped_rows(table).items():
            if section is None and name.casefold() == array.casefold():
                pairs = np.stack([numbers["index"][rows], numbers["precedence"][rows]], axis=1)
                known = {int(index): int(rank) for index, rank in pairs if np.isfinite(index + rank)}
        return lambda index: known.get(index, index)

    def _panels(self, scan: Scan | None) -> tuple[PanelFacts, ...]:
        """The panels at the start of a scan."""
        thickness = self.tables.table("diffrn_detector").numbers("layer_thickness")
        layer = float(thickness[0]) if len(thickness) and thickness[0] > 0 else self._thickness
        panels = []
        poses = self.detector.poses(scan)
        columns = (poses.pixel_size.tolist(), *(part[:, 0] for part in (poses.corner, poses.fast, poses.slow)))
        for panel, pixel, corner, fast, slow, (offset, index) in zip(
            self.detector.flat, *columns, self.places, strict=True
        ):
            facts = PanelFacts(
                panel.id,
                panel.size,
                (pixel[0], pixel[1]),
                corner,
                fast,
                slow,
                offset,
                raw_index=index,
                thickness=layer,
                **self._limits.get(panel.array_id.casefold(), {}),
            )
            if not np.isfinite(facts.corners()).all():
                raise InputError(f"{self.where}: panel {panel.id} has no place in numbers")
            panels.append(facts)
        if all(np.abs(panel.corners()).max() > 0 and abs(panel.corner @ self.beam.source) < 1e-6 for panel in panels):
            raise InputError(f"{self.where}: the detector stands at the sample; its distance is not given")
        return tuple(panels)

    def _without_scan(self) -> Sweep:
        """The images of a block without scans: all axes stand at zero."""
        arrays = tuple(panel.array_id for panel in self.detector.flat)
        images, is_local = self.images.of(None, arrays)
        return Sweep(
            "",
            self.tables.block.name,
            1,
            len(images) if images is not None else 1,
            self._circles(None, np.zeros(1, dtype=np.int64)),
            self._panels(None),
            arrays,
            images,
            is_local,
            self.wavelength,
            self.beam.source,
            self.beam.gravity,
        )

    def _sweeps(self, scan: Scan) -> Iterator[Sweep]:
        """The even stretches of frames of one scan."""
        arrays = tuple(panel.array_id for panel in self.detector.flat)
        panels = self._panels(scan)
        for row in self.detector.moving_axes:
            if self._moves(scan, row):
                raise InputError(
                    f"{self.where}: the detector moves during scan {scan.id} (axis {self.axes.id[row]}); "
                    "no target carries that"
                )
        images, is_local = self.images.of(scan, arrays)
        exposure = self._exposure(scan)
        for start, end in self._runs(scan):
            yield Sweep(
                scan.id,
                self.tables.block.name,
                int(scan.numbers[start]) if len(scan.numbers) else start + 1,
                end - start,
                self._circles(scan, np.arange(start, end)),
                panels,
                arrays,
                _part(images, start, end),
                is_local,
                self.wavelength,
                self.beam.source,
                self.beam.gravity,
                exposure,
                self._dates(scan, start, end),
            )

    def _circles(self, scan: Scan | None, indices: np.ndarray) -> tuple[Circle, ...]:
        """The circles of some frames that follow each other evenly."""
        circles = []
        for row, added in self.route:
            turn = added if added == added else 0.0
            values = scan.settings(row, indices) if scan is not None else np.zeros(1)
            if not self._is_circle(row):
                if np.abs(values).max() > EVEN:
                    self._leave_out(f"axis {self.axes.id[row]} shifts the sample; programs take it as on the axis")
                continue
            step = 0.0
            if len(values) > 1:
                step = float(f"{(values[-1] - values[0]) / (len(values) - 1):.12g}")
            elif scan is not None:
                step = float(scan.increments(row, indices)[0])
            if scan is not None:
                self._name_gaps(scan, row, indices)
            circles.append(Circle(self.axes.id[row], self.axes.direction[row], float(values[0]) + turn, step))
        moving = [circle.id for circle in circles if circle.step != 0]
        if len(moving) > 1:
            raise InputError(f"{self.where}: axes {' and '.join(moving)} turn at once; no target carries that")
        return tuple(circles)

    def _name_gaps(self, scan: Scan, row: int, indices: np.ndarray) -> None:
        """Say that the crystal turns on between frames, where it does."""
        gaps = scan.restarts(row, indices)
        if np.abs(gaps).max() > EVEN:
            self._leave_out(
                f"scan {scan.id}: {self.axes.id[row]} turns on by {gaps[0]:g} degrees between frames; "
                "frames are taken as touching each other"
            )

    def _leave_out(self, text: str) -> None:
        if text not in self.left_out:
            self.left_out.append(text)

    def _runs(self, scan: Scan) -> list[tuple[int, int]]:
        """The stretches of frames with numbers in a row and even settings, as index ranges."""
        count = scan.count
        if count < 2:
            return [(0, count)] if count else []
        turning = {row: scan.settings(row, np.arange(count)) for row, _ in self.route if self._is_circle(row)}
        breaks = np.zeros(count, dtype=bool)
        if len(scan.numbers):
            breaks[1:] |= np.diff(scan.numbers[:count]) != 1
        for values in turning.values():
            breaks |= breaks_of(values)
        starts = np.flatnonzero(breaks).tolist()
        runs = list(zip([0, *starts], [*starts, count], strict=True))
        for row, values in turning.items():
            if not all(is_even(values[start:end]) for start, end in runs[:MAX_SWEEPS]):
                raise InputError(
                    f"{self.where}: the settings of axis {self.axes.id[row]} in scan {scan.id} are uneven; "
                    "no target carries that"
                )
        return runs

    def _is_circle(self, row: int) -> bool:
        """True for a rotation."""
        return self.axes.kind[row] == "rotation"

    def _exposure(self, scan: Scan) -> float | None:
        """The time of one frame, where all have the same."""
        values = self.tables.table("diffrn_scan_frame").numbers("integration_time")[scan.frame_rows]
        if not len(values) or not values[0] > 0:
            return None
        if np.ptp(np.nan_to_num(values)) > 1e-9:
            self._leave_out(f"scan {scan.id}: exposure times differ among frames; that of the first is carried")
        return float(values[0])

    def _dates(self, scan: Scan, start: int, end: int) -> tuple[str | None, str | None]:
        """The dates of the first and the last frame."""
        table = self.tables.table("diffrn_scan_frame")
        if len(scan.frame_rows) and table.has("date"):
            return table.text("date", int(scan.frame_rows[start])), table.text("date", int(scan.frame_rows[end - 1]))
        scans = self.tables.table("diffrn_scan")
        row = max(scan.row, 0)
        return (scans.text("date_start", row), scans.text("date_end", row)) if scans else (None, None)


def _part(images: ImageFiles | None, start: int, end: int) -> ImageFiles | None:
    """The images of a stretch of frames."""
    if images is None or (start == 0 and end >= len(images)):
        return images
    return replace(images, file=images.file[start:end], frame=images.frame[start:end])
