"""cod-tools as a second opinion on our own files."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from shared import DICTIONARIES, EXAMPLE, ROOT, needs_dictionaries

pytestmark = [
    pytest.mark.peers,
    needs_dictionaries,
    pytest.mark.skipif(shutil.which("ddlm_validate") is None, reason="cod-tools is not installed"),
]


def notes(path: Path) -> list[str]:
    """What ddlm_validate says about a file."""
    result = subprocess.run(
        ["ddlm_validate", "--dictionaries", str(DICTIONARIES / "cif_img.dic"), str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COD_TOOLS_DDLM_IMPORT_PATH": str(DICTIONARIES)},
    )
    return [line for line in (result.stdout + result.stderr).splitlines() if path.name in line]


def test_the_complete_example_has_no_complaint_but_known_false_ones() -> None:
    # cod-tools knows neither implied keys nor keys that exist only as aliases, and follows links of nulls.
    false = ("measurement_device", "radiation_id", "_diffrn_measurement.device", "_exptl_crystal.id")
    left = [note for note in notes(EXAMPLE) if not any(name in note for name in false)]
    assert left == []


def test_the_faulty_example_is_refused_by_both() -> None:
    said = "\n".join(notes(ROOT / "examples" / "faulty.cif"))
    for fault in ("beam_line", "upward", "PANEL1"):
        assert fault in said
