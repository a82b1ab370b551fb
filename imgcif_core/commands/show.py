"""`imgcif show`: the geometry passport."""

import argparse
import sys

from imgcif_core.commands.common import emit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif show`."""
    parser.add_argument("file")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--frame", type=int, metavar="N", help="settings at the start of frame N of each scan")


def run(given: argparse.Namespace) -> int:
    """Print the geometry passport of a file."""
    import json

    from imgcif_core import api
    from imgcif_core.show import geometry, passport_text

    document = api.read(sys.stdin.buffer, name="<stdin>") if given.file == "-" else api.read(given.file)
    dictionary = api.load_dictionary()
    if given.format == "json":
        text = json.dumps(geometry(document, dictionary, frame=given.frame), indent=2)
    else:
        text = passport_text(document, dictionary, frame=given.frame)
    emit(sys.stdout, text)
    return 0
