"""Which scans can stand in one data block: those of one wavelength and one detector."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imgcif_core.create.mounting import is_same_detector
from imgcif_core.sources.description import Experiment, ImageFiles, ScanFacts

_SAME_WAVELENGTH = 1e-6
# Stills of so many wavelengths are shots of a source that fluctuates, not measurements at chosen ones.
_MOST_WAVELENGTHS = 16


def split(experiment: Experiment) -> list[Experiment]:
    """The experiment in parts, one for each data block, in the order of their first scans.

    imgCIF ties no wavelength to a scan, so that scans of different wavelengths need blocks of their
    own; so do detectors whose panels do not move together. The shots of a fluctuating source are
    described by the mean of their wavelengths.
    """
    experiment = _with_mean_wavelength(experiment)
    groups: list[list[ScanFacts]] = []
    for scan in experiment.scans:
        group = next((group for group in groups if _belong_together(group[0], scan, experiment)), None)
        if group is None:
            groups.append([scan])
        else:
            group.append(scan)
    if len(groups) <= 1:
        return [replace(experiment, scans=tuple(merge_stills(experiment.scans)))]
    return [
        replace(
            experiment,
            scans=tuple(merge_stills(group)),
            beam=replace(experiment.beam, wavelength=group[0].wavelength or experiment.beam.wavelength),
        )
        for group in groups
    ]


def _with_mean_wavelength(experiment: Experiment) -> Experiment:
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


def _belong_together(one: ScanFacts, other: ScanFacts, experiment: Experiment) -> bool:
    """True if two scans have one wavelength and one detector."""
    first, second = (scan.wavelength or experiment.beam.wavelength or 0.0 for scan in (one, other))
    if abs(first - second) > _SAME_WAVELENGTH * max(first, second):
        return False
    return is_same_detector(one.panels, other.panels)


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
    """True for one frame in which nothing moves."""
    return scan.frames == 1 and scan.scanned_axis is None


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
