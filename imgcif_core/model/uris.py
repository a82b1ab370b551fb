"""URIs as external data use them: their parts, and who can follow them."""

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from imgcif_core.records import dataclass

SCHEMES = frozenset({"https", "http", "rsync", "ftp", "s3", "globus", "file", "doi"})
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
