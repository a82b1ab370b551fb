"""The way from sources to a file: describe, ask, build, check, and only then write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

from imgcif_core._version import __version__
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.write import Category, DataBlock, Value, Values, write_blocks
from imgcif_core.create.answers import Described, apply_answers, open_questions
from imgcif_core.create.builder import EXPERIMENT, Built, prepare
from imgcif_core.create.categories import categories
from imgcif_core.create.frames import has_images
from imgcif_core.create.links import Links, external_rows, nameless_formats
from imgcif_core.create.names import plain
from imgcif_core.create.parts import split
from imgcif_core.create.questions import Question, question, read_answer
from imgcif_core.errors import UsageError
from imgcif_core.findings import FileReport
from imgcif_core.formats import image_words
from imgcif_core.output import refuse_output, write_file
from imgcif_core.sources.description import Experiment, Origin, Provenance
from imgcif_core.sources.draft import Incomplete
from imgcif_core.sources.statements import left_out_notes

Ask = Callable[[Question], str | None]
PERSON = Provenance(Origin.PERSON, "answer")
_NEW_CATEGORY_BEFORE = "diffrn"


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the value of an item comes from."""

    block: str
    item: str
    value: str
    source: str


@dataclass(frozen=True)
class Creation:
    """What came of it; immutable.

    `text` is the whole file, empty where needed answers are missing; `report` is the checker's word
    on it; `questions` are those still open; `deviation` is the largest distance in mm of a corner of
    a panel from where the source has it; `written` is the path of the file, None if none was written;
    `built` holds the parts of the experiment, one for each data block.
    """

    text: str
    report: FileReport | None
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    origins: tuple[Origins, ...]
    deviation: float
    written: Path | None = None
    built: tuple[Built, ...] = ()

    @property
    def needed(self) -> tuple[Question, ...]:
        """The open questions without whose answers nothing is written."""
        return tuple(entry for entry in self.questions if entry.is_needed)

    @property
    def is_sound(self) -> bool:
        """True if there is a text in which the checker found no error."""
        report = self.report
        return bool(self.text) and report is not None and report.conforming and not report.outcomes.crashed


@dataclass(frozen=True)
class Wishes:
    """What a person asks of the creation.

    links : where the images lie; doi : of the data; name : of the data block; items : CIF items to
    set, by data name; answers : by the keys of the questions; ask : called with each open question;
    force : write even with errors or open questions; knowledge : False to leave out the
    knowledge base; dxtbx : True to let it read what no reader here knows; overwrite : replace a file
    that is there.
    """

    links: Links = field(default_factory=Links)
    doi: str | None = None
    name: str | None = None
    items: Mapping[str, Value] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None
    force: bool = False
    knowledge: bool = True
    dxtbx: bool = False
    overwrite: bool = False


