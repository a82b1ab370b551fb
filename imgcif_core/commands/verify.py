"""`imgcif verify`: whether what a manifest confirmed is still as it was."""

import argparse
import json
from pathlib import Path

from imgcif_core.commands.common import write
from imgcif_core.commands.looking import add_looking, looking_of, say_plan
from imgcif_core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif verify`."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="[FILE] MANIFEST", help="the file, where it has moved, and what was written of it")
    add_looking(parser)
    add("--allow-unchecked", action="store_true", help="status 0 although some things were not looked at again")
    add("--format", choices=("text", "json"), default="text", help="form (default: text)")
    add("-o", "--output", metavar="OUT", help="write the outcome to OUT")
    add("--verbose", action="store_true", help="name what is as it was, too")


def run(given: argparse.Namespace) -> int:
    """Say what changed, vanished and is as it was; 1 if anything is not."""
    from imgcif_core import api
    from imgcif_core.manifest.comparing import status_of
    from imgcif_core.manifest.looking import afresh
    from imgcif_core.manifest.reading import dois_in, links_in, read_manifest
    from imgcif_core.manifest.verification import as_json, as_text, file_named_in, verify
    from imgcif_core.output import refuse_output

    if len(given.paths) > 2:
        raise UsageError("expected [FILE] MANIFEST: one file, and the manifest that was written of it")
    place = given.paths[-1]
    manifest = read_manifest(place)
    file = given.paths[0] if len(given.paths) == 2 else file_named_in(manifest, place)
    inputs = [place] if file is None else [place, file]
    if given.output is not None:
        refuse_output(given.output, inputs=inputs)
    document = api.read(file) if file is not None else None
    base = document.source.folder if document is not None else Path(place).parent
    looking = looking_of(given, base)
    say_plan(place, links_in(manifest), dois_in(manifest), looking)
    with afresh(looking) as fresh:
        kept = verify(manifest, document, api.load_dictionary(), fresh)
    told = json.dumps(as_json(manifest, place, kept), indent=1, ensure_ascii=True)
    text = told if given.format == "json" else as_text(manifest, kept, is_verbose=given.verbose)
    write(given.output, f"{text}\n" if given.format == "json" else text, inputs)
    return status_of(kept, allows_unchecked=given.allow_unchecked)
