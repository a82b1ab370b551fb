"""`imgcif explain`: what a rule means."""

import argparse
import sys

from imgcif_core.commands.common import emit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `imgcif explain`."""
    parser.add_argument("code", help="code or name of a rule")


def run(given: argparse.Namespace) -> int:
    """Print a rule's prose."""
    import textwrap

    from imgcif_core import api
    from imgcif_core.checks.examples import examples_of

    rule = api.explain(given.code)
    lines = [f"{rule.code} {rule.name} ({rule.severity})", ""]
    for head, text in rule.prose.items():
        lines += [head, *textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="  "), ""]
    for example in examples_of(rule.code):
        lines += [f"Example that {'fails' if example.fails else 'passes'}: {example.title}"]
        lines += [*(f"  {line}".rstrip() for line in example.lines), ""]
    emit(sys.stdout, "\n".join(lines).rstrip())
    return 0
