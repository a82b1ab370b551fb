"""The conformance suite on this checker: the way to its runner, and the harness that answers it.

The suite stands apart from the package, in the folder `conformance` of the source; its runner needs
nothing of ours. The harness reads one JSON object from each line and answers with one, so that the
dictionary is loaded once for all cases.
"""

import json
import os
import runpy
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from imgcif_core import api
from imgcif_core._version import __version__
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.columns import Column
from imgcif_core.cif.containers import Cell, Content
from imgcif_core.cif.document import Block, Document, Quoting
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import ImgcifError, UsageError
from imgcif_core.findings import FileReport

SCOPES = {"all": (), "dictionary": ("SYN", "DIC", "REL"), "syntax": ("SYN",)}
VARIABLE = "IMGCIF_CONFORMANCE"


def find_suite(folder: str | None = None) -> Path:
    """The folder of the suite: given, named by a variable, below the current folder or in the source tree.

    Raises
    ------
    UsageError
        If none of these holds the runner.
    """
    named = folder or os.environ.get(VARIABLE)
    here = Path(__file__).resolve().parent.parent / "conformance"
    for path in [Path(named)] if named else [Path("conformance"), here]:
        if (path / "run.py").is_file():
            return path
    raise UsageError(
        f"no conformance suite here: it comes with the source, not with the package; name its folder in {VARIABLE}"
    )


def run(arguments: Sequence[str]) -> int:
    """Run the suite's own runner; on this checker unless another tool is named."""
    runner = runpy.run_path(str(find_suite() / "run.py"), run_name="imgcif_conformance")
    words = list(arguments)
    named = {"--tool", "--command", "--harness"}
    if words[:1] in (["run"], ["smoke"]) and not any(word.partition("=")[0] in named for word in words):
        words += ["--tool", "imgcif"]
        _put_on_path()
    return int(runner["main"](words))


def has_images() -> bool:
    """True if the packages are there that read images and HDF5 files."""
    return all(find_spec(name) is not None for name in ("h5py", "hdf5plugin", "fabio"))


def _put_on_path() -> None:
    """Let the adapter find the command of this very installation."""
    folder = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])


def harness(requests: Iterable[str], replies: TextIO) -> int:
    """Answer lines of JSON until there are no more."""
    for line in requests:
        if line.strip():
            replies.write(json.dumps(reply(line)) + "\n")
            replies.flush()
    return 0


def reply(line: str) -> dict[str, Any]:
    """The answer to one request; what cannot be done is an answer as well."""
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("a request is a JSON object")
    except ValueError as error:
        return {"error": str(error)}
    answer: dict[str, Any] = {"id": request.get("id")}
    if request.get("op") == "hello":
        return {**answer, "name": "imgcif_core", "version": __version__}
    if request.get("op") != "check" or not isinstance(request.get("file"), str):
        return {**answer, "error": "expected op check with a file, or op hello"}
    try:
        return {**answer, **_check(request)}
    except ImgcifError as error:
        return {**answer, "error": str(error)}


def _check(request: dict[str, Any]) -> dict[str, Any]:
    """Verdict, findings, and the values where they are asked for."""
    document = api.read(request["file"])
    report = api.check_document(document, options=_options(request), dictionary=_dictionary(request))
    if report.outcomes.crashed:
        crash = report.outcomes.crashed[0]
        return {"error": f"rule {crash.rule} crashed: {crash.reason}"}
    answer: dict[str, Any] = {"conforming": report.conforming, "findings": list(_findings(report))}
    if request.get("values"):
        answer["document"] = values(document)
    return answer


def _dictionary(request: dict[str, Any]) -> Dictionary:
    """The dictionary that a case brings with it, else the bundled one."""
    name = (request.get("options") or {}).get("dictionary")
    return api.load_dictionary([Path(request.get("folder") or ".") / name] if name else [])


def _options(request: dict[str, Any]) -> CheckOptions:
    """The options of a request; files are named relative to the folder of the case."""
    given = dict(request.get("options") or {})
    folder = Path(request.get("folder") or ".")
    local = given.get("local")
    return CheckOptions(
        profile=given.get("profile", "auto"),
        select=SCOPES.get(request.get("scope", "all"), ()),
        images=given.get("images", "header"),
        local=folder / local if local is not None else None,
        against=folder / given["against"] if "against" in given else None,
        methods=bool(given.get("methods")),
        maps={url: str(folder / path) for url, path in dict(given.get("map", {})).items()},
    )


def _findings(report: FileReport) -> Iterator[dict[str, Any]]:
    """The findings in the form of the harness."""
    for finding in report.findings:
        place = finding.location
        yield {
            "rule": finding.rule,
            "severity": str(finding.severity),
            "item": place.item,
            "key": dict(place.key),
            "line": place.span.line if place.span else None,
            "message": finding.message,
        }


def values(document: Document) -> dict[str, Any]:
    """All values of a document in the form of the suite.

    Text is a string, `{"null": "?"}` and `{"null": "."}` the two nulls, a list is a list, a table
    `{"table": {...}}`; each data name has the list of its values.
    """
    return {"blocks": [_block(block) for block in document.blocks]}


def _block(block: Block) -> dict[str, Any]:
    columns = block.columns.values()
    items = {column.name: [_value(column, row) for row in range(len(column))] for column in columns}
    found: dict[str, Any] = {"code": block.name, "items": items}
    if block.frames:
        found["frames"] = [_block(frame) for frame in block.frames]
    return found


def _value(column: Column, row: int) -> Any:
    """One value in the form of the suite."""
    quoting = column.quoting_of(row)
    if quoting in (Quoting.LIST, Quoting.TABLE):
        return _plain(column.value(row))
    text = column.text(row)
    return {"null": text} if quoting is Quoting.BARE and text in ("?", ".") else text


def _plain(value: "Content | str") -> Any:
    """A container with plain leaves; containers nest too deep for recursion only in faulty files."""
    if isinstance(value, Cell):
        return {"null": value.text} if value.is_null else value.text
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {"table": {key: _plain(entry) for key, entry in value.items()}}
    return value
