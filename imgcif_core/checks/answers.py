"""What authors replied to alerts: brought to the findings, and what is left over told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from imgcif_core.checks.registry import load_rules
from imgcif_core.cif.document import Document
from imgcif_core.findings import Finding, OldReply, Outcomes, Reply
from imgcif_core.model.replies import Key, read_replies
from imgcif_core.tables import Tables


def with_answers(
    findings: list[Finding], outcomes: Outcomes, document: Document, all_tables: Sequence[Tables]
) -> tuple[list[Finding], tuple[OldReply, ...]]:
    """The findings with the replies that stand in the file, and the replies to which there is no alert."""
    replies = {key: reply for tables in all_tables for key, reply in read_replies(tables).items()}
    if not replies:
        return findings, ()
    findings, used = _answered(findings, replies)
    left = {key: reply for key, reply in replies.items() if key not in used}
    return findings, tuple(_old_replies(document, all_tables, outcomes, left))


def _answered(findings: list[Finding], replies: Mapping[Key, Reply]) -> tuple[list[Finding], set[Key]]:
    """The findings with what authors replied to them in the file, and which replies these are.

    To a finding about the file as a whole the reply of any block is one.
    """
    found: list[Finding] = []
    used: set[Key] = set()
    for finding in findings:
        block = (finding.location.block or "").casefold()
        keys = [key for key in replies if key[0] == finding.rule and (not block or key[1] == block)]
        used.update(keys)
        found.append(replace(finding, reply=replies[keys[0]]) if keys else finding)
    return found, used


def _old_replies(
    document: Document, all_tables: Sequence[Tables], outcomes: Outcomes, replies: Mapping[Key, Reply]
) -> list[OldReply]:
    """The replies to which there is no alert, each with what is known of that alert."""
    unjudged = {entry.rule for entry in (*outcomes.not_checked, *outcomes.crashed)}
    unjudged.update(entry.rule for entry in outcomes.blocked)
    judged = {tables.block.name.casefold() for tables in all_tables}
    names = {block.name.casefold() for block in document.blocks}
    found = []
    for (rule, block), reply in replies.items():
        if rule not in load_rules():
            state = "no rule of this program"
        elif block not in names:
            state = "no such block in the file"
        elif rule in unjudged or block not in judged:
            state = "not judged in this run"
        else:
            state = "no longer raised"
        found.append(OldReply(rule, block, reply, state))
    return found
