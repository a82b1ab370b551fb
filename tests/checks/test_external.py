"""External data from end to end: hostile archives, local copies, and files of many kinds."""

import os
import random
import socket
import tarfile
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from shared import ROOT

import imgcif_core
from imgcif_core.checks.external.inputs import open_external
from imgcif_core.checks.options import CheckOptions
from imgcif_core.findings import FileReport
from imgcif_core.images import local
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.model.external import build_external
from imgcif_core.tables import Tables

BASE = (ROOT / "conformance" / "datasets" / "bases" / "single-panel.cif").read_text(encoding="utf-8")
MEMBERS = [f"quartz_01/quartz_0000{number}.cbf" for number in range(1, 7)]
ARCHIVE = "https://zenodo.org/records/7654321/files/quartz_01.tar.bz2"


def report_on(text: str, **options: object) -> FileReport:
    (report,) = imgcif_core.check(text.encode(), options=CheckOptions(**options), name="x.cif").files
    assert not report.outcomes.crashed
    return report


def messages(report: FileReport, code: str) -> list[str]:
    return [finding.message for finding in report.findings if finding.rule == code]


def reason(report: FileReport, code: str) -> str:
    return next((entry.reason for entry in report.outcomes.not_checked if entry.rule == code), "")


@pytest.fixture(autouse=True)
def no_network(monkeypatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "quartz_01.tar.bz2"
    with tarfile.open(path, "w:bz2") as target:
        for name in MEMBERS:
            info = tarfile.TarInfo(name)
            info.size = 64
            target.addfile(info, open_bytes(b"x" * 64))
    return path


def open_bytes(data: bytes):
    from io import BytesIO

    return BytesIO(data)


def test_a_whole_archive_is_clean(archive: Path) -> None:
    report = report_on(BASE, local=archive.parent)
    assert "EXT019" in report.outcomes.clean


def test_an_archive_may_be_named_for_its_address(archive: Path) -> None:
    moved = archive.rename(archive.with_name("other.bin"))
    report = report_on(BASE, maps={ARCHIVE: str(moved)})
    assert "EXT019" in report.outcomes.clean


def test_an_unpacked_folder_stands_in_for_its_archive(tmp_path: Path) -> None:
    for name in MEMBERS[:5]:
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    report = report_on(BASE, maps={ARCHIVE: str(tmp_path / "unpacked")})
    assert messages(report, "EXT019") == [f"unpacked has no member {MEMBERS[5]!r}"]


def test_nothing_is_opened_where_nobody_asked(archive: Path) -> None:
    assert "no local copy" in reason(report_on(BASE), "EXT019")
    assert "as asked" in reason(report_on(BASE, local=archive.parent, images="none"), "EXT019")


def test_several_missing_members_are_one_finding_with_a_hint(archive: Path) -> None:
    report = report_on(BASE.replace("quartz_01/quartz_", "quartz/quartz_"), local=archive.parent)
    (finding,) = [entry for entry in report.findings if entry.rule == "EXT019" and entry.severity == "error"]
    assert finding.count == 6
    assert finding.message == "quartz_01.tar.bz2 has no member 'quartz/quartz_00001.cbf' and 5 others"
    assert finding.help == f"the archive has it as {MEMBERS[0]}"


def test_members_behind_a_damaged_place_are_no_errors(archive: Path, tmp_path: Path) -> None:
    plain = tmp_path / "cut" / "quartz_01.tar.bz2"
    plain.parent.mkdir()
    import bz2

    whole = bz2.decompress(archive.read_bytes())
    plain.write_bytes(bz2.compress(whole[: 3 * 1024 + 100]))
    report = report_on(BASE, local=plain.parent)
    assert {finding.severity for finding in report.findings if finding.rule == "EXT019"} == {"warning", "info"}
    assert any("damaged after 3 members" in message for message in messages(report, "EXT019"))


def test_a_bomb_names_the_limit_and_ends_soon(tmp_path: Path) -> None:
    limits = replace(Limits(), free_bytes=1 << 20, ratio=50)
    with tarfile.open(tmp_path / "quartz_01.tar.bz2", "w:bz2") as target:
        info = tarfile.TarInfo(MEMBERS[0])
        info.size = 1 << 26
        target.addfile(info, open_bytes(bytes(info.size)))
    start = time.process_time()
    report = report_on(BASE, local=tmp_path, limits=limits)
    assert time.process_time() - start < 20
    assert any("expands to more than 1.049 MB" in message for message in messages(report, "EXT019"))


def test_a_pipe_or_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "quartz_01.tar.bz2")
    report = report_on(BASE, local=tmp_path)
    assert any("is no regular file" in message for message in messages(report, "EXT019"))


def test_relative_links_do_not_leave_the_folder_of_the_document(tmp_path: Path) -> None:
    folder = tmp_path / "document"
    folder.mkdir()
    (tmp_path / "secret.tar.bz2").write_bytes(b"secret")
    for uri in ("../secret.tar.bz2", str(tmp_path / "secret.tar.bz2"), f"file://{tmp_path}/secret.tar.bz2"):
        path = folder / "x.cif"
        path.write_text(BASE.replace(ARCHIVE, uri), encoding="utf-8")
        (report,) = imgcif_core.check(path).files
        assert "no local copy" in reason(report, "EXT019"), uri


def test_single_files_that_are_empty_are_told(tmp_path: Path) -> None:
    text = BASE
    for number in range(1, 7):
        name = f"quartz_0000{number}.cbf"
        (tmp_path / name).write_bytes(b"" if number == 4 else b"x")
        text = text.replace(f"{ARCHIVE} TBZ quartz_01/{name}", f"https://x.org/{name} . .")
    report = report_on(text, local=tmp_path)
    assert messages(report, "EXT019") == ["quartz_00004.cbf is empty (0 bytes)"]


