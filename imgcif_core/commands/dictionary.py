"""`imgcif dictionary`: compile, show, lint and compare DDLm dictionaries."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from imgcif_core.commands.common import emit, write
from imgcif_core.findings import Severity


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `imgcif dictionary`."""
    commands = parser.add_subparsers(required=True, metavar="ACTION")
    actions: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
        "compile": (_compile, "write the facts table of a dictionary and all that it imports"),
        "show": (_show, "print what the dictionary says of an item or category"),
        "lint": (_lint, "check a DDLm dictionary itself"),
        "diff": (_diff, "what two editions of a dictionary define differently"),
    }
    for name, (command, text) in actions.items():
        action = commands.add_parser(name, help=text)
        if name == "show":
            action.add_argument("names", nargs="+", metavar="NAME", help="item or category")
            action.add_argument(
                "--dictionary", action="append", default=[], metavar="FILE", dest="files", help="dictionary"
            )
        elif name == "diff":
            action.add_argument("old", metavar="A.dic", help="the older dictionary")
            action.add_argument("new", metavar="B.dic", help="the newer dictionary")
            action.add_argument("--format", choices=("text", "json"), default="text", help="form (default: text)")
        else:
            action.add_argument("files", nargs="+", metavar="FILE.dic", help="DDLm dictionary")
        action.add_argument(
            "--dictionary-path", action="append", default=[], metavar="DIR", help="where imports are looked for"
        )
        if name == "compile":
            action.add_argument("-o", "--output", required=True, metavar="FILE", help="facts table to write")
        if name == "lint":
            action.add_argument("--mentions", action="store_true", help="names in texts that nothing defines, too")
        action.set_defaults(action=command)


def _compile(given: argparse.Namespace) -> int:
    """Compile dictionaries to a facts table."""
    from imgcif_core.ddlm.compile import compile_facts

    text = compile_facts([Path(file) for file in given.files], [Path(path) for path in given.dictionary_path])
    write(given.output, text, given.files)
    return 0


def _show(given: argparse.Namespace) -> int:
    """Print facts of items and categories."""
    from imgcif_core import api
    from imgcif_core.ddlm.show import show

    dictionary = api.load_dictionary(given.files, given.dictionary_path)
    emit(sys.stdout, "\n\n".join(show(dictionary, name) for name in given.names))
    return 0


def _lint(given: argparse.Namespace) -> int:
    """Print what is wrong with dictionaries."""
    from imgcif_core.ddlm.lint import lint

    search = given.dictionary_path
    problems = [entry for file in given.files for entry in lint(Path(file), search, mentions=given.mentions)]
    emit(sys.stdout, "\n".join(map(str, problems)) if problems else "no faults found")
    return int(any(entry.severity is Severity.ERROR for entry in problems))


def _diff(given: argparse.Namespace) -> int:
    """Print what differs; status 1 if something does."""
    import json

    from imgcif_core import api
    from imgcif_core.ddlm.diff import SCHEMA, compare, diff_text

    old, new = (api.load_dictionary([name], given.dictionary_path, is_lenient=True) for name in (given.old, given.new))
    changes = compare(old, new)
    if given.format == "json":
        titles = [{"title": entry.title, "version": entry.version, "sha256": entry.sha256} for entry in (old, new)]
        document = {"schema": SCHEMA, "old": titles[0], "new": titles[1], "changes": [one.as_dict() for one in changes]}
        emit(sys.stdout, json.dumps(document, indent=1))
    else:
        emit(sys.stdout, diff_text(old, new, changes))
    return int(bool(changes))


def run(given: argparse.Namespace) -> int:
    """Carry out the action that was named."""
    return int(given.action(given))
