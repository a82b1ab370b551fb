"""Run the conformance suite on a tool: `python conformance/run.py run --tool NAME`.

Standard library only. Commands: `run`, `list`, `smoke`, `tools`. Exit status: 0 all that was judged
passed, 1 some case failed or errored, 2 wrong usage or a wrong adapter.
"""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from runner import adapter as adapters
from runner import cases as suite
from runner.adapter import Adapter, AdapterError
from runner.run import Runner, Settings, report
from runner.show import render
from runner.smoke import smoke
from runner.tool import open_tool

UNUSABLE = 2
LISTED = ("id", "kind", "version", "title", "conforming")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser("run.py", description=__doc__.splitlines()[0])
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the cases on a tool")
    add_tool(run)
    add_selection(run)
    run.add_argument("--depth", choices=tuple(adapters.DEPTHS), default="C", help="how deep to judge (default: C)")
    run.add_argument("--skip", action="append", default=[], metavar="PATTERN=REASON")
    run.add_argument("--skip-file", metavar="FILE", help="one PATTERN REASON in each line")
    run.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="commands side by side")
    run.add_argument("--format", choices=("text", "json", "badge"), default="text")
    run.add_argument("-o", "--output", metavar="FILE", help="write the report to FILE")
    run.add_argument("--no-smoke", action="store_true", help="run even if the smoke test fails")
    run.add_argument("--unclaimed", action="store_true", help="judge also what the tool does not claim")
    run.set_defaults(act=run_suite)
    listed = commands.add_parser("list", help="list the cases")
    add_selection(listed)
    listed.add_argument("--format", choices=("text", "json"), default="text")
    listed.set_defaults(act=list_cases)
    smoked = commands.add_parser("smoke", help="try the adapter of a tool")
    add_tool(smoked)
    smoked.set_defaults(act=run_smoke)
    commands.add_parser("tools", help="list the adapters").set_defaults(act=list_tools)
    return top


def add_tool(command: argparse.ArgumentParser) -> None:
    """The arguments that name a tool."""
    group = command.add_mutually_exclusive_group(required=True)
    group.add_argument("--tool", metavar="NAME|FILE.json", help="adapter of the suite, or a file of yours")
    group.add_argument("--command", metavar="WORDS", help="a command with {file}: status 0 accepts, 1 refuses")
    group.add_argument("--harness", metavar="WORDS", help="a command that answers lines of JSON with our codes")
    command.add_argument("--timeout", type=float, default=20.0, metavar="SECONDS", help="for one case (default: 20)")


def add_selection(command: argparse.ArgumentParser) -> None:
    """The arguments that select cases."""
    command.add_argument("--only", action="append", default=[], metavar="PATTERN", help="family, code, id or glob")


def adapter_of(given: argparse.Namespace) -> Adapter:
    """The adapter that the command line names or describes."""
    if given.tool:
        return adapters.load(given.tool)
    if given.command:
        words = shlex.split(given.command)
        if not any("{file}" in word for word in words):
            words.append("{file}")
        return Adapter(words[0], {"command": words, "claims": {"depth": "A"}})
    words = shlex.split(given.harness)
    return Adapter(words[0], {"harness": words, "claims": {"depth": "C", "values": True, "generate": False}})


def run_suite(given: argparse.Namespace) -> int:
    """Run the cases, write the report."""
    cases = suite.select(suite.load(), given.only)
    if not cases:
        raise AdapterError(f"no case is meant by {', '.join(given.only)}; `run.py list` shows them")
    adapter = usable(given)
    tool = open_tool(adapter, given.timeout)
    try:
        found = smoke(tool, adapter)
        if found.blame != "nobody":
            sys.stderr.write(f"smoke test: the {found.blame} is wrong: {found.reason}\n")
            if found.blame == "adapter" and not given.no_smoke:
                return UNUSABLE
        settings = Settings(given.depth, skips_of(given), max(1, given.jobs), given.unclaimed)
        runner = Runner(tool, adapter, settings)
        results = runner.run(cases)
        outcome = report(adapter, tool.version(), results, runner)
    finally:
        tool.close()
    outcome["smoke"] = {"blame": found.blame, "reason": found.reason}
    write(given.output, render(outcome, given.format))
    return int(outcome["counts"]["failed"] + outcome["counts"]["errored"] > 0)


def usable(given: argparse.Namespace) -> Adapter:
    """The adapter, if its tool can be run here."""
    adapter = adapter_of(given)
    why = adapter.why_unusable()
    if why:
        raise AdapterError(f"{adapter.name}: {why}")
    return adapter


def skips_of(given: argparse.Namespace) -> dict[str, str]:
    """Patterns with the reason to skip what they mean; a skip without a reason is refused."""
    entries = [entry.partition("=")[::2] for entry in given.skip]
    if given.skip_file:
        lines = Path(given.skip_file).read_text(encoding="utf-8").splitlines()
        entries += [line.strip().partition(" ")[::2] for line in lines if line.strip() and not line.startswith("#")]
    for pattern, reason in entries:
        if not reason.strip():
            raise AdapterError(f"--skip {pattern}: a skip needs a reason, PATTERN=REASON")
    return {pattern: reason.strip() for pattern, reason in entries}


def run_smoke(given: argparse.Namespace) -> int:
    """Say whether the adapter or the tool is wrong."""
    adapter = usable(given)
    tool = open_tool(adapter, given.timeout)
    try:
        found = smoke(tool, adapter)
    finally:
        tool.close()
    sys.stdout.write("sound\n" if found.blame == "nobody" else f"the {found.blame} is wrong: {found.reason}\n")
    return {"nobody": 0, "tool": 1, "adapter": UNUSABLE}[found.blame]


def list_cases(given: argparse.Namespace) -> int:
    """Print the cases."""
    cases = suite.select(suite.load(), given.only)
    if given.format == "json":
        rows = [{name: getattr(case, name) for name in LISTED} for case in cases]
        write(None, json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        write(None, "\n".join(f"{case.id:<58} {case.title}" for case in cases))
    return 0


def list_tools(_given: argparse.Namespace) -> int:
    """Print the adapters and whether their tools can be run here."""
    lines = []
    for name in adapters.names():
        why = adapters.load(name).why_unusable()
        lines.append(f"{name:<16} {why or 'ready'}")
    write(None, "\n".join(lines))
    return 0


def write(path: str | None, text: str) -> None:
    """Write to a file or to standard output."""
    if path:
        Path(path).write_text(text + "\n", encoding="utf-8")
    else:
        sys.stdout.write(text + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a wrong call or adapter is told in one line."""
    given = parser().parse_args(arguments)
    try:
        return given.act(given)
    except (AdapterError, OSError, ValueError) as error:
        sys.stderr.write(f"run.py: {error}\n")
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
