"""Replies of authors: read from the file, shown beside their alert, written back by the library."""

import json

import pytest

import imgcif_core
from imgcif_core.checks.options import CheckOptions
from imgcif_core.findings import FileReport, Reply
from imgcif_core.model.replies import with_replies

TEXT = b"data_s\n_diffrn_scan.id S1\n_diffrn_scan.frames 1\n"
LETTERS = CheckOptions(profile="raw-data-letters")


def judged(data: bytes) -> FileReport:
    return imgcif_core.check(data, options=LETTERS).files[0]


def test_a_reply_written_by_the_library_stands_beside_its_alert_and_changes_no_level() -> None:
    before = judged(TEXT)
    reply = Reply("no DOI", "it comes with the publication\n; as agreed")
    data = with_replies(imgcif_core.read(TEXT), {("MTA001", "s"): reply})
    after = judged(data)
    assert data.startswith(TEXT)
    assert [(one.rule, one.severity, one.alert) for one in after.findings] == [
        (one.rule, one.severity, one.alert) for one in before.findings
    ]
    (answered,) = [one for one in after.findings if one.reply]
    assert answered.rule == "MTA001" and answered.reply == Reply("no DOI", "it comes with the publication ; as agreed")
    assert after.unanswered == before.unanswered - 1


def test_reply_forms_are_no_unknown_names() -> None:
    data = with_replies(imgcif_core.read(TEXT), {("EXT006", "s"): Reply("name", "right")})
    assert "DIC001" not in {one.rule for one in judged(data).findings}


def test_unanswered_alerts_are_counted_and_marked() -> None:
    report = imgcif_core.check(TEXT, options=LETTERS)
    text = imgcif_core.render(report, level="alerts")
    assert "MTA001_ALERT_4_A" in text and "  no reply" in text and "without the reply that is asked for" in text


def form(code: str, block: str) -> bytes:
    return f"_vrf_{code}_{block}\n;\nPROBLEM: once there\nRESPONSE: mended\n;\n".encode()


@pytest.mark.parametrize(
    ("code", "block", "state"),
    [
        ("AXI002", "s", "no longer raised"),
        ("AXI002", "t", "no such block in the file"),
        ("ABC123", "s", "no rule of this program"),
        ("IMG001", "s", "not judged in this run"),
    ],
)
def test_a_reply_without_an_alert_is_told_with_what_is_known_of_the_alert(code: str, block: str, state: str) -> None:
    options = CheckOptions(profile="raw-data-letters", ignore=("IMG",))
    report = imgcif_core.check(TEXT + form(code, block), options=options)
    (old,) = report.files[0].old_replies
    assert (old.rule, old.block, old.state, old.reply) == (code, block, state, Reply("once there", "mended"))
    line = f"reply to {code} in block {block}, {state}: mended"
    assert line in " ".join(imgcif_core.render(report, level="alerts").split())
    assert state in imgcif_core.render(report, "html")
    told = json.loads(imgcif_core.render(report, "json"))["files"][0]["old_replies"]
    assert told == [{"rule": code, "block": block, "problem": "once there", "response": "mended", "state": state}]


def test_a_reply_answers_an_alert_about_the_file_as_a_whole() -> None:
    whole = next(one for one in judged(TEXT).findings if not one.location.block)
    after = judged(TEXT + form(whole.rule, "s"))
    assert after.old_replies == ()
    assert [one.reply.response for one in after.findings if one.rule == whole.rule and one.reply] == ["mended"]


def test_the_numbers_of_alerts_are_those_of_the_file_in_json_too() -> None:
    report = imgcif_core.check(TEXT, options=LETTERS)
    told = json.loads(imgcif_core.render(report, "json"))["files"][0]["alerts"]
    assert told == report.files[0].alerts
    assert told["A"] == sum(one.level == "A" for one in report.files[0].findings) > 0
    assert told["unanswered"] == told["A"]
