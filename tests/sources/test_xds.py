"""Files of XDS place every pixel where the documentation of XDS has it, and all that they state is marked."""

from pathlib import Path

import numpy as np
import pytest
from export.exports import exported, plan_of
from numpy.testing import assert_allclose
from shared import EXAMPLE, ROOT
from sources.test_statements import other_number, outcome

from imgcif_core.create.loop import create
from imgcif_core.errors import InputError
from imgcif_core.export import Plan
from imgcif_core.model.vectors import rotation_matrices
from imgcif_core.sources.any import read_described, read_source
from imgcif_core.sources.detect import kind_of
from imgcif_core.sources.series import read_inputs
from imgcif_core.sources.statements import Fate
from imgcif_core.sources.xds import read_xds

BASES = [EXAMPLE, *sorted((ROOT / "conformance" / "datasets" / "bases").glob("*.c*"))]
# A tilted detector with its beam aslant, and a spindle that is neither X nor across the beam by all digits.
INP = {
    "JOB": "XYCORR INIT",
    "DETECTOR": "PILATUS",
    "MINIMUM_VALID_PIXEL_VALUE": "0",
    "OVERLOAD": "65000",
    "SENSOR_THICKNESS": "0.32",
    "SILICON": "3.95",
    "NX": "40",
    "NY": "30",
    "QX": "0.172",
    "QY": "0.172",
    "ORGX": "21.5",
    "ORGY": "12.25",
    "DETECTOR_DISTANCE": "120.5",
    "DIRECTION_OF_DETECTOR_X-AXIS": "1.0 0.0 0.0",
    "DIRECTION_OF_DETECTOR_Y-AXIS": "0.0 0.96 -0.28",
    "ROTATION_AXIS": "0.0 -1.0 0.0",
    "OSCILLATION_RANGE": "0.5",
    "STARTING_ANGLE": "7.0",
    "STARTING_FRAME": "3",
    "DATA_RANGE": "5 14",
    "SPOT_RANGE": "5 8",
    "X-RAY_WAVELENGTH": "0.9795",
    "INCIDENT_BEAM_DIRECTION": "0.01 0.0 1.0",
    "FRACTION_OF_POLARIZATION": "0.98",
    "POLARIZATION_PLANE_NORMAL": "0.0 1.0 0.0",
    "NAME_TEMPLATE_OF_DATA_FRAMES": "../data/thau_????.cbf",
    "UNTRUSTED_RECTANGLE": "1 3 4 6",
    "SPACE_GROUP_NUMBER": "96",
    "GAIN": "1.5",
}


def inp(folder: Path, values: dict[str, str] = INP) -> Path:
    path = folder / "XDS.INP"
    path.write_text("! a comment with ORGX= 1\n" + "".join(f" {key}= {value} ! why\n" for key, value in values.items()))
    return path


def xparm(folder: Path, name: str = "XPARM.XDS", is_old: bool = False, angle: str = "7.0000") -> Path:
    first = f"     3        {angle}    0.5000  0.000000 -1.000000  0.000000"
    beam = "       0.979500       0.010209       0.000000       1.020878"
    cell = ["   57.8     57.8    150.0  90.000  90.000  90.000", "1 0 0", "0 1 0", "0 0 1"]
    axes = ["1.000000 0.000000 0.000000", "0.000000 0.960000 -0.280000", "0.000000 0.280000 0.960000"]
    if is_old:
        rows = [first, beam, "40 30 0.172 0.172", "120.5 21.5 12.25", *axes, f"96 {cell[0]}", *cell[1:]]
    else:
        segment = ["1 1 40 1 30", "0.00 0.00 0.00 1.00000 0.00000 0.00000 0.00000 1.00000 0.00000"]
        rows = [" XPARM.XDS    VERSION Jan 1, 2020", first, beam, f"96 {cell[0]}", *cell[1:]]
        rows += ["1 40 30 0.172000 0.172000", "21.5 12.25 120.5", *axes, *segment]
    path = folder / name
    path.write_text("\n".join(rows) + "\n")
    return path


