"""`imgcif merge`: one report of many runs."""

import argparse

from imgcif_core.commands.common import write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif merge`."""
    add = parser.add_argument
    add("lines", nargs="+", metavar="OUT.jsonl", help="what `imgcif-check --format jsonl -o OUT.jsonl` wrote")
    add("--format", choices=("html", "json", "csv"), default="html", help="form of the report (default: html)")
    add("-o", "--output", metavar="FILE", help="write the report to FILE")


def run(given: argparse.Namespace) -> int:
    """Write the report; it judges nothing, so that the status is 0."""
    from imgcif_core.batch.merge import merged, rendered
    from imgcif_core.output import refuse_output

    if given.output is not None:
        refuse_output(given.output, inputs=given.lines)
    write(given.output, rendered(merged(given.lines), given.format), given.lines)
    return 0
