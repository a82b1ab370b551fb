"""ddlm_validate of cod-tools as a validator with a DDLm dictionary.

The dictionary takes a second to load, so that all files of a folder are validated at once when the
first of them is asked for.
"""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

from serve import serve

DICTIONARY = os.environ["CONFORMANCE_DICTIONARY"]
SAID = re.compile(
    r"^\S*ddlm_validate: (?P<file>.*?\.(?:cif|cbf))(?:\((?P<line>\d+)[^)]*\))?(?: \S+)?"
    r": (?P<kind>[A-Z]+), (?P<text>.*)$"
)
COUNTED = re.compile(r"\d+ (?:ERROR|error|NOTE|WARNING)\S* encountered")
# What each message is about, in the order in which they are tried.
KINDS = (
    ("appended standard uncertainty", "su"),
    ("content type constraints", "type"),
    ("list container", "container"),
    ("matrix container", "container"),
    ("table container", "container"),
    ("top level container", "container"),
    ("required number of", "dimension"),
    ("should be in range", "range"),
    ("one of the enumeration values", "state"),
    ("must not appear in a loop", "set"),
    ("must all appear in the same loop", "several-loops"),
    ("must all belong to the same category", "mixed-loop"),
    ("missing category key", "key-missing"),
    ("missing linked data item", "parent-absent"),
    ("not found among the values of the linked", "link"),
    ("not collectively unique", "key-twice"),
    ("is not unique", "key-twice"),
    ("acts as a loop key", "key-twice"),
    ("refer to the same data item", "alias"),
    ("was not found in the provided dictionaries", "unknown-name"),
    ("has been replaced", "deprecated"),
    ("deprecated", "deprecated"),
    ("more than one value", "set"),
)
ITEM = re.compile(r"'(_[^']+)'")


@cache
def told(folder: str, dictionary: str) -> dict[str, list[dict]]:
    """The findings for each file of a folder, by file name."""
    files = sorted(str(path) for path in Path(folder).iterdir() if path.suffix in (".cif", ".cbf"))
    command = ["ddlm_validate", "--continue-on-errors", "--report-deprecated", "--dictionaries", dictionary, *files]
    paths = {**os.environ, "COD_TOOLS_DDLM_IMPORT_PATH": str(Path(dictionary).parent)}
    done = subprocess.run(command, capture_output=True, check=False, env=paths)
    found: dict[str, list[dict]] = {Path(file).name: [] for file in files}
    for line in (done.stdout + done.stderr).decode("utf-8", "replace").splitlines():
        match = SAID.match(line)
        if match and not COUNTED.search(match["text"]):
            text = match["text"]
            kind = "syntax" if match["kind"] == "ERROR" else next((k for words, k in KINDS if words in text), "other")
            item = ITEM.search(text)
            place = int(match["line"]) if match["line"] else None
            entry = {"rule": kind, "item": item[1] if item else None, "line": place, "message": text}
            found.setdefault(Path(match["file"]).name, []).append(entry)
    return found


def check(request: dict) -> dict:
    """What is said of one file; whatever is said counts as a complaint."""
    path = Path(request["file"])
    findings = told(str(path.parent), DICTIONARY)[path.name]
    return {"conforming": not findings, "findings": findings}


version = subprocess.run(["ddlm_validate", "--version"], capture_output=True, text=True, check=False).stdout
serve("ddlm_validate", version.strip().rpartition(" ")[2], check)
