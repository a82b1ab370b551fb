"""Where the images of a block are, place by place, and what is known of each place: evidence, not promises."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document
from imgcif_core.findings import LinkVerdict
from imgcif_core.formats import HEAD_BYTES, image_format_of, is_zip, packing_of, stranger
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import LocalData
from imgcif_core.model.external import ExternalData, build_external
from imgcif_core.model.uris import parse_uri
from imgcif_core.records import dataclass, field
from imgcif_core.render.sheet import LinkRow
from imgcif_core.tables import Tables

MAX_PLACES = 40
# Distinct addresses that are looked at; beyond, one file would hold up its page.
_MAX_ADDRESSES = 200_000
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
OFFLINE = "not visited: the network was not used"
# What contradicts the file is told first.
_STATES = ("contradicted", "confirmed", "not checked")
Verdicts = Mapping[str, LinkVerdict]


@dataclass
class _Place:
    """Rows that lead to one archive, file of many images, or folder."""

    rows: int
    first: int
    last: int
    addresses: int = 1
    uris: list[str] = field(default_factory=list)


def link_rows(
    document: Document, tables: Tables, options: CheckOptions, local: LocalData, verdicts: Verdicts | None = None
) -> tuple[tuple[LinkRow, ...], int]:
    """The places of the images of a block, and how many there are in all.

    `verdicts` tell by address what came of following a link, None where none was followed.
    """
    external = build_external(tables)
    own = list(_embedded(document, tables, external))
    if not len(external):
        return tuple(own), len(own)
    places = _places(external)
    shown = [
        _row(external, address, place, _evidence(place, options, local, verdicts))
        for address, place in list(places.items())[:MAX_PLACES]
    ]
    return (*own, *shown), len(own) + len(places)


def _embedded(document: Document, tables: Tables, external: ExternalData) -> Iterator[LinkRow]:
    """The images that the file holds itself."""
    count = int(external.is_embedded.sum()) if external.data.rows else 0
    if not count:
        return
    structure = tables.table("array_structure")
    kinds = (structure.text("encoding_type"), structure.text("compression_type"))
    size = sum(section.end - section.start for section in document.sections)
    whole = sum(section.is_terminated for section in document.sections)
    evidence = f"{_counted(len(document.sections), 'binary section')} in the file, {whole} of them whole, {_size(size)}"
    kind = ", ".join(text for text in kinds if text)
    yield LinkRow("in this file", str(count), kind, "", evidence if document.sections else "values in the text")


def _places(external: ExternalData) -> dict[str, _Place]:
    """Rows by archive or folder, in the order of the file."""
    column = external.table.column("uri")
    if column is None:
        return {"(no uri)": _Place(len(external), 0, len(external) - 1)}
    packed = external.table.explicit("archive_format") | external.table.explicit("archive_path") | external.is_container
    first, inverse = column.distinct()
    counts = np.bincount(inverse, minlength=len(first))
    last = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(last, inverse, np.arange(len(inverse)))
    found: dict[str, _Place] = {}
    for index, row in enumerate(first.tolist()[:_MAX_ADDRESSES]):
        text = "" if column.is_null[row] else column.text(row)
        folder, slash, _ = text.rpartition("/")
        address = text or "(no uri)"
        if not packed[row] and slash and len(first) > 1:
            address = folder + slash
        place = found.get(address)
        if place is None:
            found[address] = _Place(int(counts[index]), row, int(last[index]), uris=[text])
        else:
            place.rows += int(counts[index])
            place.last = max(place.last, int(last[index]))
            place.addresses += 1
            place.uris.append(text)
    return found


def _row(external: ExternalData, address: str, place: _Place, evidence: str) -> LinkRow:
    """One place as a line of a table."""
    first, last = external.image(place.first), external.image(place.last)
    kinds = [first.format or "", f"in {first.archive_format}" if first.archive_format else ""]
    ends = []
    for image in (first, last):
        inside = image.archive_path or (image.uri or "").rpartition("/")[2]
        told = [inside, image.path or "", f"frame {image.frame}" if external.is_container[image.row] else ""]
        ends.append(" ".join(part for part in told if part))
    span = " to ".join(dict.fromkeys(ends))
    count = f"{place.rows}" if place.addresses == 1 else f"{place.rows} in {place.addresses} files"
    return LinkRow(address, count, " ".join(part for part in kinds if part), span, evidence)


def _evidence(place: _Place, options: CheckOptions, local: LocalData, verdicts: Verdicts | None) -> str:
    """What is known of a place beyond what the file says."""
    uri = place.uris[0] if place.uris else ""
    parts = []
    if not uri:
        return "no address is given"
    try:
        found = local.stand_in(uri)
    except BytesError as fault:
        return str(fault)
    if isinstance(found, Path):
        more = f" (the first of {place.addresses} files)" if place.addresses > 1 else ""
        parts.append(_of_file(found) + more)
    elif parse_uri(uri).is_relative:
        parts.append("no such file beside this one")
    elif verdicts is None:
        parts.append(OFFLINE)
    else:
        parts += _of_links([verdicts[uri] for uri in place.uris if uri in verdicts]) or ["not followed"]
    for record in (options.records or ())[:1]:
        parts.append(f"record: {record.title}, licence {record.licence or 'not given'}")
    return "; ".join(parts)


def _of_links(found: list[LinkVerdict]) -> list[str]:
    """What came of the links of one place: of one all, of many the numbers and the first of each kind."""
    parts = []
    for state in _STATES:
        same = [verdict for verdict in found if verdict.state == state]
        if not same:
            continue
        first = same[0]
        more = [
            _size(first.size) if first.size is not None else "",
            first.digest or "",
            f"seen {first.seen}" if first.seen else "",
        ]
        count = f"{len(same)} " if len(found) > 1 else ""
        parts.append(f"{count}{state}: {', '.join(filter(None, (first.because, *more)))}")
    return parts


def _of_file(path: Path) -> str:
    """What the first bytes of a file on this machine tell."""
    if path.is_dir():
        return "a folder on this machine stands in for it"
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        return f"a copy on this machine cannot be read: {error.strerror}"
    image = image_format_of(head)
    packing = packing_of(head)
    name = "zip" if is_zip(head) else packing or (image.word if image else "") or stranger(head) or "no known format"
    return f"copy on this machine, {_size(size)}, by its first bytes {name}"


def _size(count: int) -> str:
    """A number of bytes in words."""
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.4g} {_UNITS[unit]}"


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
