"""The links of a file, each once, with what the tables expect behind it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imgcif_core.formats import archive_suffix
from imgcif_core.model.external import ExternalData, build_external
from imgcif_core.model.repositories import plain_doi
from imgcif_core.model.uris import fault_of, parse_uri
from imgcif_core.records import dataclass
from imgcif_core.tables import Tables


@dataclass(frozen=True, slots=True)
class Link:
    """One address: the format of the images behind it, the archive format and the members that are expected."""

    uri: str
    format: str
    archive: str
    members: tuple[str, ...]
    rows: int

    @property
    def scheme(self) -> str:
        """The scheme, in lower case; empty for relative references."""
        return parse_uri(self.uri).scheme


def links_of(external: ExternalData) -> list[Link]:
    """The well-formed links of a block, in the order of its rows."""
    table, column = external.table, external.table.column("uri")
    if column is None:
        return []
    _, inverse = column.distinct()
    order = np.argsort(inverse, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1) if len(order) else []
    names = table.column("archive_path")
    found = []
    for rows in groups:
        row = int(rows[0])
        uri = column.text(row)
        if column.is_null[row] or fault_of(uri) is not None or not uri:
            continue
        given = names is not None and not bool(names.is_null[row])
        stated = (table.text("archive_format", row, "") or "").upper()
        archive = stated or (archive_suffix(uri.partition("?")[0].removesuffix("/content")) or "" if given else "")
        members = tuple(names.text(int(entry)) for entry in rows if not names.is_null[entry]) if names else ()
        found.append((row, Link(uri, (table.text("format", row, "") or "").upper(), archive, members, len(rows))))
    return [link for _, link in sorted(found, key=lambda entry: entry[0])]


def links_of_all(all_tables: Sequence[Tables]) -> dict[str, Link]:
    """The links of all blocks of a file, members of one archive together."""
    found: dict[str, Link] = {}
    for tables in all_tables:
        for link in links_of(build_external(tables)):
            known = found.get(link.uri)
            if known is not None:
                members = tuple(dict.fromkeys((*known.members, *link.members)))
                link = Link(link.uri, known.format, known.archive, members, known.rows + link.rows)
            found[link.uri] = link
    return found


def dois_of(all_tables: Sequence[Tables]) -> list[str]:
    """The DOIs that the blocks state for their data."""
    stated = (tables.table("database").text("dataset_doi") for tables in all_tables)
    return list(dict.fromkeys(doi for text in stated if text and (doi := plain_doi(text))))
