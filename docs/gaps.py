"""Write docs/dictionary-gaps.md from docs/dictionary-gaps.json and the overlay of corrections.

`python docs/gaps.py cif_img.dic` judges that dictionary first, and writes the data anew.
"""

import json
import sys
from pathlib import Path

from imgcif_core.ddlm.compile import load_overlay

HERE = Path(__file__).parent
DATA = HERE / "dictionary-gaps.json"
TARGET = HERE / "dictionary-gaps.md"
SEVERITIES = {"error": "Errors", "warning": "Warnings", "info": "Advice"}


def judge(path: Path) -> str:
    """What lint says of a dictionary, as the data of the page."""
    from imgcif_core.ddlm.lint import lint
    from imgcif_core.ddlm.load import Loader

    file = Loader([]).file(path)
    found = [
        {"severity": str(problem.severity), "code": problem.code, "line": problem.line, "message": problem.message}
        for problem in lint(path)
    ]
    head = {"title": file.title, "version": file.version, "date": file.date, "sha256": file.source.sha256}
    rows = ",\n".join("  " + json.dumps(row) for row in found)
    return "{\n" + f' "dictionary": {json.dumps(head)},\n "problems": [\n{rows}\n ]\n}}\n'


def page() -> str:
    """The page as Markdown."""
    data = json.loads(DATA.read_text(encoding="utf-8"))
    head, overlay = data["dictionary"], load_overlay()
    lines = [
        "# Gaps in the imgCIF dictionary",
        "",
        "Made from data by `python docs/make.py`; for the maintainers of the dictionary, and for those who wonder why",
        "a finding speaks of a dictionary gap.",
        "",
        f"Judged: {head['title']} {head['version']} of {head['date']}, SHA-256 `{head['sha256']}`,",
        "by `imgcif dictionary lint`. Lines are those of that file.",
    ]
    for severity, title in SEVERITIES.items():
        rows = [row for row in data["problems"] if row["severity"] == severity]
        if rows:
            lines += ["", f"## {title}", "", "| line | kind | what |", "|---|---|---|"]
            lines += [f"| {row['line']} | {row['code']} | {_cell(row['message'])} |" for row in rows]
    lines += ["", "## What the checker adds or sets aside", ""]
    lines += [
        "Each entry of the overlay that is laid over the compiled facts.",
        "",
        "| name | what | why |",
        "|---|---|---|",
    ]
    for kind in ("item", "category", "undefined"):
        for name, change in overlay[kind].items():
            what = ", ".join(f"{key} {_listed(value)}" for key, value in change.items() if key != "reason")
            lines.append(f"| `{name}` | {_cell(what or 'spoken of, not defined')} | {_cell(change['reason'])} |")
    lines += ["", "## Mandatory codes of the DDL2 edition", ""]
    lines += ["DDLm has no mandatory items; the DDL2 edition demanded these, and programs for CBF still do:", ""]
    lines += [f"- `{name}`" for name in overlay["ddl2"]["mandatory"]]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A text safe in a table of Markdown."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def _listed(value: object) -> str:
    """A value of the overlay for a person."""
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        DATA.write_text(judge(Path(sys.argv[1])), encoding="utf-8")
    TARGET.write_text(page(), encoding="utf-8")
