"""Positions of pixels and panels, overlap, and the rules about the instrument: run with `pytest tests/benchmarks`."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from detector_texts import detector_of

import imgcif_core
from imgcif_core.cif.document import Document
from imgcif_core.model.detector import Detector, Posture
from imgcif_core.model.overlap import touching_boxes
from imgcif_core.model.pose import Pose

HERE = Path(__file__).parent
SIXTEEN_M = Pose(
    np.array([[-166.7625, 172.4595, -287.22]]),
    np.array([[0.075, 0.001, 0]]),
    np.array([[0, -0.075, 0.001]]),
    (4148, 4362),
)


def plain_affine(pose: Pose) -> np.ndarray:
    """Origin + fast index x fast step + slow index x slow step, by broadcasting."""
    fast = np.arange(pose.size[0])[None, :, None]
    slow = np.arange(pose.size[1])[:, None, None]
    return pose.origin[0] + fast * pose.fast_step[0] + slow * pose.slow_step[0]


@pytest.mark.parametrize("way", ["plain numpy affine", "pixel_coordinates"])
def test_all_pixels_of_a_16m_panel(benchmark, way: str) -> None:
    benchmark.group = "18 million pixels"
    work = (lambda: plain_affine(SIXTEEN_M)) if way.startswith("plain") else SIXTEEN_M.pixel_coordinates
    result = benchmark.pedantic(work, rounds=7, warmup_rounds=1)
    assert result.shape == (4362, 4148, 3)


def modules(count: int) -> Detector:
    """A detector of modules in groups of eight on a moving arm."""
    axes = ["tth rotation . 1 0 0 0 0 0", "dist translation tth 0 0 -1 0 0 0"]
    listed, steps = [], []
    for group in range(count // 8):
        axes.append(f"g{group} rotation dist 0 0 1 {group * 30} 0 0")
        for index in range(8):
            name = f"{group}m{index}"
            axes.append(f"y{name} translation g{group} 0 -1 0 {index * 3} 0 0")
            axes.append(f"x{name} translation y{name} 1 0 0 0 0 0")
            listed.append(f"{name} 1 28 1 x{name}\n{name} 2 25 2 y{name}")
            steps.append(f"x{name} 0.05 0.1\ny{name} 0.05 0.1")
    return detector_of("\n".join(axes), "\n".join(listed), "\n".join(steps))


def test_128_panels_in_10000_frames_of_their_own_settings(benchmark) -> None:
    benchmark.group = "128 panels x 10,000 frames"
    detector, frames = modules(128), 10_000
    settings = {0: np.linspace(0, 20, frames), 1: np.linspace(100, 200, frames)}

    def work() -> list[Pose]:
        posture = Posture(detector.axes, settings, frames)
        return [panel.pose(posture) for panel in detector.flat]

    poses = benchmark.pedantic(work, rounds=5, warmup_rounds=1)
    assert len(poses) == 128 and len(poses[0]) == frames


@pytest.mark.parametrize("count", [128, 1024, 10_000])
def test_overlap_of_modules(benchmark, count: int) -> None:
    benchmark.group = "candidates for overlap"
    side = int(np.ceil(np.sqrt(count)))
    x, y = np.meshgrid(np.arange(float(side)), np.arange(float(side)))
    low = np.stack([x.ravel(), y.ravel(), np.zeros(side * side)], axis=1)[:count]
    high = low + np.array([0.9, 0.9, 0.0])
    found = benchmark.pedantic(lambda: list(touching_boxes(low, high)), rounds=5, warmup_rounds=1)
    assert found == []


@pytest.fixture(scope="module", params=["settings per scan", "settings per frame"])
def large_document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A file of 100,000 frames, read."""
    path = tmp_path_factory.mktemp("large") / "100000.cif"
    options = ["--settings"] if request.param == "settings per frame" else []
    subprocess.run([sys.executable, HERE / "make_large.py", "100000", "-o", path, *options], check=True)
    return imgcif_core.read(path)


@pytest.mark.parametrize("family", ["AXI", "DET", "SCN", "SRC", "CON"])
def test_rules_on_100000_frames(benchmark, large_document: Document, family: str) -> None:
    benchmark.group = "one family of rules, 100,000 frames, columns warm"
    options = imgcif_core.CheckOptions(select=(family,))

    def work() -> imgcif_core.FileReport:
        return imgcif_core.check_document(large_document, options=options)

    benchmark.pedantic(work, rounds=5, warmup_rounds=1)
