"""What the links of a file lead to: confirmed, contradicted, or not checked and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from urllib.parse import unquote

from imgcif_core.findings import LinkState, LinkVerdict
from imgcif_core.formats import image_format_of
from imgcif_core.images.limits import BytesError
from imgcif_core.model.uris import parse_uri
from imgcif_core.net.folders import Asked, Below, RemoteFolder, is_folder, lists_for
from imgcif_core.net.links import Link
from imgcif_core.net.network import Network, plain_address
from imgcif_core.net.plan import SAMPLE
from imgcif_core.net.records import ArchiveRecord, DoiRecord, fetch_doi, fetch_record, place_of
from imgcif_core.net.rsync import Listed
from imgcif_core.records import dataclass, field

# Formats whose first bytes are theirs alone.
_TOLD = frozenset({"HDF5", "CBF"})
# Names that a missing one is compared with, and their longest: each costs up to 10 ms where they are made for it.
_NEAREST, _LONGEST = 500, 100


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
    listed: list[Link] = []
    for link in links:
        if link.scheme == "rsync":
            listed.append(link)
        elif link.scheme not in ("https", "http"):
            reason = f"{link.scheme or 'relative'} addresses are not asked"
            found.verdicts[link.uri] = _unchecked(link, reason)
        elif not _by_record(network, link, found, faults):
            rest.setdefault(parse_uri(link.uri).host, []).append(link)
    for group in rest.values():
        _by_first_bytes(network, group, found)
    for asked in lists_for(listed):
        _by_rsync(network, asked, found)
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
    hint = _nearest(name, record.files)
    text = f"record {record.number} of {record.host} has no file {name[:100]}{hint}"
    return LinkVerdict(link.uri, name, "contradicted", text, seen=network.time_of(record.seen))


def _nearest(name: str, names: Iterable[str]) -> str:
    """The name of a server that is most like a wanted one, for a message; the server may list anything."""
    pool = [other for other in names if len(other) <= _LONGEST]
    close = get_close_matches(name[:_LONGEST], pool[:_NEAREST], 1)
    return f" - it has {close[0]}" if close else ""


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
    remote = network.web_file(link.uri)
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


def _by_rsync(network: Network, asked: Asked, found: Evidence) -> None:
    """Judge the links that one list of an rsync server answers for."""
    try:
        told = network.list_files(asked.address, is_deep=asked.is_deep)
    except BytesError as fault:
        for link, _ in asked.links:
            found.verdicts[link.uri] = judged(network, link, fault)
            if is_folder(link):
                network.folders[link.uri] = RemoteFolder(link.uri, [], fault)
        return
    below, seen = Below(asked, told.entries), network.time_of(told.seen)
    missing = [name for _, name in asked.links if name and name not in below.by_name]
    hint = _nearest(missing[0], below.by_name) if len(missing) == 1 else ""
    for link, name in asked.links:
        entry = below.by_name.get(name) if name else below.own
        state, text = _state_of(asked, entry, name, hint)
        if is_folder(link) and entry is not None and entry.kind == "folder":
            state, text = _state_of_folder(network, asked, link, name, below)
        size = entry.size if entry is not None and entry.kind == "file" else None
        found.verdicts[link.uri] = LinkVerdict(
            link.uri, _name(link), state, text, size, seen="" if state == "not checked" else seen
        )


def _state_of(asked: Asked, entry: Listed | None, name: str, hint: str) -> tuple[LinkState, str]:
    """What a list tells of a link to a file."""
    if entry is None:
        where = "below this folder" if asked.is_deep else "in this folder"
        return (
            "contradicted",
            f"{asked.host} lists no {name[:100] or 'such folder'} {where if name else ''}{hint}".rstrip(),
        )
    if entry.kind not in ("file", "folder"):
        return "not checked", f"{asked.host} has a {entry.kind} there, no file"
    if entry.kind == "folder":
        return "contradicted", f"{asked.host} has a folder there, no file"
    return ("confirmed", "listed by rsync") if entry.size else ("contradicted", "the file is empty (0 bytes)")


def _state_of_folder(network: Network, asked: Asked, link: Link, name: str, below: Below) -> tuple[LinkState, str]:
    """What a list tells of a folder with members; the rule about members takes them from the same list."""
    members = below.members(name)
    if not members:
        text = f"{asked.host} lists nothing below this folder"
        network.folders[link.uri] = RemoteFolder(link.uri, [], BytesError("gone", text))
        return "contradicted", text
    network.folders[link.uri] = RemoteFolder(link.uri, members)
    names = dict.fromkeys(link.members)
    return "confirmed", f"the folder is listed, with {below.count(name, names)} of {len(names)} members"


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