def create(
    inputs: str | PathLike[str] | Experiment | Sequence[str | PathLike[str]],
    output: str | PathLike[str] | None = None,
    wishes: Wishes | None = None,
) -> Creation:
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
    OutputError
        If the file cannot be written, is there already, or is one of the inputs.
    UsageError
        If an answer or an item does not fit.
    """
    chosen = wishes or Wishes()
    if output is not None:
        given = [inputs] if isinstance(inputs, (str, PathLike)) else [] if isinstance(inputs, Experiment) else inputs
        refuse_output(output, overwrite=chosen.overwrite, inputs=given)
    described, paths = _described(inputs, chosen)
    described, answers = _completed(described, chosen)
    questions = _open_with_links(described, answers, chosen)
    notes = [*described.notes, *left_out_notes(described.statements)]
    if isinstance(described, Incomplete):
        if described.missing():
            return Creation("", None, tuple(questions), tuple(notes), (), 0.0)
        described = described.experiment()
    if any(entry.is_needed for entry in questions) and not chosen.force:
        return Creation("", None, tuple(questions), tuple(notes), (), 0.0)
    return _finish(described, paths, answers, chosen, questions, notes, output)


def _described(inputs, wishes: Wishes) -> tuple[Described, list[str]]:
    """What the inputs describe, and their paths."""
    if isinstance(inputs, Experiment):
        return inputs, []
    from imgcif_core.sources.series import read_inputs

    given = [inputs] if isinstance(inputs, (str, PathLike)) else list(inputs)
    paths = [str(path) for path in given]
    if not paths:
        raise UsageError("no input given")
    return read_inputs(paths, gaps=wishes.answers.get("missing_frames"), dxtbx=wishes.dxtbx), paths


def _completed(described: Described, wishes: Wishes) -> tuple[Described, dict[str, Any]]:
    """The description with knowledge and answers; questions are asked as long as there is somebody to ask."""
    answers = dict(wishes.answers)
    described = _informed(described, answers, wishes)
    if wishes.ask is None:
        return described, answers
    for entry in _open_with_links(described, answers, wishes):
        while (reply := wishes.ask(entry)) is not None and reply.strip():
            try:
                answers[entry.key] = read_answer(entry.key, reply)
                break
            except UsageError:
                continue
    return _informed(described, answers, wishes), answers


def _informed(described: Described, answers: Mapping[str, Any], wishes: Wishes) -> Described:
    """The description with what is known, then with answers, then with what these let be known."""
    from imgcif_core.create.knowledge import complete

    if wishes.knowledge:
        described = complete(described)
    described = apply_answers(described, answers, PERSON)
    return complete(described) if wishes.knowledge else described


def _open_with_links(described: Described, answers: Mapping[str, Any], wishes: Wishes) -> list[Question]:
    """The open questions, with those about the place of the images."""
    found = open_questions(described, answers)
    if not wishes.links.are_given and "archive_url" not in answers and "url_base" not in answers:
        found.append(question("archive_url"))
    if wishes.doi is None and "doi" not in answers and doi_of(wishes, answers) is None:
        found.append(question("doi"))
    return found


def _finish(
    experiment: Experiment,
    paths: list[str],
    answers: Mapping[str, Any],
    wishes: Wishes,
    questions: list[Question],
    notes: list[str],
    output: str | PathLike[str] | None,
) -> Creation:
    """Build all blocks, check them, write them."""
    links = _links(wishes, answers)
    parts = split(experiment)
    if len(parts) > 1:
        notes.append(f"scans of different wavelengths or detectors stand in {len(parts)} data blocks of one file")
    built = [prepare(part) for part in parts]
    names = _block_names(wishes.name, paths, built)
    blocks = [
        _block(entry, name, names[0] if len(names) > 1 else None, links, answers, wishes)
        for entry, name in zip(built, names, strict=True)
    ]
    text = "".join(write_blocks(blocks))
    report = _checked(text, parts, names, str(output or f"{names[0]}.cif"))
    if any(scan.images is None and scan.frames for part in parts for scan in part.scans):
        notes.append("the source does not name the images of all scans, so these frames are not linked to data")
    if any(part.beam.wavelengths is not None for part in parts):
        notes.append("each frame has a wavelength of its own, to which imgCIF cannot tie it; their mean is written")
    images = [scan.images for part in parts for scan in part.scans if scan.images is not None]
    if endings := nameless_formats(images, links):
        notes.append(f"the dictionary names no format of images such as {', '.join(endings)}; the format is left out")
    deviation = max(entry.mounting.deviation for entry in built)
    made = Creation(
        text, report, tuple(questions), tuple(notes), tuple(_origins(blocks)), deviation, None, tuple(built)
    )
    if output is not None and (made.is_sound or wishes.force):
        written = write_file(output, text, overwrite=wishes.overwrite, inputs=paths)
        return replace(made, written=written)
    return made


def _links(wishes: Wishes, answers: Mapping[str, Any]) -> Links:
    """The links that the person gave, by option or by answer."""
    links = wishes.links
    if not links.are_given:
        if "archive_url" in answers:
            links = replace(links, archive_url=answers["archive_url"])
        elif "url_base" in answers:
            links = replace(links, url_base=answers["url_base"])
    if "format" in answers:
        words = {word.lower(): word for word in image_words()}
        links = replace(links, format=words[answers["format"]])
    return links


def _block_names(wanted: str | None, paths: list[str], built: Sequence[Built]) -> list[str]:
    """The names of the data blocks."""
    source = wanted or (Path(paths[0]).name.split(".")[0] if paths else built[0].experiment.path)
    name = plain(Path(source).name, "experiment")
    return [name] if len(built) == 1 else [f"{name}_{number}" for number in range(1, len(built) + 1)]


def _block(
    built: Built, name: str, dataset: str | None, links: Links, answers: Mapping[str, Any], wishes: Wishes
) -> DataBlock:
    """One data block, with the items that a person set."""
    pictured = [
        (scan.images, scan_id) for scan, scan_id in zip(built.scans, built.scan_ids, strict=True) if has_images(scan)
    ]
    external = None
    if pictured:
        images = [entry for entry, _ in pictured if entry is not None]
        external = external_rows(images, [scan_id for _, scan_id in pictured], links)
    found = [*_head(built, name, dataset, answers, wishes), *categories(built, external)]
    found = _with_items(found, built.experiment.items, built.origin("items") or "file")
    return DataBlock(name, _with_items(found, wishes.items, "person: --set"))


def _head(built: Built, name: str, dataset: str | None, answers: Mapping[str, Any], wishes: Wishes) -> list[Category]:
    """Who made the block, of what, and by which dictionary."""
    experiment = built.experiment
    doi = wishes.doi or answers.get("doi") or doi_of(wishes, answers)
    audit: dict[str, Values] = {
        "block_code": name,
        "creation_date": datetime.now(UTC).date().isoformat(),
        "creation_method": f"imgcif_core {__version__} from {Path(experiment.path).name}",
    }
    found = [Category("audit", audit)]
    if dataset is not None:
        found.append(Category("audit_dataset", {"id": dataset.rpartition("_")[0]}))
    found.append(Category("audit_conform", {"dict_name": "CIF_IMG", "dict_version": "1.8.9"}))
    if doi:
        said = "person: DOI" if wishes.doi or "doi" in answers else "derived: address of the archive"
        found.append(Category("database", {"dataset_DOI": doi}, sources={"": said}))
    found.append(Category("diffrn", {"id": EXPERIMENT}))
    return found


def doi_of(wishes: Wishes, answers: Mapping[str, Any]) -> str | None:
    """The DOI that the address of the archive tells."""
    address = wishes.links.archive_url or wishes.links.url_base or answers.get("archive_url") or answers.get("url_base")
    if not address:
        return None
    from imgcif_core.model.repositories import guess_doi

    return guess_doi(address)


def _with_items(found: list[Category], items: Mapping[str, Value], said: str) -> list[Category]:
    """Categories with further items, which win over those that are there."""
    if not items:
        return found
    from imgcif_core.ddlm.bundled import load_bundled

    dictionary = load_bundled()
    for name, value in items.items():
        item = dictionary.lookup(name if name.startswith("_") else f"_{name}")
        if item is None:
            raise UsageError(f"{name} is no data name of the imgCIF dictionary")
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise UsageError(f"{name}: expected a text or a number, found {value!r}")
        category, entry = item.category.lower(), item.object
        position = next((i for i, one in enumerate(found) if one.name == category), None)
        if position is None:
            found.append(Category(category, {entry: value}, sources={"": said}))
            continue
        old = found[position]
        kept = next((known for known in old.items if known.lower() == entry.lower()), entry)
        found[position] = replace(old, items={**old.items, kept: value}, sources={**old.sources, kept: said})
    return found


def _checked(text: str, parts: Sequence[Experiment], names: Sequence[str], path: str) -> FileReport:
    """The report on the text, each block held against the part of the source that it describes."""
    from imgcif_core.api import check_document, read

    document = read(text.encode(), name=path)
    if len(parts) == 1:
        return check_document(document, options=CheckOptions(images="none", against=parts[0]))
    report = check_document(document, options=CheckOptions(images="none"))
    findings = list(report.findings)
    for part, name in zip(parts, names, strict=True):
        options = CheckOptions(images="none", against=part, block=name, select=("CMP",))
        findings += check_document(document, options=options).findings
    return replace(report, findings=tuple(findings))


def _origins(blocks: Sequence[DataBlock]) -> list[Origins]:
    """Where every item comes from."""
    found = []
    for block in blocks:
        for category in block.categories:
            for name, values in category.items.items():
                source = category.sources.get(name) or category.sources.get("") or "derived: imgcif_core"
                found.append(Origins(block.name, f"_{category.name}.{name}", _shown(values), source))
    return found


def _shown(values: Values) -> str:
    """A value, or the first of many with their number."""
    if isinstance(values, (str, int, float, type(None))):
        return "." if values is None else str(values)
    first = "." if values[0] is None else values[0]
    return f"{first} ... ({len(values)} rows)" if len(values) > 1 else str(first)
