"""Numbers without the noise of floating-point arithmetic, as far as the geometry allows it."""

import numpy as np

_DECIMALS = 10
# Vectors are multiplied by lengths of up to some metres: 1e-13 moves a pixel by less than 1e-9 mm.
_NOISE = 2e-13


def tidy(values: np.ndarray | float) -> np.ndarray:
    """Values of which those within rounding noise of ten decimals are rounded; no other is touched."""
    array = np.asarray(values, dtype=float)
    rounded = np.round(array, _DECIMALS)
    near = np.abs(array - rounded) <= _NOISE * np.maximum(1.0, np.abs(array))
    return np.where(near, rounded, array) + 0.0


def tidy_number(value: float) -> float:
    """One value without rounding noise."""
    return float(tidy(value))


def tidy_angle(degrees: float) -> float:
    """An angle without rounding noise: 1e-10 degrees move a pixel at one metre by 2e-9 mm."""
    rounded = round(degrees, 6)
    return (rounded if abs(rounded - degrees) < 1e-10 else degrees) + 0.0


def short_direction(vector: np.ndarray) -> np.ndarray:
    """A direction with the few digits that it was printed with, where these give the same direction.

    Normalising a printed vector such as (0.642788, -0.766044, 0) makes digits that nobody measured.
    """
    direction = tidy(vector)
    for decimals in range(3, _DECIMALS):
        rounded = np.round(direction, decimals)
        length = float(np.linalg.norm(rounded))
        if abs(length - 1.0) < 1e-5 and np.abs(rounded / length - direction).max() < 3e-16:
            return rounded + 0.0
    return direction
