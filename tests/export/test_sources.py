"""Every source of the corpus becomes an imgCIF, and goes back to each target with the geometry of the source.

`python tests/export/test_sources.py` prints the largest deviation of each source and target.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from export.exports import XdsFile, corners_along_beam, corners_of, exported, plan_of
from shared import CORPUS, needs_corpus

from imgcif_core.create.loop import Wishes, create
from imgcif_core.errors import InputError
from imgcif_core.export import Plan
from imgcif_core.sources.expt import read_expt
from imgcif_core.sources.geom import read_geom

pytestmark = [needs_corpus, pytest.mark.corpus]

ANSWERS = {"distance": 300.0, "increment": 0.0, "wavelength": 1.0}
NO_SOURCES = ("00001.h5", "panda.h5", "_b4_three_frames.h5")
MM = {"expt": 1e-6, "xds": 1e-5, "geom": 1e-6, "nxmx": 1e-6}


def sources() -> list[str]:
    """The files of the corpus that describe an experiment."""
    folders = ("expt", "cbf_mini", "cbf_full", "smv", "tiff", "hdf5", "xfel")
    found = [path for folder in folders for path in sorted((CORPUS / folder).rglob("*")) if path.is_file()]
    return [str(path.relative_to(CORPUS)) for path in found if path.name not in NO_SOURCES and "_0000" not in path.name]


def created(name: str) -> str | None:
    """The imgCIF of a source, None where more is asked than the answers here tell, or it is refused."""
    try:
        first = create(CORPUS / name)
        if first.needed or name.endswith(".geom"):
            # A bare geometry is created without a wavelength; an export needs one.
            asked = [*(entry.key for entry in first.needed), *(["wavelength"] if name.endswith(".geom") else [])]
            known = {key: ANSWERS[key] for key in asked if key in ANSWERS}
            first = create(CORPUS / name, wishes=Wishes(answers=known))
    except InputError:
        return None
    return first.text or None


def deviations(text: str, folder: Path) -> dict[str, float]:
    """The largest deviation of a corner or pixel in mm by target; targets that cannot express it are left out."""
    found: dict[str, float] = {}
    try:
        plan = plan_of(text)
    except InputError:
        # A bare geometry tells no wavelength: it is refused, and says so.
        return found
    for target, measure in (("expt", _expt), ("xds", _xds), ("geom", _geom), ("nxmx", _nxmx)):
        try:
            files = exported(text, target, folder)
        except InputError:
            continue
        found[target] = max(measure(plan, index, name) for index, name in enumerate(files))
    return found


def _nearest(plan: Plan, corners: np.ndarray) -> float:
    """How far panels are from those of the sweep that is nearest."""
    own = [corners_of(sweep) for sweep in plan.sweeps if len(sweep.panels) == len(corners)]
    return min(float(np.linalg.norm(entry - corners, axis=-1).max()) for entry in own)


def _expt(plan: Plan, _index: int, name: Path) -> float:
    scans = read_expt(name).scans
    return max(_nearest(plan, np.array([panel.corners() for panel in scan.panels])) for scan in scans)


def _geom(plan: Plan, _index: int, name: Path) -> float:
    (scan,) = read_geom(name).experiment().scans
    own = np.array([panel.corners() for panel in scan.panels])
    return min(
        float(np.linalg.norm(corners_along_beam(sweep) - own, axis=-1).max())
        for sweep in plan.sweeps
        if len(sweep.panels) == len(own)
    )


def _spans(points: np.ndarray) -> np.ndarray:
    """Distances from the origin and from the first point."""
    return np.concatenate([np.linalg.norm(points, axis=1), np.linalg.norm(points - points[0], axis=1)])


def _nxmx(plan: Plan, index: int, name: Path) -> float:
    import h5py

    sweep = plan.sweeps[index]
    with h5py.File(name) as file:
        parts = [
            node
            for node in file["entry/instrument/detector"].values()
            if node.attrs.get("NX_class") == "NXdetector_module"
        ]
        origins = []
        for node in parts:
            chain = file[node["module_offset"].attrs["depends_on"]]
            origins.append(node["module_offset"].attrs["offset"] + chain[()] * chain.attrs["vector"])
    return float(np.abs(_spans(np.array(sorted(map(tuple, origins))))[: len(origins)].sum() - _sum(sweep)))


def _sum(sweep) -> float:
    """The distances of the corners of all panels from the sample, added up."""
    return float(sum(np.linalg.norm(panel.corner) for panel in sweep.panels))


def _xds(plan: Plan, index: int, name: Path) -> float:
    file, sweep = XdsFile(name), plan.sweeps[index]
    worst = 0.0
    for panel in sweep.panels[:8]:
        x, y = panel.raw_offset
        for fast, slow in ((0, 0), (panel.size[0] - 1, panel.size[1] - 1)):
            here = panel.origin + fast * panel.pixel_size[0] * panel.fast + slow * panel.pixel_size[1] * panel.slow
            worst = max(worst, float(np.linalg.norm(file.place(x + fast + 1, y + slow + 1) - here)))
    return worst


@pytest.mark.parametrize("name", sources())
def test_sources_go_back_with_their_geometry(name: str, tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    text = created(name)
    if text is None:
        pytest.skip("asks for more than is known here, or is refused")
    for target, worst in deviations(text, tmp_path).items():
        assert worst < MM[target], f"{target}: {worst:.3g} mm"


def main() -> None:
    """Print the table."""
    for name in sources():
        text = created(name)
        if text is None:
            sys.stdout.write(f"{name}: asked or refused\n")
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = deviations(text, Path(folder))
        sys.stdout.write(f"{name}: " + ", ".join(f"{key} {value:.1e}" for key, value in found.items()) + "\n")


if __name__ == "__main__":
    main()
