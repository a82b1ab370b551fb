"""URIs as external data use them: their parts, and what their names say about formats."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

SCHEMES = frozenset({"https", "http", "rsync", "ftp", "s3", "globus", "file", "doi"})
ARCHIVE_SUFFIXES = {
    ".tar.bz2": "TBZ",
    ".tbz2": "TBZ",
    ".tbz": "TBZ",
    ".tar.gz": "TGZ",
    ".tgz": "TGZ",
    ".zip": "ZIP",
    ".tar": "TAR",
    ".tar.xz": "TXZ",
    ".txz": "TXZ",
}
FORMAT_SUFFIXES = {
    ".cbf": "CBF",
    ".h5": "HDF5",
    ".hdf5": "HDF5",
    ".nxs": "HDF5",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".img": "SMV",
    ".mccd": "MAR",
    ".sfrm": "Bruker",
    ".kcd": "KCD",
}
COMPRESSION_SUFFIXES = {".gz": "GZ", ".bz2": "BZ2"}
# One file holds many images; the others hold one each.
CONTAINERS = frozenset({"HDF5", "TIFF"})
SINGLE_IMAGES = frozenset({"CBF", "SMV", "MAR", "BRUKER", "KCD"})
_FORBIDDEN = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")


@dataclass(frozen=True, slots=True)
class Uri:
    """The parts of a URI reference; empty where absent, scheme and host in lower case."""

    text: str
    scheme: str
    host: str
    user: str
    path: str
    query: str
    fragment: str

    @property
    def is_relative(self) -> bool:
        """True if it has no scheme: a place only in relation to the document."""
        return not self.scheme

    @property
    def name(self) -> str:
        """The last part of the path, escapes undone."""
        return unquote(self.path).rstrip("/").rsplit("/", 1)[-1]


@lru_cache(maxsize=1 << 16)
def parse_uri(text: str) -> Uri:
    """The parts of a reference; a malformed authority gives an empty host."""
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    try:
        parts = urlsplit(text)
        host, user = parts.hostname or "", parts.netloc.rpartition("@")[0]
        return Uri(text, scheme, host, user, parts.path, parts.query, parts.fragment)
    except ValueError:
        return Uri(text, scheme, "", "", text, "", "")


def fault_of(text: str) -> str | None:
    """Why a text is no URI reference by RFC 3986, None where it is one."""
    found = _FORBIDDEN.search(text)
    if found:
        return f"holds {found[0]!r}"
    escape = _ESCAPE.search(text)
    if escape:
        return f"has the broken escape {text[escape.start() : escape.start() + 3]!r}"
    try:
        urlsplit(text)
    except ValueError as error:
        return f"has a malformed server ({error})"
    return None


def locality_of(uri: Uri) -> str | None:
    """Why nobody else can follow a URI: relative, file, loopback, private or local; None where they can."""
    if uri.is_relative:
        return "relative"
    if uri.scheme == "file":
        return "file"
    host = uri.host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return "loopback"
    if host.endswith((".local", ".internal", ".lan")):
        return "local"
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.is_loopback or address.is_unspecified:
        return "loopback"
    return "private" if address.is_private or address.is_link_local else None


def archive_suffix(name: str) -> str | None:
    """The archive format that the end of a file name tells."""
    folded = name.casefold()
    return next((value for suffix, value in ARCHIVE_SUFFIXES.items() if folded.endswith(suffix)), None)


def compression_suffix(name: str) -> str | None:
    """The packing of a single file that the end of its name tells; None for archives."""
    suffix = PurePosixPath(name).suffix.casefold()
    return None if archive_suffix(name) else COMPRESSION_SUFFIXES.get(suffix)


def format_suffix(name: str) -> str | None:
    """The image format that the end of a file name tells, packing set aside."""
    path = PurePosixPath(name.casefold())
    if path.suffix in COMPRESSION_SUFFIXES:
        path = PurePosixPath(path.stem)
    if re.fullmatch(r"\.mar\d*", path.suffix):
        return "MAR"
    return FORMAT_SUFFIXES.get(path.suffix)
