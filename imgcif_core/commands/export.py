"""`imgcif export`: files from which processing programs can work."""

import argparse
import sys
from pathlib import Path

from imgcif_core.commands.common import emit
from imgcif_core.errors import UsageError

TARGETS = ("expt", "xds", "geom", "nxmx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif export`."""
    add = parser.add_argument
    add("file", metavar="FILE", help="imgCIF or CBF, or - for standard input")
    add("--to", required=True, choices=TARGETS, help="DIALS experiment list, XDS.INP, CrystFEL geometry, NXmx master")
    add("-o", "--output", metavar="OUT", help="file to write; several scans add their ids to its name")
    add("--local", action="append", default=[], metavar="DIR", help="folder with the downloaded images (repeatable)")
    add("--map", action="append", default=[], metavar="URL=PATH", help="local stand-in for one URL (repeatable)")
    add("--scan", metavar="ID", help="export only this scan")
    add("--sensor", metavar="MATERIAL[:MM]", help="sensor of the detector where the file does not tell, as Si:0.32")
    add("--copy-images", action="store_true", help="nxmx: store the images in the master instead of links")
    add("--overwrite", action="store_true", help="replace files that exist")


def run(given: argparse.Namespace) -> int:
    """Export, and say what was written and what the format does not carry."""
    # Not through the public functions: these load the checks, which an export does without.
    from imgcif_core.cif.reader import open_source, read
    from imgcif_core.ddlm.bundled import load_bundled
    from imgcif_core.export import export_file

    if given.copy_images and given.to != "nxmx":
        raise UsageError(f"--copy-images goes with --to nxmx, not with {given.to}")
    document = read(open_source(sys.stdin.buffer, "<stdin>") if given.file == "-" else open_source(given.file, None))
    written = export_file(
        document,
        load_bundled(),
        given.to,
        output=Path(given.output) if given.output else None,
        local=[Path(folder) for folder in given.local],
        maps=url_maps(given.map),
        scan=given.scan,
        sensor=sensor_of(given.sensor) if given.sensor else None,
        copy_images=given.copy_images,
        overwrite=given.overwrite,
    )
    for entry in written:
        for text in entry.left_out:
            emit(sys.stderr, f"not carried: {text}")
        if entry.path is not None:
            emit(sys.stderr, f"wrote {entry.path}" + (f" (scan {entry.scan})" if entry.scan else ""))
        else:
            emit(sys.stdout, entry.text)
    return 0


def url_maps(entries: list[str]) -> dict[str, str]:
    """Stand-ins by URL from URL=PATH."""
    maps = {}
    for entry in entries:
        url, equals, path = entry.rpartition("=")
        if not equals or not url:
            raise UsageError(f"--map {entry}: expected URL=PATH")
        maps[url] = path
    return maps


def sensor_of(text: str) -> tuple[str, float | None]:
    """Material and thickness in mm from MATERIAL[:MM]."""
    material, _, thickness = text.partition(":")
    try:
        found = float(thickness) if thickness else None
    except ValueError:
        found = -1.0
    if not material.isalpha() or (found is not None and not 0 < found < 100):
        raise UsageError(f"--sensor {text}: expected a material and a thickness in mm, such as Si:0.32")
    return material, found
