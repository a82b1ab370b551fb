"""Rules about URIs: their form, and whether somebody else can follow them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.checks.external.inputs import counted, rows_by
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, rule
from imgcif_core.cif.matrices import hash_text
from imgcif_core.model.external import ExternalData
from imgcif_core.model.repositories import (
    Repository,
    plain_doi,
    repositories,
    repository_of_doi,
    repository_of_host,
)
from imgcif_core.model.shapes import Shapes
from imgcif_core.model.uris import SCHEMES, fault_of, locality_of, parse_uri
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.net.evidence import Evidence

_SIGNED = re.compile(
    r"(?:^|[&;])(?:x-amz-signature|x-goog-signature|signature|sig|token|access_token|awsaccesskeyid|policy|key-pair-id)=",
    re.IGNORECASE,
)


FOLDER_SCHEMES = frozenset({"rsync", "ftp", "globus", "s3"})


def uris_of(external: ExternalData) -> Shapes:
    """The URIs, or nothing to judge."""
    if external.uris is None:
        raise NotApplicable("no uri")
    return external.uris


@rule(
    "EXT003",
    "uri-malformed",
    severity="error",
    source="_array_data_external_data.uri",
    message="uri {value!r} {fault}",
    messages={
        "scheme": "uri {value!r} has the scheme {scheme!r} - expected one of {schemes}",
        "none": "{count_text} of external data without a uri",
    },
    helps={
        "": "write blanks and other forbidden characters as percent escapes, for example %20",
        "scheme": "give an address that can be fetched, best one that begins with https",
        "none": "give in _array_data_external_data.uri where the file can be fetched",
    },
)
def uri_malformed(external: ExternalData) -> Iterator[Problem]:
    """What: A link is no URI, is not given, or begins with a scheme that no program of this field fetches.
    Why: A link that cannot be read as a URI leads nowhere.
    How to fix: Write blanks and other forbidden characters as percent escapes, for example %20.
    Source: Dictionary imgCIF, _array_data_external_data.uri; RFC 3986, sections 2 and 4.1.
    """
    without = np.flatnonzero(~external.table.explicit("uri"))
    if len(without):
        text = counted(without)
        remedy = "give the address at which each file can be fetched"
        yield problem_at(
            external.table, without, "uri", severity="warning", variant="none", help=remedy, count_text=text
        )
    uris = external.uris
    if uris is None:
        return
    schemes = ", ".join(sorted(SCHEMES))
    for fault, rows in rows_by(uris, fault_of):
        yield problem_at(external.table, rows, "uri", value=shown_uri(external, rows), fault=fault)
    for scheme, rows in rows_by(uris, _odd_scheme):
        yield problem_at(
            external.table,
            rows,
            "uri",
            severity="warning",
            variant="scheme",
            value=shown_uri(external, rows),
            scheme=scheme,
            schemes=schemes,
        )


def _odd_scheme(text: str) -> str | None:
    """A scheme that nobody fetches; a single letter is the drive of a path."""
    scheme = parse_uri(text).scheme
    return scheme if len(scheme) > 1 and scheme not in SCHEMES and fault_of(text) is None else None


def shown_uri(external: ExternalData, rows: np.ndarray) -> str:
    """The first of some URIs, cut for a message."""
    text = external.table.text("uri", int(rows[0]), "") or ""
    return text if len(text) <= 100 else f"{text[:97]}..."


_WHY_LOCAL = {
    "relative": "is relative, so that it has a meaning only beside this copy of the file",
    "file": "names a file of one computer",
    "loopback": "leads to the reader's own computer",
    "private": "leads to an address of a private network",
    "local": "leads to a name of a local network",
}


@rule(
    "EXT004",
    "uri-not-public",
    severity="warning",
    source="_array_data_external_data.uri",
    message="uri {value!r} {why}",
)
def uri_not_public(external: ExternalData) -> Iterator[Problem]:
    """What: A link leads to a place that exists only on one computer or in one network.
    Why: Nobody else can fetch the images, which is the purpose of a published description.
    How to fix: Deposit the images in a repository and give the address that it assigns.
    Source: Dictionary imgCIF, _array_data_external_data.uri; RFC 1918 and RFC 6761 for private addresses.
    """
    for kind, rows in rows_by(uris_of(external), _locality):
        yield problem_at(external.table, rows, "uri", value=shown_uri(external, rows), why=_WHY_LOCAL[kind])


def _locality(text: str) -> str | None:
    """Why nobody else can follow a well-formed URI; a drive letter is a file."""
    uri = parse_uri(text)
    if set(text) <= {"?"}:
        return None
    return "file" if len(uri.scheme) == 1 else locality_of(uri)


@rule(
    "EXT005",
    "uri-with-secrets",
    severity="warning",
    source="_array_data_external_data.uri",
    messages={
        "user": "uri of {host!r} carries a user name or password, which everybody will read",
        "signed": "uri {value!r} is signed for a limited time, and will stop working",
        "fragment": "uri {value!r} has a fragment, which servers never see",
        "http": "uri {value!r} is not encrypted - {title} serves https",
    },
    helps={
        "user": "take user name and password out of the address, and change the password",
        "signed": "use the permanent public address of the file, without the signature",
        "fragment": "leave out # and what follows it; a place within the file belongs into path or frame",
        "http": "write https instead of http",
    },
)
def uri_with_secrets(external: ExternalData) -> Iterator[Problem]:
    """What: A link carries credentials, a signature that expires, a fragment, or is needlessly unencrypted.
    Why: Credentials in a published file are known to all, and signed links die within hours or days.
    How to fix: Use the permanent public address of the data.
    Source: RFC 3986, sections 3.2.1 and 3.5; addresses that repositories publish.
    """
    for kind, rows in rows_by(uris_of(external), _weakness):
        uri = parse_uri(external.table.text("uri", int(rows[0]), "") or "")
        repository = repository_of_host(uri.host)
        yield problem_at(
            external.table,
            rows,
            "uri",
            severity="info" if kind == "http" else None,
            variant=kind,
            value=shown_uri(external, rows) if kind != "signed" else uri.text.partition("?")[0],
            host=uri.host,
            title=repository.title if repository else "",
        )


def _weakness(text: str) -> str | None:
    """What is unwise in a URI, the gravest first."""
    uri = parse_uri(text)
    if uri.user and uri.scheme in ("http", "https", "ftp") and uri.user.casefold() not in ("anonymous", "ftp"):
        return "user"
    if is_signed(text):
        return "signed"
    if uri.fragment:
        return "fragment"
    return "http" if uri.scheme == "http" and repository_of_host(uri.host) else None


def is_signed(text: str) -> bool:
    """True for an address that works for a limited time; drafts are told as such."""
    return _SIGNED.search(parse_uri(text).query) is not None and not _is_draft(text)


@rule(
    "EXT016",
    "mixed-schemes",
    severity="info",
    source="_array_data_external_data.uri",
    messages={
        "scheme": "the links use several schemes: {values}",
        "archive": "the links use several archive formats: {values}",
    },
)
def mixed_schemes(external: ExternalData) -> Iterator[Problem]:
    """What: Links of one file use different schemes or archive formats.
    Why: This is legal, but some programs read only one of them from a file.
    How to fix: Nothing is needed; one scheme and one kind of archive serve more programs.
    Source: Dictionary imgCIF, _array_data_external_data.uri and archive_format.
    """
    uris = uris_of(external)
    schemes = dict(rows_by(uris, lambda text: parse_uri(text).scheme or "(relative)"))
    if len(schemes) > 1:
        row = sorted(int(rows[0]) for rows in schemes.values())[1]
        yield Problem(external.table.at(row, "uri"), variant="scheme", values=", ".join(schemes))
    column = external.table.column("archive_format")
    if column is None or column.is_constant:
        return
    words: dict[str, int] = {}
    for row in column.distinct()[0]:
        word = "none" if column.is_null[row] else column.text(int(row)).upper()
        words.setdefault(word, int(row))
    if len(words) > 1:
        row = sorted(words.values())[1]
        yield Problem(external.table.at(row, "archive_format"), variant="archive", values=", ".join(words))


def dead_end_of(text: str) -> str | None:
    """Why an address gives no image to the public, None if nothing is known against it."""
    if _is_draft(text):
        return "draft"
    return "page" if any(entry.page.match(text) for entry in repositories() if entry.page) else None


def _is_draft(text: str) -> bool:
    """True if an address leads to a draft that only its owner sees."""
    return any(entry.draft.match(text) for entry in repositories() if entry.draft)


@rule(
    "EXT018",
    "uri-not-reachable",
    severity="warning",
    source="_array_data_external_data.uri",
    messages={
        "draft": "uri {value!r} leads to an unpublished draft, which only its owner can open",
        "page": "uri {value!r} leads to the page that describes a record, not to one of its files",
        "server": "{count_text} that cannot be fetched, the first uri {value!r}: {reason}",
    },
    helps={
        "server": "open the address in a browser without a login, and give the one from which the file is downloaded",
        "draft": "publish the record, and give the address that its file has from then on",
        "page": "give the address from which the file itself is downloaded; it usually ends with its name",
    },
)
def uri_not_reachable(external: ExternalData, any_evidence: Evidence | None) -> Iterator[Problem]:
    """What: A link cannot be followed by the public, or leads to a page about the data.
    Why: The images behind it are out of reach for every reader of the file.
    How to fix: Publish the record, and give the address from which the file itself is downloaded.
    Source: Dictionary imgCIF, _array_data_external_data.uri; addresses that repositories publish.
    """
    found: list[np.ndarray] = []
    for reason, rows in rows_by(uris_of(external), dead_end_of):
        found.append(rows)
        yield problem_at(external.table, rows, "uri", variant=reason, value=shown_uri(external, rows).partition("?")[0])
    if any_evidence is None:
        if not found:
            raise NotChecked("offline: no link was followed")
        return
    yield from _contradicted(external, any_evidence, np.concatenate(found) if found else np.array([], dtype=int))
    open_ones = any_evidence.of("not checked")
    if open_ones:
        raise NotChecked(f"{len(open_ones)} of {len(any_evidence.verdicts)} links: {open_ones[0].because}")


def _contradicted(external: ExternalData, evidence: Evidence, told: np.ndarray) -> Iterator[Problem]:
    """Links of which servers or records say that there is no such file, by what they say."""
    column = external.table.column("uri")
    verdicts = {hash_text(verdict.uri): verdict for verdict in evidence.of("contradicted")}
    if column is None or not verdicts:
        return
    groups: dict[str, list[int]] = {}
    is_told = np.zeros(external.table.rows, dtype=bool)
    is_told[told] = True
    known = np.array(list(verdicts), dtype=np.uint64)
    for row in np.flatnonzero(np.isin(column.hashes, known) & ~is_told).tolist():
        verdict = verdicts[column.hashes[row]]
        reason = verdict.because.replace(verdict.uri, "").replace(verdict.name or " ", "")
        groups.setdefault(reason, []).append(row)
    for rows in groups.values():
        own = np.array(rows)
        yield problem_at(
            external.table,
            own,
            "uri",
            variant="server",
            count_text=counted(own, "link"),
            value=shown_uri(external, own),
            reason=verdicts[column.hashes[rows[0]]].because,
        )


@rule(
    "EXT020",
    "doi-and-uri-disagree",
    severity="info",
    source="_database.dataset_DOI",
    message="uri {value!r} leads to record {record} of {title}, whose DOI is {expected}, not {doi}",
    messages={
        "other": "uri {value!r} leads to {title}, but {doi} is a DOI of {owner}",
        "unregistered": "{doi} is not registered, so that it leads nowhere",
    },
    helps={
        "unregistered": "correct the DOI; one that is reserved for a draft leads somewhere once the draft is published"
    },
)
def doi_and_uri_disagree(tables: Tables, external: ExternalData, any_evidence: Evidence | None) -> Iterator[Problem]:
    """What: The DOI of the data set and the links lead to different records or repositories, or the DOI leads nowhere.
    Why: A reader who follows the DOI finds other data than a program that follows the links.
    How to fix: Give the DOI of the record that holds the images; a DOI for all versions of a record may stay.
    Source: Core dictionary, _database.dataset_DOI; patterns by which repositories assign DOIs.
    """
    stated = tables.table("database").text("dataset_doi")
    doi = plain_doi(stated) if stated else None
    uris = uris_of(external).coarse
    if doi is None:
        raise NotApplicable("no DOI is stated")
    if any_evidence is not None and any(
        entry.doi == doi and entry.is_registered is False for entry in any_evidence.dois
    ):
        place = tables.table("database").at(0, "dataset_doi")
        yield Problem(place, severity="warning", variant="unregistered", doi=doi)
        return
    owner = repository_of_doi(doi)
    own = _dois_told(any_evidence, doi)
    for shape, text in enumerate(uris.texts):
        for repository in repositories():
            match = repository.uri.match(text) if repository.uri and text else None
            if match is None:
                continue
            span, first = match.span(1), int(uris.first[shape])
            records = uris.numbers_in(shape, span) if uris.is_series else {int(match[1]): first}
            for record, row in records.items():
                if str(record) in own:
                    continue
                yield from _disagreement(external, row, record, repository, doi, owner)


def _dois_told(evidence: Evidence | None, doi: str) -> set[str]:
    """The numbers of records that their repositories tie to a DOI, as their own or that of all their versions."""
    records = evidence.records.values() if evidence is not None else ()
    ties = {record.number: {(record.doi or "").casefold(), (record.concept_doi or "").casefold()} for record in records}
    return {number for number, dois in ties.items() if doi.casefold() in dois}


def _disagreement(
    external: ExternalData, row: int, record: int, repository: Repository, doi: str, owner: Repository | None
) -> Iterator[Problem]:
    """The finding for one record, if its DOI is another one."""
    expected = repository.doi_of(record)
    if expected.casefold() == doi.casefold() or owner is None:
        return
    note = "; one of the two may be the DOI for all versions" if repository.has_concept_doi else ""
    yield Problem(
        external.table.at(row, "uri"),
        variant="" if owner is repository else "other",
        help=f"check which record holds the images{note}",
        value=shown_uri(external, np.array([row])),
        record=record,
        title=repository.title,
        expected=expected,
        doi=doi,
        owner=owner.title,
    )


@rule(
    "EXT025",
    "files-of-one-folder",
    severity="info",
    source="_array_data_external_data.uri",
    message="{count_text} are single files below {folder}",
    messages={"folder": "{count_text} are single files below {folder} - they can be fetched as a folder"},
)
def files_of_one_folder(external: ExternalData) -> Iterator[Problem]:
    """What: The links lead to single files of one folder, not to an archive.
    Why: Fetching them one by one is slow, unless the server gives out the folder at once.
    How to fix: Nothing is needed; an archive of all files is fetched faster.
    Source: Dictionary imgCIF, _array_data_external_data.uri.
    """
    uris = uris_of(external)
    is_single = ~external.table.explicit("archive_path") & ~external.table.explicit("archive_format")
    folders = dict(rows_by(uris, _folder))
    for folder, rows in folders.items():
        single = rows[is_single[rows]]
        if len(single) > 1 and not uris.column.is_constant:
            # Counting digits may stand in the folder too: it is what the first and the last share.
            last = uris.column.text(int(single[-1]))
            shared = (one == two for one, two in zip(folder, last, strict=False))
            folder = folder[: sum(takewhile(bool, shared))].rpartition("/")[0] + "/"
            # Of web servers nothing says that they give out a folder as a whole.
            variant = "folder" if parse_uri(folder).scheme in FOLDER_SCHEMES else ""
            text = counted(single, "link")
            yield problem_at(external.table, single, "uri", variant=variant, count_text=text, folder=folder)


def _folder(text: str) -> str | None:
    """The folder of an absolute URI whose path names a file."""
    uri = parse_uri(text)
    head, slash, name = uri.path.rpartition("/")
    if uri.is_relative or not slash or not name or not head:
        return None
    return text[: text.index(uri.path)] + head + "/"
