"""The JSON report of the public schema: strict, plain ASCII, one finding a line."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, time
from enum import Enum
from typing import Any, TextIO

from imgcif_core.findings import FileReport, Report, Severity

LARGEST_INTEGER = 2**63


def render(report: Report) -> str:
    """The report as JSON text."""
    return "".join(_chunks(report))


def write(report: Report, stream: TextIO) -> None:
    """Write the report finding by finding, without the whole text in memory."""
    for chunk in _chunks(report):
        stream.write(chunk)


def dumps(value: Any) -> str:
    """One line of strict JSON; ASCII, so that no encoding of the output can spoil it."""
    return json.dumps(plain(value), ensure_ascii=True, allow_nan=False)


def plain(value: Any) -> Any:
    """A value that strict JSON can hold.

    nan becomes null, infinities and integers beyond 64 bits become texts, arrays become lists.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str(value) if value.isascii() else _without_surrogates(value)
    if isinstance(value, int):
        return int(value) if -LARGEST_INTEGER <= value < 2 * LARGEST_INTEGER else hex(value)
    if isinstance(value, float):
        return _plain_float(float(value))
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(entry) for key, entry in value.items()}
    return _plain_other(value)


def _without_surrogates(value: str) -> str:
    """Text that can be encoded; undecodable bytes in a file name come as lone surrogates."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _plain_float(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def _plain_other(value: Any) -> Any:
    """Containers, what numpy made, dates, bytes; anything else by its text."""
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (set, frozenset)):
        return [plain(entry) for entry in sorted(value, key=str)]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("ascii", "backslashreplace")
    if isinstance(value, (date, time)):
        return value.isoformat()
    # By name, as numpy need not be imported to see that a value is numpy's.
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        bare = value.tolist()
        return plain(bare) if type(bare) is not type(value) else str(value)
    return plain(str(value))


def _chunks(report: Report) -> Iterator[str]:
    """The text of the report in pieces."""
    head = replace(report, files=()).as_dict()
    yield from with_list(head, "files", (_file(entry) for entry in report.files))
    yield "\n"


def _file(entry: FileReport) -> Iterator[str]:
    """The text of one file's part."""
    head = replace(entry, findings=()).as_dict()
    counts = {str(severity): entry.count(severity) for severity in Severity}
    whole = {**head, "conforming": entry.conforming, "counts": counts, "alerts": entry.alerts}
    yield from with_list(whole, "findings", ([dumps(finding.as_dict())] for finding in entry.findings))


def with_list(value: Mapping[str, Any], name: str, entries: Iterable[Iterable[str]]) -> Iterator[str]:
    """An object whose member `name` is a list that is written entry by entry."""
    separator = "{"
    for key, member in value.items():
        yield f"{separator}{dumps(key)}: "
        separator = ",\n "
        if key == name:
            yield from _list(entries)
        else:
            yield dumps(member)
    yield "}"


def _list(entries: Iterable[Iterable[str]]) -> Iterator[str]:
    separator = "[\n"
    for entry in entries:
        yield separator
        yield from entry
        separator = ",\n"
    yield "[]" if separator == "[\n" else "\n]"