def test_no_temporary_folder_is_left(archive: Path, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for depth in ("header", "all"):
        report_on(BASE, local=archive.parent, images=depth)
    assert list(folder.iterdir()) == []


def test_odd_links_are_judged_in_linear_time() -> None:
    rng = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz/?#%@:[]._-"
    rows = "".join(
        f"  X{row} {rng.choice(('CBF', 'HDF5', 'SMV'))} {''.join(rng.choices(letters, k=40))}x {row % 7} "
        f"{rng.choice(('TBZ', 'ZIP', '.'))} {''.join(rng.choices(letters, k=20))}x GZ\n"
        for row in range(20_000)
    )
    names = ("id", "format", "uri", "frame", "archive_format", "archive_path", "file_compression")
    text = "data_x\nloop_\n" + "".join(f"_array_data_external_data.{name}\n" for name in names) + rows
    text += "loop_\n_array_data.binary_id\n_array_data.external_data_id\n"
    text += "".join(f"{row + 1} X{(row * 7) % 20_000}\n" for row in range(20_000))
    start = time.process_time()
    report_on(text, select=("EXT",))
    assert time.process_time() - start < 20


def stack_text(rows: int = 6) -> str:
    """The base with a stack of images in one HDF5 file."""
    names = ("id", "format", "uri", "path", "frame")
    head = BASE[: BASE.index("loop_\n  _array_data_external_data.id")]
    table = "loop_\n" + "".join(f"  _array_data_external_data.{name}\n" for name in names)
    return head + table + "".join(f"  E{n} HDF5 https://x.org/s.h5 /data {n}\n" for n in range(1, rows + 1))


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "s.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", (6, 1900, 1600), "<i4", chunks=(1, 1900, 1600), compression="gzip")
    return path


def test_the_header_of_a_stack_is_read_without_pixels(stack: Path) -> None:
    report = report_on(stack_text(), local=stack.parent)
    assert {"EXT012", "EXT013"} <= set(report.outcomes.clean)


def test_a_damaged_stack_is_a_finding(stack: Path) -> None:
    stack.write_bytes(stack.read_bytes()[:600])
    (message,) = messages(report_on(stack_text(), local=stack.parent), "EXT012")
    assert message.startswith("s.h5: ")


def test_modules_of_an_image_are_no_other_shape(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_dataset("data", (6, 8, 1900, 1600), "<i4", chunks=(1, 8, 1900, 1600))
    assert messages(report_on(stack_text(), local=tmp_path), "EXT012") == []


def test_a_link_within_an_archive_is_followed_and_one_without_target_told(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data_1.h5", "w") as file:
        file.create_dataset("data", (6, 1900, 1600), "<i4", chunks=(1, 1900, 1600))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data"] = h5py.ExternalLink("data_1.h5", "/data")
    text = stack_text().replace("https://x.org/s.h5 /data", "https://x.org/s.zip ZIP run/m.h5 /data")
    names = "_array_data_external_data.uri\n  _array_data_external_data.archive_format\n"
    names += "  _array_data_external_data.archive_path\n"
    text = text.replace("_array_data_external_data.uri\n", names)
    import zipfile

    told = ["m.h5: link to data_1.h5, which is not there"]
    for members, expected in ((("m.h5", "data_1.h5"), []), (("m.h5",), told)):
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            for name in members:
                archive.write(tmp_path / name, f"run/{name}")
        report = report_on(text, local=tmp_path)
        assert messages(report, "EXT013") == expected
        assert ("EXT012" in report.outcomes.clean) == (not expected)


def test_another_number_before_the_last_one_begins_another_series() -> None:
    text = BASE
    for number in range(4, 7):
        text = text.replace(f"quartz_01/quartz_0000{number}", f"quartz_02/quartz_0000{number - 3}")
    assert messages(report_on(text), "EXT015") == []
    assert len(messages(report_on(text.replace("quartz_02/quartz_00003", "quartz_02/quartz_00009")), "EXT015")) == 1


def test_names_made_by_chance_are_judged_soon_and_not_by_their_digits() -> None:
    rng = random.Random(3)
    frames = 30_000
    text = "data_x\nloop_\n_array_data_external_data.id\n_array_data_external_data.format\n"
    text += "_array_data_external_data.uri\n"
    text += "".join(f"E{n} CBF https://x.org/{rng.getrandbits(128):032x}.cbf\n" for n in range(frames))
    text += "loop_\n_array_data.binary_id\n_array_data.external_data_id\n"
    text += "".join(f"{n + 1} E{n}\n" for n in range(frames))
    for table in (
        "_diffrn_data_frame.id\n_diffrn_data_frame.binary_id",
        "_diffrn_scan_frame.frame_id\n_diffrn_scan_frame.frame_number",
    ):
        text += f"loop_\n{table}\n" + "".join(f"f{n + 1} {n + 1}\n" for n in range(frames))
    start = time.process_time()
    report = report_on(text, select=("EXT",))
    assert time.process_time() - start < 10
    assert "no common pattern" in reason(report, "EXT015")


def test_the_bytes_of_a_row_are_opened_by_its_number(archive: Path) -> None:
    document = imgcif_core.read(BASE.encode())
    external = build_external(Tables(document.blocks[0], imgcif_core.load_dictionary()))
    files = local.LocalData(local=archive.parent)
    source = open_external(external, files, 3)
    assert (source.size, source.read(0, 3)) == (64, b"xxx")
    assert source.label.endswith(f"quartz_01.tar.bz2/{MEMBERS[3]}")
    files.close()
    with pytest.raises(BytesError, match="no local copy"):
        open_external(external, local.LocalData(), 3)
