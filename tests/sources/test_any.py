"""The reader that fits a file is told from its bytes."""

from pathlib import Path

import pytest
from experiments import HEADER, expt, nxmx, write
from shared import EXAMPLE

from imgcif_core.errors import InputError
from imgcif_core.sources.any import kind_of, read_source


def test_kinds_are_told_apart(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    header = tmp_path / "x.cbf"
    header.write_text(HEADER)
    paths = [write(tmp_path, expt()), nxmx(tmp_path / "m_master.h5"), header, EXAMPLE]
    assert [kind_of(path) for path in paths] == ["expt", "nxmx", "minicbf", "imgcif"]
    assert [read_source(path).kind for path in paths] == ["dials", "nxmx", "minicbf", "imgcif"]


def test_a_prefix_settles_the_kind(tmp_path: Path) -> None:
    path = tmp_path / "both.cbf"
    path.write_text(HEADER.replace("_array_data.data", "_axis.id omega\n_array_data.data"))
    assert kind_of(path) == "imgcif"
    assert read_source(f"minicbf:{path}").kind == "minicbf"


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"hello"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(InputError, match="none of"):
        read_source(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_source(tmp_path / "nothing.expt")
