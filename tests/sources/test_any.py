"""The reader that fits a file is told from its bytes."""

from pathlib import Path

import pytest
from experiments import HEADER, expt, nxmx, write
from shared import EXAMPLE

from imgcif_core.errors import InputError
from imgcif_core.sources.any import KINDS, read_described, read_source, split_kind
from imgcif_core.sources.detect import kind_of


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
    with pytest.raises(InputError, match=r"none of|is empty"):
        read_source(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_source(tmp_path / "nothing.expt")


def test_every_kind_has_its_reader() -> None:
    from importlib import import_module

    for kind in KINDS.values():
        module, _, name = kind.reader.partition(":")
        assert callable(getattr(import_module(f"imgcif_core.sources.{module}"), name))


def test_a_file_whose_name_looks_like_a_kind_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "minicbf:x").write_text(HEADER)
    assert split_kind("minicbf:x") == ("", "minicbf:x")
    assert split_kind("minicbf:y") == ("minicbf", "y")


def test_dxtbx_is_not_asked_unless_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("imgcif_core.sources.dxtbx.find_python", lambda: "python")
    monkeypatch.setattr("imgcif_core.sources.dxtbx.read_dxtbx", lambda path: asked.append(path))
    path = tmp_path / "odd.dat"
    path.write_bytes(b"what is this?")
    with pytest.raises(InputError, match=r"begins with 'what is this\?', .*dxtbx:odd.dat, for files that you trust"):
        read_described(path)
    assert not asked
    read_described(path, dxtbx=True)
    read_described(f"dxtbx:{path}")
    assert asked == [str(path)] * 2