def reflections(folder: Path) -> Path:
    left_out = ("JOB", "DETECTOR", "UNTRUSTED_RECTANGLE", "GAIN", "SPOT_RANGE")
    lines = [f"!{key}= {value}" for key, value in INP.items() if key not in left_out]
    head = "!FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW=TRUE\n!OUTPUT_FILE=XDS_ASCII.HKL  DATE=1-Jan-2020\n"
    path = folder / "XDS_ASCII.HKL"
    path.write_text(head + "\n".join(lines) + "\n!ITEM_SIGMA(IOBS)=5\n!END_OF_HEADER\n 1 2 3 4.0E+00 1.0\n")
    return path


def place(x: float, y: float) -> np.ndarray:
    """By hand: the formula of the documentation with the numbers above."""
    ed1, ed2 = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.96, -0.28])
    return (x - 21.5) * 0.172 * ed1 + (y - 12.25) * 0.172 * ed2 + 120.5 * np.cross(ed1, ed2)


@pytest.mark.parametrize("make", [inp, xparm, reflections], ids=["XDS.INP", "XPARM.XDS", "XDS_ASCII.HKL"])
def test_pixels_lie_where_xds_has_them(tmp_path: Path, make) -> None:
    path = make(tmp_path)
    assert kind_of(path) == "xds"
    (panel,) = read_xds(path).panels
    assert_allclose(panel.origin, place(1, 1), atol=1e-9)
    assert_allclose(panel.corners()[2], place(40.5, 30.5), atol=1e-9)
    draft = read_xds(path)
    assert_allclose(draft.to_source, -np.array([0.01, 0.0, 1.0]) / np.hypot(0.01, 1.0), atol=2e-6)
    assert draft.goniometer[0].vector.tolist() == [0.0, -1.0, 0.0]


def test_old_parameters_say_the_same_as_new_ones(tmp_path: Path) -> None:
    new, old = read_xds(xparm(tmp_path)), read_xds(xparm(tmp_path, "GXPARM.XDS", is_old=True))
    assert_allclose(old.panels[0].corners(), new.panels[0].corners(), atol=1e-12)
    assert (old.start, old.increment, old.wavelength) == (new.start, new.increment, new.wavelength)


def test_angles_and_names_belong_to_the_first_image_of_the_range(tmp_path: Path) -> None:
    draft = read_xds(inp(tmp_path))
    # Image 3 begins at 7 degrees; image 5 two steps of half a degree later.
    assert (draft.start, draft.increment, draft.count, draft.first_number) == (8.0, 0.5, 10, 5)
    assert draft.images is not None and draft.images.files[0] == "../data/thau_0005.cbf"
    assert draft.images.format == "CBF"


def test_refined_parameters_take_images_and_limits_from_the_inputs(tmp_path: Path) -> None:
    draft = read_inputs([str(inp(tmp_path)), str(xparm(tmp_path, "GXPARM.XDS", angle="7.1250"))])
    assert draft.start == 8.125 and draft.count == 10 and draft.panels[0].overload == 65000.0
    assert len({entry.place for entry in draft.statements}) == len(draft.statements)


def test_creation_is_complete_and_compared(tmp_path: Path) -> None:
    made = create(inp(tmp_path))
    assert made.is_sound and not made.needed and made.deviation < 1e-6
    assert "corners of 1 panel" in made.witness.same and not made.witness.different
    assert "_diffrn_radiation.polarizn_source_ratio      0.96" in made.text or "0.96" in made.text
    (detector,) = [entry for entry in made.questions if entry.key == "detector"]
    assert detector.proposal == '"PILATUS"'
    assert "thau_0014.cbf" in made.text


def test_parameters_alone_ask_for_the_number_of_images(tmp_path: Path) -> None:
    assert [entry.key for entry in create(xparm(tmp_path)).needed] == ["frames"]


