"""Chains of axes placed by CBFlib and by this package: two programs, the same pixels and rotations."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from axis_tables import NUMBERS, loop
from numpy.testing import assert_allclose
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core.model.axes import Axes, build_axes
from imgcif_core.model.detector import build_detector
from imgcif_core.model.scans import Scan, build_scans
from imgcif_core.tables import Tables

pytestmark = pytest.mark.skipif(find_spec("pycbf") is None, reason="CBFlib is not there")

BASES = Path(__file__).parent.parent.parent / "conformance" / "datasets" / "bases"
PIXELS = ((0, 0), (10, 20), (29, 0), (29, 39))
VECTOR = (0.3, -0.5, 0.8)
# CBFlib runs in a process of its own, which may end as it likes.
CBFLIB = """
import json, os, sys, pycbf
job = json.load(sys.stdin)
found, kept = [], []
for path in job["paths"]:
    handle = pycbf.cbf_handle_struct()
    handle.read_widefile(path.encode(), pycbf.MSG_DIGEST)
    detectors = [handle.construct_detector(number) for number in range(job["elements"])]
    pixels = [[detector.get_pixel_coordinates(slow, fast) for slow, fast in job["pixels"]] for detector in detectors]
    turned = None
    if job["vector"]:
        goniometer = handle.construct_goniometer()
        turned = goniometer.rotate_vector(0.0, *job["vector"])
        kept.append(goniometer)
    kept.append((handle, detectors))
    found.append({"pixels": pixels, "turned": turned})
