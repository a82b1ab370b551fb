"""Questions are asked for what nobody wrote down, and answers mean what the words say."""

from pathlib import Path

import numpy as np
import pytest
from create.images import expt, minicbf, smv, tiff
from create.truth import experiments_of
from numpy.testing import assert_allclose

from imgcif_core.create.loop import Wishes, create
from imgcif_core.create.questions import clock, keys, load_answers, question, read_answer
from imgcif_core.errors import InputError, UsageError
from imgcif_core.sources.draft import clock_direction

SMV_ANSWERS = {
    "beam_centre": (2.0, 1.5),
    "first_pixel": "top left",
    "fast_direction": "horizontal",
    "principal_axis": 3.0,
    "rotation_sense": "clockwise",
}


def described(path: Path, **answers):
    made = create(path, wishes=Wishes(answers={**SMV_ANSWERS, **answers}))
    assert made.is_sound, [finding.message for finding in made.report.findings]
    (part,) = experiments_of(made.text)
    return part


@pytest.mark.parametrize(
    ("hour", "direction"),
    [(12, (0, 1)), (3, (1, 0)), (6, (0, -1)), (9, (-1, 0)), (1.5, (0.7071067811865, 0.7071067811865))],
)
def test_hours_point_where_the_hand_of_a_clock_points(hour: float, direction) -> None:
    assert_allclose(clock_direction(hour)[:2], direction, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "hours"), [("3:00", 3), ("12", 0), ("1:30", 1.5), ("90 degrees", 3), (6, 6), ("9 o'clock", 9)]
)
def test_hours_may_be_written_in_several_ways(text, hours: float) -> None:
    assert clock(text) == hours


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("wavelength", "long"),
        ("wavelength", 0),
        ("principal_axis", "25:00"),
        ("first_pixel", "middle"),
        ("size", [100.5, 3]),
        ("pixel_size", []),
        ("beam_centre", "1"),
        ("distance", "nan"),
        ("rotation_sense", ""),
        ("doi", "  "),
    ],
)
def test_answers_that_do_not_fit_are_refused_with_an_example(key: str, answer) -> None:
    with pytest.raises(UsageError, match=f"answer {key} = .*for example"):
        read_answer(key, answer)


def test_every_question_reads_its_own_example() -> None:
    import tomllib

    for key in keys():
        value = tomllib.loads(f"value = {question(key).example}")["value"]
        assert read_answer(key, value) is not None


def test_answers_come_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('wavelength = 0.98\nfirst_pixel = "top left"\n[items]\n"_diffrn.ambient_temperature" = 100.0\n')
    answers, items = load_answers(path)
    assert answers == {"wavelength": 0.98, "first_pixel": "top left"}
    assert items == {"_diffrn.ambient_temperature": 100.0}
    path.write_text("wavelenght = 0.98")
    with pytest.raises(UsageError, match="no question has the key 'wavelenght'"):
        load_answers(path)
    path.write_text("wavelength = ")
    with pytest.raises(InputError, match=r"a\.toml: no TOML"):
        load_answers(path)


def test_axis_at_three_o_clock_that_turns_clockwise_is_x(tmp_path: Path) -> None:
    part = described(smv(tmp_path / "a.img"))
    assert_allclose(part.goniometer[0].vector, [1, 0, 0])
    # Seen along the beam right is +X and up is +Y: the first pixel is up on the left, fast to the right.
    panel = part.scans[0].panels[0]
    assert_allclose(panel.fast, [1, 0, 0], atol=1e-12)
    assert_allclose(panel.slow, [0, -1, 0], atol=1e-12)
    assert_allclose(panel.corner, [-0.2, 0.15, -100.0], atol=1e-12)
    assert_allclose(part.gravity, [0, -1, 0], atol=1e-12)


def test_axis_that_turns_anticlockwise_points_the_other_way(tmp_path: Path) -> None:
    # X then points to the left as seen along the beam, Y down: gravity is +Y.
    part = described(smv(tmp_path / "a.img"), rotation_sense="anticlockwise")
    assert_allclose(part.scans[0].panels[0].fast, [-1, 0, 0], atol=1e-12)
    assert_allclose(part.gravity, [0, 1, 0], atol=1e-12)


