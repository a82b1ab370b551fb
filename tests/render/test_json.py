"""The JSON report and its schema."""

import io
import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from reports import CYCLE, FIRST, REPORT, finding, single
from shared import EXAMPLE

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.findings import FileReport, Report, Severity
from imgcif_core.render import json as report_json
from imgcif_core.render import render

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report-schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def strict_load(text: str) -> Any:
    return json.loads(text, parse_constant=refuse)


def stored(value: Any) -> Any:
    """What a value in the data of a finding becomes."""
    text = render(single(finding(data={"value": value})), "json")
    return strict_load(text)["files"][0]["findings"][0]["data"]["value"]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_report_fits_the_schema(any_report: Report) -> None:
    VALIDATOR.validate(strict_load(render(any_report, "json")))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "imgcif-check-report/2"),
        (("files", 0, "conforming"), True),
        (("files", 1, "conforming"), False),
        (("files", 0, "flavour"), "picture"),
        (("files", 0, "sha256"), "A" * 64),
        (("files", 0, "findings", 2, "severity"), "fatal"),
        (("files", 0, "findings", 2, "rule"), "axi2"),
        (("files", 0, "findings", 2, "count"), 0),
        (("files", 0, "findings", 2, "location", "line"), None),
        (("files", 0, "findings", 2, "location", "column"), 0),
        (("files", 0, "findings", 2, "location", "key"), {"id": 1}),
        (("files", 0, "findings", 2, "edits", 0, "line"), 0),
        (("files", 0, "findings", 2, "edits", 0, "safe"), "yes"),
        (("files", 0, "outcomes", "blocked", 0, "by"), "AXI002"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_the_schema_refuses_what_is_wrong(path: tuple, value: Any) -> None:
    document = strict_load(render(REPORT, "json"))
    *parents, last = path
    place = document
    for step in parents:
        place = place[step]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_the_text_holds_exactly_what_the_report_holds() -> None:
    assert strict_load(render(REPORT, "json")) == REPORT.as_dict()
    assert strict_load(render(Report("1", (), ()), "json")) == Report("1", (), ()).as_dict()


def test_members_come_in_the_order_of_the_public_schema() -> None:
    document = strict_load(render(REPORT, "json"))
    assert list(document) == ["schema", "tool", "dictionaries", "files"]
    members = ["path", "sha256", "flavour", "profile", "conforming", "counts", "findings", "outcomes", "readiness"]
    members.append("alerts")
    assert list(document["files"][0]) == members
    members = ["rule", "name", "severity", "message", "help", "reference", "location", "count", "more", "data"]
    assert list(document["files"][0]["findings"][0])[: len(members)] == members


def test_each_finding_has_a_line_of_its_own() -> None:
    lines = render(REPORT, "json").splitlines()
    assert sum(line.startswith('{"rule"') for line in lines) == 3


def test_writing_to_a_stream_gives_the_same_text() -> None:
    stream = io.StringIO()
    report_json.write(REPORT, stream)
    assert stream.getvalue() == render(REPORT, "json")


def test_writing_goes_finding_by_finding() -> None:
    sizes: list[int] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            sizes.append(len(text))
            return len(text)

    many = tuple(finding(message=f"axis {number}") for number in range(1000))
    report_json.write(single(*many), Stream())
    assert sum(sizes) > 200_000 and max(sizes) < 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (np.float64("nan"), None),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("phi"), "phi"),
        (np.array([1.0, np.nan, np.inf]), [1.0, None, "inf"]),
        (np.array([[1, 2], [3, 4]], dtype=np.uint8), [[1, 2], [3, 4]]),
        (np.array(5), 5),
        (np.array([b"ab"]), ["ab"]),
        (np.float64(2.5), 2.5),
        (True, True),
        (None, None),
        (2**64, hex(2**64)),
        (10**5000, hex(10**5000)),
        (2**64 - 1, 2**64 - 1),
        (Severity.ERROR, "error"),
        (("a", 1), ["a", 1]),
        ({"b", "a"}, ["a", "b"]),
        ({1: {np.int64(2): math.nan}}, {"1": {"2": None}}),
        (b"\xffa", "\\xffa"),
        (date(2026, 5, 14), "2026-05-14"),
        (Path("a/b"), "a/b"),
        (1 + 2j, "(1+2j)"),
        ("a\ud800b", "a\ufffdb"),
        ("Å 漢", "Å 漢"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_become_plain(value: Any, expected: Any) -> None:
    result = stored(value)
    assert result == expected and type(result) is type(expected)


def test_counts_are_those_of_the_findings() -> None:
    entry = FileReport("a", "", "metadata", "core", (CYCLE, *FIRST.findings))
    (file,) = strict_load(render(Report("1", (), (entry,)), "json"))["files"]
    assert file["counts"] == {"error": 2, "warning": 1, "info": 1} and file["conforming"] is False


def test_rules_that_nobody_asked_for_stand_under_their_reason() -> None:
    report = imgcif_core.check(EXAMPLE, options=CheckOptions(profile="minicbf", ignore=("DIC010",)))
    outcomes = strict_load(render(report, "json"))["files"][0]["outcomes"]
    by_reason = {entry["reason"]: entry["rules"] for entry in outcomes["off"]}
    assert set(by_reason) == {"off in profile minicbf", "ignored on request"}
    assert by_reason["ignored on request"] == ["DIC010"]
    assert len(by_reason["off in profile minicbf"]) > 100
    kept = {entry["rule"] for entry in outcomes["not_checked"]}
    off = {code for rules in by_reason.values() for code in rules}
    assert kept and not kept & off
    assert kept | off == {entry.rule for entry in report.files[0].outcomes.not_checked}
    VALIDATOR.validate(strict_load(render(report, "json")))


def test_findings_are_counted_by_severity_or_its_name() -> None:
    (entry,) = imgcif_core.check(EXAMPLE.with_name("faulty.cif")).files
    assert entry.count("warning") == entry.count(Severity.WARNING) > 0
    with pytest.raises(ValueError, match="warnings"):
        entry.count("warnings")
