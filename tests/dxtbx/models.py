"""The models that dxtbx reads from an image, fetched from a Python that has dxtbx."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from imgcif_core.sources.dxtbx import find_python

_SCRIPT = """
import json, sys
import dxtbx
found = []
for name in sys.argv[1:]:
    image = dxtbx.load(name)
    goniometer, scan, beam = image.get_goniometer(), image.get_scan(), image.get_beam()
    raw = image.get_raw_data()
    entry = {
        "format": type(image).__name__,
        "panels": [
            {"origin": p.get_origin(), "fast": p.get_fast_axis(), "slow": p.get_slow_axis(),
             "pixel_size": p.get_pixel_size(), "size": p.get_image_size()}
            for p in image.get_detector()
        ],
        "wavelength": beam.get_wavelength(),
        "source": beam.get_sample_to_source_direction(),
        "axes": [], "angles": [], "oscillation": None,
        "sums": [int(sum(part.as_1d())) for part in (raw if isinstance(raw, tuple) else (raw,))],
    }
    if goniometer is not None:
        if hasattr(goniometer, "get_axes"):
            entry["axes"] = [list(axis) for axis in goniometer.get_axes()]
            entry["angles"] = list(goniometer.get_angles())
        else:
            entry["axes"], entry["angles"] = [list(goniometer.get_rotation_axis_datum())], [0.0]
    if scan is not None:
        entry["oscillation"] = scan.get_oscillation()
    found.append(entry)
sys.stdout.write("=====" + json.dumps(found))
"""


def read_models(*paths: Path) -> list[dict[str, Any]]:
    """Panels, beam, goniometer, scan and sums of pixels of each image; skips where there is no dxtbx."""
    python = find_python()
    if python is None:
        pytest.skip("no Python with dxtbx")
    # Not in the folder of the project: what a build leaves there announces the package without what it needs.
    words = [python, "-c", _SCRIPT, *(str(path.resolve()) for path in paths)]
    folder = tempfile.gettempdir()
    run = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=600, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout.rpartition("=====")[2])
