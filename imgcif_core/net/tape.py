"""Answers kept while a file is checked, so that the same check is made again without asking anybody.

Each answer, and each fault in place of one, is a file below the folder of the tape, named by what was asked for.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imgcif_core.images.limits import BytesError
from imgcif_core.net.http import Answer, Asked, Client
from imgcif_core.net.rsync import Listed
from imgcif_core.net.settings import NetSettings

_NOT_ASKED = "was not asked when the links were followed"


def now(seconds: float | None = None) -> str:
    """The time, or some seconds since 1970, ISO 8601, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Tape:
    """Requests go to a client and what comes of them is kept; in a replay, what was kept answers, and nobody else."""

    def __init__(self, client: Client, folder: Path, settings: NetSettings) -> None:
        self.settings, self.budget = settings, client.budget
        self._client, self._folder, self._is_replay = client, folder, settings.is_replay
        if not self._is_replay:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "time").write_text(now(), encoding="ascii")

    @property
    def time(self) -> str:
        """When the links were followed."""
        return (self._folder / "time").read_text(encoding="ascii")

    def ask(self, asked: Asked) -> Answer:
        """The answer to a request; raises as `Client.ask`."""
        place = self._place("http", asked.url, asked.length, asked.start, asked.accept)
        if self._is_replay:
            told = _read(place, asked.url)
            data = place.with_suffix(".bytes").read_bytes()
            return Answer(told["url"], told["status"], told["headers"], data, told["start"], told["total"])
        try:
            answer = self._client.ask(asked)
        except BytesError as fault:
            _write(place, {"fault": [fault.kind, str(fault)]})
            raise
        place.with_suffix(".bytes").write_bytes(answer.data)
        told = {"url": answer.url, "status": answer.status, "headers": dict(answer.headers), "start": answer.start}
        _write(place, {**told, "total": answer.total})
        return answer

    def list_files(self, uri: str, is_deep: bool, listed: Callable[[], list[Listed]]) -> list[Listed]:
        """The entries of a folder of an rsync server, by `listed` the first time; raises as it does."""
        place = self._place("rsync", uri, *(("deep",) if is_deep else ()))
        if self._is_replay:
            return [Listed(*entry) for entry in _read(place, uri)["entries"]]
        try:
            found = listed()
        except BytesError as fault:
            _write(place, {"fault": [fault.kind, str(fault)]})
            raise
        _write(place, {"entries": [[entry.name, entry.size, entry.kind, entry.date] for entry in found]})
        return found

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _place(self, *what: Any) -> Path:
        """The file for what was asked."""
        name = hashlib.sha256(json.dumps(what).encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return self._folder / f"{name}.json"


def _write(place: Path, told: dict[str, Any]) -> None:
    place.write_text(json.dumps(told), encoding="utf-8")


def _read(place: Path, what: str) -> Any:
    """What was kept, or the fault that was."""
    try:
        told = json.loads(place.read_bytes())
    except FileNotFoundError:
        raise BytesError("budget", f"{what[:200]} {_NOT_ASKED}") from None
    if "fault" in told:
        raise BytesError(*told["fault"])
    return told
