"""Where the images lie for those who read the imgCIF: archive, member, dataset and frame."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

import numpy as np

from imgcif_core.cif.write import Value, Values
from imgcif_core.errors import InputError, UsageError
from imgcif_core.sources.description import ImageFiles

_ARCHIVES = (
    (".tar.bz2", "TBZ"),
    (".tbz2", "TBZ"),
    (".tbz", "TBZ"),
    (".tar.gz", "TGZ"),
    (".tgz", "TGZ"),
    (".zip", "ZIP"),
    (".tar.xz", "TXZ"),
    (".txz", "TXZ"),
    (".tar", "TAR"),
)
_FORMATS = {
    ".cbf": "CBF",
    ".h5": "HDF5",
    ".hdf5": "HDF5",
    ".hdf": "HDF5",
    ".nxs": "HDF5",
    ".cxi": "HDF5",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".img": "SMV",
    ".osc": "SMV",
    ".mccd": "MAR",
    ".mar": "MAR",
    ".sfrm": "Bruker",
    ".gfrm": "Bruker",
}
_PACKED = {".gz": "GZ", ".bz2": "BZ2"}
_MANY_IMAGES = ("HDF5", "TIFF")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|.*\\")


@dataclass(frozen=True, slots=True)
class Links:
    """What a person says about the place of the images.

    archive_url : of one archive, or with `{scan}` (its id) or `{number}` (from 1) of one for each
    scan; url_base : of a folder that holds the images one by one; directory : the local folder whose
    content was archived or uploaded; formats : the format of the images, where it cannot be told.
    """

    archive_url: str | None = None
    url_base: str | None = None
    directory: Path | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        if self.archive_url and self.url_base:
            raise UsageError("--archive-url and --url-base exclude each other")
        for url in (self.archive_url, self.url_base):
            if url and (not urlsplit(url).scheme or re.search(r"[\s<>\"^`|]", url)):
                raise UsageError(f"{url!r} is no URL: it needs a scheme such as https:// and no blanks")
        if self.directory is not None and not self.directory.is_dir():
            raise InputError(f"{self.directory}: no such directory")

    @property
    def are_given(self) -> bool:
        """True if the images are said to lie on the net."""
        return bool(self.archive_url or self.url_base)


def archive_format(url: str) -> str | None:
    """The type of an archive by its name: ZIP, TGZ, TBZ, TXZ or TAR."""
    path = urlsplit(url).path.lower().removesuffix("/content")
    return next((name for suffix, name in _ARCHIVES if path.endswith(suffix)), None)


def image_format(name: str) -> tuple[str | None, str | None]:
    """Format and compression of an image file by its name."""
    path = PurePosixPath(name.lower())
    packed = _PACKED.get(path.suffix)
    suffix = PurePosixPath(path.stem).suffix if packed else path.suffix
    return _FORMATS.get(suffix), packed


def nameless_formats(images: Sequence[ImageFiles], links: Links) -> list[str]:
    """Endings of image files for which the dictionary has no name of a format."""
    if links.format:
        return []
    names = (name for entry in images if entry.format is None for name in entry.files)
    return sorted({PurePosixPath(name).suffix or name for name in names if image_format(name)[0] is None})


def external_rows(images: Sequence[ImageFiles], scan_ids: Sequence[str], links: Links) -> dict[str, Values]:
    """The columns of ARRAY_DATA_EXTERNAL_DATA, one row for each frame of each scan, ids apart.

    Raises
    ------
    InputError
        If a file is not below the directory given.
    """
    members = member_names([name for entry in images for name in entry.files], links)
    per_file: dict[str, list[Value]] = {name: [] for name in ("format", "uri", "archive_format", "archive_path")}
    per_file["file_compression"] = []
    starts, paths = [], []
    for number, (entry, scan_id) in enumerate(zip(images, scan_ids, strict=True), 1):
        starts.append(len(per_file["uri"]))
        for name in entry.files:
            for item, value in _address(name, members[name], entry, links, scan_id, number).items():
                per_file[item].append(value)
        paths.append(entry.path)
    index = np.concatenate([entry.file + start for entry, start in zip(images, starts, strict=True)]).tolist()
    columns: dict[str, Values] = {}
    for item, values in per_file.items():
        distinct = set(values)
        if distinct != {None}:
            alone = len(distinct) == 1
            columns[item] = values[0] if alone else [values[position] for position in index]
    if any(paths):
        columns["path"] = paths[0] if len(set(paths)) == 1 else _spread(paths, images)
    frames = np.concatenate([entry.frame for entry in images])
    if (frames != 1).any() or set(per_file["format"]) & set(_MANY_IMAGES):
        columns["frame"] = frames
    return columns


def _spread(values: Sequence[Value], images: Sequence[ImageFiles]) -> list[Value]:
    """One value for each scan, repeated for its frames."""
    return [value for value, entry in zip(values, images, strict=True) for _ in range(len(entry))]


def _address(name: str, member: str, entry: ImageFiles, links: Links, scan_id: str, number: int) -> dict[str, Value]:
    """Where one file lies."""
    told, packed = image_format(name)
    form = links.format or entry.format or told
    found: dict[str, Value] = {"format": form, "file_compression": packed}
    if links.archive_url:
        url = links.archive_url.replace("{scan}", quote(scan_id)).replace("{number}", str(number))
        return found | {"uri": url, "archive_format": archive_format(url), "archive_path": member}
    base = links.url_base or ""
    address = quote(member, safe="/-._~!$&'()*+,;=:@")
    uri = f"{base.rstrip('/')}/{address}" if base else address
    return found | {"uri": uri, "archive_format": None, "archive_path": None}


def member_names(files: Sequence[str], links: Links) -> dict[str, str]:
    """The name of each file in the archive, or below the base: by the directory, else by the common folder.

    A file of the directory is found by as much of the end of its path as tells it apart.
    """
    plain = {name: name.replace("\\", "/") if _WINDOWS.match(name) else name for name in files}
    if links.directory is not None:
        return _below(links.directory, plain)
    folders = {PurePosixPath(path).parent.parts for path in plain.values()}
    common = _common(folders)
    return {name: "/".join(PurePosixPath(path).parts[len(common) :]) for name, path in plain.items()}


def _common(folders: set[tuple[str, ...]]) -> tuple[str, ...]:
    """The parts with which all paths begin."""
    if not folders:
        return ()
    shortest, longest = min(folders), max(folders)
    count = next((i for i, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b), None)
    return shortest[:count] if count is not None else shortest[: min(len(shortest), len(longest))]


def _below(directory: Path, names: Mapping[str, str]) -> dict[str, str]:
    """Names relative to a directory that holds the files."""
    by_name: dict[str, list[PurePosixPath]] = {}
    for path in directory.rglob("*"):
        if path.is_file():
            by_name.setdefault(path.name, []).append(PurePosixPath(path.relative_to(directory).as_posix()))
    found = {}
    for name, wanted in names.items():
        parts = PurePosixPath(wanted).parts
        candidates = by_name.get(parts[-1], [])
        shared = [_shared_end(parts, candidate.parts) for candidate in candidates]
        best = [entry for entry, count in zip(candidates, shared, strict=True) if count == max(shared)]
        if not best:
            raise InputError(f"{directory}: holds no file {parts[-1]}, which {wanted} needs")
        if len(best) > 1:
            raise InputError(f"{directory}: {best[0]} and {best[1]} may both be {wanted}")
        found[name] = str(best[0])
    return found


def _shared_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many parts at the end of two paths are the same."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
