"""Addresses of archives and folders: which are taken, and how one or two of them stand for many scans."""

import re
from collections.abc import Sequence

from imgcif_core.errors import UsageError
from imgcif_core.model.uris import fault_of, parse_uri
from imgcif_core.records import dataclass

SCHEMES = ("http", "https", "ftp", "rsync")
_PLACE = re.compile(r"\{(scan|number)(?::0?(\d{1,2})d?)?\}")
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_DIGITS = re.compile(r"(\d+)")
# A number with more digits is no counter but an identifier.
_LONGEST_NUMBER = 12
# What Crossref found to fit nearly all of its DOIs; no blanks, quotes or brackets.
_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/[-._;()/:A-Za-z0-9+]*[A-Za-z0-9)]")
_BEFORE_DOI = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)", re.IGNORECASE)
_RESOLVERS = ("doi.org", "dx.doi.org", "hdl.handle.net")


@dataclass(frozen=True, slots=True)
class Address:
    """The address that one scan gets; True if it was worked out from the first two."""

    url: str
    is_extrapolated: bool = False


def checked_address(text: str, option: str = "address") -> str:
    """An address that others can follow, blanks around it taken off.

    Raises
    ------
    UsageError
        If it is no address of the schemes http, https, ftp and rsync, or leads to a page and not to files.
    """
    url = text.strip()
    if fault := _fault(url):
        raise UsageError(f"{option} {url!r} {fault}")
    return url


def _fault(url: str) -> str | None:
    """Why an address is not taken; None where it is."""
    bare = _PLACE.sub("1", url)
    if wrong := _BRACES.search(bare):
        return f"holds {wrong[0]!r}; what stands for a scan is {{scan}}, {{number}} or {{number:03d}}"
    uri = parse_uri(bare)
    if uri.scheme not in SCHEMES:
        known = f"has the scheme {uri.scheme!r}" if uri.scheme else "is no URL"
        return f"{known}: it needs one of {', '.join(SCHEMES)}, such as https://"
    if not uri.host:
        return "is no URL: it names no server"
    if reason := fault_of(bare):
        return f"is no URL: it {reason}"
    if uri.host in _RESOLVERS:
        return "leads to the page of a record: give the address of the file itself, and the DOI with --doi"
    return None


def checked_doi(text: str, option: str = "DOI") -> str:
    """A DOI without the address of a resolver.

    Raises
    ------
    UsageError
        If the whole text is no DOI.
    """
    bare = _BEFORE_DOI.sub("", text.strip(), count=1)
    if not _DOI.fullmatch(bare):
        raise UsageError(f"{option} {text}: expected a DOI such as 10.5281/zenodo.123456")
    return bare


def addresses_of(given: Sequence[str], scan_ids: Sequence[str], option: str = "--archive-url") -> list[Address]:
    """The address of each scan.

    One address is that of all scans, or of each where `{scan}` (its id), `{number}` or `{number:03d}`
    (counted from 1) stands in it; the first two are continued; or there is one for each scan.

    Raises
    ------
    UsageError
        If there are too few or too many, or the first two do not differ in a number alone.
    """
    count = len(scan_ids)
    if len(given) == 1:
        return [Address(filled(given[0], scan_id, number)) for number, scan_id in enumerate(scan_ids, 1)]
    if placed := next((url for url in given if _PLACE.search(url)), None):
        raise UsageError(f"{option} {placed!r} stands for all scans already, so it is the only one")
    if len(given) == count:
        return [Address(url) for url in given]
    if len(given) == 2 and count > 2:
        return continued(given[0], given[1], count, option)
    scans = "1 scan" if count == 1 else f"{count} scans"
    raise UsageError(f"{option}: {len(given)} addresses for {scans}; give one, the first two, or one for each")


def filled(url: str, scan_id: str, number: int) -> str:
    """An address with the id or the number of a scan in its places."""
    from urllib.parse import quote

    def text(place: re.Match[str]) -> str:
        return quote(scan_id) if place[1] == "scan" else str(number).zfill(int(place[2] or 0))

    return _PLACE.sub(text, url)


def continued(first: str, second: str, count: int, option: str = "--archive-url") -> list[Address]:
    """The addresses of a row that begins with two: the number in which they differ goes on by the same step.

    Raises
    ------
    UsageError
        If they do not differ in one number alone, or that would fall below zero.
    """
    one, two = _DIGITS.split(first), _DIGITS.split(second)
    differ = [index for index in range(min(len(one), len(two))) if one[index] != two[index]]
    pairs = {(one[index], two[index]) for index in differ}
    is_counted = len(one) == len(two) and len(pairs) == 1 and all(index % 2 for index in differ)
    if not is_counted or max(map(len, next(iter(pairs)))) > _LONGEST_NUMBER:
        raise UsageError(
            f"{option}: {first} and {second} do not differ in one number alone, so that they cannot be continued; "
            "give an address for each scan"
        )
    start, step = int(one[differ[0]]), int(two[differ[0]]) - int(one[differ[0]])
    if start + step * (count - 1) < 0:
        raise UsageError(f"{option}: {first}, {second} and so on ends below zero before scan {count}")
    digits = one[differ[0]]
    width = len(digits) if digits.startswith("0") or len(digits) == len(two[differ[0]]) else 0
    found = []
    for index in range(count):
        parts = list(one)
        for place in differ:
            parts[place] = str(start + step * index).zfill(width)
        found.append(Address("".join(parts), index > 1))
    return found
