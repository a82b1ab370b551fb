"""Which scans can stand in one data block: those of one wavelength and one detector."""

from dataclasses import replace

from imgcif_core.create.mounting import is_same_detector
from imgcif_core.sources.description import Experiment, ScanFacts
from imgcif_core.sources.stills import merge_stills, with_mean_wavelength

_SAME_WAVELENGTH = 1e-6


def split(experiment: Experiment) -> list[Experiment]:
    """The experiment in parts, one for each data block, in the order of their first scans.

    imgCIF ties no wavelength to a scan, so that scans of different wavelengths need blocks of their
    own; so do detectors whose panels do not move together, and other parts of the stored arrays. The
    shots of a fluctuating source are described by the mean of their wavelengths.
    """
    experiment = with_mean_wavelength(experiment)
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


def _belong_together(one: ScanFacts, other: ScanFacts, experiment: Experiment) -> bool:
    """True if two scans have one wavelength and one detector."""
    first, second = (scan.wavelength or experiment.beam.wavelength or 0.0 for scan in (one, other))
    if abs(first - second) > _SAME_WAVELENGTH * max(first, second):
        return False
    return _parts_of_arrays(one) == _parts_of_arrays(other) and is_same_detector(one.panels, other.panels)


def _parts_of_arrays(scan: ScanFacts) -> list[tuple[str, tuple[int, ...]]]:
    """The array and the place along its slower dimensions of each panel, where the source names arrays."""
    return [(panel.array, panel.raw_index) for panel in scan.panels if panel.array]
