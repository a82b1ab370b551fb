"""The instrument of one job: a drawing that turns, and the same facts in tables for those who see none."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from imgcif_core.web.answers import page
from imgcif_core.web.service import read_result, service_of

# Rows of each table; the rest is in geometry.json.
MOST_ROWS = 200


async def instrument(request: Request) -> Response:
    """The page; block, scan, frame, view, panel and axis of the address say what the drawing shows first."""
    job = service_of(request).job(request, "check")
    view = json.loads(await read_result(job, "view.json"))
    geometry = json.loads(await read_result(job, "geometry.json"))
    blocks = [shown(block) for block in geometry["files"][0]["blocks"][:MOST_ROWS]]
    return page(request, "instrument.html", job=job, view=view, blocks=blocks, most=MOST_ROWS)


def shown(block: Mapping[str, Any]) -> dict[str, Any]:
    """One block as its tables have it: texts ready, rows bounded."""
    first = block["scans"][0] if block["scans"] else {"panels": []}
    waves = [_number(value) for value in block["wavelengths"][:10]]
    return {
        "name": block["block"],
        "facts": [
            ("Wavelength", f"{', '.join(waves)} Å" if waves else "not given"),
            ("Direction to the source", _vector(block["source"])),
            ("Direction of gravity", _vector(block["gravity"]) if block["gravity"] else "not given or not readable"),
        ],
        "axes": [_axis(axis) for axis in block["axes"][:MOST_ROWS]],
        "panels": [_panel(panel) for panel in first["panels"][:MOST_ROWS]],
        "scans": [_scan(scan) for scan in block["scans"][:MOST_ROWS] if scan["id"] is not None or scan["frames"]],
        "not_placed": block.get("not_placed", [])[:MOST_ROWS],
        "more": {name: max(0, len(rows) - MOST_ROWS) for name, rows in _lists(block, first).items()},
    }


def _lists(block: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    return {"axes": block["axes"], "panels": first["panels"], "scans": block["scans"]}


def _axis(axis: Mapping[str, Any]) -> list[str]:
    """Id, type, equipment, parent, vector, offset."""
    parent = axis["depends_on"] or "laboratory"
    return [axis["id"], axis["type"], axis["equipment"], parent, _vector(axis["vector"]), _vector(axis["offset"])]


def _panel(panel: Mapping[str, Any]) -> list[str]:
    """Id, size, pixel, distance, corner, directions, beam centre."""
    centre = panel["beam_centre"]
    place = ", ".join(_number(value) for value in centre["pixel"]) if centre else "not met"
    place = "the panel has no place" if None in panel["origin"] else place
    if centre and centre["on_panel"] is False:
        place += " (beside it)"
    return [
        panel["id"],
        " × ".join("?" if size is None else str(size) for size in panel["size"]),
        " × ".join(_number(value) for value in panel["pixel_size"]),
        _number(panel["normal_distance"]),
        _vector(panel["corner"]),
        _vector(panel["fast"]),
        _vector(panel["slow"]),
        place,
    ]


def _scan(scan: Mapping[str, Any]) -> list[str]:
    """Id, frames, what moves, what stands."""
    moving = [axis for axis in scan["axes"] if axis["increment"] != 0]
    still = [axis for axis in scan["axes"] if axis["increment"] == 0]
    return [
        scan["id"] or "unnamed",
        "not known" if scan["frames"] is None else str(scan["frames"]),
        "; ".join(f"{a['id']} from {_number(a['start'])} by {_number(a['increment'])}" for a in moving[:20])
        or "nothing",
        "; ".join(f"{a['id']} at {_number(a['start'])}" for a in still[:20]) or "nothing",
    ]


def _number(value: float | None) -> str:
    return "not readable" if value is None else f"{value:.6g}"


def _vector(values: list[float | None]) -> str:
    return "not readable" if None in values else ", ".join(map(_number, values))


ROUTES = [Route("/r/{id}/instrument", instrument)]
