"""What dxtbx says of the same image is proposed for open questions; contradictions are told in mm."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from create.images import minicbf, series, smv

from imgcif_core.create import Session, Wishes
from imgcif_core.create.loop import create
from imgcif_core.create.questions import read_answer
from imgcif_core.create.second import Second, facing, hour_of
from imgcif_core.sources.any import read_source
from imgcif_core.sources.description import PanelFacts
from imgcif_core.sources.draft import CORNERS, clock_direction
from imgcif_core.sources.dxtbx import find_python


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_words_for_a_detector_lead_back_to_it(corner: str, direction: str) -> None:
    across, up = (sign * way for sign, way in zip(CORNERS[corner], np.eye(3), strict=False))
    fast, slow = (across, up) if direction == "horizontal" else (up, across)
    assert facing(PanelFacts("p", (4, 3), (0.1, 0.1), np.zeros(3), fast, slow)) == (corner, direction)


@pytest.mark.parametrize("hours", [0.0, 3.0, 4.5, 6.0, 9.25, 11.123])
def test_hours_lead_back_to_the_direction(hours: float) -> None:
    answer = read_answer("principal_axis", hour_of(clock_direction(hours)).strip('"'))
    assert answer == pytest.approx(hours, abs=1e-5)
    assert hour_of(np.array([0.6, 0.0, 0.8])) == ""


def second_of(path: Path) -> Second:
    """Another description in the place of dxtbx: of an image whose place is known."""
    return Second(read_source(path))


def test_proposals_answer_all_questions_about_the_geometry(tmp_path: Path) -> None:
    other = minicbf(tmp_path / "other_0001.cbf", distance=0.1)
    session = Session.open(smv(tmp_path / "a.img", DISTANCE=0.0))
    session = Session(session.source, session.paths, session.wishes, second_of(other))
    while needed := session.needed:
        assert needed[0].ground == "dxtbx has it so", needed[0].key
        session = session.answered(needed[0].key, needed[0].proposal.strip('"'))
    assert session.answers["distance"] == pytest.approx(100.0)
    assert session.answers["first_pixel"] == "top left" and session.answers["rotation_sense"] == "clockwise"


def test_the_sense_goes_with_the_hour_that_was_answered(tmp_path: Path) -> None:
    other = minicbf(tmp_path / "other_0001.cbf")
    session = Session.open(smv(tmp_path / "a.img"), Wishes(answers={"principal_axis": 9.0}))
    session = Session(session.source, session.paths, session.wishes, second_of(other))
    (sense,) = [entry for entry in session.questions if entry.key == "rotation_sense"]
    assert sense.proposal == '"anticlockwise"'


def test_contradictions_are_told_in_mm(tmp_path: Path) -> None:
    path, other = minicbf(tmp_path / "a_0001.cbf"), minicbf(tmp_path / "b_0001.cbf", distance=0.205)
    session = Session.open(path)
    session = Session(session.source, session.paths, session.wishes, second_of(other))
    assert any("contradicts the distance of 200 mm by 5 mm: it has 205 mm" in note for note in session.remarks)
    whole = session.answered("principal_axis", "3:00").answered("rotation_sense", "clockwise")
    assert any("up to 5 mm from where they are here" in note for note in whole.remarks)
    same = Session(whole.source, whole.paths, whole.wishes, second_of(path))
    assert same.remarks == ("dxtbx has the corners of all panels in the same places, to a micrometre",)


def turned(folder: Path, starts: list[tuple[int, float]]) -> Second:
    """dxtbx as it would read images given alone: a scan for each, under the names of those at hand."""
    folder.mkdir()
    parts = [read_source(minicbf(folder / f"x_{n:04d}.cbf", start=start)) for n, start in starts]
    return Second(replace(parts[0], scans=tuple(part.scans[0] for part in parts)))


def test_the_last_image_of_a_scan_is_held_against_dxtbx(tmp_path: Path) -> None:
    files = [str(path) for path in series(tmp_path, range(1, 6))]
    session = Session.open(files, Wishes(answers={"principal_axis": 3.0, "rotation_sense": "clockwise"}))
    same, other = turned(tmp_path / "same", [(1, 0.5), (5, 2.5)]), turned(tmp_path / "other", [(1, 0.5), (5, 2.0)])
    notes = Session(session.source, session.paths, session.wishes, same).remarks
    assert "dxtbx has 2 images, the last of a scan among them, at the same angles" in notes
    notes = Session(session.source, session.paths, session.wishes, other).remarks
    assert "dxtbx contradicts the rotation: it has x_0005.cbf at 2 degrees and not at 2.5" in notes


def test_dxtbx_is_not_asked_unless_allowed(tmp_path: Path) -> None:
    assert Session.open(minicbf(tmp_path / "a_0001.cbf")).second is None


@pytest.mark.dxtbx
def test_dxtbx_itself_proposes(tmp_path: Path) -> None:
    if find_python() is None:
        pytest.skip("no Python with dxtbx")
    from dxtbx.test_knowledge import HEADER

    path = tmp_path / "x_0001.cbf"
    values = {
        "detector": "PILATUS3 6M, S/N 60-0132",
        "date": "2016-05-05",
        "distance": 0.25,
        "fast": 2463,
        "slow": 2527,
    }
    payload = b"\x0c\x1a\x04\xd5" + bytes(48) + b"\n--CIF-BINARY-FORMAT-SECTION----\n;\n"
    path.write_bytes(HEADER.format(**values).encode() + payload)
    made = create(path, wishes=Wishes(dxtbx=True, knowledge=False))
    proposals = {entry.key: entry.proposal for entry in made.needed}
    # dxtbx knows by the serial number that this spindle is the opposite of others.
    assert proposals["principal_axis"] == '"9:00"'
    refused = create(smv(tmp_path / "a.img"), wishes=Wishes(dxtbx=True))
    assert any(note.startswith("dxtbx was asked as well: ") for note in refused.notes) or refused.needed[0].proposal
