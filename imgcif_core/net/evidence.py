"""What the links of a file lead to: confirmed, contradicted, or not checked and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from urllib.parse import unquote

from imgcif_core.findings import LinkState, LinkVerdict
from imgcif_core.formats import image_format_of
from imgcif_core.images.limits import BytesError
from imgcif_core.model.uris import parse_uri
from imgcif_core.net.links import Link
from imgcif_core.net.network import Network, plain_address
from imgcif_core.net.plan import SAMPLE
from imgcif_core.net.records import ArchiveRecord, DoiRecord, fetch_doi, fetch_record, place_of
from imgcif_core.records import dataclass, field

# Formats whose first bytes are theirs alone.
_TOLD = frozenset({"HDF5", "CBF"})


@dataclass
class Evidence:
    """The verdicts by address, the records of repositories, and the DOIs."""

    verdicts: dict[str, LinkVerdict] = field(default_factory=dict)
    records: dict[str, ArchiveRecord] = field(default_factory=dict)
    dois: list[DoiRecord] = field(default_factory=list)

    def of(self, state: LinkState) -> list[LinkVerdict]:
        """The verdicts of one kind."""
        return [verdict for verdict in self.verdicts.values() if verdict.state == state]


def gather(network: Network, links: Collection[Link], dois: Collection[str] = ()) -> Evidence:
    """Ask what the links lead to: records first, then single files by their first bytes, folders by rsync."""
    found = Evidence()
    faults: dict[str, BytesError] = {}
    rest: dict[str, list[Link]] = {}
    folders: dict[str, list[Link]] = {}
    for link in links:
        if link.scheme == "rsync":
            folders.setdefault(link.uri.rpartition("/")[0] + "/", []).append(link)
        elif link.scheme not in ("https", "http"):
            reason = f"{link.scheme or 'relative'} addresses are not asked"
            found.verdicts[link.uri] = _unchecked(link, reason)
        elif not _by_record(network, link, found, faults):
            rest.setdefault(parse_uri(link.uri).host, []).append(link)
    for group in rest.values():
        _by_first_bytes(network, group, found)
    for folder, group in folders.items():
        _by_rsync(network, folder, group, found)
    found.dois = [fetch_doi(network.documents, doi) for doi in dois]
    return found


def _by_record(network: Network, link: Link, found: Evidence, faults: dict[str, BytesError]) -> bool:
    """Judge a link by the record of its repository; False where there is none to ask."""
    place = place_of(link.uri)
    if place is None:
        return False
    if place.api not in found.records and place.api not in faults:
        try:
            found.records[place.api] = fetch_record(network.documents, place)
        except BytesError as fault:
            faults[place.api] = fault
    known = faults.get(place.api)
    if known is not None:
        if known.kind == "gone":
            text = f"{place.host} has no public record {place.number}"
            found.verdicts[link.uri] = LinkVerdict(link.uri, place.name, "contradicted", text, seen=network.seen)
        else:
            found.verdicts[link.uri] = judged(network, link, known)
        return True
    record = found.records[place.api]
    found.verdicts[link.uri] = _in_record(network, link, place.name, record)
    entry = record.files.get(place.name)
    if entry is not None and entry.size is not None:
        network.sizes[link.uri] = entry.size
    return True


def _in_record(network: Network, link: Link, name: str, record: ArchiveRecord) -> LinkVerdict:
    """The verdict on a file by its record."""
    entry = record.files.get(name)
    if entry is not None and entry.size == 0:
        text = f"record {record.number} of {record.host} holds {name} with 0 bytes"
        return LinkVerdict(link.uri, name, "contradicted", text, 0, entry.digest, seen=network.time_of(record.seen))
    if entry is not None:
        text = f"record {record.number} of {record.host} holds it"
        return LinkVerdict(
            link.uri, name, "confirmed", text, entry.size, entry.digest, seen=network.time_of(record.seen)
        )
    if record.access not in (None, "open") or not record.files:
        return _unchecked(link, f"record {record.number} of {record.host} shows no files")
    close = get_close_matches(name, list(record.files), 1)
    hint = f" - it has {close[0]}" if close else ""
    text = f"record {record.number} of {record.host} has no file {name[:100]}{hint}"
    return LinkVerdict(link.uri, name, "contradicted", text, seen=network.time_of(record.seen))


def _by_first_bytes(network: Network, group: list[Link], found: Evidence) -> None:
    """Judge the first, the middle and the last file of a server, archives all."""
    single = [link for link in group if not link.archive]
    chosen = {single[index].uri for index in {0, len(single) // 2, len(single) - 1}} if single else set()
    for link in group:
        if not link.archive and link.uri not in chosen:
            reason = f"one of {len(single)} files of its server, of which {SAMPLE} were asked for"
            found.verdicts[link.uri] = _unchecked(link, reason)
            continue
        found.verdicts[link.uri] = _first_bytes(network, link)


def _first_bytes(network: Network, link: Link) -> LinkVerdict:
    """The verdict on a file by its first bytes and its size."""
    remote = network.resolve(link.uri)
    assert remote is not None
    try:
        if link.archive == "ZIP":
            remote.read_tail(65_557)
            size = remote.size
            text = "its last bytes and its size"
        else:
            head = remote.read_head()
            size = remote.size
            known = image_format_of(head)
            text = f"its first bytes are {known.title}" if known is not None else "its first bytes and its size"
            if known is not None and not link.archive and link.format in _TOLD and known.word != link.format:
                text = f"it is stated to be {link.format}, and its first bytes are {known.title}"
                return LinkVerdict(link.uri, _name(link), "contradicted", text, size, seen=network.time_of(remote.seen))
    except BytesError as fault:
        return judged(network, link, fault)
    validator, seen = remote.facts()["validator"], network.time_of(remote.seen)
    if size == 0:
        return LinkVerdict(link.uri, _name(link), "contradicted", "the file is empty (0 bytes)", 0, seen=seen)
    return LinkVerdict(link.uri, _name(link), "confirmed", text, size, None, validator, seen)


def _by_rsync(network: Network, folder: str, group: list[Link], found: Evidence) -> None:
    """Judge files of one folder of an rsync server."""
    try:
        listed = {entry.name: entry for entry in network.list_files(folder)}
    except BytesError as fault:
        for link in group:
            found.verdicts[link.uri] = judged(network, link, fault)
        return
    for link in group:
        entry = listed.get(_name(link))
        if not _name(link) and listed:
            found.verdicts[link.uri] = LinkVerdict(link.uri, "", "confirmed", "the folder is listed", seen=network.seen)
        elif entry is None:
            text = f"{parse_uri(folder).host} lists no {_name(link)[:100]} in this folder"
            found.verdicts[link.uri] = LinkVerdict(link.uri, _name(link), "contradicted", text, seen=network.seen)
        elif entry.kind not in ("file", "folder"):
            found.verdicts[link.uri] = _unchecked(link, f"{parse_uri(folder).host} has a {entry.kind} there, no file")
        elif entry.kind == "file" and entry.size == 0:
            text = "the file is empty (0 bytes)"
            found.verdicts[link.uri] = LinkVerdict(link.uri, entry.name, "contradicted", text, 0, seen=network.seen)
        elif entry.kind == "folder" and not link.members:
            text = f"{parse_uri(folder).host} has a folder there, no file"
            found.verdicts[link.uri] = LinkVerdict(link.uri, entry.name, "contradicted", text, seen=network.seen)
        elif entry.kind == "folder":
            text = "the folder is listed"
            found.verdicts[link.uri] = LinkVerdict(link.uri, entry.name, "confirmed", text, seen=network.seen)
        else:
            text = "listed by rsync"
            found.verdicts[link.uri] = LinkVerdict(
                link.uri, entry.name, "confirmed", text, entry.size, seen=network.seen
            )


def judged(network: Network, link: Link, fault: BytesError) -> LinkVerdict:
    """The verdict that a fault gives: what says nothing of the file contradicts nobody."""
    if fault.is_unasked or fault.kind in ("changed", "limit"):
        return _unchecked(link, str(fault))
    return LinkVerdict(link.uri, _name(link), "contradicted", str(fault), seen=network.seen)


def _unchecked(link: Link, reason: str) -> LinkVerdict:
    """The verdict on a link that nobody followed."""
    return LinkVerdict(link.uri, _name(link), "not checked", reason)


def _name(link: Link) -> str:
    """The name of the file behind a link."""
    return unquote(parse_uri(plain_address(link.uri)).path.rpartition("/")[2])


def counts(verdicts: Mapping[str, LinkVerdict]) -> str:
    """The verdicts in numbers."""
    states = [verdict.state for verdict in verdicts.values()]
    named: tuple[LinkState, ...] = ("confirmed", "contradicted", "not checked")
    return ", ".join(f"{states.count(state)} {state}" for state in named)
