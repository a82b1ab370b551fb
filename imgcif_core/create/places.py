"""Where the panels of a detector lie in its stored image: as the source says, else from the image, else asked."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgcif_core.create.layout import are_stacked
from imgcif_core.errors import InputError, UsageError
from imgcif_core.sources.description import Experiment, ImageFiles, Origin, PanelFacts, Provenance
from imgcif_core.sources.isolated import call
from imgcif_core.sources.minicbf import mime_sizes, read_head

KEY = "panel_places"
# Kinds whose files hold an array for each panel, which imgCIF names one by one.
_OWN_ARRAYS = ("imgcif",)


def with_places(experiment: Experiment, answers: Mapping[str, Any], provenance: Provenance) -> Experiment:
    """The experiment with the place of each panel in the stored image.

    Where neither source nor image nor person tells it, no frame is linked, and a remark says so.

    Raises
    ------
    UsageError
        If an answer gives another number of places than there are panels.
    """
    if KEY in experiment.provenance and KEY not in answers:
        return experiment
    scans, notes, known = [], list(experiment.notes), dict(experiment.provenance)
    for scan in experiment.scans:
        panels = scan.panels
        if scan.images is None or len(panels) < 2 or experiment.kind in _OWN_ARRAYS or are_stacked(panels):
            scans.append(scan)
            continue
        if KEY in answers:
            found: tuple[PanelFacts, ...] | None = _as_told(panels, answers[KEY])
            origin = provenance
        else:
            shape = _stored_shape(scan.images, Path(experiment.path).parent)
            found = None if shape is None else looked_up(panels, shape)
            origin = Provenance(Origin.DERIVED, scan.images.files[0], f"stored image of {shape}")
        if found is None:
            origin = Provenance(Origin.DEFAULT, experiment.path, "")
            notes.append(
                f"nothing tells which pixels of a stored image belong to which of the {len(panels)} panels, so no "
                "frame is linked to its image; the answer panel_places, or the images beside the source, settle it"
            )
        known[KEY] = origin
        scans.append(replace(scan, panels=found or panels, images=scan.images if found else None))
    if scans == list(experiment.scans):
        return experiment
    return replace(experiment, scans=tuple(scans), notes=tuple(dict.fromkeys(notes)), provenance=known)


def is_open(experiment: Experiment) -> bool:
    """True where no place was found for the panels."""
    known = experiment.provenance.get(KEY)
    return known is not None and known.origin is Origin.DEFAULT


def _as_told(panels: tuple[PanelFacts, ...], places: Any) -> tuple[PanelFacts, ...]:
    """The panels at places that a person gave."""
    if len(places) != len(panels):
        raise UsageError(f"answer {KEY}: {len(places)} places for {len(panels)} panels")
    told = tuple(replace(panel, raw_offset=tuple(place)) for panel, place in zip(panels, places, strict=True))
    if not are_stacked(told):
        raise UsageError(f"answer {KEY}: panels at these places overlap in the image")
    return told


def looked_up(panels: tuple[PanelFacts, ...], shape: tuple[int, ...]) -> tuple[PanelFacts, ...] | None:
    """The panels in a stored array of a shape (..., slow, fast), where only one arrangement fits.

    One below the other, one beside the other, or each in an image of its own along a slower dimension.
    """
    sizes = {panel.size for panel in panels}
    slow, fast = shape[-2:]
    widths, heights = [panel.size[0] for panel in panels], [panel.size[1] for panel in panels]
    if len(shape) == 3 and len(sizes) == 1 and shape[0] == len(panels) and sizes == {(fast, slow)}:
        return tuple(replace(panel, raw_index=(number,)) for number, panel in enumerate(panels))
    if len(shape) != 2:
        return None
    if set(widths) == {fast} and sum(heights) == slow:
        starts = [sum(heights[:number]) for number in range(len(panels))]
        return tuple(replace(panel, raw_offset=(0, start)) for panel, start in zip(panels, starts, strict=True))
    if set(heights) == {slow} and sum(widths) == fast:
        starts = [sum(widths[:number]) for number in range(len(panels))]
        return tuple(replace(panel, raw_offset=(start, 0)) for panel, start in zip(panels, starts, strict=True))
    return None


def _stored_shape(images: ImageFiles, folder: Path) -> tuple[int, ...] | None:
    """The shape of one frame as it is stored, where its file is here."""
    name = Path(images.files[int(images.file[0])])
    path = next((place for place in (name, folder / name.name) if place.is_file()), None)
    if path is None:
        return None
    try:
        if images.path is None and not images.paths:
            sizes = mime_sizes(read_head(path))
            return None if sizes is None else (sizes[1], sizes[0])
        shape = call("shape", path, images.paths[0] if images.paths else images.path or "")
    except InputError:
        return None
    return shape[1:] if len(shape) > 2 else shape or None
