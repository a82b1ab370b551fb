"""Where the images lie for those who read the imgCIF: archive, member, dataset and frame."""

import re
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np

from imgcif_core.cif.write import Value, Values
from imgcif_core.create.addresses import Address, addresses_of, checked_address, filled
from imgcif_core.errors import InputError, UsageError
from imgcif_core.formats import MANY_IMAGES, archive_suffix, by_ending, ending_of
from imgcif_core.records import dataclass
from imgcif_core.sources.description import ImageFiles

_PER_FILE = ("format", "uri", "archive_format", "archive_path", "file_compression")
_SAFE = "/-._~!$&'()*+,;=:@"
_UNSAFE = re.compile(r"[^A-Za-z0-9/\-._~!$&'()*+,;=:@\n]")
_BAD_ROOT = re.compile(r"[\x00-\x1f\x7f\\]|^/")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|.*\\")


@dataclass(frozen=True, slots=True)
class Links:
    """What a person says about the place of the images.

    archive_url : of one archive, or with `{scan}` (its id) or `{number}` (from 1, `{number:03d}` with
    zeros before it) of one for each scan; or several: the first two, or one for each scan. url_base : in
    the same way of a folder that holds the images one by one; directory : the local folder whose content
    was archived or uploaded; format : of the images, where it cannot be told; root : the folder within
    the archive or below the base in which the names of the images begin, places for scans allowed.
    """

    archive_url: str | Sequence[str] | None = None
    url_base: str | Sequence[str] | None = None
    directory: Path | None = None
    format: str | None = None
    root: str = ""

    def __post_init__(self) -> None:
        if self.archive_url and self.url_base:
            raise UsageError("--archive-url and --url-base exclude each other")
        for url in self.urls:
            checked_address(url)
        if len(set(self.urls)) < len(self.urls):
            raise UsageError(f"{self.option}: the same address is given twice")
        if self.directory is not None and not self.directory.is_dir():
            raise InputError(f"{self.directory}: no such directory")
        if _BAD_ROOT.search(self.root) or ".." in self.root.split("/"):
            raise UsageError(f"--root {self.root!r} is no folder within an archive, such as data/run1")

    @property
    def are_given(self) -> bool:
        """True if the images are said to lie on the net."""
        return bool(self.urls)

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses given, of archives or of folders."""
        given = self.archive_url or self.url_base or ()
        return (given,) if isinstance(given, str) else tuple(given)

    @property
    def option(self) -> str:
        """The option that gives these addresses."""
        return "--archive-url" if self.archive_url else "--url-base"

    def addresses(self, scan_ids: Sequence[str]) -> list[Address]:
        """The address of each scan; `UsageError` where their numbers do not fit."""
        if not self.are_given:
            return [Address("") for _ in scan_ids]
        return addresses_of(self.urls, scan_ids, self.option)

    def prefix(self, scan_id: str, number: int) -> str:
        """What goes before the names of the images of a scan: the folder with its slash, or nothing."""
        root = filled(self.root, scan_id, number).strip("/")
        return f"{root}/" if root else ""


def archive_format(url: str) -> str | None:
    """The type of an archive by its name: ZIP, TGZ, TBZ, TXZ or TAR."""
    return archive_suffix(urlsplit(url).path.lower().removesuffix("/content"))


def _endings(names: Sequence[str]) -> list[str]:
    """The ending of each name, or one for all where they share it, as those of a template do."""
    first = ending_of(names[0]) if names else ""
    if first and all(map(str.endswith, names, repeat(first))):
        return [first]
    return [ending_of(name) for name in names]


def nameless_formats(images: Sequence[ImageFiles], links: Links) -> list[str]:
    """Endings of image files for which the dictionary has no name of a format."""
    if links.format:
        return []
    endings = {ending for entry in images if entry.format is None for ending in _endings(entry.files)}
    return sorted(ending or "files without ending" for ending in endings if by_ending(ending)[0] is None)


def external_rows(
    images: Sequence[ImageFiles],
    scan_ids: Sequence[str],
    links: Links,
    addresses: Sequence[Address] | None = None,
    members: Sequence[list[str]] | None = None,
) -> dict[str, Values]:
    """The columns of ARRAY_DATA_EXTERNAL_DATA, one row for each frame of each scan, ids apart.

    `addresses` and `members`, the names of the files, are those among all scans, where these are only a part.

    Raises
    ------
    InputError
        If a file is not below the directory given.
    """
    addresses = links.addresses(scan_ids) if addresses is None else addresses
    members = names_of(images, links, scan_ids, range(1, len(scan_ids) + 1)) if members is None else members
    columns: dict[str, list[Value]] = {name: [] for name in _PER_FILE}
    for entry, names, address in zip(images, members, addresses, strict=True):
        for item, values in _addresses(entry, names, links, address.url).items():
            columns[item] += _by_frame(values, entry)
    found: dict[str, Values] = {}
    for item, column in columns.items():
        distinct = set(column)
        if distinct != {None}:
            found[item] = column[0] if len(distinct) == 1 else column
    paths = [entry.path for entry in images]
    if any(entry.paths for entry in images):
        found["path"] = [path for entry in images for path in entry.paths or [entry.path] * len(entry)]
    elif any(paths):
        found["path"] = paths[0] if len(set(paths)) == 1 else _spread(paths, images)
    frames = np.concatenate([entry.frame for entry in images])
    if (frames != 1).any() or set(columns["format"]) & MANY_IMAGES:
        found["frame"] = frames
    return found


def _by_frame(values: Value | list[Value], entry: ImageFiles) -> list[Value]:
    """Values of files, or one for all of them, as values of frames."""
    if not isinstance(values, list):
        return [values] * len(entry)
    if len(values) == len(entry) and np.array_equal(entry.file, np.arange(len(values))):
        return values
    return [values[index] for index in entry.file.tolist()]


def _spread(values: Sequence[Value], images: Sequence[ImageFiles]) -> list[Value]:
    """One value for each scan, repeated for its frames."""
    return [value for value, entry in zip(values, images, strict=True) for _ in range(len(entry))]


def _addresses(entry: ImageFiles, members: list[str], links: Links, url: str) -> dict[str, Value | list[Value]]:
    """Where the files of a scan lie: values for all, or lists of one for each."""
    told = [by_ending(ending) for ending in _endings(entry.files)]
    form = links.format or entry.format
    shared = len(told) == 1
    found: dict[str, Value | list[Value]] = {
        "format": form or (told[0][0] if shared else [name for name, _ in told]),
        "file_compression": told[0][1] if shared else [packed for _, packed in told],
    }
    if links.archive_url:
        return found | {"uri": url, "archive_format": archive_format(url), "archive_path": list(members)}
    base = f"{url.rstrip('/')}/" if url else ""
    if entry.archive:
        name = Path(entry.archive).name
        form = archive_format(name)
        return found | {"uri": base + quote(name), "archive_format": form, "archive_path": list(members)}
    if _UNSAFE.search("\n".join(members)):
        members = [quote(member, safe=_SAFE) for member in members]
    return found | {"uri": [base + member for member in members], "archive_format": None, "archive_path": None}


def names_of(
    images: Sequence[ImageFiles], links: Links, scan_ids: Sequence[str], numbers: Sequence[int]
) -> list[list[str]]:
    """The names of the files of each scan within archive or folder; those of an archive at hand are known."""
    named = member_names([() if entry.archive else entry.files for entry in images], links)
    prefixes = [links.prefix(scan_id, number) for scan_id, number in zip(scan_ids, numbers, strict=True)]
    return [
        list(entry.files) if entry.archive else [prefix + name for name in names] if prefix else names
        for entry, names, prefix in zip(images, named, prefixes, strict=True)
    ]


def member_names(files: Sequence[Sequence[str]], links: Links) -> list[list[str]]:
    """The names of the files of each scan in the archive, or below the base.

    By the directory, where a file is found by as much of the end of its path as tells it apart; else
    without the folder that is common to all.
    """
    plain = [_forward(names) for names in files]
    if links.directory is not None:
        known = _Directory(links.directory)
        return [[known.find(name) for name in names] for names in plain]
    common = _common([name for names in plain for name in names])
    return [[name[len(common) :] for name in names] for names in plain]


def _forward(names: Sequence[str]) -> Sequence[str]:
    """Names with slashes where they are those of Windows."""
    if "\\" not in "".join(names):
        return names
    return [name.replace("\\", "/") if _WINDOWS.match(name) else name for name in names]


def possible_roots(files: Sequence[str], most: int = 4) -> tuple[str, ...]:
    """Folders in which the names of images may begin within an archive: none, or ends of their common path."""
    names = _forward(files)
    parts = [part for part in _common(names).split("/") if part]
    return ("", *("/".join(parts[-length:]) for length in range(1, min(most, len(parts)) + 1)))


def _common(names: Sequence[str]) -> str:
    """The folder, with the slash after it, that holds all files; empty where there is none."""
    if not names:
        return ""
    # What the first and the last in order share, all share.
    first, last = min(names), max(names)
    differs = (index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    shared = first[: next(differs, min(len(first), len(last)))]
    return shared[: shared.rfind("/") + 1]


class _Directory:
    """The files below a local folder, by name."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._by_name: dict[str, list[str]] = {}
        for path in directory.rglob("*"):
            if path.is_file():
                self._by_name.setdefault(path.name, []).append(path.relative_to(directory).as_posix())

    def find(self, wanted: str) -> str:
        """The path below the directory of the file that a path of a source means."""
        parts = wanted.split("/")
        candidates = self._by_name.get(parts[-1], [])
        if not candidates:
            raise InputError(f"{self.directory}: holds no file {parts[-1]}, which {wanted} needs")
        if len(candidates) == 1:
            return candidates[0]
        shared = [_shared_end(parts, candidate.split("/")) for candidate in candidates]
        best = [entry for entry, count in zip(candidates, shared, strict=True) if count == max(shared)]
        if len(best) > 1:
            raise InputError(f"{self.directory}: {best[0]} and {best[1]} may both be {wanted}")
        return best[0]


def _shared_end(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts at the end of two paths are the same."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
