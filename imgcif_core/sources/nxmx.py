"""HDF5 masters: NXmx with its transformations, and plainer ones by distance and beam centre."""

from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.sources.description import (
    AxisFacts,
    BeamFacts,
    Experiment,
    Origin,
    PanelFacts,
    Provenance,
    ScanFacts,
)
from imgcif_core.sources.hdf5 import LENGTHS, TIMES, WAVELENGTHS, Master, attribute
from imgcif_core.sources.nexus import Step, as_axes, follow, place, settings_of
from imgcif_core.sources.stacks import find_stack

KIND = "nxmx"
_STEADY = 1e-5


def read_master(path: str | Path) -> Experiment:
    """The experiment that an HDF5 master describes.

    Raises
    ------
    InputError
        If the file is no readable HDF5, holds no instrument, or something in it does not fit.
    """
    with Master(path) as master:
        entry = next((group for _, group in master.groups(master.root, "NXentry")), None)
        if entry is None:
            raise InputError(f"{path}: no NXentry group, so nothing describes an experiment")
        instrument = next((group for _, group in master.groups(entry, "NXinstrument")), None)
        detector = next((group for _, group in master.groups(instrument, "NXdetector")), None)
        if detector is None:
            raise InputError(f"{path}: no NXdetector in an NXinstrument, so nothing describes the detector")
        return _Reading(master, entry, instrument, detector).experiment()


