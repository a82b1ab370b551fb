"""What dxtbx has to say of the same images: proposals for open questions, contradictions in mm and degrees.

It is asked only where a person allows it, as its readers can run code of a file. What it says is never taken
over unasked: many of its readers fill in defaults where a header is silent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.create.questions import Question
from imgcif_core.errors import InputError
from imgcif_core.model.vectors import unit
from imgcif_core.records import cached_property, dataclass
from imgcif_core.sources.description import Experiment, PanelFacts
from imgcif_core.sources.draft import CORNERS, STANDING, Draft, Incomplete, clock_direction
from imgcif_core.sources.merging import Drafts

_KINDS = ("minicbf", "smv", "tiff", "nxmx")
# Below a micrometre numbers are the same; directions by a thousandth lie across the beam.
_SAME_MM, _ACROSS = 1e-3, 1e-3
# Headers print angles with three decimals; of so many scans the ends are looked at.
_SAME_DEGREES, _MOST_SCANS = 2e-3, 8


@dataclass(frozen=True)
class Second:
    """The experiment that dxtbx makes of images, the first before all; None with the reason where it makes none."""

    experiment: Experiment | None
    refusal: str = ""

    @cached_property
    def panel(self) -> PanelFacts | None:
        """The only panel of a detector of one."""
        panels = self.experiment.scans[0].panels if self.experiment is not None else ()
        return panels[0] if len(panels) == 1 else None

    @cached_property
    def _place(self) -> tuple[float, tuple[float, float]] | None:
        """Distance in mm along the normal, and its foot in pixels from the outer corner of the first."""
        if self.panel is None:
            return None
        panel = self.panel
        foot = [
            -float(panel.corner @ way) / size
            for way, size in zip((panel.fast, panel.slow), panel.pixel_size, strict=True)
        ]
        return abs(float(panel.corner @ unit(np.cross(panel.fast, panel.slow)))), (foot[0], foot[1])

    def proposed(self, entry: Question, answers: Mapping[str, Any]) -> Question:
        """A question with what dxtbx would answer, where nothing else speaks for an answer."""
        if entry.proposal or self.experiment is None:
            return entry
        words = self._words(entry.key, answers)
        return replace(entry, proposal=words, ground="dxtbx has it so") if words else entry

    def _words(self, key: str, answers: Mapping[str, Any]) -> str:
        """The answer to a question as it may be typed; empty where dxtbx tells nothing about it."""
        assert self.experiment is not None
        numbers = self._numbers()
        if key in numbers:
            values = [f"{value:.8g}" for value in numbers[key]]
            return values[0] if len(values) == 1 else f"[{', '.join(values)}]"
        if key in ("first_pixel", "fast_direction") and self.panel is not None:
            return f'"{facing(self.panel)[key == "fast_direction"]}"' if facing(self.panel)[0] else ""
        if key == "principal_axis" and self._axis is not None:
            return hour_of(self._axis)
        if key == "rotation_sense" and self._axis is not None and "principal_axis" in answers:
            along = float(clock_direction(answers["principal_axis"]) @ self._axis)
            return f'"{"clockwise" if along > 0 else "anticlockwise"}"' if abs(along) > 0.5 else ""
        name = key.removesuffix("_axis")
        if key != name and name in STANDING:
            vectors = [axis.vector for axis in self.experiment.goniometer if axis.id.lower() == name]
            return f"[{', '.join(f'{value:.8g}' for value in vectors[0] + 0.0)}]" if vectors else ""
        return ""

    def _numbers(self) -> dict[str, Sequence[float]]:
        """What dxtbx tells in numbers, by the keys of the questions."""
        assert self.experiment is not None
        found: dict[str, Sequence[float]] = {}
        if self.experiment.beam.wavelength is not None:
            found["wavelength"] = [self.experiment.beam.wavelength]
        if self.panel is not None and self._place is not None:
            found |= {"distance": [self._place[0]], "beam_centre": self._place[1]}
            found |= {"pixel_size": self.panel.pixel_size, "size": self.panel.size}
        scan = self.experiment.scans[0]
        if scan.scanned_axis is not None:
            found["start"], found["increment"] = ([value] for value in scan.settings[scan.scanned_axis])
        return found

    @cached_property
    def _axis(self) -> np.ndarray | None:
        """The direction of the axis that moves, or of the only one."""
        axes = self.experiment.goniometer if self.experiment is not None else ()
        name = self.experiment.scans[0].scanned_axis if self.experiment is not None else None
        chosen = [axis for axis in axes if axis.id == name] or (list(axes) if len(axes) == 1 else [])
        return unit(chosen[0].vector) if chosen else None

    def remarks(self, described: Experiment | Incomplete, experiment: Experiment | None) -> Iterator[str]:
        """What dxtbx contradicts, in mm; or that it does not."""
        if self.experiment is None:
            yield f"dxtbx was asked as well: {self.refusal}"
        elif experiment is not None:
            yield self._compared(experiment)
            yield from self._turned(experiment)
        elif isinstance(draft := described.parts[0] if isinstance(described, Drafts) else described, Draft):
            yield from self._against_draft(draft)

    def _turned(self, experiment: Experiment) -> Iterator[str]:
        """Whether images, the first and last of each scan or the last of a master, stand at the same angles."""
        assert self.experiment is not None
        off, told = [], 0
        for name, angle, frames in _told_angles(self.experiment):
            own = _own_angle(experiment, name, frames)
            if own is None:
                continue
            told += 1
            if abs(own - angle) > _SAME_DEGREES:
                off.append(f"{Path(name).name} at {angle:.6g} degrees and not at {own:.6g}")
        if off:
            more = f" and {len(off) - 2} more" if len(off) > 2 else ""
            yield f"dxtbx contradicts the rotation: it has {', '.join(off[:2])}{more}"
        elif told > 1:
            yield f"dxtbx has {told} images, the last of a scan among them, at the same angles"

    def _against_draft(self, draft: Draft) -> Iterator[str]:
        """Contradictions to what a header tells, while other facts are missing."""
        if self._place is None or draft.panels:
            return
        distance, centre = self._place
        if draft.distance is not None and abs(draft.distance - distance) > _SAME_MM:
            away = abs(draft.distance - distance)
            words = f"dxtbx contradicts the distance of {draft.distance:.6g} mm by {away:.4g} mm"
            yield f"{words}: it has {distance:.6g} mm"
        if draft.beam_centre is not None and draft.pixel_size is not None:
            away = float(np.hypot(*((np.array(draft.beam_centre) - centre) * draft.pixel_size)))
            if away > _SAME_MM:
                yield (
                    f"dxtbx contradicts the beam centre by {away:.4g} mm: it has "
                    f"{centre[0]:.6g}, {centre[1]:.6g} pixels from the outer corner of the first pixel"
                )

    def _compared(self, experiment: Experiment) -> str:
        """How far the corners of panels lie from where dxtbx has them, both in the frame of imgCIF."""
        assert self.experiment is not None
        own, other = (
            [panel.turned(one.principal_rotation) for panel in one.scans[0].panels]
            for one in (experiment, self.experiment)
        )
        if [panel.size for panel in own] != [panel.size for panel in other]:
            return f"dxtbx has other panels ({len(other)}) than the file ({len(own)}), so that they were not compared"
        away = [
            float(np.linalg.norm(one.corners() - two.corners(), axis=1).max())
            for one, two in zip(own, other, strict=True)
        ]
        worst = int(np.argmax(away))
        if away[worst] <= _SAME_MM:
            return "dxtbx has the corners of all panels in the same places, to a micrometre"
        name = f" ({own[worst].name or worst + 1})" if len(own) > 1 else ""
        return (
            f"dxtbx contradicts the geometry: it has the corners of the panels up to {away[worst]:.4g} mm{name} from "
            "where they are here"
        )


def _told_angles(experiment: Experiment) -> Iterator[tuple[str, float, int]]:
    """File, angle and number in its file of what dxtbx tells: each image given alone, or the last of many in one."""
    for scan in experiment.scans:
        name = scan.scanned_axis or (experiment.goniometer[0].id if len(experiment.goniometer) == 1 else None)
        if scan.images is None or name is None or name not in scan.settings:
            continue
        start, step = scan.settings[name]
        yield scan.images.files[int(scan.images.file[-1])], start + (scan.frames - 1) * step, scan.frames


def _own_angle(experiment: Experiment, name: str, frames: int) -> float | None:
    """The angle at which an image stands here: by its file, or for the last of a whole master by their number."""
    is_master = len(experiment.scans) == 1 and frames > 1
    for scan in experiment.scans:
        axis, images = scan.scanned_axis, scan.images
        if axis is None or images is None:
            continue
        names = [Path(own).name for own in images.files]
        if is_master and scan.frames == frames:
            index = frames - 1
        elif frames == 1 and Path(name).name in names and len(images.files) == len(images):
            index = names.index(Path(name).name)
        else:
            continue
        start, step = scan.settings.get(axis, (0.0, 0.0))
        return float(scan.varying[axis][index]) if axis in scan.varying else start + index * step
    return None


def asked(source: Experiment | Incomplete, is_allowed: bool) -> Second | None:
    """What dxtbx says of the first and last images of a source; None where it is not to be asked, or read it itself."""
    from imgcif_core.sources.dxtbx import read_dxtbx

    if not is_allowed or getattr(source, "kind", "") not in _KINDS:
        return None
    if not Path(source.path).is_file():
        return Second(None, f"{source.path} is within an archive, which it does not read")
    others = _ends(source)
    try:
        return Second(read_dxtbx(source.path, others))
    except InputError as error:
        if not others:
            return Second(None, str(error))
    try:
        return Second(read_dxtbx(source.path))
    except InputError as error:
        return Second(None, str(error))


def _ends(source: Experiment | Incomplete) -> list[str]:
    """The first and last images of the scans of single images, but for the very first; of many scans of some."""
    parts = source.parts if isinstance(source, Drafts) else (source,)
    entries = [part.images for part in parts if isinstance(part, Draft)]
    if isinstance(source, Experiment):
        entries = [scan.images for scan in source.scans]
    found = []
    for images in entries[:_MOST_SCANS]:
        if images is not None and not images.archive and len(images.files) == len(images) and images.path is None:
            found += [images.files[0], images.files[-1]]
    return [name for name in dict.fromkeys(found) if name != source.path and Path(name).is_file()]


def facing(panel: PanelFacts) -> tuple[str, str]:
    """The corner of the first pixel and the direction of the fast axis; empty for a detector turned aslant."""
    fast, slow = panel.fast, panel.slow
    is_flat = abs(fast[0]) > abs(fast[1])
    across, upright = (fast, slow) if is_flat else (slow, fast)
    if abs(across[0]) < 0.7 or abs(upright[1]) < 0.7:
        return "", ""
    signs = (float(np.sign(across[0])), float(np.sign(upright[1])))
    corner = next(name for name, pair in CORNERS.items() if pair == signs)
    return corner, "horizontal" if is_flat else "vertical"


def hour_of(vector: np.ndarray) -> str:
    """The hour on the clock to which a direction across the beam points; empty for one aslant."""
    if abs(vector[2]) > _ACROSS:
        return ""
    degrees = float(np.degrees(np.arctan2(vector[0], vector[1]))) % 360.0
    minutes = round(degrees * 2.0)
    if abs(degrees * 2.0 - minutes) > 1e-3:
        return f'"{degrees:.6g} degrees"'
    return f'"{minutes // 60 or 12}:{minutes % 60:02d}"'
