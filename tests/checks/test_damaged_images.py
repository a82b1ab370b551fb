"""Each damage to images or to what is said of them is found by the right rule, in copies made here."""

import bz2
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from shared import CORPUS, needs_corpus

import imgcif_core
from imgcif_core import CheckOptions

h5py = pytest.importorskip("h5py")
pytest.importorskip("fabio")
BASE = Path(__file__).parent.parent.parent / "conformance" / "datasets" / "bases" / "hdf5-scan.cif"
SLOW, FAST, FRAMES = 80, 96, 4


def found(path: Path, images: str = "all", **options) -> set[str]:
    """The rules of family BIN, EXT, IMG and CON that have an error or a warning."""
    (report,) = imgcif_core.check(path, options=CheckOptions(images=images, **options)).files
    assert report.outcomes.crashed == ()
    families = ("BIN", "EXT", "IMG", "CON")
    return {finding.rule for finding in report.findings if finding.rule[:3] in families and finding.severity != "info"}


class Scene:
    """A file and its HDF5 images in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = BASE.read_text().replace("run_data_000002.h5 /data 1", "run_data_000001.h5 /data 3")
        self.text = self.text.replace("run_data_000002.h5 /data 2", "run_data_000001.h5 /data 4")
        self.text = self.text.replace(
            "_array_structure.id\n  1",
            "_array_structure.id\n  _array_structure.encoding_type\n  1 'unsigned 16-bit integer'",
        )
        self.frames = np.random.default_rng(3).poisson(40.0, (FRAMES, SLOW, FAST)).astype(np.uint16)

    def edit(self, old: str, new: str) -> None:
        assert self.text.count(old) == 1, old
        self.text = self.text.replace(old, new)

    def write(self) -> Path:
        (self.folder / "data").mkdir()
        with h5py.File(self.folder / "data" / "run_data_000001.h5", "w") as file:
            file.create_dataset("/data", data=self.frames, chunks=(1, *self.frames.shape[1:]))
        path = self.folder / "scan.cif"
        path.write_text(self.text)
        return path

    def rules(self, images: str = "all") -> set[str]:
        return found(self.write(), images, local=self.folder / "data")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("images", ["header", "sample", "all"])
def test_a_sound_scan_has_nothing_wrong(scene: Scene, images: str) -> None:
    assert scene.rules(images) == set()


@pytest.mark.parametrize(("images", "local"), [("none", True), ("header", False)])
def test_a_check_of_metadata_opens_no_image(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, images: str, local: bool
) -> None:
    from imgcif_core.images.bytes import FileBytes
    from imgcif_core.images.isolated import Helper

    def refuse(*_: object) -> None:
        raise AssertionError("an image was opened")

    path = scene.write()
    monkeypatch.setattr(FileBytes, "__init__", refuse)
    monkeypatch.setattr(Helper, "_running", refuse)
    options = {"local": scene.folder / "data"} if local else {}
    assert found(path, images, **options) == set()


@pytest.mark.parametrize(("images", "rule"), [("header", "EXT012"), ("sample", "IMG001"), ("all", "IMG001")])
def test_dimensions_that_are_exchanged_are_found(scene: Scene, images: str, rule: str) -> None:
    scene.frames = np.ascontiguousarray(scene.frames.transpose(0, 2, 1))
    assert scene.rules(images) == {rule}


@pytest.mark.parametrize(("images", "rule"), [("header", "EXT012"), ("all", "IMG002")])
def test_a_wrong_type_is_found(scene: Scene, images: str, rule: str) -> None:
    scene.frames = scene.frames.astype(np.float32)
    assert scene.rules(images) == {rule}


def test_a_wrong_overload_is_found(scene: Scene) -> None:
    scene.edit("1 linear 60000.0", "1 linear 40.0")
    assert scene.rules() == {"IMG003"}


def test_an_overload_that_no_pixel_can_reach_is_found(scene: Scene) -> None:
    scene.edit("1 linear 60000.0", "1 linear 6e9")
    assert scene.rules("header") == {"IMG004"}


def test_saturation_that_nobody_declares_is_found(scene: Scene) -> None:
    scene.frames[1, 20:30, 20:30] = 65535
    scene.edit("1 linear 60000.0", "1 linear .")
    assert scene.rules() == {"IMG005"}


def test_a_frame_index_beyond_the_end_is_found(scene: Scene) -> None:
    for number in (4, 3, 2, 1):
        scene.edit(f"run_data_000001.h5 /data {number}", f"run_data_000001.h5 /data {number + 1}")
    assert "EXT012" in scene.rules()


def test_a_frame_that_is_used_twice_is_found(scene: Scene) -> None:
    scene.edit("run_data_000001.h5 /data 3", "run_data_000001.h5 /data 2")
    rules = scene.rules()
    assert {"EXT014", "IMG012"} <= rules


def test_a_blank_frame_is_found(scene: Scene) -> None:
    scene.frames[2] = 0
    assert scene.rules() == {"IMG013"}


def test_a_blank_middle_frame_is_found_in_a_sample(scene: Scene) -> None:
    scene.frames[1] = 0
    assert scene.rules("sample") == {"IMG013"}


def test_a_repeated_image_is_found(scene: Scene) -> None:
    scene.frames[2] = scene.frames[1]
    assert scene.rules() == {"IMG012"}


def test_a_truncated_stack_is_found(scene: Scene) -> None:
    path = scene.write()
    stack = scene.folder / "data" / "run_data_000001.h5"
    stack.write_bytes(stack.read_bytes()[:20_000])
    assert "IMG001" in found(path, local=scene.folder / "data")


def test_a_link_out_of_the_folder_is_found(scene: Scene) -> None:
    path = scene.write()
    stack = scene.folder / "data" / "run_data_000001.h5"
    stack.rename(scene.folder / "elsewhere.h5")
    with h5py.File(stack, "w") as file:
        file["/data"] = h5py.ExternalLink("../elsewhere.h5", "/data")
    assert found(path, local=scene.folder / "data") == {"EXT013"}


@pytest.mark.corpus
@needs_corpus
class TestRealImages:
    """Damage to copies of real CBF files, and to an archive of them."""

    SOURCE = CORPUS / "cbf_full" / "l-cyst_01_00001.cbf"

    def copy(self, folder: Path, old: bytes, new: bytes) -> Path:
        data = self.SOURCE.read_bytes()
        assert data.count(old) == 1
        path = folder / "copy.cbf"
        path.write_bytes(data.replace(old, new))
        return path

    def own(self, path: Path, images: str = "all") -> set[str]:
        """What is found in a copy and not in the original."""
        return found(path, images) - found(self.SOURCE, images)

    def test_a_turned_bit_is_found(self, tmp_path: Path) -> None:
        data = bytearray(self.SOURCE.read_bytes())
        data[1_000_000] ^= 1
        (tmp_path / "copy.cbf").write_bytes(data)
        assert self.own(tmp_path / "copy.cbf", "header") == {"BIN002"}

    def test_exchanged_dimensions_are_found(self, tmp_path: Path) -> None:
        old = b"Fastest-Dimension: 1475\r\nX-Binary-Size-Second-Dimension: 1679"
        old = old if old in self.SOURCE.read_bytes() else old.replace(b"\r\n", b"\n")
        new = old.replace(b"1475", b"0000").replace(b"1679", b"1475").replace(b"0000", b"1679")
        assert self.own(self.copy(tmp_path, old, new), "header") == {"BIN005"}

    def test_a_wrong_element_type_is_found(self, tmp_path: Path) -> None:
        old = b'X-Binary-Element-Type: "signed 32-bit integer"'
        assert self.own(self.copy(tmp_path, old, old.replace(b"32", b"16")), "header") == {"BIN006"}

    def test_a_cut_file_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "copy.cbf").write_bytes(self.SOURCE.read_bytes()[:1_500_000])
        assert "BIN015" in self.own(tmp_path / "copy.cbf")

    def test_a_wrong_distance_is_found_by_the_text_header(self, tmp_path: Path) -> None:
        data = self.SOURCE.read_bytes()
        start = data.index(b"# Detector_distance ")
        end = data.index(b"\n", start)
        path = self.copy(tmp_path, data[start:end].rstrip(), b"# Detector_distance 0.30000 m")
        (report,) = imgcif_core.check(path, options=CheckOptions(select=("CON010",))).files
        assert [finding.data["key"] for finding in report.findings] == ["Detector_distance", "Polarization"]

    def archive(self, folder: Path, without: str = "", exchange: bool = False) -> Path:
        """A copy of the archive of three frames, without a member or with two of them exchanged."""
        members = {}
        with tarfile.open(CORPUS / "archive" / "b4_mini.tar.bz2") as source:
            for info in source:
                stream = source.extractfile(info)
                assert stream is not None
                members[info.name] = stream.read()
        if exchange:
            names = sorted(members)
            members[names[0]], members[names[1]] = members[names[1]], members[names[1]]
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as target:
            for name, data in members.items():
                if name != without:
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    target.addfile(info, io.BytesIO(data))
        (folder / "b4_mini.tar.bz2").write_bytes(bz2.compress(buffer.getvalue(), 1))
        path = folder / "b4_master_archive.cif"
        path.write_bytes((CORPUS / "imgcif" / path.name).read_bytes())
        return path

    def test_a_missing_member_is_found(self, tmp_path: Path) -> None:
        assert "EXT019" in found(self.archive(tmp_path, without="s01f0002.cbf"))

    def test_an_image_under_the_name_of_another_is_found(self, tmp_path: Path) -> None:
        rules = found(self.archive(tmp_path, exchange=True))
        assert "IMG012" in rules
