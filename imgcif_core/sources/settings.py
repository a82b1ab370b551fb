"""Settings of axes in HDF5 masters: arrays of angles, with or without their ends, ranges and increments."""

from typing import Any

import numpy as np

from imgcif_core.records import dataclass
from imgcif_core.sources.hdf5 import ANGLES, Master

NAMES = ("omega", "phi", "chi", "kappa")
# Angles that differ by less stand still; steps that differ by less are even: degrees.
_STILL, _STEADY = 1e-7, 1e-5


@dataclass(frozen=True, slots=True)
class Setting:
    """How one axis stands and moves; degrees or mm.

    uneven : (frames,) settings where they are not evenly spaced; note : what contradicts what.
    """

    start: float
    increment: float
    uneven: np.ndarray | None = None
    note: str = ""

    @property
    def moves(self) -> bool:
        """True if the axis moves."""
        return self.increment != 0 or self.uneven is not None


def setting_at(master: Master, path: str, values: np.ndarray, frames: int | None) -> Setting | None:
    """The setting of the axis at a path, from its values and from what stands beside them.

    An array that moves counts more than an increment that is written beside it. None where nothing is given.

    Parameters
    ----------
    values :
        (n,) settings at the starts of the frames, or one, or none.
    """
    beside = _Beside(master, path)
    if not len(values):
        start = beside.first("_start")
        if start is None:
            return None
        values = np.array([start])
    if frames and len(values) > frames > 1:
        values = values[:frames]
    if len(values) > 1 and float(np.ptp(values)) > _STILL:
        return _moving(path, values, beside)
    start = float(values[0])
    # Ends are those of the exposures: one frame that ends elsewhere has turned.
    ends = beside.numbers("_end")
    span = float(ends[0]) - start if len(ends) else None
    if len(values) > 1:
        if len(ends) == len(values) and span and abs(span) > _STILL:
            note = f"{path} starts each frame at {start:g} and ends it at {ends[0]:g}: no step from frame to frame"
            return Setting(start, 0.0, None, note)
        return Setting(start, 0.0)
    total = beside.first("_range_total")
    candidates = (beside.first("_increment_set"), beside.first("_increment"), beside.first("_range_average"), span)
    step = next((value for value in candidates if value), 0.0)
    if not step and total and frames:
        step = float(f"{total / frames:.10g}")
    return Setting(start, float(f"{step:.10g}"))


def _moving(path: str, values: np.ndarray, beside: "_Beside") -> Setting:
    """The setting of an axis whose array moves."""
    step = float(f"{(values[-1] - values[0]) / (len(values) - 1):.10g}")
    even = values[0] + step * np.arange(len(values))
    is_even = bool(np.abs(even - values).max() <= max(_STEADY, 1e-4 * abs(step)))
    note = ""
    for ending in ("_increment", "_range_average"):
        stated = beside.first(ending)
        if stated and is_even and abs(abs(stated) - abs(step)) > max(_STEADY, 1e-3 * abs(step)):
            note = (
                f"{path} moves by {step:g} from frame to frame, beside it {ending} says {stated:g}; the array was taken"
            )
    if is_even:
        return Setting(float(values[0]), step, None, note)
    return Setting(float(values[0]), step, values, note)


class _Beside:
    """The numbers beside a dataset whose names begin like its own."""

    def __init__(self, master: Master, path: str) -> None:
        self.master, self.path = master, path

    def numbers(self, ending: str) -> np.ndarray:
        """All of them in degrees: (n,)."""
        return self.master.numbers(self.master.root, f"{self.path}{ending}", ANGLES, "deg")

    def first(self, ending: str) -> float | None:
        """The first one, None where there is none or it is not finite."""
        values = self.numbers(ending)
        return float(values[0]) if len(values) and np.isfinite(values[0]) else None


def plain_settings(master: Master, group: Any, frames: int | None) -> dict[str, Setting]:
    """The settings of all axes of a goniometer group, by name, whether or not they have directions."""
    found = {}
    for name in NAMES:
        path = f"{group.name}/{name}"
        setting = setting_at(master, path, master.numbers(group, name, ANGLES, "deg"), frames)
        if setting is not None:
            found[name] = setting
    return found


def moving_axis(settings: dict[str, Setting]) -> str | None:
    """The axis that moves, else the first that is given."""
    moving = [name for name, setting in settings.items() if setting.moves]
    return next(iter(moving or settings), None)
