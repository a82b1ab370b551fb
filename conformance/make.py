"""Write the input files of the cases from their bases and edits; `--check` only compares.

Standard library only. Files that a folder's cases share (`files`: archives with their members, or files
made by edits as the cases are) are written as well. The edits of a case are applied in order:
`replace` [old, new] (old stands exactly once), `replace_all`, `replace_bytes` [hex, hex], `insert_before`
and `insert_after` [anchor, text], `delete`, `append`, `prepend`; `section` appends a row of data with its
binary section, as `sections.py` describes it; without a base, `text` or `hex` makes the file.
"""

import argparse
import bz2
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

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


def build_archive(recipe: dict) -> bytes:
    """An archive from its recipe: kind TBZ or ZIP, members of name and text (or base and edits), a link if
    a target follows.

    `cut` keeps only that many bytes. Neither kind depends on the version of a compression library.
    """
    buffer = io.BytesIO()
    if recipe["archive"] == "ZIP":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, content in recipe["members"]:
                archive.writestr(zipfile.ZipInfo(name), member(content))
        return buffer.getvalue()[: recipe.get("cut")]
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, *target in recipe["members"]:
            info = tarfile.TarInfo(name)
            data = member(content)
            info.size = len(data)
            if target:
                info.type, info.linkname = tarfile.SYMTYPE, target[0]
            archive.addfile(info, io.BytesIO(data))
    return bz2.compress(buffer.getvalue())[: recipe.get("cut")]


def member(content: str | dict | None) -> bytes:
    """The bytes of a member: a text, or a base with its edits."""
    return build(content) if isinstance(content, dict) else (content or "").encode("utf-8")


def shared_files() -> Iterator[tuple[Path, dict]]:
    """Path and recipe of every file that cases share."""
    for path in sorted(DATASETS.glob("*/*/case.json")):
        for name, recipe in json.loads(path.read_text(encoding="utf-8")).get("files", {}).items():
            yield path.parent / name, recipe


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
    for target, recipe in shared_files():
        data = build_archive(recipe) if "archive" in recipe else build(recipe)
        failures += write_or_compare(target, data, check=check)
    for folder, case in cases():
        target = folder / case["input"]
        try:
            data = build(case)
        except (EditError, KeyError, ValueError) as error:
            sys.stderr.write(f"{folder.name}/{case.get('id')}: {error}\n")
            failures += 1
            continue
        failures += write_or_compare(target, data, check=check)
    return int(failures > 0)


def write_or_compare(target: Path, data: bytes, *, check: bool) -> int:
    """Write a file, or tell whether it is as it should be; the number of faults."""
    if not check:
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
        return 0
    if target.exists() and target.read_bytes() == data:
        return 0
    sys.stderr.write(f"{target.relative_to(DATASETS)}: is not what its case makes\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
