"""`imgcif create` on the command line: options in, what to say and an exit status out."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgcif_core.errors import UsageError

if TYPE_CHECKING:
    from imgcif_core.create.loop import Creation
    from imgcif_core.create.questions import Question

OPEN, FOUND, DONE = 1, 1, 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit status, and texts for standard output and standard error."""

    status: int
    output: str
    remarks: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `imgcif create`."""
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="experiment description, master, or images; kind:path is possible")
    add("-o", "--output", metavar="OUT.cif", help="file to write (default: standard output)")
    add("--archive-url", metavar="URL", help="archive that holds the images; {scan} or {number} for one a scan")
    add("--url-base", metavar="URL", help="folder that holds the images one by one")
    add("--dir", metavar="DIR", help="local folder that was archived: members are named relative to it")
    add("--doi", metavar="DOI", help="DOI of the data")
    add("--name", metavar="BLOCK", help="name of the data block")
    add("--set", action="append", default=[], metavar="ITEM=VALUE", help="set a CIF item")
    add("--answers", metavar="FILE.toml", help="answers to the questions")
    add("--interactive", action="store_true", help="ask on the terminal what nobody wrote down")
    add("--no-knowledge", action="store_true", help="leave out what is known of beamlines and laboratories")
    add("--dxtbx", action="store_true", help="let dxtbx read what is not known here (it can run code of a file)")
    add("--full-cbf", metavar="OUT.cbf", help="write one frame as a full CBF with its image as well")
    add("--frame", type=int, default=1, metavar="N", help="which frame of the first scan --full-cbf takes (default: 1)")
    add("--provenance", action="store_true", help="say where every value comes from")
    add("--overwrite", action="store_true", help="replace a file that is there")
    add("--force", action="store_true", help="write in spite of errors or open questions")


def run(given: argparse.Namespace, ask: "Callable[[Question], str | None]") -> Outcome:
    """Create, and say what came of it."""
    from imgcif_core.create.links import Links
    from imgcif_core.create.loop import Wishes, create
    from imgcif_core.create.questions import listing, load_answers
    from imgcif_core.output import refuse_output

    answers, items = load_answers(given.answers) if given.answers else ({}, {})
    items |= _items(given.set)
    wishes = Wishes(
        Links(given.archive_url, given.url_base, Path(given.dir) if given.dir else None),
        _doi(given.doi),
        given.name,
        items,
        answers,
        ask if given.interactive else None,
        given.force,
        not given.no_knowledge,
        given.dxtbx,
        given.overwrite,
    )
    if given.full_cbf:
        refuse_output(given.full_cbf, overwrite=given.overwrite, inputs=given.inputs)
    made = create(given.inputs, given.output, wishes)
    remarks = [f"note: {note}" for note in made.notes]
    if not made.text:
        remarks.append("nothing was written: these answers are needed, with --answers FILE.toml or --interactive")
        return Outcome(OPEN, "", "\n".join([*remarks, "", listing(made.questions)]))
    remarks += _verdict(made, given)
    if given.full_cbf and (made.is_sound or given.force):
        remarks.append(_write_cbf(made, given))
    output = provenance_table(made) if given.provenance else ("" if given.output else made.text)
    status = DONE if made.is_sound else FOUND
    if not made.is_sound and not given.force and not given.output:
        output = ""
    return Outcome(status, output, "\n".join(remarks))


def _items(entries: list[str]) -> dict[str, str]:
    """CIF items from ITEM=VALUE."""
    found = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {entry}: expected ITEM=VALUE")
        found[name.strip()] = value
    return found


def _doi(text: str | None) -> str | None:
    """A DOI without the address of a resolver."""
    if text is None:
        return None
    from imgcif_core.model.repositories import plain_doi

    found = plain_doi(text)
    if found is None:
        raise UsageError(f"--doi {text}: expected a DOI such as 10.5281/zenodo.123456")
    return found


def _write_cbf(made: "Creation", given: argparse.Namespace) -> str:
    """Write one frame with its image, and say so."""
    from imgcif_core.create.fullcbf import full_cbf
    from imgcif_core.create.pixels import panel_images
    from imgcif_core.output import write_file

    folders = [Path(given.dir)] if given.dir else []
    folders += [Path(entry.rpartition(":")[2]).parent for entry in given.inputs]
    built = made.built[0]
    images = panel_images(built, 0, given.frame - 1, folders)
    text = full_cbf(built, 0, given.frame - 1, images, Path(given.full_cbf).stem)
    written = write_file(given.full_cbf, text, overwrite=given.overwrite, inputs=given.inputs)
    return f"wrote {written}, frame {given.frame} of {built.scan_ids[0]}"


def _verdict(made: "Creation", given: argparse.Namespace) -> list[str]:
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
    lines.append(f"checked: {summary}; panels as in the source to {made.deviation:.1g} mm")
    if made.written is not None:
        lines.append(f"wrote {made.written}" + ("" if made.is_sound else ", in spite of the errors"))
    elif not made.is_sound:
        lines.append("nothing was written: the checker found errors")
    if made.questions:
        lines.append("could still be told: " + ", ".join(entry.key for entry in made.questions))
    return lines


def provenance_table(made: "Creation") -> str:
    """One line for each item: name, value, and who says so."""
    rows = [(entry.item, entry.value[:40], entry.source) for entry in made.origins]
    first, second = (max(map(len, column), default=0) for column in list(zip(*rows, strict=True))[:2])
    return "\n".join(f"{item:<{first}}  {value:<{second}}  {source}" for item, value, source in rows)
