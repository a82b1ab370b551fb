"""A file held against its source or another file: findings, and panels and scans in mm, pixels and degrees."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.cif.reader import open_source, read
from imgcif_core.compare import Comparison, ScanPair, share_of
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.errors import ImgcifError, InputError
from imgcif_core.model.vectors import rotation_matrices, unit
from imgcif_core.show.difference import as_text, difference
from imgcif_core.sources.description import Experiment, ScanFacts
from imgcif_core.sources.detect import kind_of
from imgcif_core.sources.imgcif import describe
from imgcif_core.sources.reference import Sample, read_reference
from imgcif_core.tables import Tables
from imgcif_core.web.tasks import Progress
from imgcif_core.web.tasks import check as check_task
from imgcif_core.web.tasks.common import opened, write_json

SCHEMA = "imgcif-compare/1"
_MOST_SCANS, _MOST_PANELS = 200, 200
# Panels of the source that the page draws, over all positions of its detector.
_MOST_DRAWN = 5000


def run(folder: Path, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Check the file against the sources, and write the tables as `compare.json`."""
    told = check_task.run(folder, given, progress)
    document = read(opened(folder, given))
    paths = [str(folder / "inputs" / "against" / name) for name in given["against"]]
    source = read_reference(paths)
    described = {}
    for block in document.blocks:
        with suppress(InputError):
            described[block.name] = describe(Tables(block, load_bundled()), block.name)
    blocks = []
    with np.errstate(all="ignore"):
        for name, own in described.items():
            is_sample = isinstance(source, Sample) or (bool(document.sections) and len(described) == 1)
            share = share_of(name, described, source)
            blocks.append(_block(name, Comparison(own, share, is_sample=is_sample), own, share))
    other = _difference(document, folder, given["against"])
    write_json(
        folder,
        "compare.json",
        {
            "schema": SCHEMA,
            "files": [given["name"], *given["against"]],
            "blocks": blocks,
            "difference": other,
            "words": as_text(other) if other else "",
        },
    )
    return told


def _difference(document: Any, folder: Path, against: list[str]) -> dict[str, Any] | None:
    """Names and values that differ, where the source is an imgCIF too."""
    if len(against) != 1:
        return None
    path = folder / "inputs" / "against" / against[0]
    try:
        if kind_of(path) != "imgcif":
            return None
        return difference(document, read(open_source(path, against[0])), load_bundled())
    except ImgcifError:
        return None


def _block(name: str, comparison: Comparison, own: Experiment, source: Experiment) -> dict[str, Any]:
    """The tables of one block; `turn` is that of the frame of the source about the beam, in degrees."""
    scans = list(comparison.scans)
    positions, where = _positions(comparison, scans[:_MOST_SCANS])
    return {
        "block": name,
        "scans_in_file": len(own.scans),
        "scans_in_source": len(source.scans),
        "turn": _plain(comparison.turn) if scans else None,
        "panels_are_derived": comparison.panels_are_derived,
        "axes": [
            {"axis": pair.name, "source": pair.source_name, "degrees": _plain(pair.angle), "reversed": pair.is_reversed}
            for pair in comparison.axes or ()
        ],
        "scans": [
            {**_scan(comparison, pair), "position": position} for pair, position in zip(scans[:_MOST_SCANS], where)
        ],
        "positions": positions,
        "panels": sorted(_panels(comparison, scans), key=lambda row: -(row["mm"] or 0.0))[:_MOST_PANELS],
    }


def _positions(comparison: Comparison, scans: list[ScanPair]) -> tuple[list[dict[str, Any]], list[int | None]]:
    """Where the source has panels and axes, in mm and the frame of the file, and which position belongs to a scan."""
    found: dict[tuple[object, ...], int] = {}
    told: list[dict[str, Any]] = []
    where: list[int | None] = []
    room = _MOST_DRAWN
    for pair in scans:
        scan = comparison.source.scans[pair.source_index]
        axes = _directions(comparison, scan)
        key = (id(scan.panels), *(tuple(axis["vector"]) for axis in axes))
        if key not in found:
            if len(scan.panels) > room:
                where.append(None)
                continue
            room -= len(scan.panels)
            found[key] = len(told)
            panels = [(panel.name, panel.turned(comparison.rotation).corners()) for panel in scan.panels]
            told.append(
                {
                    "panels": [
                        {"id": name, "corners": [[_plain(value) for value in corner] for corner in corners]}
                        for name, corners in panels
                        if np.isfinite(corners).all()
                    ],
                    "axes": axes,
                }
            )
        where.append(found[key])
    return told, where


def _directions(comparison: Comparison, scan: ScanFacts) -> list[dict[str, Any]]:
    """Directions of the rotations of the source at the start of a scan, in the frame of the file."""
    turned = np.eye(3)
    found = []
    for axis in comparison.source.goniometer:
        if axis.kind != "rotation":
            continue
        vector = comparison.rotation @ turned @ unit(axis.vector)
        found.append({"id": axis.id, "vector": [_plain(float(value)) for value in vector]})
        turned = turned @ rotation_matrices(axis.vector, np.array(scan.settings.get(axis.id, (0.0, 0.0))[0]))
    return [axis for axis in found if None not in axis["vector"]]


def _scan(comparison: Comparison, pair: ScanPair) -> dict[str, Any]:
    """One scan in both."""
    worst = pair.worst
    return {
        "scan": comparison.described.scans[pair.index].id or str(pair.index + 1),
        "source": comparison.source.scans[pair.source_index].id or str(pair.source_index + 1),
        "frames": list(pair.frames),
        "start": [_plain(value) for value in pair.start],
        "increment": [_plain(value) for value in pair.increment],
        "axis_degrees": _plain(pair.axis_angle),
        "wavelength": [_plain(value) for value in pair.wavelength],
        "settings": [{"axis": name, "values": [_plain(one), _plain(other)]} for name, one, other in pair.settings],
        "mm": _plain(worst.worst) if worst else None,
        "pixels": _plain(worst.worst_pixels) if worst else None,
    }


def _panels(comparison: Comparison, scans: list[ScanPair]) -> Iterator[dict[str, Any]]:
    """Each panel of each scan that has panels of its own."""
    seen = set()
    for pair in scans[:_MOST_SCANS]:
        if id(pair.panels) in seen:
            continue
        seen.add(id(pair.panels))
        for panel in pair.panels:
            yield {
                "scan": comparison.described.scans[pair.index].id or str(pair.index + 1),
                "panel": panel.name,
                "source": panel.source_name,
                "mm": _plain(panel.worst),
                "pixels": _plain(panel.worst_pixels),
                "shift": [_plain(float(value)) for value in panel.shift],
                "half_pixel": panel.is_half_pixel,
                "size": [list(panel.size), list(panel.source_size)],
                "pixel_size": [list(panel.pixel_size), list(panel.source_pixel_size)],
            }


def _plain(value: float) -> float | None:
    """A number with the digits that mean something, None where it is not known."""
    return None if not np.isfinite(value) else float(f"{float(value):.9g}")