def test_every_value_is_marked_and_the_mark_is_true(tmp_path: Path) -> None:
    whole = outcome(inp(tmp_path))
    marked = {entry.place: entry for entry in read_described(inp(tmp_path)).statements}
    assert set(marked) == set(INP)
    for key, text in INP.items():
        if marked[key].fate is Fate.ASKED:
            assert key == "DETECTOR"
            continue
        changes = [text.replace("0.0", "0.1", 1)] if len(text.split()) == 3 else list(other_number(text))
        if key.startswith("NAME"):
            changes = [text.replace("thau", "lyso")]
        for changed in changes:
            other = outcome(inp(tmp_path, {**INP, key: changed}))
            assert (other != whole) == (marked[key].fate is Fate.USED), f"{key}= {changed}: {marked[key].fate}"
            assert marked[key].reason or marked[key].fate is Fate.USED


@pytest.mark.parametrize("path", BASES, ids=lambda path: path.name)
def test_what_is_exported_is_read_back(path: Path, tmp_path: Path) -> None:
    try:
        plan = plan_of(path)
        files = exported(path, "xds", tmp_path)
    except InputError as refusal:
        pytest.skip(str(refusal).rpartition("/")[2])
    hold_against_plan(plan, files)


def test_segments_are_read_back(tmp_path: Path) -> None:
    (source,) = (ROOT / "conformance" / "datasets" / "generate" / "expt-eight-panels").glob("*.expt")
    text = create(source).text
    files = exported(text, "xds", tmp_path)
    assert files[0].read_text().count("SEGMENT=") == 8
    hold_against_plan(plan_of(text), files)


def hold_against_plan(plan: Plan, files: list[Path]) -> None:
    """Compare what is read of XDS.INP files with the plan from which they were written."""
    for name, sweep in zip(files, plan.sweeps, strict=True):
        found = read_source(f"xds:{name}")
        (scan,) = found.scans
        own = np.array([panel.corners() for panel in scan.panels])
        assert_allclose(own, np.array([panel.corners() for panel in sweep.panels]), atol=1e-5)
        assert [panel.raw_offset for panel in scan.panels] == [panel.raw_offset for panel in sweep.panels]
        assert_allclose(found.beam.source, plan.sweeps[0].source, atol=1e-9)
        _, step = scan.settings["omega"]
        (axis,) = found.goniometer
        turned = rotation_matrices(axis.vector, np.array([step * (sweep.frames - 1)]))[0]
        whole = [np.eye(3), np.eye(3)]
        for circle in sweep.circles:
            for index, frame in enumerate((0, sweep.frames - 1)):
                angle = np.array([circle.start + frame * circle.step])
                whole[index] = whole[index] @ rotation_matrices(circle.vector, angle)[0]
        assert_allclose(turned @ whole[0], whole[1], atol=1e-7)
        assert scan.frames == sweep.frames and scan.wavelength == pytest.approx(sweep.wavelength)


@pytest.mark.parametrize(
    "change",
    [
        {"ORGX": "many"},
        {"ORGX": "0", "ORGY": "0"},
        {"NX": "-4"},
        {"QX": "1e300"},
        {"QX": "172"},
        {"DATA_RANGE": "1 99999999999"},
        {"DATA_RANGE": "9 1"},
        {"ROTATION_AXIS": "0 0 0"},
        {"ROTATION_AXIS": "nan 0 0"},
        {"DIRECTION_OF_DETECTOR_Y-AXIS": "1 0 0"},
        {"DETECTOR_DISTANCE": ""},
        {"DATA_RANGE": "1 20000"},
        {"NX": "9" * 400},
    ],
    ids=str,
)
def test_bad_values_are_refused_in_one_sentence(tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(InputError) as refusal:
        read_xds(inp(tmp_path, {**INP, **change}))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("lines", [0, 1, 3, 7, 9, 11, 13])
def test_cut_parameters_are_refused(tmp_path: Path, lines: int) -> None:
    path = xparm(tmp_path)
    path.write_text("\n".join(path.read_text().splitlines()[:lines]) + "\n")
    with pytest.raises(InputError):
        read_inputs([str(path)])


def test_a_template_of_hdf5_files_stands_for_the_master(tmp_path: Path) -> None:
    draft = read_inputs([str(inp(tmp_path, {**INP, "NAME_TEMPLATE_OF_DATA_FRAMES": "lyso_??????.h5"}))])
    assert draft.images.files == ("lyso_master.h5",) and draft.images.frame[0] == 5
    assert any("--master FILE" in note for note in draft.notes)
