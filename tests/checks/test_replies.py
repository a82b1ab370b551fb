"""Replies of authors: read from the file, shown beside their alert, written back by the library."""

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
