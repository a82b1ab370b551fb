"""Rules about what stands behind the links: a file, in a format that is read, in an archive that lasts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from imgcif_core.checks.external.inputs import counted, rows_by
from imgcif_core.checks.external.uris import shown_uri, uris_of
from imgcif_core.checks.facts import facts
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.places import problem_at
from imgcif_core.checks.registry import NotApplicable, NotChecked, Problem, provider, rule
from imgcif_core.model.external import ExternalData
from imgcif_core.model.repositories import Record, repository_of_host
from imgcif_core.model.uris import fault_of, locality_of, parse_uri

if TYPE_CHECKING:
    from imgcif_core.net.evidence import Evidence

_DOI_HOSTS = frozenset({"doi.org", "dx.doi.org", "www.doi.org", "hdl.handle.net"})
_PREFERRED = frozenset({"HDF5", "CBF", "SMV", "TIFF"})
_PERSONAL_PATH = re.compile(r"/(?:~|%7E)[^/]+(?:/|\Z)", re.IGNORECASE)


@provider("records")
def records_of(options: CheckOptions, any_evidence: Evidence | None) -> tuple[Record, ...]:
    """The records behind the links, as their repositories tell; without a network nobody has asked."""
    if options.records is None and any_evidence is not None:
        if not any_evidence.records:
            reasons = [verdict.because for verdict in any_evidence.verdicts.values() if verdict.state == "not checked"]
            raise NotChecked(reasons[0] if reasons else "no link leads to a record of a repository")
        return tuple(record.told() for record in any_evidence.records.values())
    if options.records is None:
        raise NotChecked("offline: no record of a repository was asked for")
    if not options.records:
        raise NotChecked("no repository told of the record")
    return tuple(options.records)


@rule(
    "EXT030",
    "licence-not-open",
    severity="warning",
    source="_array_data_external_data.uri",
    message="{title} gives {address} without a licence - nobody is told what they may do with the images",
    messages={
        "licence": "{title} gives {address} under {licence}, which does not let everybody use the images",
        "embargo": "{title} keeps {address} closed until {embargo}",
        "access": "{title} gives {address} as {access}, so that not everybody can fetch the images",
    },
)
def licence_not_open(external: ExternalData, records: tuple[Record, ...]) -> Iterator[Problem]:
    """What: The record that holds the images is under embargo, closed, or without an open licence.
    Why: Readers of a published description have to be able to fetch the images and to use them.
    How to fix: Choose an open licence, such as CC0 or CC BY, for the record, and end the embargo on publication.
    Source: Dictionary imgCIF, _array_data_external_data.uri; the record of the repository, as it was given.
    """
    place = external.table.at(0, "uri")
    for record in records:
        variant = None
        if record.embargo or record.access == "embargoed":
            variant = "embargo"
        elif record.access not in (None, "open"):
            variant = "access"
        elif record.licence is not None:
            is_open = any(word in record.licence.casefold() for word in facts("archives")["open_licences"])
            variant = None if is_open else "licence" if record.licence.strip() else ""
        if variant is not None:
            yield Problem(
                place,
                variant=variant,
                title=record.title,
                address=record.address,
                licence=record.licence,
                embargo=record.embargo or "a day that it does not tell",
                access=record.access,
            )


@rule(
    "EXT031",
    "archive-not-registered",
    severity="info",
    source="_array_data_external_data.uri",
    message="{count_text} to {host}, which is not among the repositories that this program knows",
    messages={"personal": "{count_text} to {host}, {what}, which is no lasting archive"},
)
def archive_not_registered(external: ExternalData) -> Iterator[Problem]:
    """What: The links lead to a personal page, to a service for sharing files, or to an archive not known here.
    Why: Personal pages and shared folders vanish; a registered repository keeps the images and their addresses.
    How to fix: Deposit the images in a registered repository, listed for example at re3data.org; nothing else is
    needed where the archive is registered.
    Source: Dictionary imgCIF, _array_data_external_data.uri; hosts that repositories publish.
    """
    for (host, what), rows in rows_by(uris_of(external), _keeper_of):
        yield problem_at(
            external.table,
            rows,
            "uri",
            severity="warning" if what else None,
            variant="personal" if what else "",
            count_text=counted(rows, "link"),
            host=host,
            what=what,
        )


def _keeper_of(text: str) -> tuple[str, str] | None:
    """The host of a public address and, if it is no archive, what it is; None for known repositories."""
    uri = parse_uri(text)
    if fault_of(text) is not None or locality_of(uri) or not uri.host or uri.host in _DOI_HOSTS:
        return None
    sharing = facts("archives")["sharing"]
    for host, what in sharing.items():
        if uri.host == host or uri.host.endswith(f".{host}"):
            return uri.host, what
    if _PERSONAL_PATH.search(uri.path):
        return uri.host, "a personal page"
    known = facts("archives")["archives"]
    is_known = repository_of_host(uri.host) or any(uri.host == host or uri.host.endswith(f".{host}") for host in known)
    return None if is_known else (uri.host, "")


@rule(
    "EXT032",
    "format-not-preferred",
    severity="info",
    source="_array_data_external_data.format",
    message="{count_text} of format {format}, which few programs read - HDF5, CBF, SMV and TIFF are read by many",
)
def format_not_preferred(external: ExternalData) -> Iterator[Problem]:
    """What: The images are in a format that only the programs of one maker read well.
    Why: Journals and readers ask for HDF5, CBF or SMV, so that data can be processed in many years, too.
    How to fix: Convert the images to CBF and state the new format, or keep them and give the version of the format.
    Source: Dictionary imgCIF, _array_data_external_data.format; notes for authors of raw data letters.
    """
    column = external.table.column("format")
    if column is None:
        raise NotApplicable("no format")
    others: dict[str, int] = {}
    first, inverse = column.distinct()
    for index, row in enumerate(first.tolist()):
        if not column.is_null[row] and column.text(row).upper() not in _PREFERRED:
            others[column.text(row)] = index
    for word, index in others.items():
        rows = np.flatnonzero(inverse == index)
        yield problem_at(external.table, rows, "format", count_text=counted(rows, "link"), format=word)


@rule(
    "EXT033",
    "link-to-no-file",
    severity="warning",
    source="_array_data_external_data.uri",
    messages={
        "doi": "uri {value!r} is the address of a DOI, which leads to a page about the data and to no file",
        "folder": "uri {value!r} is the address of a folder, not of a file",
    },
)
def link_to_no_file(external: ExternalData) -> Iterator[Problem]:
    """What: A link leads to the page of a DOI or to a folder, where a file is expected.
    Why: A program that fetches the address gets a page for people, and no image.
    How to fix: Give the address from which the file itself is downloaded; a DOI belongs in _database.dataset_DOI.
    Source: Dictionary imgCIF, _array_data_external_data.uri: the location of an image.
    """
    for kind, rows in rows_by(uris_of(external), no_file_of):
        yield problem_at(external.table, rows, "uri", variant=kind, value=shown_uri(external, rows))


def no_file_of(text: str) -> str | None:
    """Why a well-formed address is that of no file: doi or folder; None where it may be one.

    Folders of rsync are legal where members below them are named.
    """
    if fault_of(text) is not None:
        return None
    uri = parse_uri(text)
    if uri.scheme == "doi" or uri.host in _DOI_HOSTS:
        return "doi"
    is_folder = uri.path.endswith("/") or (not uri.path and bool(uri.host))
    return "folder" if is_folder and not uri.query and uri.scheme in ("http", "https", "ftp", "s3") else None
