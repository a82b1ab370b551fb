"""JSON documents that repositories answer with, kept for some days so that nobody is asked twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from imgcif_core.images.limits import BytesError
from imgcif_core.net.cache import Cache
from imgcif_core.net.http import Asked
from imgcif_core.records import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """An object, empty where the answer is none; `seen` is the time of a kept answer, None for a new one."""

    values: Mapping[str, Any]
    seen: float | None = None


class Documents:
    """Asks for documents through a client; whole ones are kept in a cache."""

    def __init__(self, client: Any, cache: Cache) -> None:
        self._client, self._cache = client, cache

    def get(self, url: str, most: int, days: float) -> Told:
        """The object behind an address, of the cache where it is not older than some days.

        Raises
        ------
        BytesError
            `unreached` for a page for people, or what the server does.
        """
        kept = self._cache.document(url, days)
        if kept is not None:
            found = _object(kept[0])
            if found:
                return Told(found, kept[1])
        budget = self._client.budget
        answer = self._client.ask(Asked(url, min(most, max(1, budget.left)), accept="application/json"))
        if answer.is_page:
            raise BytesError("unreached", f"{urlsplit(url).hostname} gives a page for people, not the record")
        found = _object(answer.data)
        if found:
            self._cache.keep_document(url, answer.data)
        return Told(found)


def _object(data: bytes) -> Mapping[str, Any]:
    """The object that a JSON text holds; empty where it holds none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}
