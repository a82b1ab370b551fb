"""cifflow as a reader of CIF 1.1 and 2.0, and as a validator with a dictionary: verdict, codes, lines, values."""

import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

from cifflow import DictionaryLoader, build, directory_resolver, generate_schema, validate
from serve import refused, serve


@cache
def schema() -> object:
    """The schema of the dictionary named in the environment; None without one."""
    named = os.environ.get("CONFORMANCE_DICTIONARY")
    if not named:
        return None
    path = Path(named)
    loader = DictionaryLoader(resolver=directory_resolver(str(path.parent)))
    return generate_schema(loader.load(path.read_text(encoding="utf-8")))


def value(raw: object) -> object:
    """A value in the form of the suite; quoted signs of nulls keep their quotes, those of text fields do not."""
    if isinstance(raw, dict):
        return {"table": {str(key): value(entry) for key, entry in raw.items()}}
    if isinstance(raw, (list, tuple)):
        return [value(entry) for entry in raw]
    text = str(raw)
    return text[1:-1] if len(text) == 3 and text[1] in "?." and text[0] == text[2] in "'\"" else text


def block_values(code: str, block: object) -> dict:
    """All items of a block and its save frames."""
    found = {"code": code, "items": {tag: [value(raw) for raw in block[tag]] for tag in block.tags}}
    frames = list(getattr(block, "save_frames", []) or [])
    if frames:
        found["frames"] = [block_values(name, block[name]) for name in frames]
    return found


def check(request: dict) -> dict:
    """Read one file, and validate it where the scope is more than syntax."""
    try:
        text = Path(request["file"]).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return refused(f"not UTF-8: {error}", rule="encoding")
    document, errors = build(text)
    findings = [
        {"rule": error.error_type, "severity": "error", "message": error.message, "line": error.line or None}
        for error in errors
    ]
    answer: dict = {"conforming": not findings, "findings": findings}
    if request["scope"] == "syntax":
        answer["document"] = {"blocks": [block_values(code, document[code]) for code in document.blocks]}
        return answer
    report = validate(document, schema(), parse_errors=errors)
    for issue in report.issues:
        severity = str(getattr(issue.severity, "value", issue.severity)).lower()
        findings.append({"rule": issue.check, "severity": severity, "item": issue.tag, "message": issue.message})
    # Wrong types and shapes are warnings here; whatever is said counts as a complaint.
    answer["conforming"] = not any(finding["severity"] in ("error", "warning") for finding in findings)
    return answer


serve("cifflow", version("cifflow"), check)
