"""The dialogue: refused answers say why, steps go back, answers outlive an interruption."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from create.images import expt, minicbf, series, smv

from imgcif_core.cli import main
from imgcif_core.create import Session, Wishes
from imgcif_core.create.dialogue import Dialogue
from imgcif_core.create.kept import Kept, answers_text
from imgcif_core.create.links import Links
from imgcif_core.create.questions import keys, load_answers, question, read_answer
from imgcif_core.errors import UsageError


class Person:
    """Somebody who types lines and reads what is shown."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.shown = list(lines), []

    def say(self, text: str) -> None:
        self.shown.append(text)

    def read(self) -> str | None:
        return self.lines.pop(0) if self.lines else None

    def ask(self, session: Session, kept: Kept) -> Session:
        return Dialogue(session, self.say, self.read, kept).run()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(None, str(tmp_path / "out.cif"))


def smv_session(tmp_path: Path) -> Session:
    return Session.open(smv(tmp_path / "a.img", DISTANCE=0.0))


def test_refused_answer_says_why_and_is_asked_again(tmp_path: Path, kept: Kept) -> None:
    person = Person("far away", "0.58", "580 mm")
    session = person.ask(smv_session(tmp_path), kept)
    assert session.answers == {"distance": 580.0}
    assert "Not taken: expected a number. Example: 250.0" in person.shown
    assert any("if metres are meant, say so, such as 0.58 m" in text for text in person.shown)


def test_steps_are_counted_and_choices_have_numbers(tmp_path: Path, kept: Kept) -> None:
    person = Person("100", "2, 1.5", "2", "horiz")
    session = person.ask(smv_session(tmp_path), kept)
    assert session.answers["first_pixel"] == "top right" and session.answers["fast_direction"] == "horizontal"
    asked = [text for text in person.shown if "Question" in text]
    total = len(smv_session(tmp_path).questions)
    assert f"Question 1 of {total}" in asked[0] and f"Question 5 of {total}" in asked[4]
    assert "  2 top right" in asked[2]


def test_a_step_back_undoes_an_answer(tmp_path: Path, kept: Kept) -> None:
    person = Person("<", "100", "<", "200")
    session = person.ask(smv_session(tmp_path), kept)
    assert session.answers == {"distance": 200.0}
    assert "This is the first question." in person.shown
    assert kept.path is not None and load_answers(kept.path)[0] == {"distance": 200.0}


def test_needed_answers_cannot_be_left_out_and_others_can(tmp_path: Path, kept: Kept) -> None:
    person = Person("", "-", "stop")
    assert person.ask(smv_session(tmp_path), kept).answers == {}
    assert sum("Nothing can be written without it" in text for text in person.shown) == 2
    known = Session.open(expt(tmp_path / "a.expt"))
    left = Person(*[""] * 20)
    assert left.ask(known, kept).answers == {}
    assert len(left.lines) == 20 - len(known.questions)


def test_proposals_hold_once_they_are_confirmed(tmp_path: Path, kept: Kept) -> None:
    session = Session.open(
        minicbf(tmp_path / "a.cbf"), Wishes(answers={"principal_axis": 3.0, "rotation_sense": "clockwise"})
    )
    proposed = next(entry for entry in session.questions if entry.key == "probe")
    assert proposed.proposal == '"x-ray"'
    assert Person("").ask(session, kept).answers["probe"] == "x ray"
    assert "probe" not in Person("-").ask(session, kept).answers


def test_links_are_shown_before_they_are_used(tmp_path: Path, kept: Kept) -> None:
    def three(data: dict) -> None:
        data["experiment"].append({"beam": 0, "detector": 0, "goniometer": 0, "scan": 2, "imageset": 2})
        data["scan"].append({"image_range": [1, 4], "oscillation": [90.0, 0.5]})
        data["imageset"].append({"template": "/data/run3/x_####.cbf"})

    answers = {"facility": "X", "beamline": "Y", "detector": "Z", "source": "S"}
    session = Session.open(expt(tmp_path / "a.expt", three), Wishes(answers=answers))
    wrong, right = "https://x.org/b_1.zip https://x.org/b_2.zip", "https://x.org/a_01.zip https://x.org/a_02.zip"
    person = Person("https://x.org/a b c", wrong, "n", right, "y")
    found = person.ask(session, kept)
    assert found.wishes.all_links.urls == tuple(right.split())
    assert any("a_03.zip (worked out from the first two)" in text for text in person.shown)
    assert any("Not taken: the address 'b' is no URL" in text for text in person.shown)


def test_root_within_the_archive_is_offered(tmp_path: Path) -> None:
    wishes = Wishes(links=Links("https://x.org/a.zip"))
    session = Session.open(expt(tmp_path / "a.expt", template="/data/visit/run{n}/x_####.cbf"), wishes)
    (root,) = [entry for entry in session.questions if entry.key == "root"]
    assert root.choices == (".", "visit", "data/visit")
    assert session.answered("root", "visit").links[1].first == "visit/run2/x_0001.cbf"
    assert session.answered("root", ".").links[0].first == "run1/x_0001.cbf"


def test_answers_read_back_as_they_were_given(tmp_path: Path) -> None:
    given = {key: question(key).example.strip('"') for key in keys()}
    given |= {"distance": "0.58 mm", "facility": "O'Neill \"\\ \u00e9", "wavelength": "12.66 keV"}
    answers = {key: read_answer(key, text) for key, text in given.items()}
    path = tmp_path / "a.toml"
    path.write_text(answers_text(answers, given, {"_diffrn.ambient_temperature": 100}), encoding="utf-8")
    assert load_answers(path) == (answers, {"_diffrn.ambient_temperature": 100})


