"""`imgcif derive`: values that the methods of dictionaries give, with the path of derivation."""

import argparse
import json
import sys

from imgcif_core.commands.common import emit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("file", help="an imgCIF or CIF file, or - for standard input")
    add("items", nargs="*", metavar="ITEM", help="data names or categories (default: all that is not in the file)")
    add("--format", choices=("text", "json"), default="text")
    add("--dictionary", action="append", default=[], metavar="FILE", help="a dictionary with methods (repeatable)")
    add("--dictionary-path", action="append", default=[], metavar="DIR", help="where imports are looked for")
    add("--lenient-imports", action="store_true", help="do without what an import lacks")
    add("--seconds", type=float, default=60.0, metavar="S", help="time that all methods may take (default: 60)")


def run(options: argparse.Namespace) -> int:
    """Print what can be derived; status 1 if something that was asked for cannot."""
    from imgcif_core import api
    from imgcif_core.ddlm.drel.budget import Limits
    from imgcif_core.derive.dictionaries import dictionary_for
    from imgcif_core.derive.listing import SCHEMA, derivations
    from imgcif_core.derive.text import listing_text

    dictionary = dictionary_for(options.dictionary, options.dictionary_path, lenient=options.lenient_imports)
    is_stream = options.file == "-"
    document = api.read(sys.stdin.buffer, name="<stdin>") if is_stream else api.read(options.file)
    limits = Limits(seconds=min(5.0, options.seconds), total_seconds=options.seconds)
    blocks = derivations(document, dictionary, options.items, limits=limits)
    if options.format == "json":
        identities = [entry.as_dict() for entry in api.identities(dictionary)]
        report = {"schema": SCHEMA, "dictionaries": identities}
        report["files"] = [{"path": document.source.path, "blocks": blocks}]
        text = json.dumps(report, indent=1)
    else:
        text = listing_text(blocks, document.source.path)
    emit(sys.stdout, text)
    return int(any(block["not_derived"] for block in blocks))
