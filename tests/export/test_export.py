"""Refusals, names of files and images, and what is said to be left out."""

from pathlib import Path

import numpy as np
import pytest
from export.exports import XdsFile, exported, plan_of
from numpy.testing import assert_allclose
from shared import EXAMPLE, ROOT

from imgcif_core.cli import main
from imgcif_core.errors import InputError, OutputError
from imgcif_core.sources.expt import read_expt

BASES = ROOT / "conformance" / "datasets" / "bases"
TEXT = (BASES / "single-panel.cif").read_text(encoding="utf-8")
TWO_THETA = (BASES / "two-theta-scans.cif").read_text(encoding="utf-8")


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    return text


def without(text: str, start: str) -> str:
    """A text without the lines that begin with some words."""
    kept = [line for line in text.splitlines() if not line.startswith(start)]
    assert len(kept) < len(text.splitlines())
    return "\n".join(kept) + "\n"


def test_a_file_without_a_wavelength_is_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match="wavelength is not given"):
        plan_of(without(TEXT, "_diffrn_radiation_wavelength.value"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("10.0 3.0 0.5", "10.0deg 3.0 0.5", "a setting of axis omega in scan SCAN1 cannot be read"),
        ("200.0 0.0 0.0", "200.0 0.0 0.0mm", "a setting of axis distance in scan SCAN1 cannot be read"),
        (
            "goniometer .        1  0  0",
            "goniometer .        one  0  0",
            "vector or offset of axis omega cannot be read",
        ),
        ("wavelength.value      0.9500", "wavelength.value      0.95A", "the wavelength cannot be read"),
    ],
)
def test_what_cannot_be_read_is_not_exported_as_zero(old: str, new: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        plan_of(changed(TEXT, (old, new)))


def test_a_plane_of_polarization_that_cannot_be_read_is_not_the_usual_one() -> None:
    assert plan_of(TEXT).polarization is not None
    plan = plan_of(changed(TEXT, ("polarizn_source_norm  0.0", "polarizn_source_norm  0.0deg")))
    assert plan.polarization is None and "cannot be read" in " ".join(plan.left_out)


def test_an_unknown_scan_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scan NOPE; it has SCAN1"):
        exported(TEXT, "expt", tmp_path, scan="NOPE")


def test_several_scans_become_several_files_of_which_one_can_be_asked_for(tmp_path: Path) -> None:
    plan = plan_of(TWO_THETA)
    files = exported(TWO_THETA, "xds", tmp_path)
    assert [name.name for name in files] == [f"XDS_{sweep.id}.INP" for sweep in plan.sweeps]
    (one,) = exported(TWO_THETA, "xds", tmp_path, scan=plan.sweeps[1].id)
    assert one.name == "XDS.INP"
    assert XdsFile(one).values["DETECTOR_DISTANCE"] == XdsFile(files[1]).values["DETECTOR_DISTANCE"]


def test_nothing_is_written_where_one_of_the_files_exists(tmp_path: Path) -> None:
    plan = plan_of(TWO_THETA)
    (tmp_path / f"XDS_{plan.sweeps[-1].id}.INP").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        exported(TWO_THETA, "xds", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [f"XDS_{plan.sweeps[-1].id}.INP"]


def test_images_are_named_as_linked_and_found_when_they_are_here(tmp_path: Path) -> None:
    plan = plan_of(EXAMPLE)
    images = plan.sweeps[0].images
    assert images is not None and not plan.sweeps[0].is_local
    folder = tmp_path / "data"
    for name in images.files:
        place = folder / name.rpartition("/")[2]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"")
    (written,) = exported(EXAMPLE, "expt", tmp_path, local=[folder])
    scan = read_expt(written).scans[0]
    assert scan.images is not None
    assert scan.images.files == tuple(str(folder / name.rpartition("/")[2]) for name in images.files)


def test_a_spindle_that_turns_backwards_is_reversed_for_xds(tmp_path: Path) -> None:
    # By hand: omega about +X from 0 in steps of -0.5 is a turn about -X from 0 in steps of +0.5.
    plan = plan_of(TEXT)
    (sweep,) = plan.sweeps
    assert sweep.turning is not None
    step = sweep.turning.step
    text = TEXT.replace(f" {step:g} ", f" -{step:g} ") if f" {step:g} " in TEXT else TEXT
    (turned,) = plan_of(text).sweeps
    assert turned.turning is not None and turned.turning.step == -step
    (file,) = exported(text, "xds", tmp_path)
    read = XdsFile(file)
    assert read.numbers("OSCILLATION_RANGE")[0] == pytest.approx(step)
    assert_allclose(read.numbers("ROTATION_AXIS"), -sweep.turning.vector, atol=1e-12)
    assert_allclose(read.numbers("STARTING_ANGLE")[0], -turned.turning.start)


def test_the_command_says_what_is_not_carried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.expt"
    assert main(["export", str(EXAMPLE), "--to", "expt", "-o", str(target)]) == 0
    said = capsys.readouterr().err
    assert "not carried: paths of the images" in said
    assert f"wrote {target}" in said
    assert main(["export", str(EXAMPLE), "--to", "expt", "-o", str(target)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["export", str(EXAMPLE), "--to", "nxmx"]) == 2
    assert main(["export", str(EXAMPLE), "--to", "xds", "--copy-images"]) == 2


def test_masters_store_images_on_request(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    pytest.importorskip("fabio", reason="the extra 'images' is not installed")
    source = BASES.parent / "bin" / "BIN018-digest-missing" / "pass-whole.cbf"
    (master,) = exported(source, "nxmx", tmp_path, copy_images=True)
    (sweep,) = plan_of(source).sweeps
    with h5py.File(master) as file:
        stack = file["entry/data/data"][()]
    assert stack.shape == (sweep.frames, sweep.panels[0].size[1], sweep.panels[0].size[0])
    assert np.ptp(stack) > 0


@pytest.mark.parametrize(
    ("program", "lines"),
    [
        # The beam meets pixel 800, 950 counted from 0; pixels of 0.1 mm, 200 mm away, facing the source.
        ("xds", ["ORGX= 801.0 ORGY= 951.0 DETECTOR_DISTANCE= 200.0", "INCIDENT_BEAM_DIRECTION= 0.0 0.0 -1.0"]),
        ("dials", ["origin -80.05 95.05 -200.0", "80.05 95.05 mm, 800.5 950.5 px"]),
        ("crystfel", ["corner_x = 800.5  corner_y = 950.5", "clen = 0.2", "photon_energy = 13050.968 eV"]),
        ("nexus", ["module_offset 80.05 95.05 200.0 mm", "omega = 10.0 + 0.5 n deg, vector -1.0 0.0 0.0"]),
        ("mosflm", ["BEAM 95.05 80.05", "DISTANCE 200.0", "PHI 10.0 TO 10.5"]),
    ],
)
def test_terms_are_the_numbers_of_a_program(program: str, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(EXAMPLE), "--terms", program]) == 0
    said = capsys.readouterr().out
    for line in lines:
        assert line in said


def test_terms_are_text_for_whole_scans(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(EXAMPLE), "--terms", "xds", "--frame", "2"]) == 2
    assert "leave --format and --frame out" in capsys.readouterr().err


def test_images_of_another_size_than_described_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra 'images' is not installed")
    pytest.importorskip("fabio", reason="the extra 'images' is not installed")
    source = (BASES.parent / "bin" / "BIN018-digest-missing" / "pass-whole.cbf").read_bytes()
    (sweep,) = plan_of(source).sweeps
    fast = sweep.panels[0].size[0]
    head, mark, tail = source.partition(b"--CIF-BINARY-FORMAT-SECTION--")
    wider = head.replace(f" {fast} 1 increasing".encode(), f" {fast + 9} 1 increasing".encode())
    assert wider != head
    path = tmp_path / "wider.cbf"
    path.write_bytes(wider + mark + tail)
    with pytest.raises(InputError, match="are described"):
        exported(path, "nxmx", tmp_path, copy_images=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["wider.cbf"]


def test_several_wavelengths_without_a_choice_are_refused() -> None:
    one = [line for line in TEXT.splitlines() if line.startswith("_diffrn_radiation_wavelength.")]
    text = without(without(TEXT, "_diffrn_radiation_wavelength."), "_diffrn_radiation.wavelength_id")
    assert len(one) >= 2
    two = "loop_ _diffrn_radiation_wavelength.id _diffrn_radiation_wavelength.value W1 0.95 W2 0.7"
    with pytest.raises(InputError, match="several wavelengths"):
        plan_of(f"{text}{two}\n")
    chosen = plan_of(f"{text}{two}\n_diffrn_radiation.wavelength_id W2\n")
    assert chosen.sweeps[0].wavelength == 0.7
    assert any("of 2 wavelengths only 0.7" in entry for entry in chosen.left_out)


def test_a_frame_that_is_missing_divides_a_scan() -> None:
    table = TEXT[TEXT.index("_diffrn_scan_frame.scan_id") :]
    frames = [line for line in table.splitlines() if line.startswith("  SCAN1 frame")]
    text = TEXT.replace(frames[2] + "\n", "")
    first, second = plan_of(text).sweeps
    assert (first.number, first.frames) == (1, 2)
    assert (second.number, second.frames) == (4, 3)
    assert first.turning is not None and second.turning is not None
    assert second.turning.start == pytest.approx(first.turning.start + 3 * first.turning.step)


def test_a_pilatus_sweep_is_told_to_xds_in_numbers_worked_out_by_hand(tmp_path: Path) -> None:
    # The sweep of a public test set: corner of the first pixel at (-212.47848, 220.00176, -190.18) mm, pixels of
    # 0.172 mm. The beam meets 212.47848 / 0.172 = 1235.34 pixels from that corner, which XDS counts as 1235.84.
    # The XDS.INP that comes with the set has distance, wavelength and step alike, but ORGX and ORGY exchanged.
    import json

    from experiments import expt

    from imgcif_core.create.loop import create

    data = expt()
    (panel,) = data["detector"][0]["panels"]
    panel |= {"origin": [-212.47848, 220.00176, -190.18], "image_size": [2463, 2527], "pixel_size": [0.172, 0.172]}
    data["beam"] = [{"direction": [0.0, 0.0, 1.0], "wavelength": 0.9795}]
    data["scan"][0] |= {"image_range": [1, 5], "oscillation": [0.0, 0.2]}
    source = tmp_path / "sweep.expt"
    source.write_text(json.dumps(data))
    read = XdsFile(exported(create(source).text, "xds", tmp_path)[0])
    assert_allclose(read.numbers("ORGX")[0], 212.47848 / 0.172 + 0.5, atol=1e-6)
    assert_allclose(read.numbers("ORGY")[0], 220.00176 / 0.172 + 0.5, atol=1e-6)
    assert_allclose(read.numbers("DETECTOR_DISTANCE")[0], 190.18, atol=1e-9)
    assert_allclose(read.numbers("X-RAY_WAVELENGTH")[0], 0.9795)
    assert_allclose(read.numbers("OSCILLATION_RANGE")[0], 0.2)
    assert_allclose(read.numbers("ROTATION_AXIS"), [1, 0, 0], atol=1e-12)
    assert_allclose(read.numbers("DIRECTION_OF_DETECTOR_Y-AXIS"), [0, -1, 0], atol=1e-12)
