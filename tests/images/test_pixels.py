"""Stacks of images in files, and links of HDF5 files that lead astray."""

from pathlib import Path

import cbflib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from imgcif_core.images.bytes import FileBytes, MemoryBytes
from imgcif_core.images.isolated import Helper
from imgcif_core.images.limits import BytesError
from imgcif_core.images.pixels import frame_axis, open_images

h5py = pytest.importorskip("h5py")
FRAMES = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)


@pytest.fixture(scope="module")
def helper():
    found = Helper(30.0)
    yield found
    found.close()


def stack(path: Path, name: str = "/entry/data/data", frames: np.ndarray = FRAMES, **more: object) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=frames, **more)
    return path


def opened(file: Path, helper: Helper, **more):
    return open_images(FileBytes(file), helper, **more)


@pytest.mark.parametrize(
    ("shape", "described", "axis"),
    [
        ((4, 5), (5, 4), -1),
        ((3, 4, 5), (5, 4), 0),
        ((4, 5, 3), (5, 4), 2),
        ((4, 3, 5), (5, 4), 1),
        ((5, 4, 3), (5, 4), 2),
        ((3, 4, 5), (), 0),
        ((3, 4, 5), (7, 7), 0),
        ((3, 8, 4, 5), (5, 4, 8), 0),
        ((3, 1, 4, 5), (5, 4), 0),
        ((8, 4, 5), (5, 4, 8), -1),
    ],
)
def test_the_axis_of_frames_is_the_one_left_over(shape: tuple, described: tuple, axis: int) -> None:
    assert frame_axis(shape, described) == axis


def test_frames_of_a_dataset_are_read_one_by_one(tmp_path: Path, helper: Helper) -> None:
    found = opened(stack(tmp_path / "a.h5", chunks=(1, 4, 5), compression="gzip"), helper)
    assert (found.kind, found.frames, found.shape, found.dtype) == ("HDF5", 3, (4, 5), np.uint16)
    assert_array_equal(found.read(2), FRAMES[2])
    with pytest.raises(BytesError, match="has 3 frames, no number 4"):
        found.read(3)


def test_a_master_leads_to_data_beside_it(tmp_path: Path, helper: Helper) -> None:
    stack(tmp_path / "data_1.h5")
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file["/entry/data/data_000001"] = h5py.ExternalLink("data_1.h5", "/entry/data/data")
        file["/entry/link"] = h5py.SoftLink("/entry/data")
    found = opened(tmp_path / "master.h5", helper, path="/entry/link/data_000001")
    assert_array_equal(found.read(1), FRAMES[1])


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, helper: Helper) -> None:
    (tmp_path / "inner").mkdir()
    stack(tmp_path / "secret.h5")
    with h5py.File(tmp_path / "inner" / "master.h5", "w") as file:
        file["/data"] = h5py.ExternalLink("../secret.h5", "/entry/data/data")
        file["/absolute"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/entry/data/data")
    for path in ("/data", "/absolute", None):
        with pytest.raises(BytesError) as refusal:
            opened(tmp_path / "inner" / "master.h5", helper, path=path)
        assert refusal.value.kind == "unsafe"


def test_a_symbolic_link_out_of_the_folder_is_refused(tmp_path: Path, helper: Helper) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "data.h5").symlink_to(stack(tmp_path / "secret.h5"))
    with h5py.File(tmp_path / "inner" / "master.h5", "w") as file:
        file["/data"] = h5py.ExternalLink("data.h5", "/entry/data/data")
    with pytest.raises(BytesError, match="outside the folder"):
        opened(tmp_path / "inner" / "master.h5", helper, path="/data")


def virtual(path: Path, source: str, name: str = "/entry/data/data") -> Path:
    layout = h5py.VirtualLayout(shape=FRAMES.shape, dtype=FRAMES.dtype)
    layout[:] = h5py.VirtualSource(source, name, shape=FRAMES.shape)
    with h5py.File(path, "w", libver="latest") as file:
        file.create_virtual_dataset("/data", layout)
    return path


def test_a_virtual_dataset_reads_its_sources(tmp_path: Path, helper: Helper) -> None:
    stack(tmp_path / "data.h5")
    assert_array_equal(opened(virtual(tmp_path / "v.h5", "data.h5"), helper, path="/data").read(2), FRAMES[2])


def test_a_virtual_dataset_over_files_elsewhere_is_refused(tmp_path: Path, helper: Helper) -> None:
    (tmp_path / "inner").mkdir()
    stack(tmp_path / "secret.h5")
    with pytest.raises(BytesError) as refusal:
        opened(virtual(tmp_path / "inner" / "v.h5", "../secret.h5"), helper, path="/data")
    assert refusal.value.kind == "unsafe"


