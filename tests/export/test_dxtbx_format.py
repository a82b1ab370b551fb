"""The format class steps back from a dxtbx that it does not know, and tells which files it takes."""

import importlib
import logging
import sys
import types
from pathlib import Path

import pytest
from shared import EXAMPLE, ROOT


@pytest.fixture
def unknown_dxtbx(monkeypatch: pytest.MonkeyPatch):
    """The class as it is imported beside a dxtbx of another version."""
    monkeypatch.setitem(sys.modules, "dxtbx", types.ModuleType("dxtbx"))
    monkeypatch.delitem(sys.modules, "imgcif_core.dxtbx_format", raising=False)
    module = importlib.import_module("imgcif_core.dxtbx_format")
    yield module
    sys.modules.pop("imgcif_core.dxtbx_format", None)


def test_an_unknown_dxtbx_is_left_alone_with_a_sentence(unknown_dxtbx, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not unknown_dxtbx.FormatImgCIF.understand(str(EXAMPLE))
    assert "imgcif export --to expt" in caplog.text
    caplog.clear()
    assert not unknown_dxtbx.FormatImgCIF.understand("image_0001.tif")
    assert caplog.text == ""


def test_only_texts_with_axes_and_without_images_are_taken(
    unknown_dxtbx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(unknown_dxtbx, "MISSING", "")
    understand = unknown_dxtbx.FormatImgCIF.understand
    assert understand(str(EXAMPLE))
    structure = tmp_path / "structure.cif"
    structure.write_text("data_a\n_cell.length_a 5\n")
    assert not understand(str(structure))
    assert not understand(str(tmp_path / "absent.cif"))
    whole = ROOT / "conformance" / "datasets" / "bin" / "BIN018-digest-missing" / "pass-whole.cbf"
    assert not understand(str(whole))
