"""Bad inputs get one clear line that names the file and the fact, and leave nothing behind."""

from pathlib import Path

import pytest
from create.images import expt, minicbf, series, smv, tiff

from imgcif_core.create.loop import Wishes, create
from imgcif_core.errors import InputError, OutputError

ANSWERS = {"principal_axis": 3.0, "rotation_sense": "clockwise"}


def refused(inputs, tmp_path: Path, pattern: str, **wishes) -> None:
    """Assert that a creation is refused with a message, and writes nothing."""
    target = tmp_path / "out.cif"
    with pytest.raises(InputError, match=pattern):
        create(inputs, target, Wishes(answers={**ANSWERS, **wishes.pop("answers", {})}, **wishes))
    assert not list(tmp_path.glob("*out.cif*"))


def test_gap_in_file_numbers_is_named(tmp_path: Path) -> None:
    files = series(tmp_path, (1, 2, 5, 6))
    refused(files, tmp_path, r"x_0005\.cbf: numbers 3 to 4 are missing after x_0002\.cbf")


def test_gap_makes_two_scans_where_that_is_wanted(tmp_path: Path) -> None:
    files = series(tmp_path, (1, 2, 5, 6))
    made = create(files, wishes=Wishes(answers={**ANSWERS, "missing_frames": "split"}))
    assert made.is_sound
    assert "SCAN2 frame3" in " ".join(made.text.split())


def test_two_files_of_one_number_are_named(tmp_path: Path) -> None:
    files = [minicbf(tmp_path / "x_1.cbf"), minicbf(tmp_path / "x_01.cbf")]
    refused(files, tmp_path, r"x_01\.cbf: has the same number 1 as .*x_1\.cbf")


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"wavelength": 1.1}, r"x_0003\.cbf: wavelength in ångström is 1\.1, in .*x_0001\.cbf it is 1\.0"),
        ({"distance": 0.21}, r"x_0003\.cbf: distance in mm is 210\.0, in .*x_0001\.cbf it is 200\.0"),
        ({"start": 7.0}, r"x_0003\.cbf: omega starts at 7 degrees, expected 1\.5 degrees"),
        ({"increment": 0.25}, r"x_0003\.cbf: turns omega by 0\.25 degrees, .*x_0001\.cbf turns it by 0\.5"),
    ],
)
def test_headers_of_one_scan_that_contradict_each_other(change: dict, pattern: str, tmp_path: Path) -> None:
    files = [*series(tmp_path, (1, 2)), *series(tmp_path, (3,), **change)]
    refused(files, tmp_path, pattern)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"WAVELENGTH": 1.1}, r"b_2\.img: wavelength in ångström is 1\.1, in .*b_1\.img it is 1\.0"),
        ({"DISTANCE": 90}, r"b_2\.img: distance in mm is 90\.0, in .*b_1\.img it is 100\.0"),
        ({"OSC_START": 4.0}, r"b_2\.img: omega starts at 4 degrees, expected 1 degrees"),
    ],
)
def test_smv_headers_that_contradict_each_other(change: dict, pattern: str, tmp_path: Path) -> None:
    files = [smv(tmp_path / "b_1.img"), smv(tmp_path / "b_2.img", **({"OSC_START": 1.0} | change))]
    refused(files, tmp_path, pattern)


def test_cut_off_smv_header(tmp_path: Path) -> None:
    path = smv(tmp_path / "cut.img")
    path.write_bytes(path.read_bytes()[:100])
    refused(path, tmp_path, r"cut\.img: the SMV header of 512 bytes is cut off")


def test_words_for_numbers_in_an_smv_header(tmp_path: Path) -> None:
    refused(smv(tmp_path / "w.img", DISTANCE="far"), tmp_path, r"w\.img: DISTANCE=far is no number")


def test_cut_off_tiff(tmp_path: Path) -> None:
    path = tiff(tmp_path / "cut.tif")
    path.write_bytes(path.read_bytes()[:20])
    refused(path, tmp_path, r"cut\.tif: the TIFF is cut off at 20 bytes")


def test_cut_off_experiment_list(tmp_path: Path) -> None:
    path = expt(tmp_path / "cut.expt")
    path.write_bytes(path.read_bytes()[:300])
    refused(path, tmp_path, r"cut\.expt: not JSON, or cut off")


