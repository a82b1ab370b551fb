"""What a page shows of a file: title, scans, links with their evidence, the image, and the command that repeats it."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from shared import EXAMPLE, ROOT

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cli import check_main
from imgcif_core.images.measure import Levels
from imgcif_core.render.sheet import Sheet
from imgcif_core.show.page import page
from imgcif_core.show.picture import png, shrunk
from imgcif_core.show.sheet import sheet_of

DICTIONARY = imgcif_core.load_dictionary()
DATASETS = ROOT / "conformance" / "datasets"


def shown(source: Path | bytes, **options: object) -> Sheet:
    document = imgcif_core.read(source, name="a.cif" if isinstance(source, bytes) else None)
    chosen = CheckOptions(**options)  # type: ignore[arg-type]
    report = imgcif_core.check(source, options=chosen, name="a.cif" if isinstance(source, bytes) else None)
    return sheet_of(document, DICTIONARY, report.files[0], chosen)


def changed(*changes: tuple[str, str]) -> bytes:
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


def test_the_title_block_of_the_example() -> None:
    assert dict(shown(EXAMPLE).facts) == {
        "Data block": "quartz_01",
        "DOI": "10.5281/zenodo.7654321",
        "Source": "Example Light Source, beamline B7",
        "Radiation": "x-ray, 0.95 \u00c5 (13.0510 keV)",
        "Detector": "Example pixel array 1M, 1600 x 1900 pixels",
        "Scans": "6 frames in 1 scan",
        "Images": "6 at zenodo.org",
        "Sample": "not given",
    }


def test_the_beam_centre_is_told_in_both_conventions() -> None:
    figures = dict(shown(EXAMPLE).figures)
    for part in (
        "(800.000, 950.000) counted from the centre",
        "(800.500, 950.500) from its outer corner",
        "(801.000, 951.000)",
    ):
        assert part in figures["Beam centre"]
    assert figures["Distance"] == "200 mm, normal 0.000\u00b0 off the beam"
    assert figures["Stored"].startswith("as seen from the sample")


def test_scans_are_told_in_ranges_and_alike_ones_together() -> None:
    (row,) = shown(EXAMPLE).scans
    assert (row.id, row.frames, row.exposure) == ("SCAN1", "6", "0.5 s")
    assert (row.moving, row.still) == ("omega 10 to 13\u00b0 by 0.5\u00b0", "distance 200 mm")
    many = b"data_a\nloop_ _diffrn_scan.id _diffrn_scan.frames\n" + b"".join(b"s%d 1\n" % i for i in range(500))
    (row,) = shown(many).scans
    assert row.id == "s0 to s499, 500 scans"


def test_links_tell_what_is_known_of_them() -> None:
    (row,) = shown(EXAMPLE).links
    assert (row.links, row.kind) == ("6", "CBF in TBZ")
    assert row.address == "https://zenodo.org/records/7654321/files/quartz_01.tar.bz2"
    assert row.span == "quartz_01/quartz_00001.cbf to quartz_01/quartz_00006.cbf"
    assert row.evidence == "not visited: the network was not used"


def test_a_local_copy_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "quartz_01.tar.bz2").write_bytes(b"PK\x03\x04" + bytes(96))
    (row,) = shown(EXAMPLE, local=tmp_path).links
    assert row.evidence == "copy on this machine, 100 bytes, by its first bytes zip"
    assert str(tmp_path) not in repr(row)


def test_a_file_of_each_frame_is_one_place() -> None:
    links = "".join(f"e{i} https://zenodo.org/records/1/files/a_{i:03}.cbf CBF\n" for i in range(200))
    names = "_array_data_external_data.id _array_data_external_data.uri _array_data_external_data.format"
    (row,) = shown(f"data_a\nloop_ {names}\n{links}".encode()).links
    assert (row.address, row.links) == ("https://zenodo.org/records/1/files/", "200 in 200 files")
    assert row.span == "a_000.cbf to a_199.cbf"


def test_the_profile_says_why_it_was_chosen() -> None:
    assert (
        shown(EXAMPLE).why_profile.startswith("core: ") and "chosen because the file is" in shown(EXAMPLE).why_profile
    )
    assert shown(EXAMPLE, profile="raw-data-letters").why_profile.endswith("; asked for")


def embedded() -> bytes:
    """A full CBF of 6 x 4 pixels whose values are 0 to 23, one of them a code."""
    from base64 import b64encode

    pixels = np.arange(24, dtype="<i4").reshape(4, 6)
    pixels[0, 0] = -1
    data = b64encode(pixels.tobytes()).decode("ascii")
    head = (
        "--CIF-BINARY-FORMAT-SECTION--\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: BASE64\n"
        f'X-Binary-Size: {pixels.nbytes}\nX-Binary-ID: 1\nX-Binary-Element-Type: "signed 32-bit integer"\n'
        "X-Binary-Element-Byte-Order: LITTLE_ENDIAN\nX-Binary-Number-of-Elements: 24\n"
        "X-Binary-Size-Fastest-Dimension: 6\nX-Binary-Size-Second-Dimension: 4\n\n"
    )
    names = "_array_data.array_id 1\n_array_data.binary_id 1\n_array_data.data\n"
    body = f"{names};\n{head}{data}\n--CIF-BINARY-FORMAT-SECTION----\n;\n"
    text = EXAMPLE.read_text(encoding="utf-8")
    start = text.index("loop_", text.index("frame06 PANEL 1 6"))
    rows = [f"frame{i:02} PANEL 1 {i}" for i in range(2, 7)]
    text = text[:start]
    for row in rows:
        text = text.replace(f"  {row}\n", "")
    for old, new in (("1 1 1600 1", "1 1 6 1"), ("1 2 1900 2", "1 2 4 2"), ("#\\#CIF_2.0", "###CBF: VERSION 1.5")):
        assert old in text
        text = text.replace(old, new)
    return (text + body).encode()


def test_an_image_at_hand_is_drawn_behind_both_faces() -> None:
    sheet = shown(embedded())
    assert (
        sheet.notes[-1]
        == "The image behind the detector is that of frame frame01; pixels that hold codes are left out."
    )
    stored, seen = sheet.faces
    assert stored.picture is not None and seen.picture is not None
    assert stored.picture.size == (6, 4) and stored.picture.transform == (1, 0, 0, 1, -0.5, -0.5)
    assert sheet.links[0].address == "in this file" and sheet.links[0].links == "1"
    assert "data:image/png;base64," in page(imgcif_core.check(embedded(), name="a.cif"), [sheet])


def test_no_image_is_read_where_none_was_asked_for() -> None:
    sheet = shown(embedded(), images="none")
    assert sheet.faces[0].picture is None and "were not to be read" in sheet.notes[-1]


def test_an_image_of_another_size_is_not_drawn() -> None:
    sheet = shown(embedded().replace(b"1 1 6 1", b"1 1 5 1"))
    assert all(face.picture is None for face in sheet.faces)
    assert "No image is drawn" in sheet.notes[-1]


def decoded(data: bytes) -> np.ndarray:
    """The samples of a PNG of grey and opacity without filters."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    at = data.index(b"IDAT")
    size = int.from_bytes(data[at - 4 : at], "big")
    assert int.from_bytes(data[at + 4 + size : at + 8 + size], "big") == zlib.crc32(data[at : at + 4 + size])
    lines = np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + size]), np.uint8).reshape(height, 1 + 2 * width)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, 2)


