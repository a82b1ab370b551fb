"""HDF5 files reach no other file than those that may be entered, and take no more than is bounded."""

import ast
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from imgcif_core.cli import check_main, main
from imgcif_core.images.bytes import FileBytes
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError, Reach
from imgcif_core.images.pixels import open_images

h5py = pytest.importorskip("h5py")
from imgcif_core.images.hdf5_door import Door, attribute  # noqa: E402

PACKAGE = Path(__file__).parent.parent.parent / "imgcif_core"
SECRET = b"root:x:0:0:root:/root:/bin/bash\n" * 8


@pytest.fixture
def helper():
    found = Helper()
    yield found
    found.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that nobody gave, and a stack in another one."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "secret").write_bytes(SECRET)
    with h5py.File(folder / "other.h5", "w") as file:
        file["data"] = np.full((2, 4, 4), 7, np.uint16)
    return folder


@pytest.fixture
def public(tmp_path: Path) -> Path:
    folder = tmp_path / "public"
    folder.mkdir()
    return folder


def external_storage(path: Path, secret: Path | str) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (1, 8, 8), np.uint8, external=[(str(secret), 0, 64)])
        file.create_dataset("text", (), "S64", external=[(str(secret), 0, 64)])


def virtual(path: Path, source: Path | str, name: str = "data") -> None:
    layout = h5py.VirtualLayout((2, 4, 4), np.uint16)
    layout[...] = h5py.VirtualSource(str(source), name, (2, 4, 4))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("data", layout)


def linked(path: Path, target: Path | str) -> None:
    with h5py.File(path, "w") as file:
        file["data"] = h5py.ExternalLink(str(target), "/data")


def read(path: Path, helper: Helper, reach: Reach | None = None) -> np.ndarray:
    source = FileBytes(path)
    try:
        return open_images(source, helper, path="/data", reach=reach or Reach()).read(0)
    finally:
        source.close()


def test_only_the_door_opens_hdf5() -> None:
    users = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.split(".")[0] in ("h5py", "tables", "hdf5plugin", "pytables") for name in names):
                users.append(path.relative_to(PACKAGE).as_posix())
    # The export writes new files and opens none that exists.
    assert set(users) == {"images/hdf5_door.py", "export/nxmx.py"}


@pytest.mark.parametrize("make", [external_storage, virtual, linked])
def test_files_outside_are_not_read(outside: Path, public: Path, helper: Helper, make) -> None:
    path = public / "a.h5"
    make(path, outside / ("secret" if make is external_storage else "other.h5"))
    with pytest.raises(BytesError, match="outside the folder") as refusal:
        read(path, helper)
    assert refusal.value.kind == "unsafe"
    with pytest.raises(BytesError), Door(path) as door:
        door.value(door.dataset("/data")[0])


@pytest.mark.parametrize("make", [external_storage, virtual, linked])
def test_climbing_names_and_links_in_the_folder_lead_nowhere(outside: Path, public: Path, helper: Helper, make) -> None:
    target = "secret" if make is external_storage else "other.h5"
    make(public / "a.h5", f"../private/{target}")
    os.symlink(outside / target, public / "inside")
    make(public / "b.h5", "inside")
    for name in ("a.h5", "b.h5"):
        with pytest.raises(BytesError) as refusal:
            read(public / name, helper)
        assert refusal.value.kind == "unsafe"


@pytest.mark.parametrize("make", [external_storage, virtual, linked])
def test_files_below_allowed_folders_are_read(outside: Path, public: Path, helper: Helper, make) -> None:
    make(public / "a.h5", outside / ("secret" if make is external_storage else "other.h5"))
    wanted = np.frombuffer(SECRET[:64], np.uint8).reshape(8, 8) if make is external_storage else np.full((4, 4), 7)
    for reach in (Reach((str(outside),)), Reach((), True)):
        assert np.array_equal(read(public / "a.h5", helper, reach), wanted)


def test_external_storage_is_looked_for_beside_the_file(
    public: Path, tmp_path: Path, helper: Helper, monkeypatch
) -> None:
    """The library would take a file of the same name in the working directory."""
    (public / "raw").write_bytes(bytes(range(64)))
    (tmp_path / "raw").write_bytes(SECRET[:64])
    external_storage(public / "a.h5", "raw")
    monkeypatch.chdir(tmp_path)
    with Door(public / "a.h5") as door:
        assert door.value(door.dataset("/data")[0]).ravel().tolist() == list(range(64))


def test_virtual_data_over_external_storage_are_refused(outside: Path, public: Path, helper: Helper) -> None:
    """The source lies in the folder, what it holds does not."""
    with h5py.File(public / "source.h5", "w") as file:
        file.create_dataset("data", (2, 4, 4), np.uint16, external=[(str(outside / "secret"), 0, 64)])
    virtual(public / "a.h5", "source.h5")
    virtual(public / "b.h5", "a.h5")
    for name in ("a.h5", "b.h5"):
        with pytest.raises(BytesError, match="leads on"):
            read(public / name, helper)


def test_patterns_of_names_are_refused(public: Path, helper: Helper) -> None:
    (public / "f-%b.h5").write_bytes(b"")
    space = h5py.h5s.create_simple((1, 4, 4), (h5py.h5s.UNLIMITED, 4, 4))
    space.select_hyperslab((0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1), (1, 4, 4), (1, 4, 4))
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_virtual(space, b"f-%b.h5", b"data", h5py.h5s.create_simple((1, 4, 4)))
    with h5py.File(public / "a.h5", "w") as file:
        h5py.h5d.create(file.id, b"data", h5py.h5t.STD_U16LE, space, properties)
    with pytest.raises(BytesError, match="pattern"):
        read(public / "a.h5", helper)


