"""The findings on the page: the grave ones at a glance, then each rule with its places, remedy, reasons and reply."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from imgcif_core.findings import LEVELS, FileReport, Finding, Severity
from imgcif_core.records import dataclass, field
from imgcif_core.render.escaping import bidi_safe, text
from imgcif_core.render.excerpt import excerpt_of
from imgcif_core.render.summary import needs_nothing, numbered, place, ranked, repeats

Prose = Mapping[str, Mapping[str, str]]
# How many findings of one rule are shown in full, how many rules, and how many lines the glance has.
SHOWN_OF_A_RULE = 12
SHOWN_RULES = 120
GLANCE = 12
ROOM = 100
MEANINGS = {
    "A": "most likely serious: resolve it, or justify it in a reply",
    "B": "potentially serious: consider it",
    "C": "check that it is right",
    "G": "general information, which can be left as it is",
}
_BY_SEVERITY = {Severity.ERROR: "A", Severity.WARNING: "B", Severity.INFO: "G"}
_WHO = {
    "author": "the author",
    "beamline": "the beamline",
    "program": "the program that wrote the file",
    "dictionary": "the maintainers of the dictionary",
    "journal": "the journal",
}


@dataclass
class Group:
    """All findings of one rule and level; `findings` holds the first ones."""

    level: str
    number: int
    first: Finding
    count: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """The name of the group within its page."""
        return f"f{self.number}"


def level_of(finding: Finding) -> str:
    """The letter of a finding; where no profile gave one, that of its severity."""
    return finding.level if finding.level in LEVELS else _BY_SEVERITY[finding.severity]


def groups_of(entry: FileReport, number: int) -> list[Group]:
    """Findings by level and rule, the gravest level first, and what prevents interpretation before the rest."""
    found: dict[tuple[str, str], Group] = {}
    order = sorted(ranked(entry.findings, by_alert=True), key=lambda finding: LEVELS.index(level_of(finding)))
    for finding in order:
        key = level_of(finding), finding.rule
        group = found.setdefault(key, Group(key[0], 1000 * number + len(found), finding))
        group.count += 1
        if len(group.findings) < SHOWN_OF_A_RULE:
            group.findings.append(finding)
    return list(found.values())


def counts(entry: FileReport) -> dict[str, int]:
    """How many findings each level has."""
    found = dict.fromkeys(LEVELS, 0)
    for finding in entry.findings:
        found[level_of(finding)] += 1
    return found


def levels_legend(entry: FileReport) -> str:
    """What the letters mean, with the numbers of findings."""
    rows = "".join(
        f'<tr><td>{badge(level)}</td><td class="n">{count}</td><td>{MEANINGS[level]}</td></tr>'
        for level, count in counts(entry).items()
    )
    head = '<tr><th scope="col">Level</th><th scope="col" class="n">Alerts</th><th scope="col">Meaning</th></tr>'
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def badge(level: str) -> str:
    """The letter in its shape."""
    return f'<span class="level {level}">{level}</span>'


def glance(groups: Iterable[Group], entry: FileReport) -> Iterator[str]:
    """One line for each alert of the levels A and B, so that a decision can be taken from the first page."""
    grave = [group for group in groups if group.level in ("A", "B")]
    if not grave:
        return
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Level", "Alert", "Mended by", "Reply"))
    yield f'<h3>Alerts of levels A and B</h3><table class="stack"><thead><tr>{heads}</tr></thead><tbody>'
    for group in grave[:GLANCE]:
        finding = group.first
        more = f" <small>and {group.count - 1} more like it</small>" if group.count > 1 else ""
        link = f'<a href="#{group.anchor}">{text(finding.rule)}</a>'
        yield (
            f'<tr><td>{badge(group.level)}</td><td data-head="Alert">{link} '
            f'{bidi_safe(finding.message, 220)}{more}</td><td data-head="Who">{text(finding.who or "author")}</td>'
            f'<td class="short" data-head="Reply">{_reply_word(group, entry)}</td></tr>'
        )
    yield "</tbody></table>"
    if len(grave) > GLANCE:
        yield f"<p>{numbered(len(grave) - GLANCE, 'more rule')} with alerts of levels A and B below.</p>"


def _who(finding: Finding) -> str:
    return _WHO.get(finding.who, finding.who or "the author")


def _reply_word(group: Group, entry: FileReport) -> str:
    """Whether the author has replied to the alerts of a group."""
    if group.first.reply is not None:
        return "replied"
    return "<strong>no reply</strong>" if group.level in entry.replies else "not asked for"


def details(groups: list[Group], entry: FileReport, prose: Prose, *, verbose: bool) -> Iterator[str]:
    """All groups in full; level G folded away unless `verbose` is true."""
    for level in LEVELS:
        own = [group for group in groups[:SHOWN_RULES] if group.level == level]
        idle = [group for group in own if all(map(needs_nothing, group.findings))]
        own = [group for group in own if group not in idle]
        if level != "G":
            for group in (*own, *idle):
                yield from _article(group, entry, prose)
            continue
        for found, words in ((own, "general information"), (idle, "for which nothing is needed")):
            if found:
                number = sum(group.count for group in found)
                opened = " open" if verbose and found is own else ""
                yield f"<details{opened}><summary>{numbered(number, 'alert')} of level G, {words}</summary>"
                for group in found:
                    yield from _article(group, entry, prose)
                yield "</details>"
    if len(groups) > SHOWN_RULES:
        left = numbered(len(groups) - SHOWN_RULES, "more rule")
        yield f"<p>{left} with findings not shown; the JSON report has all.</p>"


def _article(group: Group, entry: FileReport, prose: Prose) -> Iterator[str]:
    """One rule: its name, its places, the remedy, who can mend it, the reasons folded, the reply."""
    finding = group.first
    name = finding.alert or finding.rule
    yield f'<article class="{group.level}" id="{group.anchor}">'
    yield f"<h4>{badge(group.level)}{text(name)} <small>{text(finding.name)}, {finding.severity}</small></h4>"
    helps = {entry.help for entry in group.findings}
    shared = helps.pop() if len(helps) == 1 else ""
    if len(group.findings) == 1:
        yield "".join(_place(finding, own_help=not shared))
    else:
        yield "<ol>"
        for other in group.findings:
            yield f"<li>{''.join(_place(other, own_help=not shared))}</li>"
        yield "</ol>"
    if group.count > len(group.findings):
        yield f"<p>{numbered(group.count - len(group.findings), 'more finding')} of {text(finding.rule)} not shown.</p>"
    if shared:
        yield _remedy(shared)
    yield f'<p class="who"><b>Who can mend it:</b> {text(_who(finding))}</p>'
    yield from _explanation(finding.rule, prose)
    yield from _replies(group, entry)
    yield "</article>"


def _place(finding: Finding, *, own_help: bool) -> Iterator[str]:
    """What is said of one place, with its line."""
    span = finding.location.span
    where = f"line {place(finding)}" if span else place(finding)
    item = f", {finding.location.item}" if span and finding.location.item else ""
    yield f"<p>{bidi_safe(finding.message)} <small>({text(where + item, 400)})</small></p>"
    excerpt = excerpt_of(finding, ROOM)
    if excerpt is not None and not excerpt.marked.lower().startswith("data_"):
        before, marked, after = map(escape, excerpt)
        yield f'<pre tabindex="0">{before}<mark>{marked}</mark>{after}</pre>'
    if finding.count > 1:
        yield f"<p><small>{text(repeats(finding))}</small></p>"
    if own_help and finding.help:
        yield _remedy(finding.help)


def _remedy(words: str) -> str:
    return f'<p class="remedy"><b>Remedy:</b> {bidi_safe(words)}</p>'


def _explanation(code: str, prose: Prose) -> Iterator[str]:
    """The prose of a rule, folded."""
    told = prose.get(code)
    if told:
        parts = "".join(f"<p><b>{text(head)}:</b> {text(words)}</p>" for head, words in told.items())
        yield f"<details><summary>What {text(code)} checks, and why</summary>{parts}</details>"


def _replies(group: Group, entry: FileReport) -> Iterator[str]:
    """What the author replied in each block; else a box to reply in, where that is asked for."""
    blocks: dict[str, Finding] = {}
    for finding in group.findings:
        blocks.setdefault((finding.location.block or "").casefold(), finding)
    for finding in blocks.values():
        if finding.reply is not None:
            words = bidi_safe(finding.reply.response) if finding.reply.response else "empty"
            yield f'<div class="reply"><b>Reply of the author:</b> {words}</div>'
        elif group.level in entry.replies or (group.level == "A" and not entry.replies):
            yield from _box(finding)


def old_replies(entry: FileReport) -> Iterator[str]:
    """The replies in the file to which there is no alert."""
    if not entry.old_replies:
        return
    yield "<h4>Replies without an alert</h4><ul>"
    for old in entry.old_replies:
        words = bidi_safe(old.reply.response) if old.reply.response else "empty"
        head = f"{text(old.rule)} in block {bidi_safe(old.block, 200)}, <strong>{text(old.state)}</strong>"
        yield f'<li class="reply">{head}: {words}</li>'
    yield "</ul>"


def _box(finding: Finding) -> Iterator[str]:
    """A box to write in, and the form that brings a reply into the file."""
    block = finding.location.block or ""
    form = f"_vrf_{finding.rule}_{block}\n;\nPROBLEM: {finding.message}\nRESPONSE: ...\n;"
    label = f"Reply to {finding.rule}" + (f" in block {block}" if block else "")
    yield f'<div class="reply"><label><b>{text(label, 200)}:</b> <textarea rows="2"></textarea></label>'
    if block:
        yield (
            "<details><summary>How to give a reply within the file</summary><p>Put this at the end of the block, with "
            f'your words in place of the dots:</p><pre tabindex="0">{_lines(form)}</pre></details>'
        )
    yield "</div>"


def _lines(form: str) -> str:
    """Several lines, each made safe by itself."""
    return "\n".join(text(line) for line in form.split("\n"))