def test_a_picture_keeps_spots_and_leaves_codes_out() -> None:
    pixels = np.full((1000, 800), 10, dtype=np.int32)
    pixels[500, 400] = 5000
    pixels[:, :30] = -1
    found = shrunk(pixels, Levels(np.nan, np.nan, np.nan))
    grey, alpha = np.moveaxis(decoded(found.png), -1, 0)
    assert found.size == (267, 334) and found.transform == (3, 0, 0, 3, -0.5, -0.5)
    assert grey[500 // 3, 400 // 3] == 0 and grey[0, 200] == 255
    assert not alpha[:, :10].any() and alpha[:, 10:].all()


@pytest.mark.parametrize("value", [0, -1, 7])
def test_a_picture_of_one_value_is_made_too(value: int) -> None:
    assert decoded(shrunk(np.full((5, 5), value, dtype=np.int16), Levels(np.nan, np.nan, np.nan)).png).shape == (
        5,
        5,
        2,
    )
    assert decoded(png(np.zeros((1, 1, 2), np.uint8))).shape == (1, 1, 2)


@pytest.mark.parametrize("text", [b"", b"data_a\n", b"no cif", b"data_a\n_axis.id x\n"])
def test_files_without_an_instrument_have_a_page(text: bytes) -> None:
    report = imgcif_core.check(text, name="a.cif")
    assert "imgCIF check" in page(report, [shown(text)])


def test_the_command_writes_a_page_that_says_how_to_repeat_it(tmp_path: Path) -> None:
    out = tmp_path / "a.html"
    arguments = [
        "--profile",
        "raw-data-letters",
        "--ignore",
        "MTA012,DIC",
        "--format",
        "html",
        "-o",
        str(out),
        str(EXAMPLE),
    ]
    check_main(arguments)
    text = out.read_text(encoding="ascii")
    assert f"imgcif-check --profile raw-data-letters --format html --ignore MTA012,DIC {EXAMPLE}" in text
    for part in ("Geometry passport", "As seen from the sample", "Not checked", "What MTA011 checks, and why"):
        assert part in text
    several = tmp_path / "b.html"
    check_main(["--format", "html", "--jobs", "2", "-o", str(several), str(EXAMPLE), str(EXAMPLE)])
    assert several.read_text(encoding="ascii").count("Geometry passport") == 2
