"""Check an upload: the report, what the page shows of it, the instrument, the places of lines."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document, Source
from imgcif_core.cif.reader import read
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.errors import ImgcifError
from imgcif_core.render import render
from imgcif_core.show import geometry2
from imgcif_core.tables import Tables
from imgcif_core.web.tasks import Progress
from imgcif_core.web.tasks.common import (
    bounds_of,
    checked,
    links_are_followed,
    opened,
    options_of,
    write_json,
    write_text,
)
from imgcif_core.web.tasks.view import view_of

LINES_PER_PAGE = 400
_STEPS = 4


def run(folder: Path, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Check; `given` has the `file` in `inputs`, its `name`, `profile`, `images`, and `against`."""
    progress(0, _STEPS, "steps", "reading")
    source = opened(folder, given)
    options = options_of(folder, given)
    document = read(source)
    _keep_text(folder, given, source)
    follows = options.online is not None and not options.online.is_replay
    progress(1, _STEPS, "steps", "checking, and following the links" if follows else "checking")
    entry, report = checked(document, options)
    if follows:
        links_are_followed(folder)
    progress(2, _STEPS, "steps", "describing the instrument")
    shown = _instrument(folder, document)
    progress(3, _STEPS, "steps", "writing the report")
    write_text(folder, "report.json", render(report, "json"))
    view = view_of(document, report, shown, len(source.line_starts), options, _plan(document, options, given))
    write_json(folder, "view.json", view)
    return {"conforming": entry.conforming, "counts": view["counts"]}


def rehearse(document: Document, options: CheckOptions) -> None:
    """Check a document for nobody, so that all that a check needs is loaded."""
    _, report = checked(document, options)
    render(report, "json")
    view_of(document, report, geometry2(document, load_bundled()), 1, options)


def _plan(document: Document, options: CheckOptions, given: Mapping[str, Any]) -> list[str]:
    """What following the links would ask of whom, line by line; empty where nobody may or there are none."""
    if "network" not in given or options.online is not None:
        return []
    from imgcif_core.net.links import dois_of, links_of_all
    from imgcif_core.net.plan import plan_of, plan_text

    all_tables = [Tables(block, load_bundled()) for block in document.blocks]
    bounds = bounds_of(given["network"])
    steps = plan_of(links_of_all(all_tables).values(), dois_of(all_tables), bounds, depth=options.images)
    return plan_text(steps, bounds).splitlines()[1:] if steps else []


def _keep_text(folder: Path, given: Mapping[str, Any], source: Source) -> None:
    """The text as it was judged, unpacked, and where every page of its lines begins."""
    path, upload = folder / "text", folder / "inputs" / given["file"]
    path.unlink(missing_ok=True)
    if upload.stat().st_size == len(source.data):
        os.link(upload, path)
    else:
        path.write_bytes(source.data)
    starts = source.line_starts
    lines = {"lines": len(starts), "every": LINES_PER_PAGE, "starts": [int(at) for at in starts[::LINES_PER_PAGE]]}
    write_json(folder, "lines.json", {**lines, "size": len(source.data), "opaque": source.opaque[:1000]})


def _instrument(folder: Path, document: Document) -> dict[str, Any] | None:
    """The instrument in numbers, kept for the view, or nothing where none is described."""
    try:
        shown: dict[str, Any] = geometry2(document, load_bundled())
    except ImgcifError:
        return None
    write_json(folder, "geometry.json", shown)
    return shown
