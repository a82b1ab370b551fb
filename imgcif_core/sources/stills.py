"""Stills: shots at one place become one scan, those of a fluctuating source get the mean of their wavelengths."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imgcif_core.sources.description import Experiment, ImageFiles, ScanFacts

# Stills of so many wavelengths are shots of a source that fluctuates, not measurements at chosen ones.
_MOST_WAVELENGTHS = 16


def with_mean_wavelength(experiment: Experiment) -> Experiment:
    """The experiment with one wavelength for all, where it consists of stills of very many."""
    values = np.array([scan.wavelength or experiment.beam.wavelength or 0.0 for scan in experiment.scans])
    is_shots = all(scan.scanned_axis is None and scan.frames == 1 for scan in experiment.scans)
    if not is_shots or len(np.unique(np.round(values, 7))) <= _MOST_WAVELENGTHS or not values.all():
        return experiment
    mean = float(f"{values.mean():.10g}")
    return replace(
        experiment,
        beam=replace(experiment.beam, wavelength=mean, wavelengths=values),
        scans=tuple(replace(scan, wavelength=mean) for scan in experiment.scans),
    )


def merge_stills(scans: Sequence[ScanFacts]) -> list[ScanFacts]:
    """Single stills that follow each other with all at the same place become one scan."""
    merged: list[ScanFacts] = []
    run: list[ScanFacts] = []
    for scan in scans:
        if run and not (_is_still(scan) and _is_still(run[0]) and _are_alike(run[0], scan)):
            merged.append(_joined(run))
            run = []
        run.append(scan)
    return [*merged, *([_joined(run)] if run else [])]


def _is_still(scan: ScanFacts) -> bool:
    """True for one frame in which nothing moves, and whose image is one."""
    return scan.frames == 1 and scan.scanned_axis is None and not scan.modules


def _are_alike(one: ScanFacts, other: ScanFacts) -> bool:
    """True if two stills differ in nothing but their images."""
    same_place = one.panels is other.panels or all(
        np.array_equal(a.corner, b.corner) and np.array_equal(a.fast, b.fast) and np.array_equal(a.slow, b.slow)
        for a, b in zip(one.panels, other.panels, strict=False)
    )
    images = [(scan.images.path, scan.images.format) if scan.images else None for scan in (one, other)]
    return (
        same_place
        and len(one.panels) == len(other.panels)
        and images[0] == images[1]
        and dict(one.settings) == dict(other.settings)
        and dict(one.detector_settings) == dict(other.detector_settings)
        and one.exposure_time == other.exposure_time
    )


def _joined(run: list[ScanFacts]) -> ScanFacts:
    """One scan of several stills."""
    if len(run) == 1:
        return run[0]
    pictured = [scan.images for scan in run if scan.images is not None and len(scan.images) == 1]
    images = None
    if len(pictured) == len(run):
        names = [entry.files[int(entry.file[0])] for entry in pictured]
        index = {name: number for number, name in enumerate(dict.fromkeys(names))}
        images = ImageFiles(
            tuple(index),
            np.array([index[name] for name in names]),
            np.concatenate([entry.frame for entry in pictured]),
            pictured[0].path,
            pictured[0].format,
        )
    return replace(run[0], frames=len(run), images=images, end_date=run[-1].end_date)
