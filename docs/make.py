"""Write docs/rules.md from the rules' own prose, docs/dictionary-gaps.md, the report in README.md, the table of
inputs in docs/architecture.md, the pictures of docs/conventions.md and the examples of `imgcif explain`.

`--check` only says whether both are up to date.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import gaps
import pictures

import examples
import imgcif_core
from imgcif_core.checks.families import FAMILIES
from imgcif_core.checks.registry import HEADINGS, Rule, load_rules
from imgcif_core.checks.scaffold import input_table

HERE = Path(__file__).parent
TARGET = HERE / "rules.md"
ARCHITECTURE = HERE / "architecture.md"
README = HERE.parent / "README.md"
SHOWN = re.compile(r"(?<=^```text\n)\$ imgcif-check (\S+)\n.*?(?=^```)", re.M | re.S)


def page() -> str:
    """The whole page as Markdown."""
    rules = load_rules().values()
    lines = [
        "# Rules",
        "",
        "Made from the rules themselves by `python docs/make.py`; the same text is printed by",
        "`imgcif explain CODE`. Severities are those of the default profile.",
    ]
    for family in FAMILIES:
        members = [rule for rule in rules if rule.family == family.letters]
        if members:
            lines += ["", f"## {family.letters}: {family.title}"]
            for rule in members:
                lines += section(rule)
    return "\n".join(lines) + "\n"


def section(rule: Rule) -> list[str]:
    """One rule with its prose and its example files."""
    lines = ["", f"### {rule.code} {rule.name}", "", f"Severity: {rule.severity}; who can mend it: {rule.who}", ""]
    prose = rule.prose
    for heading in HEADINGS:
        lines.append(f"- **{heading}.** {prose.get(heading, '')}")
    folder = HERE.parent / "conformance" / "datasets" / rule.family.lower() / f"{rule.code}-{rule.name}"
    files = sorted(path.name for path in folder.glob("*") if path.name != "case.json")
    if files:
        base = f"../conformance/datasets/{folder.parent.name}/{folder.name}"
        lines.append("- **Examples.** " + ", ".join(f"[{name}]({base}/{name})" for name in files))
    return lines


def readme() -> str:
    """README.md with the report that the checker gives now."""

    def run(match: re.Match[str]) -> str:
        report = imgcif_core.check(HERE.parent / match[1], name=match[1])
        return f"$ imgcif-check {match[1]}\n{imgcif_core.render(report).rstrip()}\n"

    return SHOWN.sub(run, README.read_text(encoding="utf-8"))


def architecture() -> str:
    """docs/architecture.md with the table of what rules can ask for."""
    lines = ["| input | type | made from | what it is |", "|---|---|---|---|"]
    for name, kind, needs, text in input_table():
        shown = kind.replace("|", "\\|")
        lines.append(f"| `{name}` | `{shown}` | {needs} | {text} |")
    before, _, rest = ARCHITECTURE.read_text(encoding="utf-8").partition("<!-- inputs -->\n")
    _, mark, after = rest.partition("<!-- end of inputs -->")
    return before + "<!-- inputs -->\n" + "\n".join(lines) + "\n" + mark + after


def main() -> int:
    """Write all, or say that one is out of date."""
    texts = {TARGET: page(), README: readme(), ARCHITECTURE: architecture(), gaps.TARGET: gaps.page()}
    texts |= {examples.TARGET: examples.table()} | pictures.pictures()
    if "--check" in sys.argv[1:]:
        return int(any(not path.exists() or path.read_text(encoding="utf-8") != text for path, text in texts.items()))
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
