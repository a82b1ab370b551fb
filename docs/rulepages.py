"""One page a rule, from its prose and from the files of its cases; made when the site is built, not kept."""

from pathlib import Path

import examples
from imgcif_core.checks.families import FAMILIES
from imgcif_core.checks.registry import HEADINGS, Rule, load_rules

ROOT = Path(__file__).parents[1]
MOST_CASES = 5
MOST_LINES = 80


def write(folder: Path) -> None:
    """The pages, and the page that lists them; pages that are as they were are left alone."""
    folder.mkdir(exist_ok=True)
    texts = {folder / "index.md": index()}
    texts |= {folder / f"{rule.code}.md": page(rule) for rule in load_rules().values()}
    for path in folder.glob("*.md"):
        if path not in texts:
            path.unlink()
    for path, text in texts.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def index() -> str:
    """All rules by family."""
    lines = ["# Rules", "", "Severities are those of the default profile; `imgcif explain CODE` prints the same prose."]
    for family in FAMILIES:
        members = [rule for rule in load_rules().values() if rule.family == family.letters]
        if members:
            lines += ["", f"## {family.letters}: {family.title}", "", "| rule | name | severity |", "|---|---|---|"]
            lines += [f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} |" for rule in members]
    known = {family.letters for family in FAMILIES}
    codes = [rule.code for rule in load_rules().values() if rule.family in known]
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", *codes, "```", ""])


def page(rule: Rule) -> str:
    """One rule."""
    lines = [f"# {rule.code} {rule.name}", "", f"Severity: {rule.severity}. Who can mend it: {rule.who}.", ""]
    for heading in HEADINGS:
        if rule.prose.get(heading):
            lines += [f"**{heading}.** {rule.prose[heading]}", ""]
    cases = examples.cases_of(rule)
    fails = [case for case in cases if examples.told(rule, case)]
    passes = [case for case in cases if not examples.told(rule, case)]
    for title, chosen in (("Files that fail", fails), ("Files that pass", passes)):
        if chosen:
            lines += [f"## {title}", ""]
        for number, case in enumerate(chosen[:MOST_CASES]):
            lines += _case(rule, case, is_whole=number == 0)
        if len(chosen) > MOST_CASES:
            lines += [f"And {len(chosen) - MOST_CASES} more:", ""]
            lines += [f"- {case['title']}: `{_named(rule, case)}`" for case in chosen[MOST_CASES:]] + [""]
    return "\n".join(lines)


def _named(rule: Rule, case: dict[str, object]) -> str:
    """Where the file of a case lies."""
    return (examples.folder_of(rule) / str(case["input"])).resolve().relative_to(ROOT.resolve()).as_posix()


def _case(rule: Rule, case: dict[str, object], *, is_whole: bool) -> list[str]:
    """A case: its title, what makes it of its base, and for the first one the whole file folded."""
    title = str(case["title"])
    path = examples.folder_of(rule) / str(case["input"])
    lines = [f"### {title[:1].upper()}{title[1:]}", "", f"File `{_named(rule, case)}` of the source tree.", ""]
    changed = examples.changed_lines(rule, case)  # type: ignore[arg-type]
    if changed and case.get("base"):
        lines += ["````diff", *changed, "````", ""]
    if not is_whole:
        return lines
    text = examples.text_of(path)
    if text is None:
        return [*lines, f"`{path.name}` holds binary data ({path.stat().st_size} bytes).", ""]
    shown = text.splitlines()
    more = [f"... and {len(shown) - MOST_LINES} more lines"] if len(shown) > MOST_LINES else []
    fence = "`" * 6
    body = [line.replace("\t", " ") for line in shown[:MOST_LINES]]
    # Folded by plain HTML, which needs no extension; the blank lines let the fence be read as Markdown.
    folded = [
        "<details>",
        f"<summary>{path.name}</summary>",
        "",
        f"{fence}text",
        *body,
        *more,
        fence,
        "",
        "</details>",
        "",
    ]
    return [*lines, *folded]
