"""The rule about the size of the image against what is known of the detector."""

from collections.abc import Iterator
from typing import Any

from imgcif_core.checks.detector.faces import panel_place, step_place
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.checks.tolerances import Tolerances
from imgcif_core.model.detector import Detector, Panel
from imgcif_core.model.known_detectors import KnownDetector, detector_named
from imgcif_core.tables import Tables

BINNINGS = (1, 2, 3, 4, 8)


def known_detector(tables: Tables) -> KnownDetector | None:
    """The detector that the block names, if it is a known one."""
    table = tables.table("diffrn_detector")
    return detector_named(*(table.text(name) for name in ("make", "description", "details")))


@rule(
    "DET019",
    "known-detector-size",
    severity="warning",
    source="_diffrn_detector.make",
    message="panel {panel} has {fast} x {slow} pixels, but {name} has {expected} - the two seem to be exchanged",
    messages={
        "larger": "panel {panel} has {fast} x {slow} pixels, more than the {expected} of {name}",
        "part": "panel {panel} has {fast} x {slow} of the {expected} pixels of {name} - a region or a binned image",
        "pixel": "pixels of panel {panel} are {pixel:g} mm, but those of {name} are {expected} mm",
    },
    helps={
        "": "exchange the two dimensions, or their precedences if the image lies so in the file",
        "larger": "correct the dimensions, or the make of the detector",
        "part": "nothing is needed for a region of interest or a binned image; otherwise correct the dimensions",
        "pixel": "give {expected} mm as displacement_increment and the same in metres as element size, or correct "
        "the make of the detector",
    },
)
def known_detector_size(tables: Tables, detector: Detector, tolerances: Tolerances) -> Iterator[Problem]:
    """What: The image has another size or other pixels than the detector named as its make.
    Why: Exchanged dimensions shear the image, and a wrong pixel size or make misplaces every reflection.
    How to fix: Give the dimensions in the order of storage, the pixels of the detector, or the right make;
    regions of interest and binned images are right as they are.
    Source: Data sheets of the makers; dictionary imgCIF, _array_structure_list.dimension.
    """
    known = known_detector(tables)
    if known is None:
        raise NotApplicable("the make of the detector is not among the known ones")
    if len(detector.flat) > 1 and not known.is_module:
        raise NotApplicable("the modules are described one by one")
    seen: set[tuple[int, int]] = set()
    for number, (fast, slow) in enumerate(detector.faces.size.tolist()):
        if min(fast, slow) > 0 and (fast, slow) not in seen:
            seen.add((fast, slow))
            yield from _judge(tables, detector.flat[number], known, tolerances)


def _judge(tables: Tables, panel: Panel, known: KnownDetector, tolerances: Tolerances) -> Iterator[Problem]:
    """What one panel has against a known detector."""
    fast, slow = panel.size
    texts = " or ".join(f"{size[0]} x {size[1]}" for size in known.sizes)
    data: dict[str, Any] = {"panel": panel.id, "fast": fast, "slow": slow, "name": known.name, "expected": texts}
    place = panel_place(tables, panel, "dimension")
    whole = {(size[0] // by, size[1] // by): by for by in reversed(BINNINGS) for size in known.sizes}
    turned = {(size[1], size[0]): by for size, by in whole.items()}
    either_way = known.turned or known.is_module
    if panel.size not in whole and not (either_way and panel.size in turned):
        fits = any(fast <= size[0] and slow <= size[1] for size in known.sizes)
        fits |= either_way and any(slow <= size[0] and fast <= size[1] for size in known.sizes)
        if panel.size in turned and turned[panel.size] == 1:
            yield Problem(place, **data)
        elif not fits:
            yield Problem(place, variant="larger", **data)
        else:
            yield Problem(place, severity="info", variant="part", **data)
    binning = whole.get(panel.size) or turned.get(panel.size)
    if binning is None:
        return
    entry = panel.fast.surface[0]
    expected = known.pixel[0] * binning
    if abs(abs(entry.increment) - expected) > tolerances.known_pixel * expected:
        yield Problem(
            step_place(tables, entry, "displacement_increment"),
            variant="pixel",
            panel=panel.id,
            name=known.name,
            pixel=abs(entry.increment),
            expected=f"{expected:g}",
        )
