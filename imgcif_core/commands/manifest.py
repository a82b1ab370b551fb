"""`imgcif manifest`: what is confirmed of the data behind a file, as JSON, or as an RO-Crate."""

import argparse
import json
import sys

from imgcif_core.commands.common import emit
from imgcif_core.commands.looking import add_looking, looking_of, say_plan
from imgcif_core.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif manifest`."""
    add = parser.add_argument
    add("file", metavar="FILE", help="imgCIF or CBF")
    add_looking(parser)
    add("-o", "--output", metavar="OUT", help="write the manifest to OUT")
    add("--crate", metavar="DIR", help="write an RO-Crate into DIR: ro-crate-metadata.json, FILE, its report")
    add("--overwrite", action="store_true", help="replace files that are there")


def run(given: argparse.Namespace) -> int:
    """Write the manifest; 0 if something is confirmed and nothing contradicted, else 1."""
    from imgcif_core import api
    from imgcif_core.manifest.collect import confirms_nothing, counted, is_contradicted, manifest_of
    from imgcif_core.manifest.looking import afresh
    from imgcif_core.net.links import dois_of, links_of_all
    from imgcif_core.output import refuse_output, write_file
    from imgcif_core.tables import Tables

    document, dictionary = api.read(given.file), api.load_dictionary()
    if not document.blocks:
        raise InputError(f"{given.file}: holds no data block")
    looking = looking_of(given, document.source.folder)
    if given.output is not None:
        refuse_output(given.output, overwrite=given.overwrite, inputs=[given.file])
    if given.crate is not None:
        from imgcif_core.manifest.crate import crate_folder

        crate_folder(given.crate, given.file, overwrite=given.overwrite)
    all_tables = [Tables(block, dictionary) for block in document.blocks]
    say_plan(given.file, links_of_all(all_tables).values(), dois_of(all_tables), looking)
    with afresh(looking) as fresh:
        manifest = manifest_of(document, dictionary, fresh)
        if given.crate is not None:
            from imgcif_core.manifest.crate import write_crate

            write_crate(given.crate, given.file, document, dictionary, manifest, fresh, overwrite=given.overwrite)
    text = json.dumps(manifest, indent=1, ensure_ascii=True)
    if given.output is not None:
        write_file(given.output, f"{text}\n", overwrite=given.overwrite, inputs=[given.file])
    elif given.crate is None:
        emit(sys.stdout, text)
    emit(sys.stderr, counted(manifest))
    if confirms_nothing(manifest):
        emit(sys.stderr, "nothing was confirmed: --local DIR looks at copies, --online asks the servers")
        return 1
    return int(is_contradicted(manifest))
