"""What a plain check must not import: start-up is felt at every file."""

import subprocess
import sys

import pytest
from shared import EXAMPLE

HEAVY = (
    "numpy.ma",
    "importlib.metadata",
    "importlib.resources",
    "email",
    "socket",
    "subprocess",
    "tarfile",
    "zipfile",
    "tempfile",
    "gzip",
    "gemmi",
    "lark",
    "h5py",
    "fabio",
    "imgcif_core.compare",
    "imgcif_core.ddlm.drel",
    "imgcif_core.derive",
    "imgcif_core.create",
    "imgcif_core.images.decode",
    "imgcif_core.sources.description",
)
SCRIPT = """
import sys
from imgcif_core.cli import check_main
check_main([sys.argv[1], "--quiet"])
sys.stdout.write("\\n" + " ".join(sys.modules))
"""


@pytest.fixture(scope="module")
def imported() -> set[str]:
    command = [sys.executable, "-c", SCRIPT, str(EXAMPLE)]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("name", HEAVY)
def test_a_plain_check_does_without(name: str, imported: set[str]) -> None:
    assert "imgcif_core.checks.engine" in imported
    assert name not in imported
