"""What a plain check must not import: start-up is felt at every file."""

import gc
import subprocess
import sys

import pytest
from shared import EXAMPLE

from imgcif_core.memory import uncollected

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


@pytest.mark.parametrize("is_enabled", [True, False])
def test_garbage_is_looked_for_again_as_it_was_before(is_enabled: bool) -> None:
    was_enabled = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        with pytest.raises(ValueError, match="midway"), uncollected():
            assert not gc.isenabled()
            raise ValueError("midway")
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
