"""`imgcif spots`: whether strong spots lie where the geometry says."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from imgcif_core.commands.common import emit, write
from imgcif_core.commands.export import url_maps
from imgcif_core.errors import UsageError

if TYPE_CHECKING:
    from imgcif_core.spots.cell import KnownCell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif spots`."""
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="imgCIF or CBF; frames of several files are taken together")
    add("--local", action="append", default=[], metavar="DIR", help="folder with the downloaded images (repeatable)")
    add("--map", action="append", default=[], metavar="URL=PATH", help="local stand-in for one URL (repeatable)")
    add("--cell", metavar="A,B,C,ALPHA,BETA,GAMMA", help="cell in angstrom and degrees, where the file gives none")
    add("--space-group", metavar="NAME", help="space group that goes with --cell (default: P 1)")
    add("--format", choices=("text", "json"), default="text", help="form (default: text)")
    add("--svg", "--picture", dest="svg", metavar="OUT", help="picture of predicted against found spots, as SVG")


def run(given: argparse.Namespace) -> int:
    """Print the outcome; status 1 if another reading fits better."""
    from imgcif_core import api
    from imgcif_core.checks.images.gather import gather_frames
    from imgcif_core.spots.report import as_json, as_text, picture
    from imgcif_core.spots.verdict import BETTER, judge

    cell = cell_of(given.cell, given.space_group)
    gathered = gather_frames(map(api.read, given.files), api.load_dictionary(), given.local, url_maps(given.map))
    cell = cell or gathered.cell
    test = judge(gathered.sample, cell)
    if given.svg:
        write(given.svg, picture(test), given.files)
    text = json.dumps(as_json(test, cell), indent=2) if given.format == "json" else as_text(test, cell)
    emit(sys.stdout, text)
    for reason in gathered.reasons:
        emit(sys.stderr, f"left out: {reason}")
    return int(test.verdict == BETTER)


def cell_of(text: str | None, group: str | None) -> "KnownCell | None":
    """The cell of the command line, None if it gives none."""
    from imgcif_core.spots.cell import KnownCell

    if text is None:
        if group is not None:
            raise UsageError("--space-group goes with --cell")
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 6 or min(values) <= 0 or max(values[3:]) >= 180:
        raise UsageError(f"--cell {text}: expected three lengths and three angles, such as 78,78,37,90,90,90")
    import gemmi

    if group is not None and gemmi.find_spacegroup_by_name(group) is None:
        raise UsageError(f"--space-group {group}: no such space group")
    return KnownCell(tuple(values), group or "P 1")
