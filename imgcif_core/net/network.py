"""The network of one run: one client, one cache, the files behind the links, the records that tell of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgcif_core.errors import UsageError
from imgcif_core.formats import archive_suffix, packing_of
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.model.uris import parse_uri
from imgcif_core.net.cache import Cache
from imgcif_core.net.documents import Documents
from imgcif_core.net.folders import RemoteFolder
from imgcif_core.net.records import RECORD_DAYS
from imgcif_core.net.remote import RemoteFile
from imgcif_core.net.rsync import FileList, Listed
from imgcif_core.net.settings import MB, NetSettings, default_cache, size_of

Expected = Callable[[str], Sequence[str]]
# Last parts of download addresses that are no file names.
_VERBS = ("/content", "/download")


class Network:
    """What one run knows of the network; nothing is asked before it is wanted.

    `expected` gives the names of the members that the tables expect in an archive.
    """

    def __init__(self, settings: NetSettings, *, expected: Expected | None = None, client: Any = None) -> None:
        refuse_without_library()
        from imgcif_core.net.http import Client

        self.settings = settings
        self.client: Any = client or Client(settings)
        if settings.tape is not None:
            from imgcif_core.net.tape import Tape

            self.client = Tape(self.client, settings.tape, settings)
        # A tape is whole by itself: what a cache answers would not be on it.
        self.cache = Cache(settings if settings.tape is None else replace(settings, cache=None))
        self.documents = Documents(self.client, self.cache)
        self._expected = expected or (lambda uri: ())
        self._files: dict[str, HttpFile] = {}
        self.sizes: dict[str, int] = {}
        # Folders of rsync servers, listed when the links were followed.
        self.folders: dict[str, RemoteFolder] = {}

    def resolve(self, uri: str) -> HttpFile | RemoteFolder | None:
        """The file behind an address of the web, or a folder that was listed; None for other addresses."""
        return self.folders.get(uri) or self.web_file(uri)

    def web_file(self, uri: str) -> HttpFile | None:
        """The file behind an address of the web, None for other addresses."""
        scheme = parse_uri(uri).scheme
        if scheme not in ("https", "http"):
            return None
        if uri not in self._files:
            self._files[uri] = HttpFile(uri, self, self._expected)
        return self._files[uri]

    @property
    def seen(self) -> str:
        """The time that answers are told with: now, or when those on the tape were given."""
        from imgcif_core.net.tape import now

        return self.client.time if self.settings.tape is not None else now()

    def time_of(self, kept: float | None) -> str:
        """The time of an answer: that of one that was kept, else `seen`."""
        from imgcif_core.net.tape import now

        return self.seen if kept is None else now(kept)

    def list_files(self, uri: str, *, is_deep: bool = False) -> FileList:
        """The entries of a folder of an rsync server, or all below it; raises as `rsync.raw_list`.

        A list is kept as long as a record: both tell which files there are.
        """
        from imgcif_core.net.rsync import parse_list

        if not self.settings.uses_rsync:
            raise BytesError("refused", "rsync is not used here")
        if self.settings.tape is not None:
            entries: list[Listed] = self.client.list_files(
                uri, is_deep, lambda: parse_list(self._listed(uri, is_deep=is_deep))
            )
            return FileList(entries)
        key = f"rsync --recursive {uri}" if is_deep else f"rsync {uri}"
        kept = self.cache.document(key, RECORD_DAYS)
        if kept is not None:
            found = parse_list(kept[0])
            if found:
                return FileList(found, kept[1])
        output = self._listed(uri, is_deep=is_deep)
        found = parse_list(output)
        if found:
            self.cache.keep_document(key, output)
        return FileList(found)

    def _listed(self, uri: str, *, is_deep: bool) -> bytes:
        """A list, counted as one request."""
        from imgcif_core.net.rsync import raw_list

        budget = self.client.budget

        def count(_: str, size: int) -> None:
            budget.bytes += size

        budget.allow(1, parse_uri(uri).host)
        budget.requests += 1
        return raw_list(uri, self.settings, is_deep=is_deep, most=budget.left, observer=count)

    def close(self) -> None:
        """Close connections, and keep the cache in bounds."""
        self.client.close()
        self.cache.close()
        self._files.clear()


class HttpFile(RemoteFile):
    """A file behind an address of the web, which knows how to be an archive."""

    def __init__(self, uri: str, network: Network, expected: Expected) -> None:
        super().__init__(uri, network.client, network.cache, network.sizes.get(uri))
        self.label = plain_address(uri)
        self._expected, self._stream = expected, network.settings.stream

    def open_archive(self, limits: Limits) -> Any:
        """The archive in it, told by its end where it is named so, else by its first bytes.

        Raises
        ------
        BytesError
            `damaged` if it is no archive, or what the server does.
        """
        from imgcif_core.images.archives import open_archive
        from imgcif_core.net.tarhops import RemotePackedTar, RemoteTar
        from imgcif_core.net.zipdir import RemoteZip

        if archive_suffix(self.label) == "ZIP" and RemoteZip.fits(self):
            return RemoteZip(self, limits)
        found = open_archive(self, limits)
        if found.format == "ZIP":
            return RemoteZip(self, limits)
        packing = packing_of(self.read_head())
        if packing == "xz":
            from imgcif_core.net.xzblocks import open_blocks

            found_blocks = open_blocks(self, limits, self._stream, self._expected(self.url))
            if found_blocks is not None:
                return found_blocks
        if packing is not None:
            return RemotePackedTar(self, packing, limits, self._stream)
        return RemoteTar(self, limits, self._expected(self.url))


def plain_address(uri: str) -> str:
    """An address without its query and without what only asks for the download."""
    address = uri.partition("?")[0].partition("#")[0]
    for verb in _VERBS:
        address = address.removesuffix(verb)
    return address


def refuse_without_library() -> None:
    """Say what is missing before anything is begun.

    Raises
    ------
    UsageError
        If urllib3 is not installed.
    """
    try:
        import urllib3  # noqa: F401
    except ImportError:
        raise UsageError("the network is used by urllib3, which is not installed: imgcif_core[online]") from None


def settings_of(max_download: str | None, contact: str, *, uses_cache: bool, ca_file: str | None = None) -> NetSettings:
    """The bounds that options of commands ask for.

    Raises
    ------
    UsageError
        If the size is none, the certificates cannot be read, or what the network needs is not installed.
    """
    refuse_without_library()
    most = size_of(max_download) if max_download is not None else 50 * MB
    if ca_file is not None:
        _refuse_certificates(ca_file)
    return NetSettings(
        max_download=most,
        cache=default_cache() if uses_cache else None,
        contact=contact,
        ca_file=Path(ca_file) if ca_file is not None else None,
    )


def _refuse_certificates(ca_file: str) -> None:
    """Say before anything is asked that a file holds no certificates."""
    import ssl

    try:
        ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        # OpenSSL speaks of its own errors in words of its own.
        is_missing = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
        reason = getattr(error, "strerror", "") if is_missing else "no certificates in it"
        raise UsageError(f"--ca-file {ca_file}: cannot be used ({reason})") from None
