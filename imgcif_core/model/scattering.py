"""Scattering of the direct beam to positions of pixels: angles, resolution, scattering vectors."""

import numpy as np

from imgcif_core.arrays import Floats
from imgcif_core.model.vectors import unit


def two_theta(points: Floats, beam: Floats) -> Floats:
    """Angles between the beam and rays from the sample to points: (..., 3) mm give (...) degrees.

    `beam` : (3,) unit vector along which the beam travels. Accurate for small angles too; nan for a
    point at the sample.
    """
    rays = unit(points)
    along = np.broadcast_to(beam, rays.shape)
    angle_rad = 2.0 * np.arctan2(np.linalg.norm(rays - along, axis=-1), np.linalg.norm(rays + along, axis=-1))
    return np.where(np.linalg.norm(rays, axis=-1) > 0, np.degrees(angle_rad), np.nan)


def resolution(points: Floats, wavelength: float, beam: Floats) -> Floats:
    """Bragg's d at points: (..., 3) mm give (...) ångström; infinite in the direct beam."""
    with np.errstate(divide="ignore"):
        return wavelength / (2.0 * np.sin(np.radians(two_theta(points, beam)) / 2.0))


def scattering_vectors(points: Floats, wavelength: float, beam: Floats) -> Floats:
    """Reciprocal positions s - s0 that scatter to points: (..., 3) mm give (..., 3) per ångström.

    In the laboratory frame, of length 1/d; to turn them into the frame of the sample, undo its rotation.
    """
    return (unit(points) - np.asarray(beam)) / wavelength
