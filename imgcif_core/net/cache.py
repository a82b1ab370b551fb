"""A cache on disk: parts of files by address, validator and place; whatever is wrong with it, the run goes on.

Each file has a folder with `facts.json` (address, validator, size, time) and one file for each part.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from imgcif_core.net.settings import NetSettings

_FACTS = "facts.json"


class Cache:
    """Parts of remote files, kept between runs; without a folder nothing is kept."""

    def __init__(self, settings: NetSettings) -> None:
        self._folder = settings.cache
        self._most, self._days = settings.cache_bytes, settings.cache_days
        self._is_changed = False

    def facts(self, url: str) -> dict[str, Any]:
        """What is known of an address: validator, size; empty where nothing is, or it is too old."""
        folder = self._place(url)
        if folder is None:
            return {}
        try:
            found = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            age = time.time() - float(found["time"])
            is_good = found["url"] == url and isinstance(found["validator"], str) and isinstance(found["size"], int)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}
        # A date in the future comes of a clock that is or was wrong.
        return found if is_good and 0.0 <= age <= self._days * 86_400.0 else {}

    def parts(self, url: str) -> list[tuple[int, int]]:
        """Start and length of the parts that are kept."""
        folder = self._place(url)
        found = []
        with suppress(OSError):
            for name in os.listdir(folder) if folder is not None else ():
                start, dash, length = name.partition("-")
                if dash and start.isdigit() and length.isdigit():
                    found.append((int(start), int(length)))
        return found

    def part(self, url: str, start: int, length: int) -> bytes | None:
        """One part, None if it is not whole."""
        folder = self._place(url)
        if folder is None:
            return None
        try:
            data = (folder / f"{start}-{length}").read_bytes()
        except OSError:
            return None
        return data if len(data) == length else None

    def keep(self, url: str, facts: dict[str, Any], start: int, data: bytes) -> None:
        """Keep a part with what is known of its file; parts of another validator are dropped."""
        folder = self._place(url)
        if folder is None or not facts.get("validator") or len(data) > self._most:
            return
        try:
            if self.facts(url).get("validator") != facts["validator"]:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(mode=0o700, parents=True)
                entry = {"url": url, "time": time.time(), **facts}
                _write(folder / _FACTS, json.dumps(entry).encode())
            _write(folder / f"{start}-{len(data)}", data)
            self._is_changed = True
        except OSError:
            # A disk that is full or read-only: what was begun is removed, and nothing more is kept.
            shutil.rmtree(folder, ignore_errors=True)
            self._folder = None

    def document(self, url: str, days: float) -> tuple[bytes, float] | None:
        """A whole document and the time of it, None where it is not kept, or older than some days."""
        facts = self.facts(url)
        if not facts or time.time() - facts["time"] > days * 86_400.0:
            return None
        data = self.part(url, 0, facts["size"])
        return (data, float(facts["time"])) if data is not None else None

    def keep_document(self, url: str, data: bytes) -> None:
        """Keep a whole document in place of an older one."""
        self.forget(url)
        self.keep(url, {"validator": f"document {time.time()}", "size": len(data)}, 0, data)

    def forget(self, url: str) -> None:
        """Drop what is kept of an address."""
        folder = self._place(url)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Drop the oldest files beyond the size of the cache."""
        if self._folder is None or not self._is_changed:
            return
        entries = []
        with suppress(OSError):
            for folder in self._folder.iterdir():
                with suppress(OSError):
                    parts = [entry.stat() for entry in folder.iterdir()]
                    newest = max((part.st_mtime for part in parts), default=0.0)
                    entries.append((newest, sum(part.st_size for part in parts), folder))
        total = sum(size for _, size, _ in entries)
        for _, size, folder in sorted(entries, key=lambda entry: entry[0]):
            if total <= self._most:
                return
            shutil.rmtree(folder, ignore_errors=True)
            total -= size

    def _place(self, url: str) -> Path | None:
        """The folder of an address."""
        return self._folder / hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:40] if self._folder else None


def _write(path: Path, data: bytes) -> None:
    """Write a file that appears when it is whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("xb") as target:
            target.write(data)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise
