"""Create an imgCIF from uploads or heads of images and from answers, each time anew from the same sources.

Works in the folder of the uploads, so that files bear the names that their owner knows. The sources as read are
kept in the worker for the next answer; another worker reads them again.
"""

import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imgcif_core.create.heads import HeadLimits, sources_of, unpack_heads
from imgcif_core.create.loop import Creation, built_and_checked
from imgcif_core.create.questions import Question, Refused, keys, question, read_answer
from imgcif_core.create.session import LinkedScan, Session
from imgcif_core.create.wishes import Wishes
from imgcif_core.errors import ImgcifError, InputError
from imgcif_core.sources.series import MissingFrames
from imgcif_core.web.tasks import Progress
from imgcif_core.web.tasks.common import write_json, write_text
from imgcif_core.web.tasks.described import known_facts

SCHEMA = "imgcif-create/1"
# What the reading of the sources itself needs to know.
_AT_OPENING = ("missing_frames",)
_MOST_LINKS, _MOST_ORIGINS, _MOST_FINDINGS, _MOST_NOTES = 200, 2000, 100, 200
_LONGEST = 2000
_KEPT = 4
_opened: OrderedDict[str, tuple[Session, frozenset[tuple[str, object]]]] = OrderedDict()


def run(folder: Path, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """One step; `given` has `answers` by key, the `order` of uploads in `inputs`, limits, the wanted block `name`.

    Leaves `state.json`, and `created.cif` with `report.json` once nothing needed is open.
    """
    sources = _sources(folder, given, progress)
    with _inside(folder / "inputs"):
        state, made = _step(folder, sources, given, progress)
    if made is not None and made.text:
        _keep(folder, made)
        state["size"] = len(made.text.encode())
    else:
        for name in ("created.cif", "report.json"):
            (folder / name).unlink(missing_ok=True)
    write_json(folder, "state.json", state)
    return {"needed": state["needed"], "is_sound": state["is_sound"]}


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _sources(folder: Path, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Which files there are; heads are unpacked the first time."""
    index = folder / "sources.json"
    if index.exists():
        found: dict[str, Any] = json.loads(index.read_bytes())
        return found
    inputs: list[str] = list(given.get("order", ()))
    absent: list[str] = []
    if given.get("heads"):
        progress(0, 2, "steps", "unpacking heads")
        limits = HeadLimits(given["files"], given["bytes"], given["bytes"])
        target = folder / "unpacked"
        target.mkdir()
        with (folder / "inputs" / given["pieces"]).open("rb") as pieces:
            read, absent = unpack_heads(_json(folder / "inputs" / given["heads"]), pieces, target, limits)
        # The uploads of the form lie beside each other; the heads bring folders of their own.
        for name in (given["heads"], given["pieces"]):
            (folder / "inputs" / name).unlink()
        for entry in sorted(target.iterdir()):
            if (folder / "inputs" / entry.name).exists():
                raise InputError(f"{entry.name}: came twice, as a file and as a head")
            shutil.move(entry, folder / "inputs" / entry.name)
        target.rmdir()
        inputs = [*read, *inputs]
    if not inputs:
        raise InputError("nothing to read: choose images, a master, an experiment list or a geometry")
    described, masters = sources_of(inputs)
    told = {"inputs": described, "masters": masters, "absent": absent}
    write_json(folder, "sources.json", told)
    return told


def _json(path: Path) -> Any:
    """An index as it came."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InputError("the index of heads is no JSON") from None


def _step(
    folder: Path, sources: Mapping[str, Any], given: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], Creation | None]:
    """The state after all answers, and what was made of it."""
    # In the order of the questions: a folder within an archive needs the archive.
    answers = {key: given["answers"][key] for key in keys() if str(given["answers"].get(key, "")).strip()}
    state = _blank(sources, answers)
    try:
        session = _session(folder, sources, answers, state, progress)
    except MissingFrames as error:
        state["problem"] = str(error).partition("; ")[0]
        state["questions"], state["needed"] = [_asked(question("missing_frames"))], 1
        return state, None
    session = _answered(session, answers, state)
    progress(1, 2, "steps", "building and checking")
    state["known"] = known_facts(session.described)
    state["questions"] = [_asked(entry) for entry in session.questions if entry.key not in state["refused"]]
    state["questions"] += [_asked(question(key)) for key in state["refused"] if key in answers]
    state["needed"] = sum(entry["is_needed"] for entry in state["questions"])
    state["notes"] = [_cut(note) for note in session.described.notes[:_MOST_NOTES]]
    if session.needed:
        return state, None
    try:
        state["links"] = [_link(row) for row in session.links[:_MOST_LINKS]]
        state["scans"] = len(session.links)
        made = built_and_checked(session)
    except ImgcifError as error:
        state["problem"] = _cut(str(error))
        return state, None
    _tell(state, made)
    return state, made


def _blank(sources: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    """A state in which nothing is known yet."""
    return {
        "schema": SCHEMA,
        "inputs": {"read": len(sources["inputs"]), "names": sources["inputs"][:5], "absent": len(sources["absent"])},
        "answers": dict(answers),
        "refused": {},
        "problem": "",
        "known": [],
        "questions": [],
        "needed": 0,
        "links": [],
        "scans": 0,
        "notes": [],
        "origins": [],
        "deviation_mm": None,
        "witness": "",
        "is_sound": False,
        "findings": [],
        "counts": {},
        "size": 0,
    }


def _session(
    folder: Path, sources: Mapping[str, Any], answers: Mapping[str, str], state: dict[str, Any], progress: Progress
) -> Session:
    """The sources as read, by this worker for an earlier answer or now."""
    at_opening = {}
    for key in _AT_OPENING:
        if key in answers:
            try:
                at_opening[key] = read_answer(key, answers[key])
            except Refused as error:
                state["refused"][key] = error.reason
    mark = frozenset(at_opening.items())
    kept = _opened.get(str(folder))
    if kept is not None and kept[1] == mark:
        return kept[0]

    def told(what: str, done: int, total: int) -> None:
        progress(done, max(total, 1), "files", what)

    wishes = Wishes(answers=at_opening, masters=tuple(sources["masters"]), progress=told)
    session = Session.open(sources["inputs"], wishes)
    _opened[str(folder)] = (session, mark)
    _opened.move_to_end(str(folder))
    while len(_opened) > _KEPT:
        _opened.popitem(last=False)
    return session


def _answered(session: Session, answers: Mapping[str, str], state: dict[str, Any]) -> Session:
    """The session with all answers that are taken; of the others the reason is told."""
    for key, text in answers.items():
        if key in _AT_OPENING:
            continue
        try:
            session = session.answered(key, text)
        except Refused as error:
            state["refused"][key] = _cut(error.reason)
        except ImgcifError as error:
            state["refused"][key] = _cut(str(error))
    return session


def _tell(state: dict[str, Any], made: Creation) -> None:
    """Put down what was made."""
    report = made.report
    state["notes"] = [_cut(note) for note in made.notes[:_MOST_NOTES]]
    state["deviation_mm"] = made.deviation
    state["witness"] = _cut(str(made.witness)) if made.witness is not None else ""
    state["is_sound"] = made.is_sound
    state["origins"] = [
        {
            "block": row.block,
            "item": row.item,
            "row": _cut(row.key),
            "value": _cut(row.value),
            "source": _cut(row.source),
        }
        for row in made.origins[:_MOST_ORIGINS]
    ]
    if report is None:
        return
    for finding in report.findings:
        word = str(finding.severity)
        state["counts"][word] = state["counts"].get(word, 0) + 1
    ordered = sorted(report.findings, key=lambda finding: finding.severity.value != "error")
    state["findings"] = [
        {
            "rule": finding.rule,
            "severity": str(finding.severity),
            "level": finding.level or "G",
            "message": _cut(finding.message),
            "help": _cut(finding.help),
        }
        for finding in ordered[:_MOST_FINDINGS]
    ]


def _asked(entry: Question) -> dict[str, Any]:
    """A question as data."""
    return {
        "key": entry.key,
        "text": " ".join(entry.text.split()),
        "example": entry.example.strip('"'),
        "is_needed": entry.is_needed,
        "choices": list(entry.choices),
        "proposal": entry.proposal.strip('"'),
        "ground": entry.ground,
        "unit": entry.unit,
    }


def _link(row: LinkedScan) -> dict[str, Any]:
    """Where the images of one scan lie, as data."""
    return {
        "scan": row.scan,
        "number": row.number,
        "frames": row.frames,
        "url": row.url,
        "first": row.first,
        "last": row.last,
        "is_extrapolated": row.is_extrapolated,
    }


def _keep(folder: Path, made: Creation) -> None:
    """The text and the report on it."""
    from imgcif_core import api
    from imgcif_core._version import __version__
    from imgcif_core.ddlm.bundled import load_bundled
    from imgcif_core.findings import Report
    from imgcif_core.render import render

    write_text(folder, "created.cif", made.text)
    if made.report is not None:
        report = Report(__version__, api.identities(load_bundled()), (made.report,))
        write_text(folder, "report.json", render(report, "json"))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
