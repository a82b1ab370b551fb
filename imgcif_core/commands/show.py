"""`imgcif show`: the geometry passport."""

import argparse
import sys

from imgcif_core.commands.common import emit
from imgcif_core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif show`."""
    parser.add_argument("file", help="imgCIF or CBF file, or - for standard input")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="form (default: text)")
    parser.add_argument(
        "--schema", type=int, choices=(1, 2), help="of --format json; 2 adds axes, chains and settings (default: 1)"
    )
    programs = ("xds", "dials", "crystfel", "nexus", "mosflm")
    parser.add_argument(
        "--terms", choices=programs, help="the numbers that one program is told, and the rule of conversion"
    )
    parser.add_argument("--frame", type=int, metavar="N", help="settings at the start of frame N of each scan")


def run(given: argparse.Namespace) -> int:
    """Print the geometry passport of a file."""
    import json

    from imgcif_core import api
    from imgcif_core.show import geometry, geometry2, passport_text

    if given.schema is not None and given.format != "json":
        raise UsageError("--schema is the number of the JSON schema; give --format json with it")
    document = api.read(sys.stdin.buffer, name="<stdin>") if given.file == "-" else api.read(given.file)
    dictionary = api.load_dictionary()
    if given.terms is not None:
        from imgcif_core.export import make_plan
        from imgcif_core.export.files import LocalFiles
        from imgcif_core.export.terms import terms_text

        if given.format != "text" or given.frame is not None:
            raise UsageError("--terms is text, for the start of each scan; leave --format and --frame out")
        text = terms_text(make_plan(document, dictionary, LocalFiles()), given.terms)
    elif given.format == "json":
        numbers = geometry2 if given.schema == 2 else geometry
        text = json.dumps(numbers(document, dictionary, frame=given.frame), indent=2)
    else:
        text = passport_text(document, dictionary, frame=given.frame)
    emit(sys.stdout, text)
    return 0
