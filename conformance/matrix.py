"""Run the suite on all tools that can be run here and write the page that compares them.

`python conformance/matrix.py -o docs/matrix.md`; without `-o` the page goes to standard output.
Standard library only. A tool is judged on what it claims; its adapter says what that is.
"""

import argparse
import datetime
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from runner import adapter as adapters
from runner import cases as suite
from runner.adapter import Adapter
from runner.judge import Result, count
from runner.run import Runner, Settings
from runner.tool import open_tool

DUMMIES = ("accept-all", "reject-all")
FIRST = ("imgcif",)
# The same checker by another way in.
DOUBLES = ("imgcif-check",)
INTRODUCTION = """\
# How real tools do

Made by `python conformance/matrix.py -o docs/matrix.md` from a run of the
[conformance suite](../conformance/README.md) on {date}: {cases} cases, dictionary {dictionary}.
The dummies show what a tool scores that does not look at the files.

A tool is judged on the cases that it claims, no others; what it claims, and from where that is taken,
stands in its adapter in `conformance/adapters`, and further down on this page. *Legal* counts files that
it rightly accepts, *faulty* files that it rightly refuses or reports, *values* files whose values it
reads as they are meant, *codes* cases in which it says just the right thing. A reader of CIF is no
validator: numbers in different columns are not to be compared.

If your tool is judged wrongly, the case or the adapter may be at fault: each case cites its source.
"""
LEGEND = """\
*Places*: item and line are right as well. *Made*: imgCIF that means what was measured.
*No answer*: crash, time limit or unreadable output. *Time*: sum over the cases, of which several run at a time."""


@dataclass(frozen=True)
class Run:
    """One tool with its results."""

    adapter: Adapter
    version: str
    results: list[Result]
    remarks: int

    @property
    def judged(self) -> list[Result]:
        """The results of cases that the tool claims."""
        return [result for result in self.results if result.outcome != "skipped"]


def run_tool(name: str, cases: list[suite.Case], timeout: float) -> Run | str:
    """The run of one tool, or why there is none."""
    adapter = adapters.load(name)
    why = adapter.why_unusable()
    if why:
        return why
    tool = open_tool(adapter, timeout)
    try:
        runner = Runner(tool, adapter, Settings("C", jobs=os.cpu_count() or 1))
        results = runner.run(cases)
        return Run(adapter, tool.version(), results, runner.base_remarks())
    finally:
        tool.close()


def share(results: list[Result], level: str) -> str:
    """How many of the results that were judged at a depth passed it."""
    judged = [result.depths[level] for result in results if level in result.depths]
    return f"{sum(judged)}/{len(judged)}" if judged else "–"


def row(run: Run) -> str:
    """The line of a tool in the table."""
    judged = run.judged
    counts = count(judged)
    made = [result for result in judged if result.case.kind == "generate"]
    checks = [result for result in judged if result.case.kind != "generate"]
    legal = [result for result in checks if result.case.conforming]
    faulty = [result for result in checks if not result.case.conforming]
    gives_values = run.adapter.gives_values
    read = [result for result in legal if gives_values and "document" in result.case.expect and result.depths.get("A")]
    checked = [result for result in checks if result not in read]
    cells = [
        f"{run.adapter.name} {run.version if run.version != 'unknown' else ''}".strip(),
        str(len(judged)),
        share(legal, "A"),
        share(faulty, "A"),
        share(read, "B"),
        share(checked, "B"),
        share(checks, "C") if run.adapter.depth == "C" else "–",
        share(made, "B"),
        str(counts["errored"]),
        f"{sum(result.seconds for result in judged):.0f} s",
    ]
    return "| " + " | ".join(cells) + " |"


def details(run: Run) -> list[str]:
    """What a tool claims, what it was not asked, and where it fails."""
    claims = run.adapter.claims
    lines = ["", f"### {run.adapter.name} {run.version}", "", str(run.adapter.data["about"]), ""]
    lines.append(f"- Claims: {', '.join(claims.get('cases', ['all cases']))}{versions(claims)}.{cited(claims)}")
    reasons: dict[str, int] = {}
    for result in run.results:
        if result.outcome == "skipped" and result.case.kind != "generate" and "not among" not in result.reason:
            reason = result.reason.removeprefix("not claimed: ")
            reasons[reason] = reasons.get(reason, 0) + 1
    lines += [f"- Not asked in {number} case{'s' * (number > 1)}: {reason}." for reason, number in reasons.items()]
    if run.remarks:
        lines.append(f"- {run.remarks} remarks on the sound base files are set aside in the cases made from them.")
    groups: dict[str, list[Result]] = {}
    for result in run.judged:
        if result.outcome in ("failed", "errored"):
            groups.setdefault(result.case.id.rpartition("/")[0], []).append(result)
    if groups:
        lines.append("- Differs from the suite in:")
    for name, results in groups.items():
        first = results[0]
        lines.append(f"  - `{name}`: {len(results)}, for example *{plain(first.case.title)}*: {plain(first.reason)}")
    return lines


def versions(claims: dict[str, Any]) -> str:
    """The versions of CIF that a tool claims to read."""
    return f", in CIF {' and '.join(claims['versions'])}" if claims.get("versions") else ""


def cited(claims: dict[str, Any]) -> str:
    """Where the claims are taken from."""
    return f" Source: {claims['source']}." if claims.get("source") else ""


def plain(text: str) -> str:
    """Text of one line in which Markdown sees nothing."""
    shown = " ".join(text.split())
    shown = shown if len(shown) <= 160 else shown[:157] + "..."
    return "".join("\\" + char if char in "\\`*_[]<>|{}" else char for char in shown)


def page(runs: dict[str, Run | str], cases: list[suite.Case], date: str) -> str:
    """The whole page as Markdown."""
    document = next(path for path in suite.DATASETS.glob("dic/*/case.json"))
    named = adapters.json.loads(document.read_text(encoding="utf-8"))["dictionary"]
    lines = [INTRODUCTION.format(date=date, cases=len(cases), dictionary=f"{named['title']} {named['version']}")]
    lines.append("| tool | cases | legal | faulty | values | codes | places | made | no answer | time |")
    lines.append("|---|---|---|---|---|---|---|---|---|---|")
    done = [run for run in runs.values() if isinstance(run, Run)]
    lines += [row(run) for run in done]
    lines += ["", LEGEND]
    missing = {name: why for name, why in runs.items() if isinstance(why, str)}
    if missing:
        lines += ["", "Not run: " + "; ".join(f"{name} ({why})" for name, why in missing.items()) + "."]
    lines += [
        "",
        "Not judged: mmcif-validator of PDBe, which reads dictionaries in DDL2 only, and the suite rests on DDLm.",
    ]
    lines += ["", "## Tool by tool"]
    for run in done:
        if run.adapter.name not in DUMMIES:
            lines += details(run)
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Run all tools, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", metavar="FILE")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--tools", nargs="*", metavar="NAME", help="these tools (default: all)")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    given = parser.parse_args()
    cases = suite.select(suite.load(), given.only)
    others = [name for name in adapters.names() if name not in (*FIRST, *DUMMIES, *DOUBLES)]
    runs: dict[str, Run | str] = {}
    for name in given.tools or [*FIRST, *others, *DUMMIES]:
        runs[name] = run_tool(name, cases, given.timeout)
        sys.stderr.write(f"{name}: {runs[name] if isinstance(runs[name], str) else 'done'}\n")
    text = page(runs, cases, datetime.datetime.now(datetime.UTC).date().isoformat())
    if given.output:
        Path(given.output).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
