"""The SARIF log: its schema, and what a schema cannot say."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from reports import CYCLE, LENGTH, REPORT, WHOLE, at, finding, single

from imgcif_core.findings import Location, Report, Severity, Span
from imgcif_core.render import render, sarif

SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0-subset.json").read_text(encoding="utf-8"))
RULES = {
    "AXI002": ("axis-dependency-cycle", "Axes form a ring.", "What: Axes form a ring.", "https://example.org/AXI002"),
    "SRC001": ("wavelength-unlikely", "Odd.", "x" * 5000, ""),
}


def log(report: Report, **options: Any) -> dict[str, Any]:
    return json.loads(render(report, "sarif", **options))


def run(report: Report, **options: Any) -> dict[str, Any]:
    (only,) = log(report, **options)["runs"]
    return only


def fingerprints(*findings: Any) -> list[str]:
    results = run(single(*findings))["results"]
    return [result["partialFingerprints"]["imgcifFinding/v1"] for result in results]


def uri(path: str, root: str | None = None) -> str:
    return run(single(path=path), root=root)["artifacts"][0]["location"]["uri"]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("rules", [None, RULES], ids=["no texts", "texts"])
def test_every_report_fits_the_schema(any_report: Report, rules: Any) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(SCHEMA, format_checker=checker).validate(log(any_report, rules=rules))


def test_the_log_names_its_version_and_schema() -> None:
    document = log(REPORT)
    assert document["version"] == "2.1.0"
    assert document["$schema"] == "https://json.schemastore.org/sarif-2.1.0.json"
    assert run(REPORT)["columnKind"] == "unicodeCodePoints"


def test_indices_lead_to_what_they_name(any_report: Report) -> None:
    only = run(any_report, rules=RULES)
    rules, artifacts = only["tool"]["driver"]["rules"], only["artifacts"]
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        for location in (*result["locations"], *result.get("relatedLocations", [])):
            artifact = location["physicalLocation"]["artifactLocation"]
            assert artifacts[artifact["index"]]["location"]["uri"] == artifact["uri"]
            assert location["physicalLocation"]["region"]["startLine"] >= 1
    for notice in only["invocations"][0]["toolExecutionNotifications"]:
        descriptor = notice["descriptor"]
        assert only["tool"]["driver"]["notifications"][descriptor["index"]]["id"] == descriptor["id"]
        if "index" in notice.get("associatedRule", {}):
            assert rules[notice["associatedRule"]["index"]]["id"] == notice["associatedRule"]["id"]


def test_rules_carry_the_texts_of_the_caller() -> None:
    cycle, missing, wavelength = run(REPORT, rules=RULES)["tool"]["driver"]["rules"]
    assert cycle["shortDescription"]["text"] == "Axes form a ring."
    assert cycle["helpUri"] == "https://example.org/AXI002"
    assert missing["name"] == missing["help"]["text"] == "no-frames" and "helpUri" not in missing
    assert len(wavelength["fullDescription"]["text"]) == 1024 and len(wavelength["help"]["text"]) == 5000


def test_a_result_says_what_the_finding_says() -> None:
    result = run(REPORT)["results"][2]
    assert result["level"] == "error" and result["occurrenceCount"] == 3
    assert result["message"]["text"] == f"{CYCLE.message}\npoint kappa at omega"
    (location,) = result["locations"]
    assert location["physicalLocation"]["region"] == {
        "startLine": 12,
        "startColumn": 22,
        "endLine": 12,
        "endColumn": 27,
        "snippet": {"text": "kappa"},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "scan1/_axis.depends_on"}]
    lines = [place["physicalLocation"]["region"]["startLine"] for place in result["relatedLocations"]]
    assert lines == [13, 15]
    assert result["properties"]["key"] == {"id": "phi"} and result["properties"]["data"] == {"axis": "phi"}


def test_edits_are_one_fix_of_the_file() -> None:
    missing, _, cycle = run(REPORT)["results"]
    assert "fixes" not in missing
    (fix,) = cycle["fixes"]
    (change,) = fix["artifactChanges"]
    assert fix["description"]["text"] == CYCLE.help and not fix["properties"]["safe"]
    assert change["artifactLocation"] == cycle["locations"][0]["physicalLocation"]["artifactLocation"]
    assert change["replacements"][0] == {
        "deletedRegion": {"startLine": 13, "startColumn": 22, "endLine": 13, "endColumn": 25},
        "insertedContent": {"text": "omega"},
    }


def test_levels_are_those_of_sarif() -> None:
    findings = [finding(severity=severity) for severity in Severity]
    assert [result["level"] for result in run(single(*findings))["results"]] == ["error", "warning", "note"]


def test_columns_count_code_points() -> None:
    line = "𝛼漢a\u0301 kappa"
    result = run(single(finding(location=at(1, line.index("kappa") + 1, 5), source_line=line)))["results"][0]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region["startColumn"] == 6 and region["snippet"]["text"] == "kappa"


def test_a_snippet_comes_only_where_the_whole_span_is_known() -> None:
    over_lines = Location(span=Span(1, 1, 2, 4))
    for place, line in [(over_lines, "abc"), (at(1, 2, 9), "abc"), (at(1, 2, 0), "abc"), (at(9, 1), "")]:
        result = run(single(finding(location=place, source_line=line)))["results"][0]
        assert "snippet" not in result["locations"][0]["physicalLocation"]["region"]


def test_a_finding_on_the_whole_file_stands_at_line_1_and_says_so() -> None:
    (result,) = run(single(WHOLE))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert result["properties"]["isWholeFile"] is True


def test_fingerprints_survive_the_move_of_lines() -> None:
    moved = replace(CYCLE, location=replace(CYCLE.location, span=Span(99, 1, 99, 6)), more=(), source_line="")
    assert fingerprints(CYCLE) == fingerprints(moved)
    first = finding(message="name given twice, first in line 12 and at 12:5 - expected once")
    later = finding(message="name given twice, first in line 99 and at 104:1 - expected once")
    assert fingerprints(first) == fingerprints(later)


def test_fingerprints_tell_findings_apart() -> None:
    other_row = replace(CYCLE, location=replace(CYCLE.location, key={"id": "chi"}))
    other_block = replace(CYCLE, location=replace(CYCLE.location, block="scan2"))
    other_value = finding("SRC001", message="wavelength is 12 Å")
    third = finding("SRC001", message="wavelength is 13 Å")
    found = fingerprints(CYCLE, CYCLE, other_row, other_block, LENGTH, other_value, third)
    assert len(set(found)) == len(found)
    assert found[0] == fingerprints(CYCLE)[0]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.cif", "a.cif"),
        ("./data/a b.cif", "data/a%20b.cif"),
        ("../a#1?%.cif", "../a%231%3F%25.cif"),
        ("a:b.cif", "a%3Ab.cif"),
        ("a\\b.cif", "a%5Cb.cif"),
        ("Å漢.cif", "%C3%85%E6%BC%A2.cif"),
        ("a\udcff.cif", "a%FF.cif"),
        ("/data/a b.cif", "file:///data/a%20b.cif"),
        ("C:\\data\\a b.cif", "file:///C%3A/data/a%20b.cif"),
        ("\\\\host\\share\\a.cif", "file://host/share/a.cif"),
        ("<stdin>", "%3Cstdin%3E"),
    ],
)
def test_paths_become_percent_encoded_references(path: str, expected: str) -> None:
    assert uri(path) == expected


def test_a_file_given_twice_is_one_artifact() -> None:
    only = run(replace(REPORT, files=(*REPORT.files, *REPORT.files), dictionaries=REPORT.dictionaries * 2))
    assert [artifact["location"]["index"] for artifact in only["artifacts"]] == [0, 1]
    assert len(only["results"]) == 6 and len(only["tool"]["extensions"]) == 1


def test_absolute_paths_below_the_root_become_relative() -> None:
    assert uri("/home/data/a b.cif", root="/home") == "data/a%20b.cif"
    assert uri("/other/a.cif", root="/home") == "file:///other/a.cif"
    assert uri("a.cif", root="/home") == "a.cif"


def test_what_was_not_checked_is_notified_with_its_reason() -> None:
    invocation = run(REPORT)["invocations"][0]
    assert invocation["executionSuccessful"] is False
    notices = [
        (notice["descriptor"]["id"], notice["level"], notice["properties"]["rules"], notice["message"]["text"])
        for notice in invocation["toolExecutionNotifications"]
    ]
    assert notices == [
        ("crashed", "error", ["CON001"], "CON001: crashed - ValueError: no"),
        ("blocked", "note", ["DET001", "DET002"], "DET001, DET002: blocked - blocked by AXI002 (line 12)"),
        ("not-checked", "note", ["EXT001", "EXT002"], "EXT001, EXT002: not checked - network use is off"),
    ]


def test_the_dictionary_is_an_extension_of_the_tool() -> None:
    (extension,) = run(REPORT)["tool"]["extensions"]
    assert (extension["name"], extension["version"]) == ("CIF_IMG", "1.8.9")
    assert extension["releaseDateUtc"] == "2026-05-14" and extension["properties"]["sha256"] == "d" * 64


def test_a_version_that_is_not_semantic_is_not_called_so() -> None:
    assert "semanticVersion" not in run(replace(REPORT, version="0.1.dev3"))["tool"]["driver"]
    assert run(REPORT)["tool"]["driver"]["semanticVersion"] == "0.1.0"


def test_writing_to_a_stream_gives_the_same_text() -> None:
    stream = io.StringIO()
    sarif.write(REPORT, stream, RULES)
    assert stream.getvalue() == render(REPORT, "sarif", rules=RULES)


def test_data_of_a_finding_is_made_plain() -> None:
    (result,) = run(single(finding(data={"angles": np.array([0.5, np.nan])})))["results"]
    assert result["properties"]["data"] == {"angles": [0.5, None]}
