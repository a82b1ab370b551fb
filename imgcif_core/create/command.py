"""`imgcif create` on the command line: options in, what to say and an exit status out."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcif_core.errors import InputError, UsageError
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.create.kept import Kept
    from imgcif_core.create.links import Links
    from imgcif_core.create.loop import Creation
    from imgcif_core.create.session import Session
    from imgcif_core.create.wishes import Progress, Wishes

OPEN, FOUND, DONE = 1, 1, 0
_SHOWN_VALUE = 40


@dataclass(frozen=True, slots=True)
class Terminal:
    """The person at the other end: `say` shows lines, `read` gives the next line typed, None at the end."""

    say: Callable[[str], None]
    read: Callable[[], str | None]
    progress: "Progress | None" = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit status, and the text for standard output."""

    status: int
    output: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `imgcif create`."""
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="experiment description, master, or images; kind:path is possible")
    add("-o", "--output", metavar="OUT.cif", help="file to write (default: standard output)")
    add(
        "--archive-url",
        action="append",
        metavar="URL",
        help="archive that holds the images; {scan}, {number} or {number:03d} for one a scan; repeated for the first "
        "two, which are continued, or for all; @FILE for a list",
    )
    add("--url-base", action="append", metavar="URL", help="folder that holds the images one by one; as --archive-url")
    add("--root", default="", metavar="FOLDER", help="folder within the archive in which the names of the images begin")
    add("--dir", metavar="DIR", help="local folder that was archived: members are named relative to it")
    add("--doi", metavar="DOI", help="DOI of the data")
    add("--name", metavar="BLOCK", help="name of the data block")
    add("--set", action="append", default=[], metavar="ITEM=VALUE", help="set a CIF item")
    add("--answers", metavar="FILE.toml", help="answers to the questions")
    add("--interactive", action="store_true", help="ask on the terminal what nobody wrote down")
    add("--save-answers", metavar="FILE.toml", help="where answers are kept (default: beside the output)")
    add("--no-knowledge", action="store_true", help="leave out what is known of beamlines and laboratories")
    add(
        "--dxtbx",
        action="store_true",
        help="let dxtbx read what is not known here, and propose answers (it can run code of a file)",
    )
    add("--master", action="append", default=[], metavar="FILE", help="HDF5 master behind a .expt, or its folder")
    add("--local", action="append", default=[], metavar="DIR", help="folder that links of masters may lead into")
    add("--follow", action="store_true", help="follow links of masters wherever they lead")
    add("--exclude", action="append", default=[], metavar="PATTERN", help="names to pass over in folders and archives")
    add("--full-cbf", metavar="OUT.cbf", help="write one frame as a full CBF with its image as well")
    add("--frame", type=int, default=1, metavar="N", help="which frame of the first scan --full-cbf takes (default: 1)")
    add("--provenance", action="store_true", help="say where every value comes from, row by row")
    add("--overwrite", action="store_true", help="replace a file that is there")
    add("--force", action="store_true", help="write in spite of errors or open questions")


def run(given: argparse.Namespace, terminal: Terminal) -> Outcome:
    """Create, and say what came of it: what a person asked for is judged before any work is done."""
    from imgcif_core.create.kept import Kept
    from imgcif_core.create.questions import load_answers

    answers, items = load_answers(given.answers) if given.answers else ({}, {})
    wishes = _wishes(given, answers, items | _items(given.set), terminal)
    _refuse_outputs(given)
    kept = Kept(given.save_answers, given.output, overwrite=given.overwrite, items=items, say=terminal.say)
    with _answers_named(kept, terminal):
        session = _opened(given, wishes, terminal, kept)
        for note in (*session.described.notes, *session.remarks) if given.interactive else ():
            terminal.say(f"note: {note}")
        if given.interactive:
            from imgcif_core.create.dialogue import Dialogue

            session = Dialogue(session, terminal.say, terminal.read, kept).run()
        return _finished(given, session, terminal)


@contextmanager
def _answers_named(kept: "Kept", terminal: Terminal) -> Iterator[None]:
    """Say where the answers are, however it ends."""
    try:
        yield
    finally:
        if remark := kept.remark():
            terminal.say(remark)


def _wishes(given: argparse.Namespace, answers: dict[str, Any], items: dict[str, Any], terminal: Terminal) -> "Wishes":
    """What the options ask for."""
    from imgcif_core.create.addresses import checked_doi
    from imgcif_core.create.wishes import Wishes

    return Wishes(
        links=_links(given),
        doi=checked_doi(given.doi, "--doi") if given.doi is not None else None,
        name=given.name,
        items=items,
        answers=answers,
        force=given.force,
        overwrite=given.overwrite,
        knowledge=not given.no_knowledge,
        dxtbx=given.dxtbx,
        progress=terminal.progress,
        masters=tuple(given.master),
        exclude=tuple(given.exclude),
        local=tuple(given.local),
        follow=given.follow,
    )


def _links(given: argparse.Namespace) -> "Links":
    """Where the images lie by the options."""
    from imgcif_core.create.links import Links

    archives, folders = _addresses(given.archive_url), _addresses(given.url_base)
    return Links(archives, folders, Path(given.dir) if given.dir else None, root=given.root)


def _addresses(entries: list[str] | None) -> list[str] | None:
    """Addresses given one by one, or as @FILE with one a line."""
    found: list[str] = []
    for entry in entries or ():
        if not entry.startswith("@"):
            found.append(entry)
            continue
        try:
            lines = Path(entry[1:]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{entry[1:]}: {getattr(error, 'strerror', None) or 'is no text'}") from None
        found += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if entries and not found:
        raise UsageError(f"{entries[0]}: holds no address")
    return found or None


def _items(entries: list[str]) -> dict[str, str]:
    """CIF items from ITEM=VALUE."""
    found = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {entry}: expected ITEM=VALUE")
        found[name.strip()] = value
    return found


def _refuse_outputs(given: argparse.Namespace) -> None:
    """Raise for outputs that are inputs or each other, that are there, or that cannot be written."""
    from imgcif_core.create.loop import input_files
    from imgcif_core.output import refuse_output

    inputs = [*input_files(given.inputs), *filter(None, [given.answers])]
    wanted = {"-o": given.output, "--full-cbf": given.full_cbf, "--save-answers": given.save_answers}
    taken: dict[Path, str] = {}
    for option, path in wanted.items():
        if path is None:
            continue
        refuse_output(path, overwrite=given.overwrite, inputs=inputs)
        if (place := Path(path).resolve()) in taken:
            raise UsageError(f"{option} {path}: is the file of {taken[place]} too")
        taken[place] = option


def _opened(given: argparse.Namespace, wishes: "Wishes", terminal: Terminal, kept: "Kept") -> "Session":
    """The sources as read; where numbers are missing among images, somebody at the terminal is asked."""
    from dataclasses import replace

    from imgcif_core.create.dialogue import shown
    from imgcif_core.create.questions import question, read_answer
    from imgcif_core.create.session import Session
    from imgcif_core.sources.series import MissingFrames

    try:
        return Session.open(given.inputs, wishes)
    except MissingFrames as error:
        if not given.interactive:
            raise
        terminal.say(str(error).partition("; ")[0])
        terminal.say(shown(question("missing_frames"), 1, 1))
        reply = terminal.read()
        if reply is None or read_answer("missing_frames", reply or "stop") != "split":
            raise
        answers = {**wishes.answers, "missing_frames": "split"}
        kept.keep("missing_frames", "split", answers)
        return Session.open(given.inputs, replace(wishes, answers=answers))


def _finished(given: argparse.Namespace, session: "Session", terminal: Terminal) -> Outcome:
    """Build, check, write, and say each of it."""
    from imgcif_core.create.dialogue import link_lines
    from imgcif_core.create.loop import built_and_checked, written
    from imgcif_core.create.questions import listing

    links = session.links if session.wishes.all_links.are_given and not session.needed else ()
    if len({row.url for row in links}) > 1:
        terminal.say("\n".join(["links:", *link_lines(links)]))
    made = built_and_checked(session, given.output)
    for note in made.notes:
        terminal.say(f"note: {note}")
    if not made.text:
        terminal.say("nothing was written: these answers are needed, with --answers FILE.toml or --interactive\n")
        terminal.say(listing(made.questions))
        return Outcome(OPEN, "")
    made = written(made, session, given.output)
    terminal.say("\n".join(_verdict(made)))
    if given.full_cbf and (made.is_sound or given.force):
        terminal.say(_write_cbf(made, given))
    output = provenance_table(made) if given.provenance else ("" if given.output else made.text)
    if not made.is_sound and not given.force and not given.output:
        output = ""
    return Outcome(DONE if made.is_sound else FOUND, output)


def _write_cbf(made: "Creation", given: argparse.Namespace) -> str:
    """Write one frame with its image, and say so."""
    from imgcif_core.create.fullcbf import full_cbf
    from imgcif_core.create.loop import input_files
    from imgcif_core.create.pixels import panel_images
    from imgcif_core.output import write_file

    inputs = input_files(given.inputs)
    folders = [Path(given.dir)] if given.dir else []
    folders += [Path(entry).parent for entry in inputs]
    built = made.built[0]
    images = panel_images(built, 0, given.frame - 1, folders)
    content = full_cbf(built, 0, given.frame - 1, images, Path(given.full_cbf).stem)
    path = write_file(given.full_cbf, content, overwrite=given.overwrite, inputs=inputs)
    return f"wrote {path}, frame {given.frame} of {built.scan_ids[0]}"


def _verdict(made: "Creation") -> list[str]:
    """What the checker says, and what could still be told."""
    from imgcif_core.findings import Severity

    report = made.report
    if report is None:
        return []
    lines = []
    counts = {severity: report.count(severity) for severity in Severity}
    for finding in report.findings:
        if finding.severity is not Severity.INFO:
            lines.append(f"{finding.severity}: {finding.rule} {finding.message}")
    summary = ", ".join(f"{counts[severity]} {severity}{'' if counts[severity] == 1 else 's'}" for severity in Severity)
    lines.append(f"checked: {summary}; {made.witness}")
    if made.written is not None:
        lines.append(f"wrote {made.written}" + ("" if made.is_sound else ", in spite of the errors"))
    elif not made.is_sound:
        lines.append("nothing was written: the checker found errors")
    if made.questions:
        lines.append("could still be told: " + ", ".join(entry.key for entry in made.questions))
    return lines


def provenance_table(made: "Creation") -> str:
    """One line for each value: block where there are several, item, row, value, and who says so."""
    several = len({entry.block for entry in made.origins}) > 1
    rows = [
        ((entry.block,) if several else ()) + (entry.item, entry.key, entry.value[:_SHOWN_VALUE], entry.source)
        for entry in made.origins
    ]
    widths = [max(map(len, column), default=0) for column in list(zip(*rows, strict=True))[:-1]]
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    )
