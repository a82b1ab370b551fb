"""What the page shows of a report: bounded for any number of findings, the worst first."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import load_rules
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.findings import LEVELS, FileReport, Finding, Report, Severity
from imgcif_core.render.excerpt import clipped, excerpt_of
from imgcif_core.render.summary import gaps, judge, old_replies, place, ranked, readiness_lines, repeats, tally, verdict
from imgcif_core.show.places import link_rows
from imgcif_core.show.sheet import local_of
from imgcif_core.tables import Tables

SHOWN_OF_A_RULE = 5
_MOST_LINKS = 200
_MOST_BLOCKS = 50
_MOST_OLD_REPLIES = 50
_LONGEST = 2000
_ROOM = 110
_OF_PANELS = ("array_id", "section_id", "array_section_id", "element_id", "detector_element_id")
_DOI = ("_database.dataset_doi", "_journal.paper_doi", "_citation.doi")


def view_of(
    document: Document,
    report: Report,
    shown: Mapping[str, Any] | None,
    lines: int,
    options: CheckOptions,
    plan: Sequence[str] = (),
) -> dict[str, Any]:
    """Plain data for the page of one file; texts are cut and their control characters made visible.

    `plan` says line by line what following the links would ask for.
    """
    entry = report.files[0]
    tables = [Tables(block, load_bundled()) for block in document.blocks[:_MOST_BLOCKS]]
    return {
        "name": _cut(entry.path, 200),
        "sha256": entry.sha256,
        "lines": lines,
        "blocks": [_cut(block.name, 100) for block in document.blocks[:_MOST_BLOCKS]],
        "blocks_in_all": len(document.blocks),
        "doi": next((doi for held in tables for doi in _dois(held)), ""),
        "profile": entry.profile,
        "flavour": entry.flavour,
        "conforming": entry.conforming,
        "verdict": _cut(verdict(entry)),
        "tally": tally(entry.findings),
        "counts": {str(severity): entry.count(severity) for severity in Severity},
        "alerts": {level: sum(finding.level == level for finding in entry.findings) for level in LEVELS},
        "replies": sorted(entry.replies),
        "unanswered": entry.unanswered,
        "old_replies": [_cut(line) for line in islice(old_replies(entry), _MOST_OLD_REPLIES)],
        "readiness": [[question, _cut(answer)] for question, answer in readiness_lines(entry)],
        "groups": _groups(entry),
        "gaps": [{"kind": gap.kind, "reason": _cut(gap.reason), "rules": list(gap.rules)} for gap in gaps(entry)],
        "clean": len(entry.outcomes.clean),
        "not_applicable": len(entry.outcomes.not_applicable),
        "repairs": sum(bool(finding.edits) for finding in entry.findings),
        "safe_repairs": sum(finding.is_safely_mended for finding in entry.findings),
        "judges": [_cut(judge(identity)) for identity in report.dictionaries],
        "version": report.version,
        "scans": list(_scans(shown)),
        "links": _links(document, tables, options, entry),
        "followed": entry.links is not None,
        "plan": [_cut(line, 300) for line in plan[:_MOST_LINKS]],
    }


def _cut(text: str, limit: int = _LONGEST) -> str:
    return clipped(text, limit)


def _groups(entry: FileReport) -> list[dict[str, Any]]:
    """Findings by rule; the group of the worst finding first."""
    numbers = {id(finding): number for number, finding in enumerate(entry.findings, 1)}
    groups: dict[str, dict[str, Any]] = {}
    for finding in ranked(entry.findings, by_alert=True):
        group = groups.setdefault(finding.rule, _group(finding))
        group["count"] += 1
        if len(group["findings"]) < SHOWN_OF_A_RULE:
            group["findings"].append(_finding(finding, numbers[id(finding)]))
    return list(groups.values())


def _group(finding: Finding) -> dict[str, Any]:
    """What all findings of one rule have in common, with the prose of the rule."""
    rule = load_rules().get(finding.rule)
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": str(finding.severity),
        "level": finding.level or "G",
        "family": finding.rule[:3],
        "who": finding.who or "author",
        "prose": rule.prose if rule else {},
        "count": 0,
        "findings": [],
        "answered": [],
    }


def _finding(finding: Finding, number: int) -> dict[str, Any]:
    """One finding; `number` counts from 1 in the order of the file."""
    span = finding.location.span
    return {
        "number": number,
        "alert": finding.alert,
        "severity": str(finding.severity),
        "level": finding.level or "G",
        "who": finding.who or "author",
        "block": _cut(finding.location.block or "", 200),
        "item": _cut(finding.location.item or "", 200),
        "place": _cut(place(finding), 300),
        "line": span.line if span else None,
        "span": [span.line, span.column, span.end_line, span.end_column] if span else None,
        "message": _cut(finding.message),
        "help": _cut(finding.help),
        "repeats": _cut(repeats(finding), 300),
        "excerpt": list(excerpt_of(finding, _ROOM) or ()),
        "mend": "" if not finding.edits else "safe" if finding.is_safely_mended else "unsafe",
        "reply": _cut(finding.reply.response) if finding.reply else "",
        "parts": _parts(finding),
    }


def _parts(finding: Finding) -> dict[str, Any]:
    """The parts of the instrument that a finding is about, so that the view of it can show them."""
    key, item = finding.location.key, (finding.location.item or "").lower()
    # The key `id` is that of an axis, or of an element, in its own category alone.
    axes = [value for name, value in key.items() if name in ("axis_id", "axis")]
    axes += [key["id"]] if item.startswith("_axis.") and "id" in key else []
    axes += [str(finding.data[name]) for name in ("axis", "axis_id") if finding.data.get(name)]
    panels = [value for name, value in key.items() if name in _OF_PANELS]
    panels += [key["id"]] if item.startswith("_diffrn_detector_element.") and "id" in key else []
    panels += [str(finding.data["panel"])] if finding.data.get("panel") else []
    return {
        "block": _cut(finding.location.block or "", 200),
        "axes": list(dict.fromkeys(_cut(name, 100) for name in axes))[:10],
        "panels": list(dict.fromkeys(_cut(name, 100) for name in panels))[:10],
        "scan": _cut(str(key.get("scan_id") or finding.data.get("scan") or ""), 100),
    }


def _dois(tables: Tables) -> Iterator[str]:
    """The DOIs that a block gives for its data."""
    for name in _DOI:
        category, _, item = name[1:].partition(".")
        table = tables.table(category)
        if table and (text := table.text(item)):
            yield _cut(text, 200)


def _scans(shown: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """One row for each scan: what moves, over which range; an increment that cannot be read is told with these."""
    for block in (shown or {"files": [{"blocks": []}]})["files"][0]["blocks"]:
        for scan in block["scans"][:_MOST_LINKS]:
            moving = [axis for axis in scan["axes"] if axis["increment"] != 0]
            still = [axis for axis in scan["axes"] if axis["increment"] == 0]
            yield {
                "block": _cut(block["block"], 100),
                "id": _cut(str(scan["id"]), 100),
                "frames": "not known" if scan["frames"] is None else scan["frames"],
                "moving": [_axis_words(axis) for axis in moving[:20]],
                "still": [f"{_cut(str(axis['id']), 60)} {_number(axis['start'])}" for axis in still[:20]],
                "panels": len(scan["panels"]),
            }


def _axis_words(axis: Mapping[str, Any]) -> str:
    """One moving axis in words."""
    words = f"{_cut(str(axis['id']), 60)} from {_number(axis['start'])} by {_number(axis['increment'])}"
    return f"{words}, range {_number(axis['range'])}"


def _number(value: Any) -> str:
    return f"{value:.7g}" if isinstance(value, (int, float)) else "(not readable)"


def _links(document: Document, tables: list[Tables], options: CheckOptions, entry: FileReport) -> list[dict[str, Any]]:
    """The places of the images, archives and folders, and what is known of each."""
    verdicts = None if entry.links is None else {verdict.uri: verdict for verdict in entry.links}
    local = local_of(document, options)
    try:
        rows = [row for held in tables for row in link_rows(document, held, options, local, verdicts)[0]]
    finally:
        local.close()
    return [
        {
            "uri": _cut(row.address, 500),
            "images": row.links,
            "format": _cut(row.kind, 100),
            "span": _cut(row.span, 300),
            "evidence": _cut(row.evidence, 1000),
        }
        for row in rows[:_MOST_LINKS]
    ]
