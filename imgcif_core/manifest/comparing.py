"""A manifest against what is found later: what is as it was, changed, vanished, appeared, or was not looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from imgcif_core.records import dataclass

State = Literal["as it was", "changed", "vanished", "appeared", "not checked"]
STATES: tuple[State, ...] = ("as it was", "changed", "vanished", "appeared", "not checked")
_SHOWN = 3
_OF_RECORDS = ("doi", "version", "licence", "access", "embargo", "title")
_OF_DOIS = ("is_registered", "url", "title", "rights")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one thing: `what` is file, doi, record, server, copy or members; `because` tells by what."""

    what: str
    name: str
    state: State
    because: str
    count: int = 1


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Kept]:
    """What became of all that a manifest holds; `after` has the same form."""
    found = [_file(before["file"], after["file"])]
    found += _told("doi", "doi", _OF_DOIS, before, after)
    found += _told("record", "address", _OF_RECORDS, before, after)
    later = {entry["uri"]: entry for entry in after["links"]}
    for entry in before["links"]:
        found += _link(entry, later.pop(entry["uri"], None))
    found += [Kept("link", uri, "appeared", "the file links to it, the manifest does not") for uri in later]
    return found


def _file(before: Mapping[str, Any], after: Mapping[str, Any]) -> Kept:
    """The file itself."""
    if "verdict" in after:
        return Kept("file", before["path"], "not checked", after["because"])
    state, because = _difference(before, after)
    return Kept("file", before["path"], state, because)


def _told(
    what: str, key: str, names: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Kept]:
    """Records or DOIs: what their owners say of them."""
    later = {entry.get(key): entry for entry in after[f"{what}s"]}
    for entry in before[f"{what}s"]:
        own = later.get(entry.get(key))
        name = str(entry.get(key))
        if own is None or not own.keys() - {key}:
            yield Kept(what, name, "not checked", "nobody told of it this time")
            continue
        if own.get("is_registered") is False and entry.get("is_registered"):
            yield Kept(what, name, "vanished", "it is not registered any more")
            continue
        # Of a DOI two are asked, and one of them may be silent; a record is told as a whole.
        fields = [field for field in names if what == "record" or (field in entry and field in own)]
        others = [(field, entry.get(field), own.get(field)) for field in fields if entry.get(field) != own.get(field)]
        told = [f"{field.replace('_', ' ')} was {_short(was)}, is {_short(now)}" for field, was, now in others]
        yield Kept(what, name, "changed" if told else "as it was", "; ".join(told) or "what is told of it")


def _short(value: Any) -> str:
    """A value for one line."""
    text = "nothing" if value is None else value if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _link(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> Iterator[Kept]:
    """One link: its server, its copy, its members."""
    uri = before["uri"]
    if after is None:
        yield Kept("link", uri, "changed", "the file links to it no more")
        return
    for what in ("server", "copy"):
        was, now = before.get(what), after.get(what)
        kept = _source(what, uri, was, now)
        if kept is not None:
            yield kept
    if "members" in before:
        yield from _members(uri, before["members"], after.get("members"))


def _source(what: str, uri: str, was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Kept | None:
    """What one source says of a link, then and now; None where neither confirmed it."""
    is_confirmed = now is not None and now["verdict"] == "confirmed"
    if was is None:
        return None
    if was["verdict"] != "confirmed":
        because = f"{now['because']} (then {was['verdict']}: {was.get('because', '')})" if now is not None else ""
        return Kept(what, uri, "appeared", because) if is_confirmed else None
    if now is None:
        because = "offline" if what == "server" else "no copy was found"
        return Kept(what, uri, "not checked", because)
    if now["verdict"] == "not checked":
        return Kept(what, uri, "not checked", str(now["because"]))
    state, because = _difference(was, now)
    if not is_confirmed and state == "as it was":
        # Nothing of the file is known but that it is not there.
        told = "size" in now or "digests" in now
        return Kept(what, uri, "changed" if told else "vanished", str(now["because"]))
    return Kept(what, uri, state, because)


def _difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[State, str]:
    """Whether size, digests and ETag say that it is the same file, and which of them does."""
    if "size" in was and "size" in now and was["size"] != now["size"]:
        return "changed", f"{was['size']} bytes then, {now['size']} now"
    own, other = _by_algorithm(was), _by_algorithm(now)
    common = sorted(own.keys() & other.keys())
    for algorithm in common:
        if own[algorithm] != other[algorithm]:
            return "changed", f"{algorithm} {own[algorithm]} then, {other[algorithm]} now"
    if common:
        return "as it was", f"by {' and '.join(common)}"
    if was.get("etag") and now.get("etag"):
        if was["etag"] != now["etag"]:
            return "changed", f"the server names another state of it (ETag {was['etag'][:60]}, {now['etag'][:60]})"
        return "as it was", "by size and ETag" if "size" in was else "by ETag"
    return "as it was", "by size alone" if "size" in was and "size" in now else "it is there"


def _by_algorithm(told: Mapping[str, Any]) -> dict[str, str]:
    """Digests by algorithm."""
    parts = (digest.partition(":") for digest in told.get("digests", ()))
    return {algorithm: value.casefold() for algorithm, _, value in parts if value}


def _members(uri: str, was: Mapping[str, Any], now: Mapping[str, Any] | None) -> Iterator[Kept]:
    """The members of an archive, those of one fate together."""
    seen = {entry["name"]: entry for entry in was["seen"]}
    later = {entry["name"]: entry for entry in now["seen"]} if now is not None else {}
    missing = set(now["missing"]) if now is not None else set()
    groups: dict[tuple[State, str], list[str]] = {}
    for name, entry in seen.items():
        if name in later:
            state, because = _difference(entry, later[name])
            # Figures differ from member to member; those of the first one are told.
            groups.setdefault((state, because if state == "as it was" else ""), []).append(name)
        elif name in missing:
            groups.setdefault(("vanished", "the archive has it no more"), []).append(name)
        else:
            because = str(now.get("because", "no row names it any more")) if now is not None else "no archive"
            groups.setdefault(("not checked", because), []).append(name)
    was_missing = {*was["missing"]}
    back = [name for name in later if name in was_missing]
    if back:
        groups[("appeared", "the archive has it now")] = back
    for (state, because), names in groups.items():
        if not because:
            because = _difference(seen[names[0]], later[names[0]])[1]
        yield Kept("members", uri, state, f"{_named(names)}: {because}", len(names))


def _named(names: Sequence[str]) -> str:
    """Some names for one line."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"


def counts(kept: Iterable[Kept]) -> dict[str, int]:
    """How many things had each fate."""
    found: dict[str, int] = dict.fromkeys(STATES, 0)
    for entry in kept:
        found[entry.state] += entry.count
    return found


def status_of(kept: Iterable[Kept], *, allows_unchecked: bool = False) -> int:
    """0 if all is as it was; 1 if something changed, vanished, or was not looked at again."""
    found = counts(kept)
    is_open = found["not checked"] and not allows_unchecked
    return int(bool(found["changed"] or found["vanished"] or is_open))
