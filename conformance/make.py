"""Write the input files of the cases from their bases and edits; `--check` only compares.

Standard library only. The edits of a case are applied in order: `replace` [old, new] (old stands
exactly once), `replace_all`, `replace_bytes` [hex, hex], `insert_before` and `insert_after`
[anchor, text], `delete`, `append`, `prepend`; `section` appends a row of data with its binary section,
as `sections.py` describes it; without a base, `text` or `hex` makes the file.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import sections

DATASETS = Path(__file__).parent / "datasets"


class EditError(Exception):
    """An edit that cannot be made as recorded."""


def apply(data: bytes, edit: dict) -> bytes:
    """The data after one edit."""
    ((kind, value),) = edit.items()
    if kind in ("text", "append", "prepend", "delete"):
        text = value.encode("utf-8")
        if kind == "delete":
            return swap(data, text, b"")
        return data + text if kind in ("append", "text") else text + data
    if kind == "section":
        return data + sections.write(value)
    if kind == "hex":
        return data + bytes.fromhex(value)
    if kind == "repeat":
        return data + value[0].encode("utf-8") * value[1]
    old, new = value
    if kind == "replace_bytes":
        return swap(data, bytes.fromhex(old), bytes.fromhex(new))
    before, after = old.encode("utf-8"), new.encode("utf-8")
    if kind == "replace_all":
        if before not in data:
            raise EditError(f"{old!r} does not occur")
        return data.replace(before, after)
    if kind == "insert_before":
        return swap(data, before, after + before)
    if kind == "insert_after":
        return swap(data, before, before + after)
    if kind == "replace":
        return swap(data, before, after)
    raise EditError(f"unknown edit {kind}")


def swap(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace what must stand exactly once."""
    if data.count(old) != 1:
        raise EditError(f"{old.decode('utf-8', 'replace')!r} occurs {data.count(old)} times, not once")
    return data.replace(old, new)


def build(case: dict) -> bytes:
    """The input file of one case."""
    base = case.get("base")
    data = b""
    if base:
        found = list((DATASETS / "bases").glob(f"{base}.*"))
        if len(found) != 1:
            raise EditError(f"base {base} is not one file")
        data = found[0].read_bytes()
    for edit in case.get("edit", []):
        data = apply(data, edit)
    return data


def cases() -> Iterator[tuple[Path, dict]]:
    """Folder and case of every checker case."""
    for path in sorted(DATASETS.glob("*/*/case.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for case in document.get("cases", []):
            yield path.parent, case


def main() -> int:
    """Write or compare all inputs; status 1 if one cannot be made or differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    failures = 0
    for folder, case in cases():
        target = folder / case["input"]
        try:
            data = build(case)
        except (EditError, KeyError, ValueError) as error:
            sys.stderr.write(f"{folder.name}/{case.get('id')}: {error}\n")
            failures += 1
            continue
        if check and (not target.exists() or target.read_bytes() != data):
            sys.stderr.write(f"{folder.name}/{case['id']}: {target.name} is not what the edits make\n")
            failures += 1
        elif not check:
            target.write_bytes(data)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
