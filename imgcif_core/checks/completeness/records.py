"""Rules about the record: its DOI, its authors, its programs and its dictionary."""

import re
from collections.abc import Iterator

from imgcif_core.checks.completeness.inputs import Experiment
from imgcif_core.checks.edits import new_values
from imgcif_core.checks.registry import NotApplicable, Problem, rule
from imgcif_core.formats import IMAGES
from imgcif_core.model.external import ExternalData
from imgcif_core.model.repositories import plain_doi
from imgcif_core.tables import Tables

_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+")


@rule(
    "MTA001",
    "dataset-doi",
    severity="info",
    source="_database.dataset_DOI",
    message="no DOI of the data set is given",
    messages={"form": "{name} is {value!r}, which is no DOI - expected 10. and a number, slash and name"},
)
def dataset_doi(experiment: Experiment) -> Iterator[Problem]:
    """What: The DOI of the data set is not given, or is written in another form.
    Why: The DOI is what lasts; addresses of files change.
    How to fix: Give the DOI that the repository assigned, without https://doi.org/ before it.
    Source: Core dictionary, _database.dataset_DOI; ISO 26324 for the form of a DOI.
    """
    table = experiment.table("database")
    value = table.text("dataset_doi")
    if value is None:
        yield Problem(experiment.place("_database.dataset_DOI"))
    elif not _DOI.fullmatch(value.strip()) and value.strip():
        doi = plain_doi(value)
        column = table.columns["dataset_doi"]
        yield Problem(
            table.at(0, "dataset_doi"),
            severity="warning",
            variant="form",
            help=f"write {doi}" if doi else None,
            edits=new_values(column, [0], doi, is_safe=True) if doi else [],
            name=column.name,
            value=value[:80],
        )
    elif not value.strip():
        yield Problem(table.at(0, "dataset_doi"))


@rule(
    "MTA005",
    "block-code-missing",
    severity="info",
    source="_audit.block_code",
    message="_audit.block_code is not given",
    messages={"twice": "block code {value!r} is that of block {other} too"},
)
def block_code_missing(tables: Tables, experiment: Experiment) -> Iterator[Problem]:
    """What: The block has no code of its own, or the code of another block.
    Why: Other blocks and files refer to a block by its code.
    How to fix: Add _audit.block_code with a code that no other block has.
    Source: Core dictionary, _audit.block_code.
    """
    value = tables.table("audit").text("block_code")
    if value is None:
        yield Problem(experiment.place("_audit.block_code"))
        return
    for other in tables.file:
        if other is tables:
            break
        if (other.table("audit").text("block_code") or "").casefold() == value.casefold():
            place = tables.table("audit").at(0, "block_code")
            yield Problem(place, variant="twice", value=value, other=other.block.name)
            return


@rule(
    "MTA012",
    "authors-not-named",
    was=("authors-and-licence",),
    severity="info",
    source="_audit_author.name",
    message="{what} not given: {names}",
)
def authors_not_named(experiment: Experiment) -> Iterator[Problem]:
    """What: The people behind the data, a contact or the date of the file are not named.
    Why: Readers with questions have nobody to ask, and nobody can cite the people who measured.
    How to fix: Add the authors, one of them with an address or ORCID iD, and the date of creation.
    Source: Core dictionary, AUDIT_AUTHOR, AUDIT_CONTACT_AUTHOR and _audit.creation_date.
    """
    parts = (
        ("author", ("audit_author.name",)),
        ("contact", ("audit_contact_author.email", "audit_author.email", "audit_author.id_orcid")),
        ("date of creation", ("audit.creation_date",)),
    )
    lacking = [(what, items[0]) for what, items in parts if not experiment.has(*items)]
    if lacking:
        what = ", ".join(name for name, _ in lacking)
        names = ", ".join(f"_{item}" for _, item in lacking)
        yield Problem(experiment.place(f"_{lacking[0][1]}"), what=what, names=names)


@rule(
    "MTA015",
    "software-not-named",
    severity="info",
    source="_audit.creation_method",
    message="neither the program that wrote the file nor the one that collected the data is named",
)
def software_not_named(experiment: Experiment) -> Iterator[Problem]:
    """What: No program is named, neither for the file nor for the measurement.
    Why: Faults of a known version of a program can then not be traced in its files.
    How to fix: Name the program and its version in _audit.creation_method or _computing.diffrn_collection.
    Source: Core dictionary, _audit.creation_method and _computing.diffrn_collection.
    """
    if not experiment.has("audit.creation_method", "computing.diffrn_collection", "software.name"):
        yield Problem(experiment.place("_audit.creation_method"))


@rule(
    "MTA016",
    "format-version-not-given",
    severity="info",
    source="_array_data_external_data.version",
    message="files of format {format} do not state their version, and no version is given",
)
def format_version_not_given(external: ExternalData) -> Iterator[Problem]:
    """What: The image files are of a format with several dialects, and nothing says which one is meant.
    Why: Dialects differ in headers and in the order of bytes, so that a reader has to guess.
    How to fix: Say in _array_data_external_data.version which program or detector wrote the files.
    Source: Dictionary imgCIF, _array_data_external_data.version.
    """
    table = external.table
    for word in (entry.word for entry in IMAGES if entry.word and entry.version == "needed"):
        rows = external.where("format", frozenset({word})) & ~table.explicit("version")
        if rows.any():
            yield Problem(table.at(int(rows.argmax()), "format"), count=int(rows.sum()), format=word)


@rule(
    "MTA018",
    "dictionary-not-declared",
    severity="info",
    source="_audit_conform.dict_name",
    message="the file does not say in full by which dictionary it was written: {names} not given",
)
def dictionary_not_declared(experiment: Experiment) -> Iterator[Problem]:
    """What: The file does not say by which dictionary and version it was written.
    Why: Items change between versions; without the version a reader cannot tell which meaning holds.
    How to fix: Add _audit_conform.dict_name CIF_IMG and _audit_conform.dict_version.
    Source: Core dictionary, AUDIT_CONFORM.
    """
    lacking = experiment.lacking("audit_conform.dict_name", "audit_conform.dict_version")
    if lacking:
        yield Problem(experiment.place(lacking[0]), names=", ".join(lacking))


@rule(
    "MTA017",
    "axes-counted-as-none",
    severity="info",
    source="_diffrn_measurement.number_of_axes",
    message="number_of_axes is 0 - for a sample without goniometer the item is better left out",
)
def axes_counted_as_none(tables: Tables) -> Iterator[Problem]:
    """What: A goniometer with no axes is described, as for a liquid jet.
    Why: The dictionary counts from 1, so that strict programs refuse 0.
    How to fix: Leave _diffrn_measurement.number_of_axes out where nothing turns the sample.
    Source: Dictionary imgCIF, _diffrn_measurement.number_of_axes.
    """
    table = tables.table("diffrn_measurement")
    if not table.has("number_of_axes"):
        raise NotApplicable("axes are not counted")
    for row in range(table.rows):
        if table.numbers("number_of_axes")[row] == 0:
            yield Problem(table.at(row, "number_of_axes"))
