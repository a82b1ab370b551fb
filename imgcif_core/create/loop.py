"""The road from sources to a file, top to bottom: source, gaps, answers, build, check, write."""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document
from imgcif_core.cif.write import write_blocks
from imgcif_core.create.blocks import Origins, block_names, data_blocks, frame_bound, origins
from imgcif_core.create.builder import Built
from imgcif_core.create.frames import has_images
from imgcif_core.create.links import nameless_formats
from imgcif_core.create.questions import Question
from imgcif_core.create.session import Inputs, LinkedScan, Session, paths_of
from imgcif_core.create.wishes import Wishes
from imgcif_core.create.witness import Witness, witness
from imgcif_core.errors import UsageError
from imgcif_core.findings import FileReport
from imgcif_core.output import refuse_output, write_file
from imgcif_core.records import dataclass
from imgcif_core.sources.description import Experiment
from imgcif_core.sources.statements import left_out_notes

__all__ = ["Creation", "Origins", "Wishes", "built_and_checked", "create", "written"]


@dataclass(frozen=True)
class Creation:
    """What came of it; immutable.

    `text` is the whole file, empty where needed answers are missing; `report` is the checker's word
    on it; `questions` are those still open; `deviation` is the largest distance in mm of a corner of
    a panel from where the source has it; `links` say where the images of each scan lie; `written` is the
    path of the file, None if none was written; `built` holds the parts of the experiment, one for each
    data block; `witness` tells what a second reading of the source says.
    """

    text: str
    report: FileReport | None
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    origins: tuple[Origins, ...]
    deviation: float
    written: Path | None = None
    built: tuple[Built, ...] = ()
    links: tuple[LinkedScan, ...] = ()
    witness: Witness | None = None

    @property
    def needed(self) -> tuple[Question, ...]:
        """The open questions without whose answers nothing is written."""
        return tuple(entry for entry in self.questions if entry.is_needed)

    @property
    def is_sound(self) -> bool:
        """True if there is a text in which the checker found no error."""
        report = self.report
        return bool(self.text) and report is not None and report.conforming and not report.outcomes.crashed


def create(inputs: Inputs, output: str | PathLike[str] | None = None, wishes: Wishes | None = None) -> Creation:
    """Create an imgCIF, check it and hold it against its source, and write it if it is sound.

    Parameters
    ----------
    inputs :
        One description, one image or master, or the images of one experiment.
    output :
        The file to write; None to get the text alone.

    Raises
    ------
    InputError
        If a source cannot be read, or its parts contradict each other.
    UsageError
        If an answer, an address or an item does not fit.
    OutputError
        If the file cannot be written, is one of the inputs, or is there and not to be replaced.
    """
    chosen = wishes or Wishes()
    if output is not None:
        refuse_output(output, overwrite=chosen.overwrite, inputs=input_files(inputs))
    session = _asked(Session.open(inputs, chosen))
    return written(built_and_checked(session, output), session, output)


def input_files(inputs: Inputs) -> list[str]:
    """The files among the inputs, a prefix for their kind taken off: none of them is written to."""
    from imgcif_core.sources.any import split_kind

    return [split_kind(path)[1] for path in paths_of(inputs)]


def _asked(session: Session) -> Session:
    """The session with the answers that `ask` of its wishes gives; a refused one is asked for again."""
    ask, passed = session.wishes.ask, set[str]()
    while ask is not None:
        entry = next((entry for entry in session.questions if entry.key not in passed), None)
        if entry is None:
            break
        passed.add(entry.key)
        while (reply := ask(entry)) is not None and reply.strip():
            try:
                session = session.answered(entry.key, reply)
                break
            except UsageError as error:
                entry = replace(entry, refusal=str(error))
    return session


def built_and_checked(session: Session, output: str | PathLike[str] | None = None) -> Creation:
    """What comes of a session: the text with the checker's word on it, unwritten.

    Without a text where needed answers are missing.
    """
    notes = [*session.described.notes, *session.remarks, *left_out_notes(session.described.statements)]
    if session.experiment is None or (session.needed and not session.wishes.force):
        return Creation("", None, session.questions, tuple(notes), (), 0.0)
    from imgcif_core.api import read

    blocks = data_blocks(session)
    text = "".join(write_blocks(blocks))
    document = read(text.encode(), name=str(output or f"{blocks[0].name}.cif"))
    report = _checked(document, session)
    return Creation(
        text,
        report,
        session.questions,
        (*notes, *_remarks(session)),
        origins(blocks),
        max(entry.mounting.deviation for entry in session.built),
        None,
        session.built,
        session.links,
        witness(document, session.parts[0]),
    )


def written(made: Creation, session: Session, output: str | PathLike[str] | None) -> Creation:
    """The creation with its file written, where one is wanted and it is sound or forced."""
    wishes = session.wishes
    if output is None or not made.text or not (made.is_sound or wishes.force):
        return made
    path = write_file(output, made.text, overwrite=wishes.overwrite, inputs=input_files(session.paths))
    return replace(made, written=path)


def _remarks(session: Session) -> list[str]:
    """What a person should know of the file beside the checker's word."""
    parts, links = session.parts, session.wishes.all_links
    notes = []
    if len(parts) > 1:
        notes.append(f"scans of different wavelengths or detectors stand in {len(parts)} data blocks of one file")
    notes += _unlinked(parts, links.option if links.are_given else "")
    if bound := [name for built in session.built for name in frame_bound(built)]:
        reason = "they are counted from axes of the frame, which was turned"
        notes.append(f"left out, because {reason}: {', '.join(dict.fromkeys(bound))}")
    if any(part.beam.wavelengths is not None for part in parts):
        notes.append(
            "each frame has a wavelength of its own, for which imgCIF has no item: their mean is written, and each "
            "one in the words about its frame as far as it is linked"
        )
    images = [entry for part in parts for scan in part.scans for entry in scan.image_sets]
    if endings := nameless_formats(images, links):
        notes.append(f"the dictionary names no format of images such as {', '.join(endings)}; the format is left out")
    return notes


def _unlinked(parts: Sequence[Experiment], option: str) -> list[str]:
    """That frames are not linked to data, in particular although an address was given for them."""
    scans = [scan for part in parts for scan in part.scans]
    bare = [scan for scan in scans if scan.frames and not has_images(scan)]
    linked = sum(scan.frames for scan in scans if has_images(scan))
    if option and not linked:
        why = "names no images" if any(scan.frames for scan in scans) else "tells of no frames"
        return [f"nothing was linked although {option} was given: the source {why}"]
    if not bare:
        return []
    missing = sum(scan.frames for scan in bare)
    return [
        f"the source does not name the images of {len(bare)} of {len(scans)} scans, so that {missing} of "
        f"{missing + linked} frames are not linked to data"
    ]


def _checked(document: Document, session: Session) -> FileReport:
    """The report on what was built, each block held against the part of the source that it describes."""
    from imgcif_core.api import check_document

    if len(session.parts) == 1:
        return check_document(document, options=CheckOptions(images="none", against=session.parts[0]))
    report = check_document(document, options=CheckOptions(images="none"))
    findings = list(report.findings)
    for part, name in zip(session.parts, block_names(session), strict=True):
        options = CheckOptions(images="none", against=part, block=name, select=("CMP",))
        findings += check_document(document, options=options).findings
    return replace(report, findings=tuple(findings))