def test_a_source_that_links_elsewhere_is_refused(tmp_path: Path, helper: Helper) -> None:
    (tmp_path / "inner").mkdir()
    stack(tmp_path / "secret.h5")
    with h5py.File(tmp_path / "inner" / "data.h5", "w") as file:
        file["/entry/data/data"] = h5py.ExternalLink("../secret.h5", "/entry/data/data")
    with pytest.raises(BytesError) as refusal:
        opened(virtual(tmp_path / "inner" / "v.h5", "data.h5"), helper, path="/data")
    assert refusal.value.kind == "unsafe"


def test_a_missing_source_is_no_blank_image(tmp_path: Path, helper: Helper) -> None:
    with pytest.raises(BytesError, match=r"link to gone\.h5, which is not there"):
        opened(virtual(tmp_path / "v.h5", "gone.h5"), helper, path="/data")


def test_members_of_archives_stand_in_under_other_names(tmp_path: Path, helper: Helper) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "other").mkdir()
    place = stack(tmp_path / "other" / "000002.h5")
    wanted: list[str] = []

    def beside(name: str) -> str | None:
        wanted.append(name)
        return str(place) if name == "data.h5" else None

    found = opened(virtual(tmp_path / "work" / "000001.h5", "data.h5"), helper, path="/data", beside=beside)
    assert_array_equal(found.read(1), FRAMES[1])
    assert wanted == ["data.h5"]


def test_external_storage_outside_the_folder_is_refused(tmp_path: Path, helper: Helper) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "raw").write_bytes(b"\1" * 100)
    with h5py.File(tmp_path / "inner" / "a.h5", "w") as file:
        file.create_dataset("/data", shape=(5, 10), dtype="u1", external=[(str(tmp_path / "raw"), 0, 50)])
    with pytest.raises(BytesError) as refusal:
        opened(tmp_path / "inner" / "a.h5", helper, path="/data")
    assert refusal.value.kind == "unsafe"


def test_links_in_a_circle_end(tmp_path: Path, helper: Helper) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["/a"] = h5py.SoftLink("/b")
        file["/b"] = h5py.SoftLink("/a")
    with pytest.raises(BytesError, match="more than 64 links"):
        opened(tmp_path / "a.h5", helper, path="/a")


def test_a_bomb_of_chunks_is_refused(tmp_path: Path, helper: Helper) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("/chunk", shape=(1, 50_000, 60_000), chunks=(1, 30_000, 60_000), dtype="u2", compression=9)
        file.create_dataset("/frame", shape=(2, 80_000, 80_000), chunks=(1, 1_000, 1_000), dtype="u2", compression=9)
    with pytest.raises(BytesError, match="chunks of /chunk expand to 3600000000 bytes"):
        opened(tmp_path / "a.h5", helper, path="/chunk")
    found = opened(tmp_path / "a.h5", helper, path="/frame")
    with pytest.raises(BytesError, match="a frame of /frame has 6400000000 pixels"):
        found.read(0)


@pytest.mark.parametrize("keep", [100, 900, 2000])
def test_a_truncated_hdf5_file_is_told(tmp_path: Path, helper: Helper, keep: int) -> None:
    path = stack(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BytesError) as refusal:
        opened(path, helper, path="/entry/data/data")
    assert refusal.value.kind in ("damaged", "crashed")


def test_a_group_or_text_is_no_image(tmp_path: Path, helper: Helper) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["/entry/title"] = ["a", "b"]
    for path in ("/entry", "/entry/title", "/nowhere", None):
        with pytest.raises(BytesError):
            opened(tmp_path / "a.h5", helper, path=path)


def test_a_cbf_is_opened_by_its_sections(tmp_path: Path, helper: Helper) -> None:
    pytest.importorskip("fabio")
    array = cbflib.image()
    cbflib.write(tmp_path / "a.cbf", array)
    found = opened(tmp_path / "a.cbf", helper)
    assert (found.frames, found.shape) == (1, (20, 30))
    assert_array_equal(found.read(0), array)


@pytest.mark.parametrize("suffix", ["tif", "edf", "img"])
def test_other_formats_are_read_by_fabio(tmp_path: Path, helper: Helper, suffix: str) -> None:
    fabio = pytest.importorskip("fabio")
    array = cbflib.image(dtype="<u2")
    writers = {"tif": fabio.tifimage.TifImage, "edf": fabio.edfimage.EdfImage, "img": fabio.adscimage.AdscImage}
    path = tmp_path / f"a.{suffix}"
    writers[suffix](data=array).write(str(path))
    found = opened(path, helper)
    assert found.shape == (20, 30)
    assert_array_equal(found.read(0), array)


def test_what_is_no_image_is_damaged(tmp_path: Path, helper: Helper) -> None:
    (tmp_path / "a.img").write_bytes(b"no image at all\n" * 50)
    with pytest.raises(BytesError) as refusal:
        opened(tmp_path / "a.img", helper)
    assert refusal.value.kind == "damaged"
    with pytest.raises(BytesError, match="does not lie on this machine"):
        open_images(MemoryBytes(b"II*\0" + b"\0" * 60), helper)