def test_other_files_are_not_touched_by_kept_answers(tmp_path: Path) -> None:
    (tmp_path / "out.answers.toml").write_text("mine")
    kept = Kept(None, str(tmp_path / "out.cif"))
    kept.keep("distance", "100", {"distance": 100.0})
    assert kept.path == tmp_path / "out.answers-2.toml"
    assert (tmp_path / "out.answers.toml").read_text() == "mine"


def test_gaps_in_numbers_are_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    files = [str(path) for path in series(tmp_path, (1, 2, 5))]
    monkeypatch.setattr("sys.stdin", io.StringIO("split\n3:00\nclockwise\n"))
    main(["create", *files, "-o", str(tmp_path / "o.cif"), "--interactive"])
    said = capsys.readouterr().err
    assert "numbers 3 to 4 are missing" in said and "Numbers are missing among the files" in said


def test_an_error_after_the_answers_names_where_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    target = tmp_path / "o.cif"
    monkeypatch.setattr("sys.stdin", io.StringIO("3:00\nclockwise\n"))
    given = ["create", str(minicbf(tmp_path / "a_1.cbf")), "-o", str(target), "--interactive", "--set", "_no.such=1"]
    assert main(given) == 2
    assert f"--answers {tmp_path / 'o.answers.toml'}" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_interruption_at_a_terminal_keeps_the_answers(tmp_path: Path) -> None:
    import pty

    image = smv(tmp_path / "a.img")
    main_end, other_end = pty.openpty()
    command = [sys.executable, "-m", "imgcif_core.cli", "create", str(image), "-o", "out.cif", "--interactive"]
    process = subprocess.Popen(
        command, stdin=other_end, stdout=other_end, stderr=other_end, cwd=tmp_path, start_new_session=True,
        preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(other_end)
    shown = _until(main_end, b">")
    os.write(main_end, b"2.0 1.5\n")
    shown += _until(main_end, b">")
    os.write(main_end, b"\x03")
    shown += _until(main_end, b"interrupted")
    assert process.wait(timeout=30) == 130
    os.close(main_end)
    assert b"answers are kept in out.answers.toml" in shown and b"Traceback" not in shown
    assert load_answers(tmp_path / "out.answers.toml")[0] == {"beam_centre": (2.0, 1.5)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.img", "out.answers.toml"]


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C reaches the process."""
    import fcntl
    import signal
    import termios

    # Tests that run side by side ignore it, and processes inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _until(handle: int, mark: bytes) -> bytes:
    """What a terminal shows until a mark ends it, in half a minute at most."""
    import select

    shown = b""
    while not shown.rstrip().endswith(mark) and select.select([handle], [], [], 30.0)[0]:
        try:
            shown += os.read(handle, 4096)
        except OSError:
            break
    return shown


def test_a_question_that_is_needed_can_be_put_off(tmp_path: Path, kept: Kept) -> None:
    person = Person("later", "2, 1.5", "stop")
    session = person.ask(smv_session(tmp_path), kept)
    assert session.answers == {"beam_centre": (2.0, 1.5)}
    everything = Person(*["later"] * 50)
    assert everything.ask(smv_session(tmp_path), kept).answers == {}
    assert len({text.split("\n")[2] for text in everything.shown if "Question" in text}) > 5


def test_the_last_question_says_so_when_it_is_put_off(tmp_path: Path, kept: Kept) -> None:
    session = smv_session(tmp_path)
    person = Person("later", "2, 1.5", "top left", "horizontal", "3:00", "clockwise", *["-"] * 7, "later", "stop")
    found = person.ask(session, kept)
    assert [entry.key for entry in found.needed] == ["distance"]
    assert any(text.startswith("It is the last question; stop ends") for text in person.shown)


def test_confirming_links_takes_another_address(tmp_path: Path, kept: Kept) -> None:
    answers = {"facility": "X", "beamline": "Y", "detector": "Z", "source": "S", "probe": "x ray"}
    session = Session.open(expt(tmp_path / "a.expt"), Wishes(answers=answers))
    person = Person("https://x.org/wrong.zip", "https://x.org/right.zip", "y")
    assert person.ask(session, kept).wishes.all_links.urls == ("https://x.org/right.zip",)


def test_beam_centre_may_be_given_in_mm(tmp_path: Path, kept: Kept) -> None:
    person = Person("100", "0.15 0.2 mm", "stop")
    session = person.ask(smv_session(tmp_path), kept)
    # Pixels of 0.1 mm.
    assert session.described.beam_centre == (1.5, 2.0)
    assert load_answers(kept.path)[0]["beam_centre"] == (0.15, 0.2)
    assert type(read_answer("beam_centre", ["150 um", "0.2 mm"])).__name__ == "Millimetres"
    assert tuple(read_answer("beam_centre", ["150 um", "0.2 mm"])) == (0.15, 0.2)
    for refused in ("12 px, 30 mm", ["1 mm", 2], "1 2 3 mm"):
        with pytest.raises(UsageError):
            read_answer("beam_centre", refused)


def test_beam_centre_in_mm_needs_the_size_of_a_pixel(tmp_path: Path, kept: Kept) -> None:
    session = Session.open(smv(tmp_path / "a.img", PIXEL_SIZE=0.0))
    with pytest.raises(UsageError, match="answer pixel_size first"):
        session.answered("beam_centre", "0.15 0.2 mm")
    both = session.answered("pixel_size", "0.05").answered("beam_centre", "0.15 0.2 mm")
    assert both.described.beam_centre == (3.0, 4.0)
