"""Sources that say something less clearly: standing axes, arms, settings arrays, curved detectors, archives."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from create.images import expt, minicbf, smv
from create.truth import experiments_of
from numpy.testing import assert_allclose
from shared import SHARED, needs_corpus
from sources.test_statements import master

from imgcif_core.create import Session
from imgcif_core.create.loop import Creation, Wishes, built_and_checked, create
from imgcif_core.create.shares import share_proposal
from imgcif_core.errors import InputError, UsageError
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.sources.description import ImageFiles

UPRIGHT = {"principal_axis": 3.0, "rotation_sense": "clockwise"}
ARM = {"two_theta_axis": 3.0, "two_theta_sense": "clockwise"}
FACING = {"beam_centre": (2.0, 1.5), "first_pixel": "top left", "fast_direction": "horizontal"}
HEADER_END = b"# Angle_increment 0.5 deg.\n"


def with_lines(path: Path, *lines: str) -> Path:
    """A miniCBF with more lines in its header."""
    data = path.read_bytes()
    path.write_bytes(data.replace(HEADER_END, HEADER_END + "".join(f"# {line}\n" for line in lines).encode()))
    return path


def made_with(path: Path | list[Path], **answers: object) -> Creation:
    made = create(path if isinstance(path, list) else [path], wishes=Wishes(answers=answers))
    if made.text:
        assert made.is_sound, [finding.message for finding in made.report.findings]
    return made


def asked(made: Creation) -> list[str]:
    return [entry.key for entry in made.needed]


# Standing axes


def test_standing_angle_of_unknown_direction_is_asked_and_zero_is_named(tmp_path: Path) -> None:
    path = with_lines(minicbf(tmp_path / "x_0001.cbf"), "Kappa 40.0 deg.", "Chi 0.0 deg.", "Phi 30.0 deg.")
    made = made_with(path, **UPRIGHT)
    assert asked(made) == ["kappa_axis", "phi_axis"] and not made.text
    assert any("stands at zero" in note and "Chi" in note for note in made.notes)


def test_standing_axes_become_axes_with_settings(tmp_path: Path) -> None:
    path = with_lines(minicbf(tmp_path / "x_0001.cbf"), "Kappa 40.0 deg.", "Phi 30.0 deg.")
    made = made_with(path, **UPRIGHT, kappa_axis=(0.6, 0.8, 0.0), phi_axis=(1.0, 0.0, 0.0))
    (part,) = experiments_of(made.text)
    assert [axis.id for axis in part.goniometer] == ["omega", "kappa", "phi"]
    assert_allclose(part.goniometer[1].vector, [0.6, 0.8, 0.0], atol=1e-9)
    assert [axis.depends_on for axis in part.goniometer] == [None, "omega", "kappa"]
    assert dict(part.scans[0].settings) == {"omega": (0.0, 0.5), "kappa": (40.0, 0.0), "phi": (30.0, 0.0)}


def test_standing_axis_may_be_left_out_by_a_person(tmp_path: Path) -> None:
    path = with_lines(minicbf(tmp_path / "x_0001.cbf"), "Kappa 40.0 deg.")
    made = made_with(path, **UPRIGHT, kappa_axis="leave out")
    assert [axis.id for axis in experiments_of(made.text)[0].goniometer] == ["omega"]


@pytest.mark.parametrize("line", ["Oscillation_axis PHI", "Oscillation_axis phi", "Phi_increment 0.5 deg."])
def test_axis_that_the_header_names_is_the_one_that_moves(tmp_path: Path, line: str) -> None:
    path = with_lines(minicbf(tmp_path / "x_0001.cbf"), "Omega 90.0 deg.", "Phi 0.0 deg.", line)
    made = made_with(path, **UPRIGHT, omega_axis=(1.0, 0.0, 0.0))
    settings = experiments_of(made.text)[0].scans[0].settings
    assert settings["phi"] == (0.0, 0.5) and settings["omega"] == (90.0, 0.0)


def test_sense_of_the_oscillation_axis_is_proposed(tmp_path: Path) -> None:
    path = with_lines(minicbf(tmp_path / "x_0001.cbf"), "Oscillation_axis X.CCW +SLOW")
    proposed = {entry.key: entry.proposal for entry in create(path).needed}
    assert proposed == {"principal_axis": '"12:00"', "rotation_sense": '"anticlockwise"'}


# The arm of the detector: one behaviour for all formats


def arm_sources(folder: Path) -> list[tuple[Path, dict]]:
    two_theta = {"instrument/detector/goniometer/two_theta": (20.0, "deg"), "sample/goniometer/kappa": (None, "")}
    return [
        (with_lines(minicbf(folder / "x_0001.cbf"), "Detector_2theta 20.0 deg."), UPRIGHT),
        (smv(folder / "x_0001.img", TWOTHETA=20.0), {**UPRIGHT, **FACING}),
        (master(folder / "x_master.h5", **two_theta), UPRIGHT),
    ]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_two_theta_is_asked_about_and_then_applied(tmp_path: Path, index: int) -> None:
    path, answers = arm_sources(tmp_path)[index]
    assert asked(made_with(path, **answers)) == ["two_theta_axis", "two_theta_sense"]
    (part,) = experiments_of(made_with(path, **answers, **ARM).text)
    panel = part.scans[0].panels[0]
    assert part.scans[0].detector_settings["two_theta"] == 20.0
    # A right-handed turn about +X lifts a detector at -Z: its normal points up by 20 degrees.
    normal = np.cross(panel.fast, panel.slow)
    assert_allclose(abs(normal), abs(rotation_matrices(np.array([1.0, 0, 0]), np.array(20.0)) @ [0, 0, 1]), atol=1e-12)
    assert panel.corners()[:, 1].mean() > 0


def test_two_theta_of_zero_is_left_out_by_name(tmp_path: Path) -> None:
    made = made_with(with_lines(minicbf(tmp_path / "x_0001.cbf"), "Detector_2theta 0.0 deg."), **UPRIGHT)
    assert made.text and any("Detector_2theta" in note for note in made.notes)


# Settings arrays of HDF5 masters


def start_and_step(tmp_path: Path, **more: object) -> tuple[float, float]:
    still = {"instrument/detector/goniometer/two_theta": (None, ""), "sample/goniometer/kappa": (None, "")}
    path = master(tmp_path / "x_master.h5", **{**still, "sample/goniometer/omega": (None, ""), **more})
    (part,) = experiments_of(made_with(path, **UPRIGHT).text)
    return part.scans[0].settings["omega"]


OMEGA = "sample/goniometer/omega"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({OMEGA: ([1.0, 1.1, 1.2, 1.3, 1.4], "deg")}, (1.0, 0.1)),
        ({OMEGA: ([1.0, 1.1, 1.2, 1.3, 1.4], "deg"), f"{OMEGA}_increment": (0.0, "deg")}, (1.0, 0.1)),
        ({OMEGA: ([1.0], "deg"), f"{OMEGA}_increment": (0.25, "deg")}, (1.0, 0.25)),
        ({OMEGA: ([1.0], "deg"), f"{OMEGA}_increment": (0.0, "deg"), f"{OMEGA}_range_average": (0.2, "")}, (1.0, 0.2)),
        ({OMEGA: ([1.0], "deg"), f"{OMEGA}_end": ([1.5], "deg")}, (1.0, 0.5)),
        ({f"{OMEGA}_start": (3.0, "deg"), f"{OMEGA}_increment": (0.1, "deg")}, (3.0, 0.1)),
        ({OMEGA: ([1.0], "deg"), f"{OMEGA}_range_total": (2.0, "deg")}, (1.0, 0.4)),
    ],
)
def test_settings_are_read_in_every_combination(tmp_path: Path, more: dict, expected: tuple[float, float]) -> None:
    assert_allclose(start_and_step(tmp_path, **more), expected, atol=1e-9)


def test_master_without_goniometer_asks_how_far_the_crystal_turned(tmp_path: Path) -> None:
    names = ("omega", "kappa", "phi")
    absent = {f"sample/goniometer/{name}": (None, "") for name in names}
    path = master(tmp_path / "x_master.h5", **absent, **{"instrument/detector/goniometer/two_theta": (None, "")})
    assert "increment" in asked(made_with(path))
    assert made_with(path, increment=0.0).text


def test_vectors_are_found_wherever_they_stand_and_without_leading_slashes(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    absent = {"instrument/detector/goniometer/two_theta": (None, ""), "sample/goniometer/kappa": (None, "")}
    path = master(tmp_path / "x_master.h5", **absent, **{"sample/goniometer/phi": (0.0, "deg")})
    with h5py.File(path, "r+") as file:
        for name, vector, parent in (("omega", [-1, 0, 0], "."), ("phi", [0, 1, 0], "entry/sample/goniometer/omega")):
            node = file[f"entry/sample/goniometer/{name}"]
            node.attrs.update({"vector": vector, "transformation_type": "rotation", "depends_on": parent})
    (part,) = experiments_of(made_with(path).text)
    # NeXus -x is +x seen from the source, and y is up in both.
    assert [axis.id for axis in part.goniometer] == ["omega", "phi"]
    assert_allclose([axis.vector for axis in part.goniometer], [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_frames_of_absent_files_are_shared_only_where_it_is_certain(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    more = {"instrument/detector/goniometer/two_theta": (None, ""), "sample/goniometer/kappa": (None, "")}
    path = master(tmp_path / "x_master.h5", **more)
    (scan,) = made_with(path, **UPRIGHT).built[0].scans
    assert scan.images is not None and scan.images.files == ("a_data_000001.h5",) and len(scan.images) == 5
    with h5py.File(path, "r+") as file:
        file["entry/data/data_000002"] = h5py.ExternalLink("a_data_000002.h5", "/entry/data/data")
    made = made_with(path, **UPRIGHT)
    assert made.built[0].scans[0].images is None and any("images_per_file" in note for note in made.notes)
    session = Session.open(path, Wishes(answers=UPRIGHT))
    assert "images_per_file" in [entry.key for entry in session.questions] and not session.needed
    with pytest.raises(UsageError, match="5 images would fill 1 files, the master names 2"):
        session.answered("images_per_file", "10")
    made = built_and_checked(session.answered("images_per_file", "3"))
    images = made.built[0].scans[0].images
    assert images.file.tolist() == [0, 0, 0, 1, 1] and images.frame.tolist() == [1, 2, 3, 1, 2]
    assert not any("images_per_file" in note for note in made.notes)
    assert made.text.count("a_data_000002.h5") == 2


@pytest.mark.parametrize(
    ("frames", "files", "proposal"), [(3600, 4, "1000"), (900, 9, "100"), (7, 3, ""), (5, 2, ""), (1950, 2, "1000")]
)
def test_the_usual_number_that_fills_the_files_is_proposed(frames: int, files: int, proposal: str) -> None:
    none = np.zeros(0, dtype=np.int64)
    absent = ImageFiles(tuple(f"a_{number}.h5" for number in range(files)), none, none, "/data", "HDF5")
    assert share_proposal(absent, frames).get("images_per_file", ("", ""))[0] == proposal


# Values that cannot be


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("172e-6 m x 172e-6 m", "172e-3 km x 172e-3 km", "pixel_size"),
        ("172e-6 m x 172e-6 m", "0.172 m x 0.172 m", "pixel_size"),
        ("(10.00, 12.00)", "(0.00, 0.00)", "beam_centre"),
        ("Detector_distance 0.2 m", "Detector_distance 0 m", "distance"),
        ("Wavelength 1.0 A", "Wavelength 0 A", "wavelength"),
    ],
)
def test_impossible_values_are_asked_about(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = minicbf(tmp_path / "x_0001.cbf")
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    assert key in asked(made_with(path, **UPRIGHT))


# Curved detectors


def curved(tmp_path: Path, name: str = "PILATUS 12M, S/N 120-0100") -> Path:
    path = minicbf(tmp_path / "x_0001.cbf", detector=name, distance=0.0)
    text = path.read_bytes().replace(b"Fastest-Dimension: 20", b"Fastest-Dimension: 2463")
    path.write_bytes(text.replace(b"Second-Dimension: 30", b"Second-Dimension: 5071"))
    return path


def test_curved_detector_is_built_of_its_rows(tmp_path: Path) -> None:
    path = curved(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"(10.00, 12.00)", b"(1075.00, 2594.00)"))
    (part,) = experiments_of(made_with(path).text)
    panels = part.scans[0].panels
    assert len(panels) == 24 and {panel.size for panel in panels} == {(2463, 195)}
    # Every row is tangential to a cylinder of 250 mm about X.
    for panel in panels:
        normal = np.cross(panel.fast, panel.slow)
        assert_allclose(abs(normal @ panel.corners().mean(axis=0)), 250.0, atol=1e-6)
    # Neighbouring rows differ by 7.903 + 0.441 degrees.
    turn = np.degrees(np.arccos(panels[3].slow @ panels[4].slow))
    assert_allclose(turn, 8.344, atol=1e-9)


def test_curved_detector_of_unknown_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not flat, and where its modules stand is not known"):
        create(minicbf(tmp_path / "x_0001.cbf", detector="HyPix-Arc 150"))


# Panels in stored images


def two_panels(folder: Path, image: str) -> Path:
    def second(data: dict) -> None:
        detector = data["detector"][0]
        height = detector["panels"][0]["image_size"][1]
        other = json.loads(json.dumps(detector["panels"][0]))
        step = height * other["pixel_size"][1]
        other["origin"] = [a + step * b for a, b in zip(other["origin"], other["slow_axis"], strict=True)]
        other["name"] = "second"
        detector["panels"].append(other)
        detector.pop("hierarchy", None)
        for panel in detector["panels"]:
            panel.pop("raw_image_offset", None)
        data["imageset"] = [{"template": image}] * 2

    return expt(folder / "a.expt", second)


def test_panels_without_a_place_are_not_linked_and_asked_for(tmp_path: Path) -> None:
    path = two_panels(tmp_path, "x_####.cbf")
    made = made_with(path)
    assert "panel_places" in {entry.key for entry in made.questions}
    assert "_array_data_external_data" not in made.text
    size = made.built[0].mounting.panels[0].size
    told = made_with(path, panel_places=((0, 0), (0, size[1])))
    assert "_array_data_external_data" in told.text and "_array_structure_list_section.id" in told.text
    with pytest.raises(UsageError, match="1 places for 2 panels"):
        made_with(path, panel_places=((0, 0),))
    with pytest.raises(UsageError, match="overlap"):
        made_with(path, panel_places=((0, 0), (1, 0)))


def test_places_of_panels_are_looked_up_in_the_image(tmp_path: Path) -> None:
    from imgcif_core.create.places import looked_up

    path = two_panels(tmp_path, "x_####.cbf")
    panels = made_with(path).built[0].mounting.panels
    (width, height) = panels[0].size
    below, beside = looked_up(panels, (2 * height, width)), looked_up(panels, (height, 2 * width))
    apart = looked_up(panels, (2, height, width))
    assert below and [panel.raw_offset for panel in below] == [(0, 0), (0, height)]
    assert beside and [panel.raw_offset for panel in beside] == [(0, 0), (width, 0)]
    assert apart and [panel.raw_index for panel in apart] == [(0,), (1,)]
    assert looked_up(panels, (3 * height, width)) is None


# Constant rotations


@pytest.mark.parametrize("name", ["fixed_rotation", "setting_rotation"])
def test_constant_rotation_becomes_an_axis(tmp_path: Path, name: str) -> None:
    matrix = rotation_matrices(np.array([0.0, 0.6, 0.8]), np.array(25.0))

    def edit(data: dict) -> None:
        data["goniometer"][0][name] = matrix.ravel().tolist()

    made = made_with(expt(tmp_path / "a.expt", edit))
    (part,) = experiments_of(made.text)
    moving, fixed = part.goniometer
    start, _ = part.scans[0].settings[moving.id]
    angle, step = part.scans[0].settings[fixed.id]
    assert step == 0
    original = json.loads((tmp_path / "a.expt").read_text())["goniometer"][0]
    axis = np.array(original["rotation_axis"])
    setting, own = (
        np.array(original.get(key, np.eye(3))).reshape(3, 3) for key in ("setting_rotation", "fixed_rotation")
    )
    expected = setting @ rotation_matrices(axis, np.array(start)) @ own
    turned = rotation_matrices(moving.vector, np.array(start)) @ rotation_matrices(fixed.vector, np.array(angle))
    # The frame of the file is that of the source turned so that the moving axis lies along X.
    frame = made.built[0].rotation
    assert_allclose(turned, frame @ expected @ frame.T, atol=1e-9)


# Archives


def tar_of(folder: Path, name: str, files: list[Path]) -> Path:
    mode = {"tar": "w", "gz": "w:gz", "bz2": "w:bz2", "xz": "w:xz"}[name.rpartition(".")[2]]
    with tarfile.open(folder / name, mode) as archive:  # type: ignore[call-overload]
        for file in files:
            archive.add(file, f"data/run1/{file.name}")
    return folder / name


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.zip"])
def test_members_of_an_archive_are_the_images(tmp_path: Path, name: str) -> None:
    files = [minicbf(tmp_path / f"x_{number:04d}.cbf", start=0.5 * number) for number in range(1, 6)]
    (tmp_path / "readme.txt").write_text("nothing")
    if name.endswith("zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for file in files:
                archive.write(file, f"data/run1/{file.name}")
            archive.write(tmp_path / "readme.txt", "readme.txt")
        path = tmp_path / name
    else:
        path = tar_of(tmp_path, name, [*files, tmp_path / "readme.txt"])
    made = made_with(path, **UPRIGHT)
    (scan,) = made.built[0].scans
    assert scan.frames == 5 and scan.settings["omega"] == (0.5, 0.5)
    assert scan.images is not None and scan.images.files[0] == "data/run1/x_0001.cbf"
    kind = {"tar": "TAR", "gz": "TGZ", "bz2": "TBZ", "xz": "TXZ", "zip": "ZIP"}[name.rpartition(".")[2]]
    assert f"{name} {kind} data/run1/x_0003.cbf" in made.text
    assert str(tmp_path) not in made.text and "/tmp/" not in made.text


def test_archive_that_is_cut_off_or_empty_is_one_sentence(tmp_path: Path) -> None:
    files = [minicbf(tmp_path / f"x_{number:04d}.cbf", start=0.5 * number) for number in range(1, 4)]
    whole = tar_of(tmp_path, "a.tar.gz", files)
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:-60])
    with pytest.raises(InputError, match=r"cut\.tar\.gz"):
        create(tmp_path / "cut.tar.gz")
    with tarfile.open(tmp_path / "empty.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    with pytest.raises(InputError, match="holds no image and no description"):
        create(tmp_path / "empty.tar")


def test_member_that_would_leave_the_folder_is_not_unpacked(tmp_path: Path) -> None:
    image = minicbf(tmp_path / "x_0001.cbf").read_bytes()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("../../escaped_0001.cbf", "good_0001.cbf"):
            info = tarfile.TarInfo(name)
            info.size = len(image)
            archive.addfile(info, io.BytesIO(image))
    made = made_with(tmp_path / "a.tar", **UPRIGHT)
    assert made.built[0].frames == 1 and not (tmp_path.parent / "escaped_0001.cbf").exists()


# The kind of radiation


@pytest.mark.parametrize(("wavelength", "probe"), [(0.98, '"x-ray"'), (0.0251, '"electron"'), (0.08, "")])
def test_kind_of_radiation_is_proposed_with_its_ground(tmp_path: Path, wavelength: float, probe: str) -> None:
    made = made_with(minicbf(tmp_path / "x_0001.cbf", wavelength=wavelength), **UPRIGHT)
    (entry,) = [entry for entry in made.questions if entry.key == "probe"]
    assert entry.proposal == probe and bool(entry.ground) == bool(probe)


# The shared cases


@needs_corpus
@pytest.mark.parametrize(
    ("name", "answers", "needed"),
    [
        ("eiger_no_omega_increment_master.h5", UPRIGHT, ["kappa_axis", "chi_axis"]),
        ("eiger_no_goniometer_master.h5", UPRIGHT, ["increment", "start"]),
        ("eiger_two_theta_master.h5", UPRIGHT, ["two_theta_axis", "two_theta_sense", "kappa_axis", "chi_axis"]),
        ("minicbf_2theta20.cbf", UPRIGHT, ["two_theta_axis", "two_theta_sense", "kappa_axis", "phi_axis"]),
        ("minicbf_kappa40_phi30.cbf", UPRIGHT, ["kappa_axis", "phi_axis"]),
        ("smv_twotheta15.img", {**UPRIGHT, **FACING}, []),
        ("minicbf5.tar.gz", UPRIGHT, []),
        ("wlA.geom wl.h5", {}, []),
        ("wlm.geom wl.h5", {}, []),
        ("sacla_tags.geom sacla_tags.h5", {}, []),
        ("stills3.expt", {}, []),
        ("two_panels_one_image.expt", {}, []),
    ],
)
def test_cases_ask_what_they_leave_open(name: str, answers: dict, needed: list[str]) -> None:
    if ".h5" in name:
        pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    made = made_with([SHARED / "cases" / "create" / part for part in name.split()], **answers)
    assert asked(made) == needed
    assert bool(made.text) == (not needed)
    if name.startswith("wl"):
        assert experiments_of(made.text)[0].beam.wavelength == 1.3
    if name.startswith("smv"):
        assert experiments_of(made.text)[0].scans[0].detector_settings["two_theta"] == 15.0


# Folders, masters behind experiment lists, screening shots


def test_folders_are_searched_and_patterns_excluded(tmp_path: Path) -> None:
    for folder in ("run1", "run2/images"):
        (tmp_path / folder).mkdir(parents=True)
        for number in (1, 2, 3):
            minicbf(tmp_path / folder / f"x_{number:04d}.cbf", start=0.5 * number)
    minicbf(tmp_path / "run1" / "test_0001.cbf", start=90.0)
    made = create(tmp_path, wishes=Wishes(answers=UPRIGHT, exclude=("test_*",)))
    assert [scan.frames for scan in made.built[0].scans] == [3, 3]
    made = create(tmp_path, wishes=Wishes(answers=UPRIGHT, exclude=("run2/*", "test_*")))
    assert [scan.frames for scan in made.built[0].scans] == [3]
    with pytest.raises(InputError, match="no image and no master"):
        create(tmp_path, wishes=Wishes(exclude=("*.cbf",)))


def test_shots_from_several_sides_are_told_apart(tmp_path: Path) -> None:
    for number, start in ((1, 0.0), (2, 45.0), (3, 90.0)):
        minicbf(tmp_path / f"screen_{number:04d}.cbf", start=start)
    made = create(tmp_path, wishes=Wishes(answers=UPRIGHT))
    assert made.is_sound
    assert [(scan.frames, scan.settings["omega"]) for scan in made.built[0].scans] == [
        (1, (start, 0.5)) for start in (0.0, 45.0, 90.0)
    ]
    assert any("shots of their own" in note for note in made.notes)


def with_master(folder: Path, place: str) -> Path:
    """An experiment list of a scan of 5 frames in a master."""

    def edit(data: dict) -> None:
        data["experiment"] = data["experiment"][:1]
        data["scan"][0]["image_range"] = [1, 5]
        data["imageset"] = [{"template": place}]

    return expt(folder / "a.expt", edit)


def test_master_behind_an_experiment_list_gives_dataset_and_data_files(tmp_path: Path) -> None:
    master(tmp_path / "x_master.h5")
    made = made_with(with_master(tmp_path, "/gone/x_master.h5"))
    (scan,) = made.built[0].scans
    assert scan.images is not None and scan.images.files == ("a_data_000001.h5",)
    assert scan.images.path == "/entry/data/data" and scan.images.frame.tolist() == [1, 2, 3, 4, 5]


def test_master_that_moved_is_asked_for_by_option(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    master(tmp_path / "there" / "x_master.h5")
    path = with_master(tmp_path, "/gone/x_master.h5")
    bare = made_with(path)
    assert any("--master" in note for note in bare.notes)
    for place in ("there", "there/x_master.h5"):
        made = create(path, wishes=Wishes(masters=(str(tmp_path / place),)))
        images = made.built[0].scans[0].images
        assert images is not None and images.path == "/entry/data/data"
