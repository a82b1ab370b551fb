"""What commands share that look for the data behind links: copies on this machine, and the network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from imgcif_core.commands.check import online_settings
from imgcif_core.commands.export import url_maps

if TYPE_CHECKING:
    from imgcif_core.manifest.looking import Looking
    from imgcif_core.net.links import Link


def add_looking(parser: argparse.ArgumentParser) -> None:
    """The options that say where the data are looked for."""
    add = parser.add_argument
    add("--local", action="append", default=[], metavar="DIR", help="folder with copies of the data (repeatable)")
    add("--map", action="append", default=[], metavar="URL=PATH", help="local stand-in for one URL (repeatable)")
    add("--follow", action="store_true", help="follow links in files that lead out of these folders")
    add("--sizes-only", action="store_true", help="do not read copies for their digests")
    add("--online", action="store_true", help="follow the links over the network; nothing is asked without this")
    add("--max-download", metavar="SIZE", help="the most that is read over the network (default: 50MB)")
    add("--contact", default="", metavar="ADDRESS", help="whom servers may write to, named in every request")
    add("--ca-file", metavar="FILE", help="certificates (PEM) that are trusted beside those of the system")
    # Answers of earlier runs would be older than their date says.
    parser.set_defaults(no_cache=False)


def looking_of(given: argparse.Namespace, base: Path | None) -> Looking:
    """Where to look, by the options."""
    from imgcif_core.manifest.looking import Looking

    return Looking(
        base=base,
        local=tuple(Path(folder) for folder in given.local),
        maps=url_maps(given.map),
        follow=given.follow,
        digests=not given.sizes_only,
        online=online_settings(given),
    )


def say_plan(name: str, links: Collection[Link], dois: Collection[str], looking: Looking) -> None:
    """Tell on standard error what will be asked for, before anything is."""
    if looking.online is None:
        return
    from imgcif_core.net.plan import plan_of, plan_text

    steps = plan_of(links, dois, looking.online, depth="header")
    sys.stderr.write(f"{name}: {plan_text(steps, looking.online)}")
    sys.stderr.flush()
