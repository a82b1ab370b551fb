"""Reports made by hand: one with every kind of outcome, one empty, one of a hostile file."""

import sys
from pathlib import Path

import pytest

from imgcif_core.findings import Report

sys.path.insert(0, str(Path(__file__).parent))

from reports import HOSTILE, REPORT


@pytest.fixture(params=["usual", "empty", "hostile"])
def any_report(request: pytest.FixtureRequest) -> Report:
    return {"usual": REPORT, "empty": Report("0.1.0", (), ()), "hostile": HOSTILE}[request.param]
