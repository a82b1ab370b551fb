"""`imgcif diff`: what moved between two files, and which names and values differ."""

import argparse
import sys

from imgcif_core.commands.common import emit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif diff`."""
    parser.add_argument("first", metavar="A", help="an imgCIF or CBF")
    parser.add_argument("second", metavar="B", help="the one to hold against it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form of what is printed")


def run(given: argparse.Namespace) -> int:
    """Print what differs; 0 where nothing does, 1 where something does."""
    from imgcif_core import api
    from imgcif_core.render.json import dumps
    from imgcif_core.show.difference import as_text, difference

    found = difference(api.read(given.first), api.read(given.second), api.load_dictionary())
    emit(sys.stdout, dumps(found) if given.format == "json" else as_text(found))
    return 0 if found["alike"] else 1