def test_pipes_and_devices_are_not_opened(public: Path) -> None:
    os.mkfifo(public / "pipe")
    linked(public / "a.h5", "pipe")
    external_storage(public / "b.h5", "pipe")
    done = []

    def look() -> None:
        for name in ("a.h5", "b.h5"):
            with pytest.raises(BytesError, match="no regular file"), Door(public / name) as door:
                door.stack("/data")
        with pytest.raises(BytesError, match="no regular file"):
            _ = Door(public / "pipe").root
        done.append(True)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(20)
    assert done == [True]


def test_attributes_and_values_are_bounded(public: Path) -> None:
    with h5py.File(public / "a.h5", "w") as file:
        node = file.create_dataset("x", (1,), "f8")
        node.attrs["units"] = "mm"
        node.attrs["axes"] = ["a", "b"]
        node.attrs.create("many", ["long " * 100] * 200, dtype=h5py.string_dtype())
        node.attrs["large"] = np.zeros(7000)
        node.attrs["reference"] = node.ref
        file.create_dataset("blank", (1 << 28,), "f8", chunks=(1 << 20,), compression="gzip")
        file.create_dataset("chunk", (1,), "f8", maxshape=(None,), chunks=((1 << 27),))
        file.create_dataset("wide", (), "S2000000000")
        file.create_dataset("texts", (5000,), h5py.string_dtype())
        file.create_dataset("few", data=["a", "bc"], dtype=h5py.string_dtype())
        file["refs"] = np.array([node.ref], dtype=h5py.ref_dtype)
    with Door(public / "a.h5") as door:
        node = door.root["x"]
        assert attribute(node, "units") == "mm"
        assert list(attribute(node, "axes")) == ["a", "b"]
        for name in ("many", "large", "reference", "absent"):
            assert attribute(node, name) is None
        assert list(door.value(door.root["few"])) == [b"a", b"bc"]
        for name in ("blank", "chunk", "wide", "texts", "refs"):
            with pytest.raises(BytesError):
                door.value(door.root[name])


def test_links_without_end_are_said(public: Path) -> None:
    with h5py.File(public / "a.h5", "w") as file:
        file["a"] = h5py.SoftLink("/b")
        file["b"] = h5py.SoftLink("/a")
        file["loop"] = h5py.ExternalLink("a.h5", "/loop")
        group = file.create_group("g")
        group["self"] = group
    with Door(public / "a.h5") as door:
        for path in ("/a", "/loop", "/g" + "/self" * 100):
            with pytest.raises(BytesError, match="more than 64 links"):
                door.dataset(path)


def test_messages_tell_no_fault_of_the_library_and_no_other_path(public: Path, helper: Helper) -> None:
    with h5py.File(public / "a.h5", "w") as file:
        file["data"] = np.zeros((3, 8, 8))
    data = bytearray((public / "a.h5").read_bytes())
    for seed in range(40):
        damaged = bytearray(data)
        random = np.random.default_rng(seed)
        for at in random.integers(8, len(damaged), 30):
            damaged[at] = int(random.integers(256))
        (public / "b.h5").write_bytes(damaged)
        try:
            read(public / "b.h5", helper)
        except BytesError as fault:
            assert str(public) not in str(fault)
            assert "errno" not in str(fault)
            assert "H5" not in str(fault).replace("HDF5", "")


CHECKED = """\
data_a
_array_structure.id A
loop_
_array_data.array_id
_array_data.binary_id
_array_data.external_data_id
A 1 1
_array_data_external_data.id 1
_array_data_external_data.uri a.h5
_array_data_external_data.format HDF5
_array_data_external_data.path /data
_array_data_external_data.frame 1
loop_
_array_structure_list.array_id
_array_structure_list.index
_array_structure_list.dimension
_array_structure_list.precedence
_array_structure_list.direction
A 1 8 1 increasing
A 2 8 2 increasing
_diffrn_data_frame.id F1
_diffrn_data_frame.array_id A
_diffrn_data_frame.binary_id 1
"""


@pytest.mark.parametrize("make", [external_storage, virtual, linked])
def test_check_says_so_and_judges_no_pixel(outside: Path, public: Path, capsys, make) -> None:
    make(public / "a.h5", outside / ("secret" if make is external_storage else "other.h5"))
    (public / "a.cif").write_text(CHECKED, encoding="utf-8")
    arguments = [str(public / "a.cif"), "--images", "all", "--select", "EXT013,IMG", "--format", "json"]
    check_main(arguments)
    said = capsys.readouterr().out
    assert '"EXT013"' in said
    assert "lies outside the folder" in said
    assert "root:x" not in said
    check_main([*arguments, "--local", str(outside)])
    assert "lies outside the folder" not in capsys.readouterr().out


def test_master_does_not_print_files_into_an_imgcif(outside: Path, public: Path, capsys) -> None:
    """A text and a number of a master lie in another file: neither stands in what is made."""
    with h5py.File(public / "m.h5", "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        instrument = entry.create_group("instrument")
        instrument.attrs["NX_class"] = "NXinstrument"
        detector = instrument.create_group("detector")
        detector.attrs["NX_class"] = "NXdetector"
        detector.create_dataset("description", (), "S32", external=[(str(outside / "secret"), 0, 32)])
        detector.create_dataset("distance", (), "f8", external=[(str(outside / "secret"), 0, 8)]).attrs["units"] = "m"
        detector["data"] = np.zeros((1, 8, 8), np.uint16)
    main(["create", str(public / "m.h5"), "-o", str(public / "out.cif"), "--force"])
    said = capsys.readouterr()
    assert "root:x" not in said.out + said.err
    out = public / "out.cif"
    assert not out.exists() or "root:x" not in out.read_text(encoding="utf-8")
