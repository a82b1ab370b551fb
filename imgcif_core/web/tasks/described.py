"""What a source says, in a few lines for a person: read before anything is asked."""

from collections.abc import Iterator

from imgcif_core.sources.any import Described
from imgcif_core.sources.description import Experiment
from imgcif_core.sources.draft import Draft
from imgcif_core.sources.merging import Drafts

_KINDS = {"dials": "DIALS experiment list", "nxmx": "HDF5 master", "minicbf": "miniCBF images", "smv": "SMV images"}
_KINDS |= {"tiff": "TIFF images", "crystfel": "CrystFEL geometry", "imgcif": "imgCIF or full CBF"}


def known_facts(described: Described) -> list[list[str]]:
    """Names and values of the main facts."""
    return [[name, text] for name, text in _facts(described) if text]


def _facts(described: Described) -> Iterator[tuple[str, str]]:
    kind = str(getattr(described, "kind", ""))
    yield "Kind", _KINDS.get(kind, kind)
    if isinstance(described, Experiment):
        yield from _whole(described)
    elif isinstance(described, Drafts):
        yield "Scans", str(len(described.parts))
        yield "Frames", str(sum(_frames(part) for part in described.parts))
        yield from _draft(described.parts[0])
    elif isinstance(described, Draft):
        yield "Frames", str(_frames(described))
        yield from _draft(described)
    for name in ("detector", "facility", "beamline", "source"):
        yield name.capitalize(), described.facts.get(name, "")


def _whole(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """The facts of a whole experiment."""
    yield "Scans", str(len(experiment.scans))
    yield "Frames", str(sum(scan.frames for scan in experiment.scans))
    yield "Wavelength", _with_unit(experiment.beam.wavelength, "Å")
    if experiment.scans and (panels := experiment.scans[0].panels):
        first = panels[0]
        yield "Panels", f"{len(panels)}, the first of {first.size[0]} × {first.size[1]} pixels"
    yield "Goniometer", ", ".join(axis.id for axis in experiment.goniometer)


def _draft(draft: Draft) -> Iterator[tuple[str, str]]:
    """What the header of one scan tells."""
    yield "Pixels", " × ".join(map(str, draft.size or ()))
    yield "Pixel size", _with_unit(draft.pixel_size, "mm")
    yield "Wavelength", _with_unit(draft.wavelength, "Å")
    yield "Distance", _with_unit(draft.distance, "mm")
    yield "Beam centre", _with_unit(draft.beam_centre, "pixels")
    if draft.start is not None and draft.increment is not None:
        yield "Rotation", f"{draft.axis_id} from {draft.start:g}° by {draft.increment:g}° a frame"
    if draft.two_theta:
        yield "Detector arm", f"{draft.two_theta:g}°"


def _frames(draft: Draft) -> int:
    return len(draft.images) if draft.images is not None else draft.frames or 0


def _with_unit(value: float | tuple[float, ...] | None, unit: str) -> str:
    """One number or several with their unit; empty for what is not known."""
    if value is None:
        return ""
    values = value if isinstance(value, tuple) else (value,)
    return f"{' × '.join(f'{number:.6g}' for number in values)} {unit}"
