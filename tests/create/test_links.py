"""Images are linked where they lie: archives, folders, members, datasets and frames."""

from pathlib import Path

import numpy as np
import pytest

from imgcif_core.create.links import Links, archive_format, external_rows, member_names
from imgcif_core.errors import InputError, UsageError
from imgcif_core.formats import format_and_packing
from imgcif_core.sources.description import ImageFiles


def images(*names: str, path: str | None = None, per_file: int = 1, form: str | None = None) -> ImageFiles:
    file = np.repeat(np.arange(len(names)), per_file)
    return ImageFiles(names, file, np.tile(np.arange(1, per_file + 1), len(names)), path, form)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://x.org/a.tar.bz2", "TBZ"),
        ("https://x.org/a.tgz?download=1", "TGZ"),
        ("https://zenodo.org/api/records/1/files/a.zip/content", "ZIP"),
        ("https://x.org/A.TAR.XZ", "TXZ"),
        ("https://x.org/a.tar", "TAR"),
        ("https://x.org/a.rar", None),
    ],
)
def test_type_of_an_archive_follows_from_its_name(url: str, form: str | None) -> None:
    assert archive_format(url) == form


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a/x_001.cbf", ("CBF", None)),
        ("x_001.cbf.gz", ("CBF", "GZ")),
        ("x_001.CBF.BZ2", ("CBF", "BZ2")),
        ("run_master.h5", ("HDF5", None)),
        ("x.0001", (None, None)),
        ("a.b/x", (None, None)),
        ("x.gz", (None, "GZ")),
    ],
)
def test_format_of_an_image_follows_from_its_name(name: str, found) -> None:
    assert format_and_packing(name) == found


def test_one_archive_holds_members_below_the_common_folder() -> None:
    rows = external_rows([images("/d/a/x_1.cbf", "/d/b/x_1.cbf")], ["S"], Links("https://x.org/a.zip"))
    assert rows == {
        "format": "CBF",
        "uri": "https://x.org/a.zip",
        "archive_format": "ZIP",
        "archive_path": ["a/x_1.cbf", "b/x_1.cbf"],
    }


def test_archive_of_each_scan_is_named_by_its_id_or_number() -> None:
    scans = [images("/d/a/x_1.cbf"), images("/d/b/x_1.cbf")]
    rows = external_rows(scans, ["SCAN1", "SCAN2"], Links("https://x.org/{scan}-{number}.zip"))
    assert rows["uri"] == ["https://x.org/SCAN1-1.zip", "https://x.org/SCAN2-2.zip"]


def test_folder_on_the_net_gets_quoted_names() -> None:
    rows = external_rows([images("/d/a b/ü#1.cbf", "/d/c/2.cbf")], ["S"], Links(url_base="https://x.org/d/"))
    assert rows["uri"] == ["https://x.org/d/a%20b/%C3%BC%231.cbf", "https://x.org/d/c/2.cbf"]


def test_frames_of_containers_are_numbered() -> None:
    entry = images("/d/m_1.h5", "/d/m_2.h5", path="/data", per_file=2, form="HDF5")
    rows = external_rows([entry], ["S"], Links("https://x.org/a.zip"))
    assert rows["archive_path"] == ["m_1.h5", "m_1.h5", "m_2.h5", "m_2.h5"]
    assert rows["path"] == "/data"
    assert list(rows["frame"]) == [1, 2, 1, 2]


def test_first_frame_of_a_container_is_named_too() -> None:
    rows = external_rows([images("/d/m.h5", path="/data", form="HDF5")], ["S"], Links("https://x.org/a.zip"))
    assert list(rows["frame"]) == [1]


def test_members_are_found_in_a_local_folder(tmp_path: Path) -> None:
    for name in ("top/run1/x_1.cbf", "top/run2/x_1.cbf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    files = [["/far/away/run2/x_1.cbf", "/far/away/run1/x_1.cbf"]]
    assert member_names(files, Links(directory=tmp_path)) == [["top/run2/x_1.cbf", "top/run1/x_1.cbf"]]
    with pytest.raises(InputError, match=r"may both be /elsewhere/x_1\.cbf"):
        member_names([["/elsewhere/x_1.cbf"]], Links(directory=tmp_path))


@pytest.mark.parametrize("url", ["no scheme", "example.org/a.zip", "https://x.org/a b.zip"])
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no URL"):
        Links(url)


def test_archive_and_folder_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        Links("https://x.org/a.zip", "https://x.org/d")
