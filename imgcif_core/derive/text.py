"""Derived values as text for people."""

from collections.abc import Iterator, Sequence
from typing import Any

SHOWN_ROWS = 8
SHOWN_PATH = 40


def listing_text(blocks: Sequence[dict[str, Any]], path: str) -> str:
    """The derivable items of the blocks of a file, their values, and what they are made from."""
    lines = []
    for block in blocks:
        lines.append(f"{path}, block {block['block']}: {len(block['items'])} items derived")
        for entry in block["items"]:
            lines += ["", *_item(entry)]
        for entry in block["not_derived"]:
            lines += ["", f"{entry['item']}: not derived - {entry['because']}"]
        if block["troubles"]:
            lines += ["", "Methods that stopped:", *map(_trouble, block["troubles"][:SHOWN_ROWS])]
            if len(block["troubles"]) > SHOWN_ROWS:
                lines.append(f"  and {len(block['troubles']) - SHOWN_ROWS} more (all of them with --format json)")
    return "\n".join(lines)


def _item(entry: dict[str, Any]) -> Iterator[str]:
    """One item: a value, or the first rows of a column, and the path below it."""
    units = f"  [{entry['units']}]" if entry["units"] not in ("", "none") else ""
    rows = entry["rows"]
    if len(rows) == 1 and not rows[0]["key"]:
        yield f"{entry['item']}  {_value(rows[0])}{units}"
    else:
        yield f"{entry['item']}{units}"
        for row in rows[:SHOWN_ROWS]:
            key = ", ".join(f"{name} {value}" for name, value in row["key"].items()) or f"row {row['row'] + 1}"
            yield f"  {key}: {_value(row)}"
        if len(rows) > SHOWN_ROWS:
            yield f"  and {len(rows) - SHOWN_ROWS} more rows"
    method = entry["method"]
    if method is not None:
        yield f"  by the method of {method['of']} ({method['file']}, line {method['line']})"
    shown = list(_path(entry["from"], 2))
    yield from shown[:SHOWN_PATH]
    if len(shown) > SHOWN_PATH:
        yield f"    and {len(shown) - SHOWN_PATH} more"


def _value(row: dict[str, Any]) -> str:
    text = _plain(row["value"])
    return f"{text}  (stored: {_plain(row['stored'])})" if "stored" in row else text


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "[" + " ".join(map(_plain, value)) + "]"
    if isinstance(value, dict):
        return "{" + " ".join(f"{key!r}:{_plain(entry)}" for key, entry in value.items()) + "}"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _path(entries: Sequence[dict[str, Any]], depth: int) -> Iterator[str]:
    """What a value is made from, one item a line, indented below what it makes."""
    for entry in entries:
        where = f" in block {entry['block']}" if "block" in entry else ""
        yield f"{'  ' * depth}from {entry['item']} ({entry['how']}{where})"
        yield from _path(entry.get("from", ()), depth + 1)


def _trouble(trouble: dict[str, Any]) -> str:
    where = (
        f"line {trouble['line']}, column {trouble['column']} of the method ({trouble['file']}:{trouble['file_line']})"
    )
    return f"  {trouble['item']} ({trouble['purpose']}): {trouble['message']} at {where}"
