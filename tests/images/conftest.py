"""Archives made on the spot."""

import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

Make = Callable[..., Path]


@pytest.fixture
def make_tar(tmp_path: Path) -> Make:
    """A maker of tar archives: mode (`w`, `w:gz`, ...), and entries of `tar_entry`."""

    def make(mode: str, *entries: tuple) -> Path:
        path = tmp_path / f"archive.tar{mode.removeprefix('w').replace(':', '.')}"
        with tarfile.open(path, mode) as archive:
            for info, data in entries:
                archive.addfile(info, data)
        return path

    return make


@pytest.fixture
def make_zip(tmp_path: Path) -> Make:
    """A maker of zip archives from (name or ZipInfo, bytes)."""

    def make(*entries: tuple, method: int = zipfile.ZIP_DEFLATED) -> Path:
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in entries:
                archive.writestr(name, data)
        return path

    return make