def test_cut_off_master(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    path = tmp_path / "cut_master.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    refused(path, tmp_path, r"cut_master\.h5: not readable as HDF5")


def test_empty_and_foreign_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGCIF_DXTBX_PYTHON", str(tmp_path / "none"))
    empty, foreign = tmp_path / "empty.cbf", tmp_path / "picture.png"
    empty.write_bytes(b"")
    foreign.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    refused(empty, tmp_path, r"empty\.cbf: is empty")
    refused(foreign, tmp_path, r"picture\.png: begins with .*PNG.*which none of the readers knows")
    refused(tmp_path / "nowhere.cbf", tmp_path, r"nowhere\.cbf: no such file")


def test_goniometers_that_change_between_experiments(tmp_path: Path) -> None:
    def two_goniometers(data: dict) -> None:
        data["goniometer"].append({"rotation_axis": [0.0, 1.0, 0.0]})
        data["experiment"][1]["goniometer"] = 1

    refused(expt(tmp_path / "g.expt", two_goniometers), tmp_path, r"g\.expt: goniometer 2 has other axes")


def test_goniometers_that_differ_between_files(tmp_path: Path) -> None:
    def vertical(data: dict) -> None:
        data["goniometer"] = [{"rotation_axis": [0.0, 1.0, 0.0]}]

    files = [expt(tmp_path / "a.expt"), expt(tmp_path / "b.expt", vertical)]
    refused(files, tmp_path, r"b\.expt: has other goniometer axes")


def test_wavelengths_that_differ_between_scans_stand_in_blocks_of_their_own(tmp_path: Path) -> None:
    def two_beams(data: dict) -> None:
        data["beam"].append({"direction": [0.0, 0.0, 1.0], "wavelength": 1.2, "probe": "x-ray"})
        data["experiment"][1]["beam"] = 1

    made = create(expt(tmp_path / "mad.expt", two_beams))
    assert made.is_sound
    assert made.text.count("\ndata_mad_") == 2
    assert any("2 data blocks" in note for note in made.notes)


def test_shots_of_a_fluctuating_source_are_described_by_their_mean_wavelength(tmp_path: Path) -> None:
    def many_shots(data: dict) -> None:
        data["beam"] = [
            {"direction": [0.0, 0.0, 1.0], "wavelength": 1.0 + 0.001 * n, "probe": "x-ray"} for n in range(21)
        ]
        data["experiment"] = [{"beam": n, "detector": 0, "imageset": n} for n in range(21)]
        data["imageset"] = [{"template": f"/data/shot_{n}.cbf"} for n in range(21)]

    made = create(expt(tmp_path / "shots.expt", many_shots))
    assert made.is_sound
    # The mean of 1.000 to 1.020 in equal steps is 1.010.
    words = " ".join(made.text.split())
    assert "_diffrn_radiation_wavelength.value 1.01 " in words
    assert "Mean of 21 frames" in words and "shot_20.cbf" in words
    assert made.text.count("\ndata_") == 1


def test_zero_oscillation_is_a_still(tmp_path: Path) -> None:
    def still(data: dict) -> None:
        for scan in data["scan"]:
            scan["oscillation"] = [0.0, 0.0]

    made = create(expt(tmp_path / "still.expt", still))
    assert made.is_sound
    assert "SCAN1 omega 0.0 0.0 0.0" in " ".join(made.text.split())


@pytest.mark.parametrize("template", ["/data/Müller/my run {n}/é_####.cbf", "C:\\data\\run {n}\\x_####.cbf"])
def test_names_with_blanks_and_beyond_ascii(template: str, tmp_path: Path) -> None:
    from imgcif_core.create.links import Links

    path = expt(tmp_path / "name.expt", template=template)
    linked = create(path, wishes=Wishes(links=Links(url_base="https://example.org/d")))
    archived = create(path, wishes=Wishes(links=Links("https://example.org/d.zip")))
    assert linked.is_sound and archived.is_sound
    assert "https://example.org/d/" in linked.text and "run%20" in linked.text
    assert "'my run 1/é_0001.cbf'" in archived.text or "'run 1/x_0001.cbf'" in archived.text
    assert linked.text.isascii()


@pytest.mark.parametrize(
    ("edit", "pattern"),
    [
        (lambda data: data["scan"][0].update(image_range=[1, 10**12]), "runs from image 1 to 1e\\+12"),
        (lambda data: data["scan"][0].update(image_range=[9, 3]), "runs from image 9 to 3"),
        (lambda data: data["beam"][0].update(wavelength=10**400), "wavelength is .*, expected a finite number"),
        (lambda data: data["detector"][0]["panels"][0].update(origin=[0, 0, -1e12]), "is beyond all measure"),
    ],
)
def test_absurd_numbers_are_refused_before_they_cost_anything(edit, pattern: str, tmp_path: Path) -> None:
    refused(expt(tmp_path / "a.expt", edit), tmp_path, rf"a\.expt: .*{pattern}")


def test_description_beside_images_is_refused(tmp_path: Path) -> None:
    files = [*series(tmp_path, (1, 2)), expt(tmp_path / "d.expt")]
    refused(files, tmp_path, r"d\.expt: is a description, which cannot stand beside single images")


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"nowhere.*out\.cif: cannot be written"):
        create(expt(tmp_path / "a.expt"), tmp_path / "nowhere" / "out.cif")


def test_directory_without_images(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no image and no master in this directory"):
        create(tmp_path)


def test_file_that_is_missing_from_the_directory(tmp_path: Path) -> None:
    from imgcif_core.create.links import Links

    folder = tmp_path / "data"
    folder.mkdir()
    refused(
        expt(tmp_path / "a.expt"),
        tmp_path,
        r"data: holds no file x_0001\.cbf",
        links=Links("https://x.org/a.zip", directory=folder),
    )


def test_old_output_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    target = tmp_path / "out.cif"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(OutputError, match="--overwrite"):
        create(series(tmp_path, (1, 2)), target)
    with pytest.raises(InputError):
        create(series(tmp_path, (1, 3)), target, Wishes(overwrite=True))
    assert target.read_text(encoding="utf-8") == "old"


def test_links_out_of_a_directory_are_followed_on_request_alone(tmp_path: Path) -> None:
    from imgcif_core.errors import InputError
    from imgcif_core.images.limits import Reach
    from imgcif_core.sources.series import _files

    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "a_0001.img").write_bytes(b"{\nHEADER_BYTES=512;\n}\n")
    (inside / "a_0001.img").symlink_to(outside / "a_0001.img")
    with pytest.raises(InputError, match="leads out of the directory"):
        _files(str(inside))
    shown = [str(inside / "a_0001.img")]
    assert _files(str(inside), reach=Reach((str(outside),))) == shown
    assert _files(str(inside), reach=Reach((), True)) == shown
