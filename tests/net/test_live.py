"""A public record asked over the real network: for whoever has one, by `pytest -m live`; never run by default."""

from pathlib import Path

import pytest

from imgcif_core.findings import LinkState
from imgcif_core.net.evidence import gather
from imgcif_core.net.links import Link
from imgcif_core.net.network import Network
from imgcif_core.net.settings import NetSettings

pytestmark = pytest.mark.live
FILES = "https://zenodo.org/records/6365376/files"


def verdict_of(name: str, folder: Path) -> tuple[LinkState, str]:
    """What came of one link to a file of the record."""
    link = Link(f"{FILES}/{name}", "CBF", "TBZ", (), 1)
    found = gather(Network(NetSettings(cache=folder)), [link]).verdicts[link.uri]
    if found.state == "not checked":
        pytest.skip(found.because)
    return found.state, found.because


def test_a_file_of_a_record_is_confirmed(tmp_path: Path) -> None:
    assert verdict_of("cbf_m0220c.tar.bz2", tmp_path)[0] == "confirmed"


def test_a_file_that_the_record_has_not_is_contradicted(tmp_path: Path) -> None:
    assert verdict_of("no_such_file.tar.bz2", tmp_path)[0] == "contradicted"
