"""SARIF 2.1.0, for code-scanning services and editors."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TextIO
from urllib.parse import quote

from imgcif_core.findings import DictionaryIdentity, FileReport, Finding, Location, Report, Severity
from imgcif_core.render.json import dumps, with_list
from imgcif_core.render.summary import Gap, RuleTexts, gaps

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LONGEST_DESCRIPTION = 1024
ArtifactLocation = Mapping[str, str | int]
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SEMANTIC_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_POSITION_IN_WORDS = re.compile(r"\b(lines?|columns?|at) \d+(?:(?:, | and |:)\d+)*")
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_NOTICES = {
    "crashed": "The rule stopped on a fault of the checker and judged nothing.",
    "blocked": "The rule could not run because of what other rules found.",
    "not-checked": "The rule was not run.",
}


def render(report: Report, rules: RuleTexts | None = None, root: str | None = None) -> str:
    """The report as a SARIF log with one run.

    Parameters
    ----------
    rules :
        Name, short text, full text and help address by code.
    root :
        Folder to which absolute paths below it are made relative; other paths stay as given.
    """
    return "".join(_chunks(report, rules or {}, root))


def write(report: Report, stream: TextIO, rules: RuleTexts | None = None, root: str | None = None) -> None:
    """Write the log result by result, without the whole text in memory."""
    for chunk in _chunks(report, rules or {}, root):
        stream.write(chunk)


def _chunks(report: Report, rules: RuleTexts, root: str | None) -> Iterator[str]:
    """The text of the log in pieces, with a line for each result."""
    names = {finding.rule: finding.name for finding in report.findings()}
    order = {code: index for index, code in enumerate(sorted(names))}
    places = _places(report, root)
    run = {
        "tool": {
            "driver": _driver(report, [_rule(code, names[code], rules) for code in order]),
            "extensions": [_dictionary(identity) for identity in dict.fromkeys(report.dictionaries)],
        },
        "columnKind": "unicodeCodePoints",
        "artifacts": list({place["uri"]: _artifact(entry, place) for entry, place in places}.values()),
        "invocations": [_invocation(report, places, order)],
        "results": [],
    }
    results = ([dumps(result)] for entry, place in places for result in _results(entry, place, order))
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": []}
    yield from with_list(log, "runs", [with_list(run, "results", results)])
    yield "\n"


def _places(report: Report, root: str | None) -> list[tuple[FileReport, ArtifactLocation]]:
    """Each file with its location; a file that was given twice is one artifact."""
    uris = [_uri(entry.path, root) for entry in report.files]
    order = {uri: index for index, uri in enumerate(dict.fromkeys(uris))}
    return [(entry, {"uri": uri, "index": order[uri]}) for entry, uri in zip(report.files, uris)]


def _driver(report: Report, rules: list[dict[str, Any]]) -> dict[str, Any]:
    """The checker, the rules that found something, and the kinds of notification."""
    driver: dict[str, Any] = {"name": "imgcif-check", "version": report.version}
    if _SEMANTIC_VERSION.fullmatch(report.version):
        driver["semanticVersion"] = report.version
    driver["rules"] = rules
    driver["notifications"] = [{"id": kind, "shortDescription": {"text": text}} for kind, text in _NOTICES.items()]
    return driver


def _rule(code: str, name: str, rules: RuleTexts) -> dict[str, Any]:
    """A reporting descriptor."""
    name, short, full, address = rules.get(code, (name, name, name, ""))
    entry: dict[str, Any] = {
        "id": code,
        "name": name,
        "shortDescription": {"text": _limited(short)},
        "fullDescription": {"text": _limited(full)},
        "help": {"text": full},
    }
    if address:
        entry["helpUri"] = address
    return entry


def _limited(text: str) -> str:
    """A description no longer than code-scanning services take."""
    return text if len(text) <= LONGEST_DESCRIPTION else text[: LONGEST_DESCRIPTION - 1] + "…"


def _dictionary(identity: DictionaryIdentity) -> dict[str, Any]:
    """The dictionary that judged, as an extension of the tool."""
    entry: dict[str, Any] = {
        "name": identity.title or "dictionary",
        "version": identity.version,
        "properties": {"sha256": identity.sha256, "origin": identity.origin},
    }
    if identity.gaps:
        entry["properties"]["gaps"] = list(identity.gaps)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", identity.date):
        entry["releaseDateUtc"] = identity.date
    return entry


def _uri(path: str, root: str | None) -> str:
    """A path as a URI reference, percent-encoded byte by byte."""
    is_windows = bool(_WINDOWS_PATH.match(path))
    pure = (PureWindowsPath if is_windows else PurePosixPath)(path)
    if root and pure.is_absolute() and pure.is_relative_to(root):
        pure = pure.relative_to(root)
    text = _encoded(pure.as_posix())
    if not pure.is_absolute():
        return text
    return f"file:{text}" if text.startswith("//") else f"file:///{text.lstrip('/')}"


def _encoded(text: str) -> str:
    """Percent-encoding that gives back the bytes of the name, decodable or not."""
    try:
        return quote(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return quote(text.encode("utf-8", "replace"))


def _artifact(entry: FileReport, place: ArtifactLocation) -> dict[str, Any]:
    """A file that was checked."""
    artifact: dict[str, Any] = {"location": place, "roles": ["analysisTarget"]}
    if entry.sha256:
        artifact["hashes"] = {"sha-256": entry.sha256}
    artifact["properties"] = {
        "flavour": entry.flavour,
        "profile": entry.profile,
        "conforming": entry.conforming,
        "clean": list(entry.outcomes.clean),
        "notApplicable": list(entry.outcomes.not_applicable),
        "readiness": entry.readiness.as_dict(),
    }
    return artifact


def _results(entry: FileReport, artifact: ArtifactLocation, order: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """The findings of one file, equal fingerprints told apart by their order in the file."""
    seen: Counter[str] = Counter()
    for finding in entry.findings:
        identity = _identity(finding)
        seen[identity] += 1
        yield _result(finding, artifact, order, f"{identity}|{seen[identity]}")


def _identity(finding: Finding) -> str:
    """What stays the same about a finding when lines are inserted above it."""
    place = finding.location
    message = _POSITION_IN_WORDS.sub(r"\1", finding.message)
    return repr((finding.rule, place.block, place.item, sorted(place.key.items()), message))


def _result(finding: Finding, artifact: ArtifactLocation, order: Mapping[str, int], identity: str) -> dict[str, Any]:
    """One finding."""
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": order[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}\n{finding.help}" if finding.help else finding.message},
        "locations": [_location(finding.location, artifact, finding.source_line)],
        "occurrenceCount": max(1, finding.count),
        "partialFingerprints": {"imgcifFinding/v1": digest},
        "properties": {
            "item": finding.location.item,
            "key": finding.location.key,
            "reference": finding.reference,
            "isWholeFile": finding.location.span is None,
            "data": finding.data,
            "who": finding.who,
            "alert": finding.alert,
        },
    }
    if finding.edits:
        result["fixes"] = [_fix(finding, artifact)]
    if finding.more:
        result["relatedLocations"] = [
            {"id": number, **_location(place, artifact)} for number, place in enumerate(finding.more, 1)
        ]
    return result


def _fix(finding: Finding, artifact: ArtifactLocation) -> dict[str, Any]:
    """The remedy as changes of the text, all of one fix."""
    replacements = [
        {
            "deletedRegion": {
                "startLine": edit.line,
                "startColumn": edit.column,
                "endLine": edit.end_line,
                "endColumn": edit.end_column,
            },
            "insertedContent": {"text": edit.text},
        }
        for edit in finding.edits
    ]
    return {
        "description": {"text": finding.help or finding.message},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
        "properties": {"safe": finding.is_safely_mended},
    }


def _location(place: Location, artifact: ArtifactLocation, line: str = "") -> dict[str, Any]:
    """A physical location, and the logical one where the block or item is known."""
    physical = {"artifactLocation": artifact, "region": _region(place, line)}
    location: dict[str, Any] = {"physicalLocation": physical}
    name = "/".join(part for part in (place.block, place.item or place.category) if part)
    if name:
        location["logicalLocations"] = [{"fullyQualifiedName": name}]
    return location


def _region(place: Location, line: str) -> dict[str, Any]:
    """The span; a finding about the whole file stands at its first line, as services demand a line."""
    span = place.span
    if span is None:
        return {"startLine": 1}
    region: dict[str, Any] = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    if span.line == span.end_line and span.column < span.end_column <= len(line) + 1:
        region["snippet"] = {"text": line[span.column - 1 : span.end_column - 1]}
    return region


def _invocation(
    report: Report, places: list[tuple[FileReport, ArtifactLocation]], order: Mapping[str, int]
) -> dict[str, Any]:
    """How the run went, with what was not checked and why."""
    return {
        "executionSuccessful": not any(entry.outcomes.crashed for entry in report.files),
        "toolExecutionNotifications": [
            _notice(gap, artifact, order) for entry, artifact in places for gap in gaps(entry)
        ],
    }


def _notice(gap: Gap, artifact: ArtifactLocation, order: Mapping[str, int]) -> dict[str, Any]:
    """One reason with the rules that did not judge because of it."""
    kind = gap.kind.replace(" ", "-")
    notice: dict[str, Any] = {
        "descriptor": {"id": kind, "index": list(_NOTICES).index(kind)},
        "level": "error" if kind == "crashed" else "note",
        "message": {"text": f"{', '.join(gap.rules)}: {gap.kind} - {gap.reason}"},
        "locations": [{"physicalLocation": {"artifactLocation": artifact}}],
        "properties": {"rules": gap.rules},
    }
    if len(gap.rules) == 1:
        code = gap.rules[0]
        notice["associatedRule"] = {"id": code, **({"index": order[code]} if code in order else {})}
    return notice
