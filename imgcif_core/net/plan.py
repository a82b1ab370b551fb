"""The plan of a run over the network: what will be asked of whom, and what it costs at most."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from imgcif_core.model.uris import parse_uri
from imgcif_core.net.folders import lists_for
from imgcif_core.net.links import Link
from imgcif_core.net.network import plain_address
from imgcif_core.net.records import place_of
from imgcif_core.net.rsync import MAX_OUTPUT
from imgcif_core.net.settings import NetSettings, shown_size
from imgcif_core.net.tarhops import MAX_HOPS
from imgcif_core.records import dataclass

KB = 1000
# Single files of which a server tells nothing are looked at by three of them.
SAMPLE = 3
_DIRECTORY_ENTRY = 100
_RECORD, _DOI, _HEAD, _HDF5 = 100 * KB, 10 * KB, 4096, 300 * KB


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is asked for: at most so many requests and bytes."""

    what: str
    requests: int
    bytes: int
    note: str = ""


def plan_of(
    links: Collection[Link], dois: Collection[str], settings: NetSettings, *, depth: str = "header"
) -> list[Step]:
    """What confirming some links costs; `depth` is how much of images is read: none, header, sample or all."""
    steps = []
    places = [(link, place_of(link.uri) if link.scheme in ("https", "http") else None) for link in links]
    records = {place.api: place for _, place in places if place is not None}
    for place in records.values():
        files = sum(entry is not None and entry.api == place.api for _, entry in places)
        what = f"{place.host}: record {place.number} with names, sizes, digests and licence ({_counted(files, 'link')})"
        steps.append(Step(what, 1, _RECORD))
    steps += [Step(f"doi.org and DataCite: {doi}", 2, _DOI) for doi in dois]
    steps += _single_files([link for link, place in places if place is None and not link.archive])
    for wanted in lists_for(link for link in links if link.scheme == "rsync"):
        if wanted.is_deep:
            what = f"{wanted.host}: list of all files below a folder by rsync"
            steps.append(Step(what, 1, MAX_OUTPUT, "about 60 bytes a file"))
        else:
            steps.append(Step(f"{wanted.host}: list of files by rsync", 1, 100 * KB))
    if depth != "none":
        steps += list(_archives([link for link in links if link.archive], settings))
        steps += list(_images([link for link in links if link.scheme in ("https", "http")], depth))
    return steps


def _single_files(links: list[Link]) -> Iterable[Step]:
    """The first, the middle and the last file of each server that has no records."""
    by_host: dict[str, int] = {}
    for link in links:
        if link.scheme in ("https", "http"):
            by_host[parse_uri(link.uri).host] = by_host.get(parse_uri(link.uri).host, 0) + 1
    for host, count in by_host.items():
        asked = min(count, SAMPLE)
        yield Step(f"{host}: first bytes and sizes of {asked} of {_counted(count, 'file')}", asked, asked * _HEAD)


def _archives(links: list[Link], settings: NetSettings) -> Iterable[Step]:
    """The members of archives."""
    for link in links:
        name = plain_address(link.uri).rpartition("/")[2]
        if link.scheme not in ("https", "http"):
            continue
        if link.archive == "ZIP":
            yield Step(f"{name}: list of members from its end", 2, 65_557 + _DIRECTORY_ENTRY * len(link.members))
        elif link.archive == "TAR":
            yield Step(f"{name}: headers of members", MAX_HOPS + 1, (MAX_HOPS + 1) * 2048, "4 where all have one size")
        else:
            requests = 1 + -(-settings.stream // (1 << 21))
            yield Step(f"{name}: first members of a packed archive", requests, settings.stream, "no list at its end")


def _images(links: list[Link], depth: str) -> Iterable[Step]:
    """Headers of HDF5 files, and images."""
    hdf5 = [link for link in links if link.format == "HDF5" and not link.archive]
    if hdf5:
        count = min(len(hdf5), SAMPLE)
        yield Step(f"headers of {_counted(count, 'HDF5 file')}", 4 * count, _HDF5 * count)
    if links and any(link.format == "CBF" for link in links):
        yield Step("the first CBF of each scan, whose header may describe the instrument", 1, 0, "one image a scan")
    if links and depth in ("sample", "all"):
        which = "the first, middle and last image of each scan" if depth == "sample" else "all images"
        yield Step(which, SAMPLE, 0, "one image each")


def plan_text(steps: Collection[Step], settings: NetSettings) -> str:
    """The plan for people, one line a step."""
    lines = ["network: what will be asked, at most"]
    for step in steps:
        size = shown_size(step.bytes) if step.bytes else ""
        cost = ", ".join(filter(None, (_counted(step.requests, "request"), size, step.note)))
        lines.append(f"  {step.what}: {cost}")
    requests, total = sum(step.requests for step in steps), sum(step.bytes for step in steps)
    most = shown_size(settings.max_download)
    lines.append(f"  together {_counted(requests, 'request')}, {shown_size(total)} and images; never more than {most}")
    return "\n".join(lines) + "\n"


def _counted(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
