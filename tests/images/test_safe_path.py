"""No process takes a module from the folder in which it runs: that may hold data which others made."""

import sys
from pathlib import Path

import numpy as np
import pytest

from imgcif_core.images.bytes import FileBytes
from imgcif_core.images.isolated import Helper
from imgcif_core.images.pixels import open_images
from imgcif_core.sources.dxtbx import _has_dxtbx
from imgcif_core.sources.isolated import read_described_master

h5py = pytest.importorskip("h5py")
POISON = (
    "import pathlib\npathlib.Path(__file__ + '.was-run').touch()\nraise SystemExit('a module of the data folder')\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which all runs, with data, and with modules that have the names of those which workers import."""
    with h5py.File(tmp_path / "x_master.h5", "w") as file:
        file["data"] = np.full((2, 4, 4), 7, np.uint16)
    for name in ("json", "numpy", "h5py", "fabio", "dxtbx", "importlib", "re", "imgcif_core"):
        (tmp_path / f"{name}.py").write_text(POISON, encoding="ascii")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_decoders_take_no_module_from_the_data(folder: Path) -> None:
    helper, source = Helper(), FileBytes(folder / "x_master.h5")
    try:
        assert open_images(source, helper, path="/data").read(0).tolist() == [[7] * 4] * 4
    finally:
        source.close()
        helper.close()
    assert not list(folder.glob("*.was-run"))


def test_readers_of_sources_take_no_module_from_the_data(folder: Path) -> None:
    with pytest.raises(Exception, match="no NXentry group"):
        read_described_master(str(folder / "x_master.h5"))
    assert not list(folder.glob("*.was-run"))


def test_the_search_for_dxtbx_takes_no_module_from_the_data(folder: Path) -> None:
    _has_dxtbx(sys.executable)
    assert not list(folder.glob("*.was-run"))
