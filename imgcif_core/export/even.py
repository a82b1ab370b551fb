"""Series of settings: whether they are even, and where another step begins."""

import numpy as np

# Degrees or mm: a setting nearer than this to its place in an even series is in its place.
EVEN = 1e-5
# Settings printed with few digits are off by such a part of a step; no program feels it.
EVEN_PART = 1e-2


def _allowed(step: float) -> float:
    """How far a setting may lie from its place in an even series."""
    return max(EVEN, EVEN_PART * abs(step))


def is_even(values: np.ndarray) -> bool:
    """True if settings lie on a straight line."""
    if len(values) < 3:
        return True
    line = np.linspace(values[0], values[-1], len(values))
    return bool(np.abs(line - values).max() <= _allowed(float(values[1] - values[0])))


def breaks_of(values: np.ndarray) -> np.ndarray:
    """Where the step is not the usual one, so that another stretch begins: (n,) bool."""
    breaks = np.zeros(len(values), dtype=bool)
    if not is_even(values):
        steps = np.diff(values)
        usual = float(np.median(steps))
        breaks[1:] = np.abs(steps - usual) > 2.0 * _allowed(usual)
    return breaks