def test_vertical_axis_puts_gravity_along_minus_x(tmp_path: Path) -> None:
    part = described(smv(tmp_path / "a.img"), principal_axis=0.0)
    assert_allclose(part.gravity, [-1, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("corner", "direction", "fast", "slow"),
    [
        ("top left", "vertical", (0, -1, 0), (1, 0, 0)),
        ("top right", "horizontal", (-1, 0, 0), (0, -1, 0)),
        ("bottom left", "horizontal", (1, 0, 0), (0, 1, 0)),
        ("bottom right", "vertical", (0, 1, 0), (-1, 0, 0)),
    ],
)
def test_corner_and_direction_place_the_pixels(corner: str, direction: str, fast, slow, tmp_path: Path) -> None:
    part = described(smv(tmp_path / "a.img"), first_pixel=corner, fast_direction=direction)
    panel = part.scans[0].panels[0]
    assert_allclose(panel.fast, fast, atol=1e-12)
    assert_allclose(panel.slow, slow, atol=1e-12)


def test_nothing_is_written_while_a_needed_answer_is_missing(tmp_path: Path) -> None:
    target = tmp_path / "out.cif"
    made = create(smv(tmp_path / "a.img"), target)
    assert {entry.key for entry in made.needed} == set(SMV_ANSWERS)
    assert made.text == "" and made.written is None and not target.exists()


def test_direction_that_the_header_does_not_give_is_asked_for(tmp_path: Path) -> None:
    made = create(minicbf(tmp_path / "x_0001.cbf"))
    assert [entry.key for entry in made.needed] == ["principal_axis", "rotation_sense"]


def test_known_detector_needs_no_question(tmp_path: Path) -> None:
    made = create(minicbf(tmp_path / "x_0001.cbf", detector="PILATUS 6M-F, S/N 60-0115-F"))
    assert not made.needed and made.is_sound
    sources = {entry.item: entry.source for entry in made.origins}
    assert sources["_diffrn_source.facility"].startswith("knowledge: petra-p14-pilatus-6m-f")
    without = create(tmp_path / "x_0001.cbf", wishes=Wishes(knowledge=False))
    assert [entry.key for entry in without.needed] == ["principal_axis", "rotation_sense"]


def test_beamline_that_a_person_names_answers_the_other_questions(tmp_path: Path) -> None:
    answers = {"facility": "Australian Synchrotron", "beamline": "MX-1", "beam_centre": (2.0, 1.5)}
    made = create(smv(tmp_path / "a.img"), wishes=Wishes(answers=answers))
    assert made.is_sound and not made.needed
    (part,) = experiments_of(made.text)
    # The spindle turns about -X of the view along the beam: X points to the left there, and gravity is +Y.
    assert_allclose(part.scans[0].panels[0].fast, [-1, 0, 0], atol=1e-12)
    assert_allclose(part.gravity, [0, 1, 0], atol=1e-12)


def test_answers_win_over_what_is_known_of_a_beamline(tmp_path: Path) -> None:
    place = {"facility": "ESRF", "beamline": "ID23"}
    part = described(smv(tmp_path / "a.img"), **place, first_pixel="bottom left")
    assert_allclose(part.scans[0].panels[0].slow, [0, 1, 0], atol=1e-12)


def test_knowledge_has_its_time(tmp_path: Path) -> None:
    detector = {"detector": "PILATUS3 6M, S/N 60-0119"}
    now = create(minicbf(tmp_path / "x_0001.cbf", **detector))
    assert now.is_sound and not now.needed
    early = tmp_path / "x_0002.cbf"
    early.write_bytes(minicbf(early, **detector).read_bytes().replace(b"# 2020-01-01", b"# 2014-01-01"))
    before = create(early)
    assert before.is_sound and not before.needed
    # The detector stood at a horizontal spindle until 2014, at a vertical one since: gravity tells them apart.
    assert_allclose(experiments_of(before.text)[0].gravity, [0, -1, 0], atol=1e-12)
    assert_allclose(experiments_of(now.text)[0].gravity, [-1, 0, 0], atol=1e-12)


def test_every_entry_of_the_knowledge_base_is_whole() -> None:
    from imgcif_core.create.knowledge import instruments

    entries = instruments()
    assert len({entry.key for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.ground
        assert entry.detector or entry.serial or entry.header or entry.values.get("by_place"), entry.key
        assert entry.axis is not None or entry.axes, entry.key
        for vector in [entry.axis, *(vector for _, vector in entry.axes)]:
            assert vector is None or abs(np.linalg.norm(vector) - 1.0) < 2e-3, entry.key


def test_knowledge_does_not_override_a_source(tmp_path: Path) -> None:
    def same_detector(data: dict) -> None:
        data["detector"][0]["panels"][0]["identifier"] = "PILATUS 6M-F, S/N 60-0115-F"

    made = create(expt(tmp_path / "a.expt", same_detector))
    (part,) = experiments_of(made.text)
    assert_allclose(part.scans[0].panels[0].fast, [1, 0, 0], atol=1e-12)


def test_questions_are_asked_until_answered(tmp_path: Path) -> None:
    asked: list[str] = []
    order = ["first_pixel", "fast_direction", "beam_centre", "principal_axis", "rotation_sense"]

    def ask(entry):
        asked.append(entry.key)
        if entry.key not in order:
            return None
        if entry.key == "first_pixel" and asked.count("first_pixel") == 1:
            return "sideways"
        return {
            "first_pixel": "top left",
            "fast_direction": "horizontal",
            "beam_centre": "2 1.5",
            "principal_axis": "3:00",
            "rotation_sense": "clockwise",
        }[entry.key]

    made = create(smv(tmp_path / "a.img"), wishes=Wishes(ask=ask))
    assert made.is_sound and not made.needed
    assert asked.count("first_pixel") == 2


def test_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    answers = {"pixel_size": (0.1, 0.1), "distance": 50.0, "wavelength": 1.0, "start": 0.0, "increment": 0.5}
    part = described(tiff(tmp_path / "a.tif", pages=4), **answers)
    assert part.scans[0].frames == 4


def test_comments_of_a_dectris_tiff_are_read(tmp_path: Path) -> None:
    text = "# Pixel_size 172e-6 m x 172e-6 m\n# Wavelength 0.9 A\n# Detector_distance 0.3 m\n"
    text += "# Beam_xy (1.50, 1.00) pixels\n"
    text += "# Start_angle 5.0 deg.\n# Angle_increment 0.2 deg.\n"
    part = described(tiff(tmp_path / "a.tif", text=text), beam_centre=(1.5, 1.0))
    assert part.beam.wavelength == 0.9
    assert_allclose(part.scans[0].panels[0].corner, [-1.5 * 0.172, 0.172, -300.0], atol=1e-12)
    assert part.scans[0].settings["omega"] == (5.0, 0.2)


def test_person_may_set_any_item(tmp_path: Path) -> None:
    wishes = Wishes(
        items={"_diffrn.ambient_temperature": 100, "audit_author.name": "A. Author"}, doi="10.5281/zenodo.1"
    )
    made = create(expt(tmp_path / "a.expt"), wishes=wishes)
    assert made.is_sound
    assert "_diffrn.ambient_temperature 100" in " ".join(made.text.split())
    with pytest.raises(UsageError, match=r"_diffrn_nothing\.such is no data name"):
        create(expt(tmp_path / "a.expt"), wishes=Wishes(items={"_diffrn_nothing.such": "1"}))


def test_item_that_makes_an_error_stops_the_writing(tmp_path: Path) -> None:
    target = tmp_path / "out.cif"
    wishes = Wishes(items={"_diffrn_radiation.probe": "light"})
    made = create(expt(tmp_path / "a.expt"), target, wishes)
    assert not made.is_sound and made.written is None and not target.exists()
    from dataclasses import replace

    forced = create(expt(tmp_path / "a.expt"), target, replace(wishes, force=True))
    assert forced.written == target and target.read_text(encoding="utf-8") == forced.text


def test_file_that_departs_from_its_source_is_not_written(tmp_path: Path) -> None:
    target = tmp_path / "out.cif"
    made = create(expt(tmp_path / "a.expt"), target, Wishes(items={"_diffrn_radiation_wavelength.value": 1.1}))
    assert not made.is_sound and not target.exists()
    assert any(finding.rule.startswith("CMP") for finding in made.report.findings)


def test_created_file_is_held_against_its_source(tmp_path: Path) -> None:
    made = create(expt(tmp_path / "a.expt"))
    assert {"CMP001", "CMP002"} <= set(made.report.outcomes.clean)


def test_axes_of_a_clock_are_unit_vectors() -> None:
    assert_allclose([np.linalg.norm(clock_direction(hour)) for hour in np.linspace(0, 12, 25)], 1.0, atol=1e-11)
