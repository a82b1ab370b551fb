"""Rules about the images of a scan: repeated, blank and drifting ones, and masked areas."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.checks.images.survey import Survey
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances

# Means below this are counts of single photons, whose ratio says nothing.
LEAST_MEAN = 0.05


@rule(
    "IMG012",
    "identical-images",
    severity="warning",
    source="_diffrn_data_frame.binary_id",
    message="image {label} has the same pixels as image {other} before it",
)
def identical_images(survey: Survey) -> Iterator[Problem]:
    """What: Two images of a scan are equal in every pixel.
    Why: Counting noise never repeats, so one of the two frames has the image of the other.
    How to fix: Let each frame lead to its own image; fetch the data again if the files are alike.
    Source: Dictionary imgCIF, _diffrn_data_frame.binary_id.
    """
    judged = False
    for series in survey.series:
        varied = [image for image in series if not image.facts.is_constant]
        judged |= len(varied) > 1
        last: dict[tuple[bytes, tuple[int, ...]], str] = {}
        for image in varied:
            digest = (image.facts.digest, image.facts.shape)
            if digest in last:
                yield Problem(image.place, label=image.label, other=last[digest])
            last[digest] = image.label
    if not judged:
        raise NotApplicable("fewer than two images of a scan")


@rule(
    "IMG013",
    "blank-image",
    severity="warning",
    source="_array_data.data",
    message="all {pixels} pixels of image {label} hold the value {value:g}",
)
def blank_image(survey: Survey) -> Iterator[Problem]:
    """What: All pixels of an image hold one value.
    Why: Either nothing was recorded, or the image was lost on its way; no detector sees nothing at all.
    How to fix: Look for the image at its source; a synthetic mask may be right.
    Source: Dictionary imgCIF, _array_data.data.
    """
    for image in survey.images:
        if image.facts.is_constant and image.facts.pixels > 1:
            yield Problem(image.place, pixels=image.facts.pixels, label=image.label, value=image.facts.minimum)


@rule(
    "IMG014",
    "mean-counts-drift",
    severity="info",
    source="_diffrn_scan_frame.integration_time",
    message="mean counts of scan {scan} lie between {least:.3g} ({low}) and {most:.3g} ({high})",
)
def mean_counts_drift(survey: Survey, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The mean of the counts changes by more than a factor of five within a scan.
    Why: The beam was lost, a shutter stayed closed, or images of another measurement were mixed in.
    How to fix: Look at the images with the least and the most counts; nothing in the file may be wrong.
    Source: Dictionary imgCIF, _diffrn_scan_frame.integration_time.
    """
    judged = False
    for series in survey.series:
        counted = [image for image in series if np.isfinite(image.facts.mean) and not image.facts.is_constant]
        if len(counted) < 2:
            continue
        judged = True
        low = min(counted, key=lambda image: image.facts.mean)
        high = max(counted, key=lambda image: image.facts.mean)
        if high.facts.mean > max(LEAST_MEAN, tolerances.mean_drift * max(low.facts.mean, LEAST_MEAN)):
            yield Problem(
                low.place,
                scan=low.frame.scan_id or "1",
                least=low.facts.mean,
                most=high.facts.mean,
                low=low.label,
                high=high.label,
            )
    if not judged:
        raise NotApplicable("fewer than two images of a scan")
