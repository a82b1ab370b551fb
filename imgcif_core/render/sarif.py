"""SARIF 2.1.0, for code-scanning services and editors."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from imgcif_core.findings import FileReport, Finding, Location, Report, Severity
from imgcif_core.render.json_format import strict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
RuleTexts = Mapping[str, tuple[str, str, str, str]]


def render(report: Report, rules: RuleTexts | None = None) -> str:
    """The report as one SARIF run; `rules` holds name, short text, full text and help address."""
    used = sorted({finding.rule for entry in report.files for finding in entry.findings})
    order = {code: index for index, code in enumerate(used)}
    notices = [notice for entry in report.files for notice in _notices(entry)]
    run = {
        "tool": {
            "driver": {
                "name": "imgcif-check",
                "semanticVersion": report.version,
                "rules": [_rule(code, report, rules or {}) for code in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": [
            {"location": {"uri": _uri(entry.path)}, "hashes": {"sha-256": entry.sha256}} for entry in report.files
        ],
        "invocations": [
            {
                "executionSuccessful": not any(entry.outcomes.crashed for entry in report.files),
                "toolExecutionNotifications": notices,
            }
        ],
        "results": [
            _result(finding, entry, order, index)
            for index, entry in enumerate(report.files)
            for finding in entry.findings
        ],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(strict(document), indent=1, ensure_ascii=False) + "\n"


def _rule(code: str, report: Report, rules: RuleTexts) -> dict[str, Any]:
    """A reporting descriptor."""
    if code in rules:
        name, short, full, address = rules[code]
    else:
        name = next(finding.name for finding in report.findings() if finding.rule == code)
        short, full, address = name, name, ""
    entry: dict[str, Any] = {
        "id": code,
        "name": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "help": {"text": full},
    }
    if address:
        entry["helpUri"] = address
    return entry


def _uri(path: str) -> str:
    """A path as a URI reference."""
    path = path.replace("\\", "/")
    return f"file://{quote(path)}" if path.startswith("/") else quote(path)


def _result(finding: Finding, entry: FileReport, order: Mapping[str, int], index: int) -> dict[str, Any]:
    """One finding; the fingerprint holds no line number, so that it survives insertions."""
    help_text = f"\n{finding.help}" if finding.help else ""
    key = "|".join((finding.rule, str(finding.location.item), str(dict(finding.location.key)), finding.message))
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": order[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message + help_text},
        "locations": [_location(finding.location, entry.path, index)],
        "occurrenceCount": max(1, finding.count),
        "partialFingerprints": {"findingHash/v1": hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()},
        "properties": {"data": dict(finding.data), "reference": finding.reference},
    }
    if finding.more:
        result["relatedLocations"] = [_location(place, entry.path, index) for place in finding.more]
    return result


def _location(place: Location, path: str, index: int) -> dict[str, Any]:
    """A physical location, and the logical one where the item is known."""
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path), "index": index}}
    if place.span:
        physical["region"] = {
            "startLine": place.span.line,
            "startColumn": place.span.column,
            "endLine": place.span.end_line,
            "endColumn": place.span.end_column,
        }
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.item:
        location["logicalLocations"] = [{"fullyQualifiedName": f"{place.block or ''}/{place.item}"}]
    return location


def _notices(entry: FileReport) -> list[dict[str, Any]]:
    """What was not checked, as notifications of the run."""
    texts = [
        *((item.rule, "note", f"blocked by {', '.join(item.by)}") for item in entry.outcomes.blocked),
        *((item.rule, "note", f"not checked: {item.reason}") for item in entry.outcomes.not_checked),
        *((item.rule, "error", f"crashed: {item.reason}") for item in entry.outcomes.crashed),
    ]
    return [
        {
            "descriptor": {"id": code},
            "level": level,
            "message": {"text": text},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(entry.path)}}}],
        }
        for code, level, text in texts
    ]
