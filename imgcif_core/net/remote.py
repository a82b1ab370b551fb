"""A file on a server behind the byte interface of images: what is read is asked for once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imgcif_core.formats import format_suffix
from imgcif_core.images.limits import BytesError
from imgcif_core.net.cache import Cache
from imgcif_core.net.http import Answer, Asked, Client
from imgcif_core.records import dataclass

# Gaps that are read through, for they cost less than another request.
GAP = 1 << 16
HEAD = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that are at hand: `data` of the cache is read when it is needed."""

    start: int
    length: int
    data: bytes | None

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.length


class RemoteFile:
    """A file on a server, read in ranges; nothing is asked before the first byte is wanted.

    `buffer` is how much a stream over it reads at a time. A server without ranges gives a file from its
    start, as far as the bounds of a stream allow. `seen` is the time of what an earlier run kept, while nothing else
    is used.
    """

    path: Path | None = None
    is_remote = True

    def __init__(self, url: str, client: Client, cache: Cache, size: int | None = None) -> None:
        self.label = self.url = url
        self.buffer = 2048
        self._client, self._cache = client, cache
        self._size, self._stated = size, size
        self._parts: list[Part] = []
        self._validator = ""
        self._has_ranges = True
        self._fault: BytesError | None = None
        self.seen: float | None = None
        found = cache.facts(url)
        if found and size in (None, found["size"]):
            self.seen = float(found["time"])
            self._size, self._validator = found["size"], found["validator"]
            self._parts = [Part(start, length, None) for start, length in cache.parts(url)]

    @property
    def size(self) -> int:
        """The number of bytes; asked for with the first ones, where no record tells it."""
        if self._size is None:
            self.read_head()
        if self._size is None:
            raise BytesError("unreached", f"{self.label} - its size is not told")
        return self._size

    @property
    def has_ranges(self) -> bool:
        """False once a server has sent a whole file where a part was asked for."""
        return self._has_ranges

    def read_head(self) -> bytes:
        """The first bytes, with which the size is told."""
        # The tree of an HDF5 file begins with its first blocks.
        head = GAP if format_suffix(self.label) == "HDF5" else HEAD
        wanted = head if self._size is None else min(head, self._size)
        if not self._is_held(0, wanted):
            self._fetch(0, wanted)
        return self._held(0, min(head, self._size if self._size is not None else head))

    def read_tail(self, length: int) -> bytes:
        """The last bytes, with which the size is told: one request, where the server allows it."""
        if self._size is None and self._has_ranges:
            answer = self._asked(Asked(self.url, length, -1))
            if answer.status == 200:
                self._has_ranges = False
        size = self.size
        return self.read(max(0, size - length), min(length, size))

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; shorter only at the end."""
        if start == 0 and self._size is None:
            self.read_head()
        end = min(start + length, self.size)
        if end <= start:
            return b""
        if not self._is_held(start, end):
            self._fetch(*self._missing(start, end))
        return self._held(start, end)

    def close(self) -> None:
        """Let go of what was read."""
        self._parts.clear()

    def _missing(self, start: int, end: int) -> tuple[int, int]:
        """What is to be asked for: the range without what is held at its ends."""
        for part in sorted(self._parts, key=lambda part: part.start):
            if part.start <= start < part.end:
                start = min(part.end, end)
        for part in sorted(self._parts, key=lambda part: -part.end):
            if part.start < end <= part.end:
                end = max(part.start, start)
        return start, end

    def _fetch(self, start: int, end: int) -> None:
        """Ask for a range, of a server without ranges for all up to its end."""
        if self._fault is not None:
            raise self._fault
        if self._has_ranges:
            answer = self._asked(Asked(self.url, end - start, start))
            if answer.status == 206 or start == 0:
                self._has_ranges = answer.status == 206 or (self._size or 0) <= len(answer.data)
                return
            self._has_ranges = False
        most = self._client.settings.stream
        if end > most:
            raise BytesError("unreached", f"{self.label}: its server gives no ranges, and {end} bytes are too many")
        self._asked(Asked(self.url, end))

    def _asked(self, asked: Asked) -> Answer:
        """An answer, whose bytes are kept if they are still those of the same file."""
        try:
            answer = self._client.ask(asked)
            self._judge(answer)
            self.seen = None
        except BytesError as fault:
            if fault.kind not in ("budget",):
                self._fault = fault
            raise
        facts = {"validator": answer.validator, "size": self._size}
        # Bytes of a whole file that come before the ones asked for serve, too.
        self._parts.append(Part(answer.start, len(answer.data), answer.data))
        if self._size is not None and answer.data:
            self._cache.keep(self.url, facts, answer.start, answer.data)
        return answer

    def _judge(self, answer: Answer) -> None:
        """Refuse pages in place of files, files that change, and sizes that contradict each other."""
        if answer.start == 0 and answer.is_page:
            raise BytesError("page", f"{self.label} gives a page for people, not the file")
        validator = answer.validator if answer.status == 206 or answer.total is not None else ""
        if self._validator and validator and validator != self._validator:
            self._cache.forget(self.url)
            if self._parts and all(part.data is None for part in self._parts):
                # What an earlier run kept is of another state of the file.
                self._parts.clear()
                self._size = self._stated
            else:
                raise BytesError("changed", f"{self.label} changed while it was read")
        self._validator = validator or self._validator
        total = answer.total
        if total is None and answer.status == 200 and len(answer.data) < HEAD:
            total = len(answer.data)
        if total is not None:
            if self._size is not None and total != self._size:
                whose = "its record says" if self._size == self._stated else "it said before"
                text = f"{self.label} has {total} bytes by its server, and {self._size} as {whose}"
                raise BytesError("contradiction" if self._size == self._stated else "changed", text)
            self._size = total

    def _is_held(self, start: int, end: int) -> bool:
        """True if all of a range is at hand."""
        at = start
        for part in sorted(self._parts, key=lambda part: part.start):
            if part.start <= at < part.end:
                at = part.end
        return at >= end

    def _held(self, start: int, end: int) -> bytes:
        """The bytes of a range that is at hand; a part that the cache has lost is asked for again."""
        pieces, at = [], start
        while at < end:
            part = next((entry for entry in self._parts if entry.start <= at < entry.end), None)
            if part is None:
                self._fetch(at, end)
                part = next((entry for entry in self._parts if entry.start <= at < entry.end), None)
                if part is None:
                    break
            data = part.data if part.data is not None else self._cache.part(self.url, part.start, part.length)
            if data is None:
                self._parts.remove(part)
                continue
            piece = data[at - part.start : end - part.start]
            pieces.append(piece)
            at += len(piece)
        return b"".join(pieces)

    def facts(self) -> dict[str, Any]:
        """What is known of the file: size and validator, None where nothing is."""
        return {"size": self._size, "validator": self._validator or None, "ranges": self._has_ranges}
