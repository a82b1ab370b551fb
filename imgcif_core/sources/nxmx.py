"""HDF5 masters: NXmx with its transformations, and plainer ones by distance and beam centre."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.model.beam import HC_KEV_ANGSTROM
from imgcif_core.sources.description import AxisFacts, Experiment, Origin, PanelFacts, Provenance
from imgcif_core.sources.draft import Draft
from imgcif_core.sources.hdf5 import ANGLES, LENGTHS, TIMES, WAVELENGTHS, Master, attribute, vector
from imgcif_core.sources.nexus import Step, as_axes, follow, place, settings_of
from imgcif_core.sources.settings import NAMES, Setting, moving_axis, plain_settings, setting_at
from imgcif_core.sources.stacks import find_stack
from imgcif_core.sources.statements import NO_ITEM, Fate, Statement

KIND = "nxmx"


def read_master(path: str | Path, folders: Iterable[str | Path] = (), *, follow: bool = False) -> Experiment:
    """The experiment that an HDF5 master describes; directions that it does not give are defaults.

    Links lead into its own folder and the given ones, or anywhere with `follow`.

    Raises
    ------
    InputError
        If the file is no readable HDF5, holds no instrument, or something in it does not fit.
    """
    described = read_described_master(path, folders=folders, links_lead_out=follow)
    return described.guessed() if isinstance(described, Draft) else described


def read_described_master(
    path: str | Path,
    images_per_file: int | None = None,
    *,
    folders: Iterable[str | Path] = (),
    links_lead_out: bool = False,
) -> Experiment | Draft:
    """What an HDF5 master describes: a draft where it leaves questions open.

    Raises
    ------
    InputError
        If the file is no readable HDF5, holds no instrument, or something in it does not fit.
    """
    with Master(path, folders, follow=links_lead_out) as master:
        entries = [group for _, group in master.groups(master.root, "NXentry")]
        if not entries:
            raise InputError(f"{path}: no NXentry group, so nothing describes an experiment")
        instrument = next((group for _, group in master.groups(entries[0], "NXinstrument")), None)
        detectors = [group for _, group in master.groups(instrument, "NXdetector")]
        if not detectors:
            raise InputError(f"{path}: no NXdetector in an NXinstrument, so nothing describes the detector")
        reading = _Reading(master, entries[0], instrument, detectors[0], images_per_file)
        for kind, groups in (("NXentry", entries), ("NXdetector", detectors)):
            if len(groups) > 1:
                names = ", ".join(group.name for group in groups[1:])
                reading.notes.append(f"left out, because one {kind} is described at a time: {names}")
        return reading.described()


class _Reading:
    """One entry of a master on its way to a description."""

    def __init__(
        self, master: Master, entry: Any, instrument: Any, detector: Any, images_per_file: int | None = None
    ) -> None:
        self.master, self.entry, self.instrument, self.detector = master, entry, instrument, detector
        self.name = str(master.path)
        self.images_per_file = images_per_file
        self.notes: list[str] = []
        self.provenance: dict[str, Provenance] = {}
        # One for each frame, or the lines of a spectrum.
        self.wavelengths: np.ndarray | None = None

    def described(self) -> Experiment | Draft:
        """The whole description, or what there is of it."""
        stack = find_stack(self.master, self.entry, self.detector, self.images_per_file)
        self.notes.extend(stack.notes)
        modules = [module for _, module in self.master.groups(self.detector, "NXdetector_module")]
        chain = self._detector_chain() if modules else []
        panels = self._panels(modules, stack.shape) if modules else ()
        axes, settings, frames = self._goniometer(stack.frames)
        arm, arm_fate = self._arm(chain, bool(modules))
        date = self._date("start_time") or self._date("instrument/detector/detectorSpecific/data_collection_date")
        ends = self._date("end_time") or self._date("end_time_estimated")
        for setting in settings.values():
            self.notes += [setting.note] if setting.note else []
        places = {
            axis.id: float(settings_of(step)[0]) for axis, step in zip(as_axes(chain), reversed(chain), strict=True)
        }
        moving = moving_axis(settings)
        draft = Draft(
            self.name,
            KIND,
            stack.images,
            wavelength=self._wavelength(),
            probe=self._probe(),
            start=settings[moving].start if moving else None,
            increment=settings[moving].increment if moving else None,
            two_theta=arm,
            axis_id=moving or "omega",
            standing={name: setting.start for name, setting in settings.items() if name != moving},
            goniometer=axes,
            varying={name: entry.uneven for name, entry in settings.items() if entry.uneven is not None},
            panels=panels,
            mounting=as_axes(chain),
            detector_settings=places,
            # NeXus defines its Y axis to point up.
            gravity=np.array([0.0, -1.0, 0.0]),
            frames=frames or None,
            exposure_time=self._exposure("count_time"),
            period=self._exposure("frame_time"),
            date=date,
            end_date=ends,
            flux=self._flux(),
            absent=stack.unshared,
            facts=self._facts(),
            items=self._items(),
        )
        if self.wavelengths is not None:
            draft = self._with_wavelengths(draft, self.wavelengths)
        if not modules:
            draft = self._with_plain_detector(draft, stack.shape)
        self.notes.extend(self.master.notes)
        draft = replace(
            draft,
            provenance=self.provenance,
            notes=tuple(dict.fromkeys((*draft.notes, *self.notes))),
            statements=self._statements(draft, arm_fate),
        ).sound()
        is_whole = bool(axes or draft.axis is not None) and not [
            name for name in draft.missing() if name != "wavelength"
        ]
        return draft.guessed() if is_whole else draft

    def _with_wavelengths(self, draft: Draft, values: np.ndarray) -> Draft:
        """The draft with a wavelength for each frame; of what is no such list that is said."""
        if len(values) == draft.count:
            return replace(draft, wavelengths=values)
        note = (
            f"{len(values)} wavelengths from {values.min():.6g} to {values.max():.6g} angstrom are given for "
            f"{draft.count or 'unknown'} frames, so that only their mean is written"
        )
        return replace(draft, notes=(*draft.notes, note))

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
                if np.isfinite(values).all() and np.ptp(values) > 0:
                    self.wavelengths = values
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

    def _detector_chain(self) -> list[Step]:
        """The transformations that carry the detector, innermost first."""
        path = self.master.text(self.detector, "depends_on")
        if path and path != ".":
            return follow(self.master, self.detector, path)
        return []

    def _arm(self, chain: list[Step], is_placed: bool) -> tuple[float, Fate | None]:
        """The angle of the detector arm where no transformation holds it, and what becomes of it."""
        for path in ("goniometer/two_theta", "transformations/two_theta", "two_theta"):
            node = self.master.get(self.detector, path)
            if not self.master.is_dataset(node):
                continue
            if any(step.path == node.name for step in chain):
                return 0.0, Fate.USED
            values = self.master.numbers(node, node.name, ANGLES, "deg")
            setting = setting_at(self.master, node.name, values, None)
            if setting is None:
                continue
            turned = [step for step in chain if step.kind == "rotation" and len(step.values) and step.values[0]]
            if is_placed and turned:
                return 0.0, Fate.USED
            if setting.moves:
                self.notes.append(f"{node.name} moves during the scan; its first angle was taken")
            return setting.start, Fate.ASKED if setting.start else Fate.LEFT_OUT
        return 0.0, None

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

    def _with_plain_detector(self, draft: Draft, shape: tuple[int, ...]) -> Draft:
        """A detector that is known by pixel size, beam centre and distance at most: across the beam."""
        pixel = [self.master.number(self.detector, f"{name}_pixel_size", LENGTHS, "m") for name in ("x", "y")]
        distance = self.master.number(self.detector, "detector_distance", LENGTHS, "m")
        if distance is None:
            distance = self.master.number(self.detector, "distance", LENGTHS, "m")
        centre = [self._centre(name, size) for name, size in zip(("x", "y"), pixel, strict=True)]
        words = "distance and beam centre, across the beam"
        for name in ("first_pixel", "beam_centre", "distance"):
            self.provenance[name] = Provenance(Origin.DERIVED, self.name, words)
        self.provenance["panels"] = Provenance(Origin.DERIVED, self.name, words)
        is_usual = self._is_usual_orientation()
        sensor = self._sensor()
        return replace(
            draft,
            size=self._whole_size(shape),
            pixel_size=None if None in pixel else (float(pixel[0] or 0.0), float(pixel[1] or 0.0)),
            distance=distance,
            beam_centre=None if None in centre else (float(centre[0] or 0.0), float(centre[1] or 0.0)),
            first_pixel="top left" if is_usual else None,
            fast_direction="horizontal" if is_usual else None,
            underload=sensor.pop("underload"),
            overload=sensor.pop("overload"),
            sensor=sensor,
        )

    def _is_usual_orientation(self) -> bool:
        """True unless the file says that fast does not run to the right and slow not down."""
        stated = self.master.numbers(self.detector, "geometry/orientation/value")
        # In NeXus's frame +X is to the left, seen from the source.
        return len(stated) != 6 or bool(np.allclose(stated, [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0], atol=1e-6))

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

    def _goniometer(self, frames: int) -> tuple[tuple[AxisFacts, ...], dict[str, Setting], int]:
        """Axes from base to sample where they have directions, the settings of all, and the number of frames."""
        sample = next((group for _, group in self.master.groups(self.entry, "NXsample")), None)
        path = self.master.text(sample, "depends_on") if sample is not None else None
        steps = follow(self.master, sample, path) if path and path != "." else []
        if not steps and sample is not None:
            steps = self._scattered_steps(sample)
        if not steps:
            holder = self.master.get(sample, "goniometer") if sample is not None else None
            return (), plain_settings(self.master, holder, frames) if holder is not None else {}, frames
        self._from_file("goniometer", sample.name if sample is not None else "")
        axes = as_axes(steps)
        lengths = [len(step.values) for step in steps if len(step.values) > 1]
        total = frames or max(lengths, default=0)
        settings = {}
        for axis, step in zip(axes, reversed(steps), strict=True):
            values = settings_of(step)
            if len(values) > 1 and len(values) != total:
                self.notes.append(f"{step.path} has {len(values)} settings for {total} frames")
                values = values[:total] if len(values) > total else values[:1]
            is_rotation = step.kind == "rotation"
            setting = setting_at(self.master, step.path, values, total) if is_rotation else None
            settings[axis.id] = setting or Setting(float(values[0]) if len(values) else 0.0, 0.0)
        if not any(setting.moves for setting in settings.values()):
            settings = self._moved_elsewhere(sample, settings, total)
        return axes, settings, total

    def _moved_elsewhere(self, sample: Any, settings: dict[str, Setting], frames: int) -> dict[str, Setting]:
        """Settings of axes that stand still in their chain, where the plain goniometer beside it moves them."""
        holder = self.master.get(sample, "goniometer") if sample is not None else None
        if holder is None:
            return settings
        plain = plain_settings(self.master, holder, frames)
        return {name: plain[name] if name in plain and plain[name].moves else own for name, own in settings.items()}

    def _scattered_steps(self, sample: Any) -> list[Step]:
        """Rotations that have directions although nothing leads to them: the chain that carries most of them."""
        nodes = {node.name: node for node in self.master.datasets(sample) if vector(node, "vector") is not None}
        turning = [name for name, node in nodes.items() if attribute(node, "transformation_type").lower() == "rotation"]
        chains = [follow(self.master, sample, name) for name in turning]
        return max(chains, key=len, default=[])

    def _items(self) -> dict[str, str | float]:
        """What the dictionary has items for besides: monochromator, temperature, dead time, gain."""
        found: dict[str, str | float] = {}
        for _, sample in self.master.groups(self.entry, "NXsample"):
            temperature = self.master.number(sample, "temperature", {"k": 1.0, "kelvin": 1.0}, "K")
            if temperature and temperature > 0:
                found["_diffrn.ambient_temperature"] = temperature
        gain = self.master.text(self.detector, "gain_setting")
        dead_time = self.master.number(self.detector, "dead_time", TIMES, "s")
        found |= {"_diffrn_detector.gain_setting": gain} if gain else {}
        found |= {"_diffrn_detector.dtime": float(f"{dead_time * 1e6:.12g}")} if dead_time else {}
        return found

    def _statements(self, draft: Draft, arm: Fate | None) -> tuple[Statement, ...]:
        """What becomes of every value of the master, tables and images apart."""
        unknown = {f"{name}_axis" for name in draft.unknown_axes}
        found = []
        for node in self.master.datasets(self.entry):
            if node.size is None or node.size > _LARGEST_VALUE or node.name in self.master.images:
                continue
            last = node.name.rsplit("/", 1)[-1]
            axis = next((name for name in NAMES if last == name or last.startswith(f"{name}_")), None)
            fate, reason = Fate.LEFT_OUT, _reason(last)
            if last.startswith("two_theta") and arm is not None:
                fate, reason = arm, "the arm stands at zero" if arm is Fate.LEFT_OUT else ""
            elif axis is not None and not draft.goniometer and axis != draft.axis_id and "/goniometer/" in node.name:
                is_open = f"{axis}_axis" in unknown
                reason = "" if is_open else "the axis stands at zero and its direction is not known"
                fate = Fate.ASKED if is_open else Fate.LEFT_OUT
            elif node.name in self.master.read:
                fate, reason = Fate.USED, ""
            found.append(Statement(node.name, self.master.shown(node), fate, reason))
        return tuple(found)


# Larger arrays are masks and tables of corrections.
_LARGEST_VALUE = 100_000
_STORAGE = ("bit_depth", "compression", "nimages", "ntrigger", "data_size", "data_origin", "data_type", "image_nr")


def _reason(name: str) -> str:
    """Why a dataset of such a name is left out."""
    if name == "definition":
        return "it names the definition that the file follows"
    if any(word in name for word in _STORAGE):
        return "it tells how the images are stored"
    return NO_ITEM