class _Reading:
    """One entry of a master on its way to a description."""

    def __init__(self, master: Master, entry: Any, instrument: Any, detector: Any) -> None:
        self.master, self.entry, self.instrument, self.detector = master, entry, instrument, detector
        self.name = str(master.path)
        self.notes: list[str] = []
        self.provenance: dict[str, Provenance] = {}

    def experiment(self) -> Experiment:
        """The whole description."""
        stack = find_stack(self.master, self.entry, self.detector)
        self.notes.extend(stack.notes)
        wavelength = self._wavelength()
        modules = [module for _, module in self.master.groups(self.detector, "NXdetector_module")]
        chain = self._detector_chain(modules)
        panels = self._panels(modules, stack.shape) if modules else self._plain_panel(stack.shape)
        goniometer, settings, varying, frames = self._goniometer(stack.frames)
        scan = ScanFacts(
            "SCAN1",
            frames,
            settings,
            panels,
            stack.images,
            exposure_time=self._exposure("count_time"),
            period=self._exposure("frame_time"),
            start_date=self._date("start_time")
            or self._date("instrument/detector/detectorSpecific/data_collection_date"),
            end_date=self._date("end_time") or self._date("end_time_estimated"),
            wavelength=wavelength,
            varying=varying,
            detector_settings={
                axis.id: float(settings_of(step)[0]) for axis, step in zip(as_axes(chain), reversed(chain), strict=True)
            },
        )
        self.notes.extend(self.master.notes)
        beam = BeamFacts(np.array([0.0, 0.0, 1.0]), wavelength, probe=self._probe(), flux=self._flux())
        return Experiment(
            self.name,
            KIND,
            beam,
            goniometer,
            (scan,),
            as_axes(chain),
            self._facts(),
            self.provenance,
            tuple(dict.fromkeys(self.notes)),
            # NeXus defines its Y axis to point up.
            np.array([0.0, -1.0, 0.0]),
        )

    def _from_file(self, field: str, place: str) -> None:
        """Record that a field was read at a place of the file."""
        self.provenance[field] = Provenance(Origin.FILE, self.name, place)

    def _wavelength(self) -> float | None:
        """The wavelength in ångström, from the first group that gives it, else from an energy."""
        beams = [group for holder in (self.instrument, self.entry) for _, group in self.master.groups(holder, "NXbeam")]
        samples = [group for _, group in self.master.groups(self.entry, "NXsample")]
        beams += [group for sample in samples for _, group in self.master.groups(sample, "NXbeam")]
        monochromators = [group for _, group in self.master.groups(self.instrument, "NXmonochromator")]
        candidates = [(group, "incident_wavelength") for group in beams]
        candidates += [(group, "wavelength") for group in monochromators]
        for group, name in candidates:
            values = self.master.numbers(group, name, WAVELENGTHS, "angstrom")
            if len(values) and np.isfinite(values[0]) and values[0] > 0:
                self._from_file("beam.wavelength", f"{group.name}/{name}")
                return float(f"{np.mean(values):.12g}") if len(values) > 1 else float(values[0])
        energies = {"ev": 1e-3, "kev": 1.0}
        for group, name in ((self.detector, "detectorSpecific/photon_energy"), (self.detector, "photon_energy")):
            energy = self.master.number(group, name, energies, "eV")
            if energy:
                self.provenance["beam.wavelength"] = Provenance(Origin.DERIVED, self.name, f"{group.name}/{name}")
                return HC_KEV_ANGSTROM / energy
        return None

    def _probe(self) -> str | None:
        """The probe, where a source names it."""
        for holder in (self.instrument, self.entry):
            for _, group in self.master.groups(holder, "NXsource"):
                text = (self.master.text(group, "probe") or "").lower()
                if text in ("x-ray", "electron", "neutron"):
                    self._from_file("beam.probe", f"{group.name}/probe")
                    return text
        return None

    def _flux(self) -> float | None:
        """Photons per second in the beam."""
        for _, group in self.master.groups(self.instrument, "NXbeam"):
            flux = self.master.number(group, "total_flux")
            if flux and flux > 0:
                self._from_file("beam.flux", f"{group.name}/total_flux")
                return flux
        return None

    def _exposure(self, name: str) -> float | None:
        """A time of the detector in seconds."""
        value = self.master.number(self.detector, name, TIMES, "s")
        return value if value and value > 0 else None

    def _date(self, name: str) -> str | None:
        """A time stamp of the entry."""
        return self.master.text(self.entry, name)

    def _facts(self) -> dict[str, str]:
        """Names of the instrument's parts."""
        found = {}
        places = {
            "detector": (self.detector, "description"),
            "detector_id": (self.detector, "serial_number"),
            "beamline": (self.instrument, "name"),
        }
        for field, (group, name) in places.items():
            text = self.master.text(group, name)
            if text:
                found[field] = text
                self._from_file(f"facts.{field}", f"{group.name}/{name}")
        if "detector_id" not in found and (number := self.master.text(self.detector, "detector_number")):
            found["detector_id"] = number
        for holder in (self.entry, self.instrument):
            for _, group in self.master.groups(holder, "NXsource"):
                text = self.master.text(group, "name")
                if text:
                    found.setdefault("facility", text)
                    self._from_file("facts.facility", f"{group.name}/name")
        return found

    def _detector_chain(self, modules: list[Any]) -> list[Step]:
        """The transformations that carry the detector, innermost first."""
        path = self.master.text(self.detector, "depends_on")
        if path and path != ".":
            return follow(self.master, self.detector, path)
        return []

    def _panels(self, modules: list[Any], shape: tuple[int, ...]) -> tuple[PanelFacts, ...]:
        """One panel for each module."""
        self._from_file("panels", self.detector.name)
        return tuple(self._panel(module, len(modules), shape) for module in modules)

    def _panel(self, module: Any, modules: int, shape: tuple[int, ...]) -> PanelFacts:
        """The panel of one module: its first pixel's corner and its directions."""
        directions, pixel = [], []
        corner = np.zeros(3)
        for name in ("fast_pixel_direction", "slow_pixel_direction"):
            node = self.master.get(module, name)
            if node is None:
                raise InputError(f"{self.name}: {module.name} has no {name}")
            steps = follow(self.master, module, node.name)
            step, outer = steps[0], steps[1:]
            rotation, translation = place(outer)
            length = np.linalg.norm(step.vector)
            directions.append(rotation @ step.vector / length)
            pixel.append(float(step.values[0]) if len(step.values) else 0.0)
            if name == "fast_pixel_direction":
                corner = rotation @ step.offset + translation
        if not all(0 < size < 100 for size in pixel):
            raise InputError(f"{self.name}: {module.name} has pixels of {pixel} mm")
        size, raw = self._module_size(module, modules, shape)
        return PanelFacts(
            module.name, size, (pixel[0], pixel[1]), corner, directions[0], directions[1], raw, (), **self._sensor()
        )

    def _module_size(
        self, module: Any, modules: int, shape: tuple[int, ...]
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """Pixels and place in the stored array of a module, both as fast, slow."""
        stated = self.master.numbers(module, "data_size").astype(int)
        origin = self.master.numbers(module, "data_origin").astype(int)
        raw = (int(origin[-1]), int(origin[-2])) if len(origin) >= 2 else (0, 0)
        whole = self._whole_size(shape)
        if modules == 1 and whole is not None:
            if len(stated) >= 2 and set(stated[-2:].tolist()) == set(whole) and tuple(stated[-2:][::-1]) != whole:
                self.notes.append(f"{module.name}/data_size is given as fast, slow; NeXus has it as slow, fast")
            return whole, raw
        if len(stated) < 2 or (stated[-2:] < 1).any():
            raise InputError(f"{self.name}: {module.name} has no data_size of two numbers")
        return (int(stated[-1]), int(stated[-2])), raw

    def _whole_size(self, shape: tuple[int, ...]) -> tuple[int, int] | None:
        """Pixels along fast and slow of the stored images; None where nothing says so."""
        if len(shape) >= 2:
            return int(shape[-1]), int(shape[-2])
        for fast, slow in (("x_pixels_in_detector", "y_pixels_in_detector"), ("x_pixels", "y_pixels")):
            sizes = [self.master.number(self.detector, f"detectorSpecific/{name}") for name in (fast, slow)]
            if all(sizes):
                return int(sizes[0] or 0), int(sizes[1] or 0)
        mask = self.master.get(self.detector, "pixel_mask")
        return (int(mask.shape[-1]), int(mask.shape[-2])) if mask is not None and len(mask.shape) >= 2 else None

    def _sensor(self) -> dict[str, Any]:
        """Limits of the counts, and what the sensor is made of."""
        saturation = self.master.number(self.detector, "saturation_value")
        if saturation is None:
            saturation = self.master.number(self.detector, "detectorSpecific/countrate_correction_count_cutoff")
        materials = {"silicon": "Si", "si": "Si", "cdte": "CdTe", "gaas": "GaAs"}
        material = self.master.text(self.detector, "sensor_material")
        return {
            "overload": None if saturation is None else saturation + 1.0,
            "underload": self.master.number(self.detector, "underload_value"),
            "material": materials.get((material or "").lower(), material),
            "thickness": self.master.number(self.detector, "sensor_thickness", LENGTHS, "m"),
        }

    def _plain_panel(self, shape: tuple[int, ...]) -> tuple[PanelFacts, ...]:
        """A detector that is known by pixel size, beam centre and distance only: across the beam."""
        pixel = [self.master.number(self.detector, f"{name}_pixel_size", LENGTHS, "m") for name in ("x", "y")]
        distance = self.master.number(self.detector, "detector_distance", LENGTHS, "m")
        if distance is None:
            distance = self.master.number(self.detector, "distance", LENGTHS, "m")
        centre = [self._centre(name, size) for name, size in zip(("x", "y"), pixel, strict=True)]
        size = self._whole_size(shape)
        missing = [
            name
            for name, value in (
                ("pixel size", None if None in pixel else pixel),
                ("distance", distance),
                ("beam centre", None if None in centre else centre),
                ("size of the images", size),
            )
            if value is None
        ]
        if missing or size is None or distance is None:
            raise InputError(f"{self.name}: {self.detector.name} has no module and does not give {', '.join(missing)}")
        x, y = float(pixel[0] or 0.0), float(pixel[1] or 0.0)
        corner = np.array([-float(centre[0] or 0.0) * x, float(centre[1] or 0.0) * y, -distance])
        self.provenance["panels"] = Provenance(Origin.DERIVED, self.name, "distance and beam centre, across the beam")
        fast, slow = np.array([1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])
        return (PanelFacts("detector", size, (x, y), corner, fast, slow, **self._sensor()),)

    def _centre(self, name: str, pixel: float | None) -> float | None:
        """The beam centre along one direction in pixels from the corner."""
        node = self.master.get(self.detector, f"beam_center_{name}")
        if node is None or pixel is None:
            return None
        unit = attribute(node, "units").lower()
        if unit in LENGTHS:
            stated = self.master.number(self.detector, f"beam_center_{name}_pixel")
            if stated is not None:
                return stated
            value = self.master.number(self.detector, f"beam_center_{name}", LENGTHS)
            return None if value is None else value / pixel
        return self.master.number(self.detector, f"beam_center_{name}")

    def _goniometer(
        self, frames: int
    ) -> tuple[tuple[AxisFacts, ...], dict[str, tuple[float, float]], dict[str, np.ndarray], int]:
        """Axes from base to sample, start and increment, uneven settings, and the number of frames."""
        sample = next((group for _, group in self.master.groups(self.entry, "NXsample")), None)
        path = self.master.text(sample, "depends_on") if sample is not None else None
        steps = follow(self.master, sample, path) if path and path != "." else []
        if not steps:
            return self._plain_goniometer(sample, frames)
        self._from_file("goniometer", sample.name if sample is not None else "")
        axes = as_axes(steps)
        lengths = [len(step.values) for step in steps if len(step.values) > 1]
        total = frames or max(lengths, default=1)
        settings, varying = {}, {}
        for axis, step in zip(axes, reversed(steps), strict=True):
            values = settings_of(step)
            if len(values) > 1 and len(values) != total:
                self.notes.append(f"{step.path} has {len(values)} settings for {total} frames")
                values = values[:total] if len(values) > total else values[:1]
            settings[axis.id], uneven = self._even(step, values)
            if uneven:
                varying[axis.id] = values
        return axes, settings, varying, total

    def _even(self, step: Step, values: np.ndarray) -> tuple[tuple[float, float], bool]:
        """Start and increment of some settings, and whether they are uneven."""
        if not len(values):
            return (0.0, 0.0), False
        if len(values) == 1:
            widths = self.master.numbers(self.master.root, f"{step.path}_increment_set")
            return (float(values[0]), float(widths[0]) if len(widths) else 0.0), False
        increment = float(f"{(values[-1] - values[0]) / (len(values) - 1):.10g}")
        if abs(increment) < 1e-9:
            increment = 0.0
        even = values[0] + increment * np.arange(len(values))
        return (float(values[0]), increment), bool(np.abs(even - values).max() > _STEADY)

    def _plain_goniometer(
        self, sample: Any, frames: int
    ) -> tuple[tuple[AxisFacts, ...], dict[str, tuple[float, float]], dict[str, np.ndarray], int]:
        """A goniometer that is known by settings only: the axis that moves, along X."""
        total = frames or 1
        group = self.master.get(sample, "goniometer") if sample is not None else None
        if group is None:
            return (), {}, {}, total
        moving = None
        for name in ("omega", "phi", "chi", "kappa"):
            starts = self.master.numbers(group, name)
            increment = self.master.number(group, f"{name}_increment") or 0.0
            if len(starts) and (moving is None or increment):
                moving = (name, float(starts[0]), increment)
                if increment:
                    break
        if moving is None:
            return (), {}, {}, total
        name, start, increment = moving
        self.provenance["goniometer"] = Provenance(
            Origin.DEFAULT, self.name, "axis taken along X; only its settings are given"
        )
        self.notes.append(f"the direction of axis {name} is not in the file; it was taken along +X")
        return (AxisFacts(name, "rotation", np.array([1.0, 0.0, 0.0])),), {name: (start, increment)}, {}, total
