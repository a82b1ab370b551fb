"""Hand-made experiments, and where a written block puts their panels."""

import numpy as np

from imgcif_core.cif.reader import open_source, read
from imgcif_core.cif.write import Category, DataBlock, write_blocks
from imgcif_core.create.builder import Built, prepare
from imgcif_core.create.categories import categories
from imgcif_core.create.links import Links, external_rows
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.model.axes import build_axes
from imgcif_core.model.detector import build_detector
from imgcif_core.model.scans import build_scans
from imgcif_core.sources.description import AxisFacts, BeamFacts, Experiment, ImageFiles, PanelFacts, ScanFacts
from imgcif_core.tables import Tables

X, Y, Z = np.eye(3)


def panel(name: str = "panel", corner=(-166.8, 172.497, -287.22), fast=X, slow=-Y, **values) -> PanelFacts:
    """An Eiger 16M as it stands in the worked example of the conventions, unless told otherwise."""
    size = values.pop("size", (4148, 4362))
    pixel = values.pop("pixel_size", (0.075, 0.075))
    return PanelFacts(name, size, pixel, np.array(corner, dtype=float), np.array(fast), np.array(slow), **values)


def images(frames: int, folder: str = "data") -> ImageFiles:
    names = tuple(f"/somewhere/{folder}/x_{number:05d}.cbf" for number in range(1, frames + 1))
    return ImageFiles(names, np.arange(frames), np.ones(frames, dtype=np.int64))


def scan(number: int = 1, frames: int = 3, panels=None, **values) -> ScanFacts:
    settings = values.pop("settings", {"omega": (10.0, 0.1)})
    return ScanFacts(f"SCAN{number}", frames, settings, panels or (panel(),), images(frames, f"run{number}"), **values)


def experiment(*scans: ScanFacts, goniometer=None, **values) -> Experiment:
    axes = (AxisFacts("omega", "rotation", X),) if goniometer is None else goniometer
    beam = values.pop("beam", BeamFacts(Z, 0.9795, probe="x-ray"))
    return Experiment("source.expt", "dials", beam, axes, scans or (scan(),), **values)


def block_text(built: Built) -> str:
    external = external_rows([entry.images for entry in built.scans], built.scan_ids, Links("https://x.org/a.zip"))
    head = Category("diffrn", {"id": "EXP1"})
    return "".join(write_blocks([DataBlock("test", [head, *categories(built, external)])]))


def written(source: Experiment):
    """Axes, scans and detector of the block that is written for an experiment."""
    document = read(open_source(block_text(prepare(source)).encode()))
    tables = Tables(document.blocks[0], load_bundled())
    axes = build_axes(tables)
    return axes, build_scans(tables, axes), build_detector(tables, axes)


def largest_deviation(source: Experiment) -> float:
    """The largest distance in mm between corners of the source, turned to imgCIF's frame, and as read back."""
    _, scans, detector = written(source)
    worst = 0.0
    for given, read_back in zip(source.scans, scans, strict=True):
        poses = detector.poses(read_back)
        assert len(poses) == len(given.panels)
        for own, pose in zip(given.panels, poses, strict=True):
            expected = own.turned(source.principal_rotation).corners()
            worst = max(worst, float(np.linalg.norm(pose.corners()[0] - expected, axis=1).max()))
    return worst
