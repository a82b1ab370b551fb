"""Replies of an author to alerts: the form of the journal, and the file with the replies in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document, Source
from imgcif_core.cif.reader import read
from imgcif_core.findings import FileReport, Reply, Severity
from imgcif_core.model.replies import Key, with_replies
from imgcif_core.repair.mend import replace_data
from imgcif_core.web.tasks import Progress, Refused
from imgcif_core.web.tasks.common import checked, opened, options_of, write_bytes, write_json

_ASKED = ("A", "B")
_OPEN = "?"
_MOST = 1000


def run(folder: Path, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the reply form `vrf.cif`, and with `replies`, lists of rule, block and response, `merged.cif` too.

    Without replies the form has an open response for each alert A and B.
    """
    progress(0, 1, "files", "writing the replies")
    source, options = opened(folder, given), options_of(folder, given)
    document = read(source)
    entry, _ = checked(document, options)
    problems = _problems(entry)
    replies = _replies(given.get("replies") or [], problems)
    asked = replies or {key: Reply(words, _OPEN) for key, (words, level) in problems.items() if level in _ASKED}
    write_bytes(folder, "vrf.cif", _form(document, asked))
    if replies:
        merged = with_replies(document, replies)
        _refuse_new_errors(entry, replace_data(source, merged), options)
        write_bytes(folder, "merged.cif", merged)
        write_json(folder, "replies.json", [[rule, block, reply.response] for (rule, block), reply in replies.items()])
    return {"replies": len(replies), "asked": len(asked)}


def _problems(entry: FileReport) -> dict[Key, tuple[str, str]]:
    """What each rule says first of each block, and the level, by rule and block."""
    found: dict[Key, tuple[str, str]] = {}
    for finding in entry.findings:
        if finding.location.block and finding.level and len(found) < _MOST:
            found.setdefault((finding.rule, finding.location.block), (finding.message, finding.level))
    return found


def _replies(given: list[list[str]], problems: Mapping[Key, tuple[str, str]]) -> dict[Key, Reply]:
    """The replies with the problems that they answer.

    Raises
    ------
    Refused
        If one answers to no alert of the report.
    """
    replies = {}
    for rule, block, response in given:
        known = {(code, name.casefold()): (code, name) for code, name in problems}
        key = known.get((rule.upper(), block.casefold()))
        if key is None:
            raise Refused(422, f"the report has no alert {rule[:20]} in a block {block[:80]}")
        replies[key] = Reply(" ".join(problems[key][0].split()), response.replace("\r\n", "\n").strip())
    return replies


def _form(document: Document, replies: Mapping[Key, Reply]) -> bytes:
    """The reply forms alone, each below the head of its block."""
    blocks = [block.name for block in document.blocks if any(block.name == name for _, name in replies)]
    head = "#\\#CIF_2.0\n" + "".join(f"data_{name}\n" for name in blocks)
    return with_replies(read(Source("vrf.cif", head.encode())), replies)


def _refuse_new_errors(before: FileReport, source: Source, options: CheckOptions) -> None:
    """Refuse replies whose characters the file cannot hold."""
    after, _ = checked(read(source), options)
    if after.count(Severity.ERROR) > before.count(Severity.ERROR):
        known = {finding.message for finding in before.findings}
        new = next((finding for finding in after.findings if finding.message not in known), None)
        words = f": {new.message}" if new else ""
        raise Refused(422, f"with these replies the file would have an error that it has not now{words}")