sys.stdout.write(json.dumps(found))
sys.stdout.flush()
# Its objects may be freed twice on the way out.
os._exit(0)
"""
HEAD = """###CBF: VERSION 1.5
data_x
_diffrn.id E
_diffrn_detector.diffrn_id E
_diffrn_detector.id D
_diffrn_detector.number_of_axes {count}
_diffrn_detector_element.id P
_diffrn_detector_element.detector_id D
_diffrn_measurement.diffrn_id E
_diffrn_measurement.id G
_diffrn_measurement.number_of_axes 2
_diffrn_data_frame.id F
_diffrn_data_frame.detector_element_id P
_diffrn_data_frame.array_id 1
_diffrn_data_frame.binary_id 1
_diffrn_scan.id F
_diffrn_scan.frames 1
_diffrn_scan_frame.frame_id F
_diffrn_scan_frame.scan_id F
_diffrn_scan_frame.frame_number 1
"""
PARTS = ("start", "range", "increment")
SCANNED = ("scan_id", "axis_id", *(f"{kind}_{part}" for kind in ("angle", "displacement") for part in PARTS))
TABLES = {
    ("diffrn_measurement_axis", ("measurement_id", "axis_id")): "G omega\nG kappa",
    (
        "array_structure_list",
        ("array_id", "index", "dimension", "precedence", "direction", "axis_set_id"),
    ): "1 1 40 1 increasing fast\n1 2 30 2 increasing slow",
    (
        "array_structure_list_axis",
        ("axis_set_id", "axis_id", "displacement", "displacement_increment"),
    ): "fast fast 0.05 0.1\nslow slow -0.1 -0.2",
}


def cbflib(texts: list[str], folder: Path, *, elements: int, turns: bool) -> list[dict]:
    """What CBFlib makes of some texts."""
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.cbf"
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    return run_cbflib(paths, elements=elements, turns=turns)


def run_cbflib(paths: list[str], *, elements: int, turns: bool) -> list[dict]:
    """Pixel positions of each element, and a turned vector, of each file."""
    job = {"paths": paths, "elements": elements, "pixels": PIXELS, "vector": VECTOR if turns else None}
    command = [sys.executable, "-c", CBFLIB]
    return json.loads(subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True).stdout)


def model_of(source: str | Path) -> tuple[Tables, Axes, Scan]:
    document = imgcif_core.read(source if isinstance(source, Path) else source.encode())
    tables = Tables(document.blocks[0], imgcif_core.load_dictionary())
    axes = build_axes(tables)
    return tables, axes, build_scans(tables, axes).scans[0]


def assert_same_pixels(text: str, expected: list, tolerance: float) -> None:
    tables, axes, scan = model_of(text)
    for pose, positions in zip(build_detector(tables, axes).poses(scan), expected, strict=True):
        found = [pose.at(fast, slow)[0] for slow, fast in PIXELS]
        assert_allclose(found, positions, atol=tolerance)


@pytest.mark.parametrize("base", ["multi-panel-still", "multi-panel-mounted"])
def test_modules_lie_where_cbflib_puts_them(base: str, tmp_path: Path) -> None:
    text = (BASES / f"{base}.cif").read_text(encoding="utf-8")
    (found,) = cbflib([text], tmp_path, elements=4, turns=False)
    assert_same_pixels(text, found["pixels"], 1e-9)


def random_chain(source: np.random.Generator) -> str:
    """A file with a detector on a chain of random axes, some of them mounted about their parent."""
    rows, settings, listed = [], [], []
    parent, can_mount = ".", False
    for number in range(source.integers(1, 7)):
        kind = source.choice(["rotation", "translation"])
        vector = source.normal(size=3)
        numbers = " ".join(
            f"{value:.9f}" for value in (*(vector / np.linalg.norm(vector)), *source.uniform(-50, 50, 3))
        )
        # CBFlib crashes where the mounting axis depends on nothing, and forgets how that axis is mounted itself.
        is_mounted = can_mount and number > 1 and source.random() < 0.5
        mount = f"{source.uniform(1, 170):.6f} {parent}" if is_mounted else ". ."
        rows.append(f"a{number} {kind} detector {parent} {numbers} {mount}")
        value = f"{source.uniform(-170, 170):.6f}"
        settings.append(f"F a{number} {value} 0.0" if kind == "rotation" else f"F a{number} 0.0 {value}")
        listed.append(f"D a{number}")
        parent, can_mount = f"a{number}", kind == "rotation" and not is_mounted
    rows += [
        f"slow translation detector {parent} 0 -1 0 3.5 -2.5 1.5 . .",
        "fast translation detector slow 1 0 0 0 0 0 . .",
        "omega rotation goniometer . 1 0 0 0 0 0 . .",
        "kappa rotation goniometer omega 0.642788 0 -0.766044 0 0 0 . .",
    ]
    settings += [f"F {name} {source.uniform(-170, 170):.6f} 0.0" for name in ("omega", "kappa")]
    tables = {
        **TABLES,
        ("diffrn_detector_axis", ("detector_id", "axis_id")): "\n".join(listed),
        ("axis", ("id", "type", "equipment", "depends_on", *NUMBERS, "rotation", "rotation_axis")): "\n".join(rows),
        ("diffrn_scan_axis", SCANNED): "\n".join(
            f"{scan} {axis} {angle} 0.0 0.0 {displacement} 0.0 0.0"
            for scan, axis, angle, displacement in map(str.split, settings)
        ),
        ("diffrn_scan_frame_axis", ("frame_id", "axis_id", "angle", "displacement")): "\n".join(settings),
    }
    text = "".join(loop(category, names, body) for (category, names), body in tables.items())
    return HEAD.format(count=len(listed)) + text


def mountings(text: str) -> list[str]:
    """The rotation_axis of each detector axis of a chain."""
    return [line.split()[-1] for line in text.splitlines() if line.startswith("a") and " detector " in line]


def test_random_chains_are_walked_as_cbflib_walks_them(tmp_path: Path) -> None:
    source = np.random.default_rng(20260304)
    texts = [random_chain(source) for _ in range(60)]
    assert sum(mount != "." for text in texts for mount in mountings(text)) > 10
    for text, found in zip(texts, cbflib(texts, tmp_path, elements=1, turns=True), strict=True):
        assert_same_pixels(text, found["pixels"], 1e-6)
        _, axes, scan = model_of(text)
        rows = [axes.find("omega"), axes.find("kappa")]
        placed = axes.placement(rows[1], scan.at(0, rows))
        assert_allclose(placed.turn(np.array(VECTOR))[0], found["turned"], atol=1e-9)


def real_files() -> list[Path]:
    """Full CBF files with axes, plain ones that CBFlib can open."""
    found = sorted((CORPUS / "cbf_full").glob("*.cbf")) if CORPUS.is_dir() else []
    return [path for path in found if b"_axis.vector[1]" in path.read_bytes()]


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.name)
def test_real_panels_lie_where_cbflib_puts_them(path: Path) -> None:
    tables, axes, scan = model_of(path)
    poses = build_detector(tables, axes).poses(scan)
    found = run_cbflib([str(path)], elements=len(poses), turns=False)[0]["pixels"]
    own = np.array([[pose.at(fast, slow)[0] for slow, fast in PIXELS] for pose in poses])
    apart = np.abs(own[:, None] - np.array(found)[None]).max(axis=(2, 3))
    # CBFlib has the elements in another order; each panel must be one of its own.
    assert sorted(apart.argmin(axis=1)) == list(range(len(poses)))
    assert apart.min(axis=1).max() < 1e-9
