"""An imgCIF made by a tool against the experiment that it should describe: by meaning, never by text.

Names of axes, panels and scans are free; what they do is not. Lengths are compared in mm, angles in
degrees, within the tolerances that the case states.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from . import turns

TOLERANCES = {"length": 1e-3, "angle": 1e-3, "direction": 1e-5, "wavelength": 1e-5, "time": 1e-6}


def difference(expected: Path, geometry: Any) -> str:
    """The first thing that differs from `expected.json`; empty if nothing does."""
    wanted = json.loads(expected.read_text(encoding="utf-8"))
    limits = {**TOLERANCES, **wanted.get("tolerances", {})}
    blocks = [block for file in geometry.get("files", []) for block in file.get("blocks", [])]
    wanted_blocks = [block for file in wanted.get("files", [wanted]) for block in file.get("blocks", [])]
    if len(blocks) != len(wanted_blocks):
        return f"{len(blocks)} data blocks, expected {len(wanted_blocks)}"
    for block, other in zip(wanted_blocks, blocks):
        fault = _block(block, other, limits)
        if fault:
            return f"block {other.get('block')}: {fault}"
    return ""


def _block(wanted: dict[str, Any], other: dict[str, Any], limits: dict[str, float]) -> str:
    for name, limit in (("wavelengths", "wavelength"), ("source", "direction"), ("gravity", "direction")):
        if wanted.get(name) is not None and not _near(wanted[name], other.get(name), limits[limit]):
            return f"{name} {other.get(name)}, expected {wanted[name]}"
    if fault := _panels(wanted.get("panels", []), other.get("panels", []), limits):
        return fault
    scans, others = wanted.get("scans", []), list(other.get("scans", []))
    if len(scans) != len(others):
        return f"{len(others)} scans, expected {len(scans)}"
    pairs = []
    for scan in scans:
        faults = [_scan(scan, candidate, wanted, other, limits) for candidate in others]
        if "" not in faults:
            return f"no scan is like {scan.get('id')}: {faults[0]}"
        pairs.append((scan, others.pop(faults.index(""))))
    return _orientations(pairs, wanted, other, limits)


def _orientations(
    pairs: list[tuple[dict[str, Any], dict[str, Any]]],
    wanted: dict[str, Any],
    other: dict[str, Any],
    limits: dict[str, float],
) -> str:
    """Between the scans the crystal must have turned alike, wherever the axes have their zero."""
    for scan, found in pairs[1:]:
        expected = turns.between(turns.turn(wanted, pairs[0][0]), turns.turn(wanted, scan))
        given = turns.between(turns.turn(other, pairs[0][1]), turns.turn(other, found))
        away = turns.apart(expected, given)
        if away > limits["angle"]:
            return (
                f"from {pairs[0][0].get('id')} to {scan.get('id')} the crystal turns otherwise, by {away:.4g} degrees"
            )
    return ""


def _scan(
    scan: dict[str, Any],
    other: dict[str, Any],
    block: dict[str, Any],
    other_block: dict[str, Any],
    limits: dict[str, float],
) -> str:
    if scan.get("frames") != other.get("frames"):
        return f"{other.get('frames')} frames, expected {scan.get('frames')}"
    for axis in _moving(scan, block):
        faults = [_axis(axis, candidate, limits) for candidate in _moving(other, other_block)]
        if "" not in faults:
            return f"nothing moves like axis {axis.get('id')}" + (f": {faults[0]}" if faults else "")
    expected = turns.between(turns.turn(block, scan), turns.turn(block, scan, at_end=True))
    given = turns.between(turns.turn(other_block, other), turns.turn(other_block, other, at_end=True))
    away = turns.apart(expected, given)
    if away > limits["angle"]:
        return f"the crystal turns otherwise, by {away:.4g} degrees at the end"
    if fault := _panels(scan.get("panels", []), other.get("panels", []), limits):
        return fault
    if "external" in scan and not _near_rows(scan["external"], other.get("external", [])):
        return "the external data are not those expected"
    return ""


def _panels(wanted: list[dict[str, Any]], given: list[dict[str, Any]], limits: dict[str, float]) -> str:
    """Whether each panel has its like, and no other is there."""
    others = list(given)
    if len(wanted) != len(others):
        return f"{len(others)} panels, expected {len(wanted)}"
    for panel in wanted:
        faults = [_panel(panel, candidate, limits) for candidate in others]
        if "" not in faults:
            return f"no panel is like {panel.get('id')}: {min(faults, key=_depth)}"
        others.pop(faults.index(""))
    return ""


def _depth(fault: str) -> bool:
    """The fault of the panel that stands where it should is the one to tell."""
    return not fault.startswith("its images")


def _moving(scan: dict[str, Any], block: dict[str, Any]) -> list[dict[str, Any]]:
    """The axes that move during a scan, with their direction."""
    vectors = {axis["id"]: axis.get("vector") for axis in block.get("goniometer", [])}
    return [
        {**axis, "vector": vectors.get(axis["id"])}
        for axis in scan.get("axes", [])
        if axis.get("increment") or axis.get("range")
    ]


def _axis(axis: dict[str, Any], other: dict[str, Any], limits: dict[str, float]) -> str:
    """A rotation about an axis is the same as the opposite one about its opposite."""
    sign = 1.0
    vector, given = axis.get("vector"), other.get("vector")
    if vector and given and not _near(vector, given, limits["direction"]):
        if not _near(vector, [-part for part in given], limits["direction"]):
            return f"direction {given}, expected {vector}"
        sign = -1.0
    turn = (sign * (other.get("start") or 0.0) - (axis.get("start") or 0.0) + 180.0) % 360.0 - 180.0
    if abs(turn) > limits["angle"]:
        return f"starts at {other.get('start')}, expected {axis.get('start')}"
    for name in ("increment", "range"):
        if axis.get(name) is not None and not _near(axis[name], sign * (other.get(name) or 0.0), limits["angle"]):
            return f"{name} {other.get(name)}, expected {axis[name]}"
    return ""


def _panel(panel: dict[str, Any], other: dict[str, Any], limits: dict[str, float]) -> str:
    for name, limit in (
        ("size", 0.0),
        ("pixel_size", 1e-6),
        ("origin", limits["length"]),
        ("corner", limits["length"]),
        ("fast", limits["direction"]),
        ("slow", limits["direction"]),
    ):
        if name in panel and not _near(panel[name], other.get(name), limit):
            return f"{name} {other.get(name)}, expected {panel[name]}"
    if "external" in panel and not _near_rows(panel["external"], other.get("external") or []):
        return "its images are not those expected"
    return ""


def _near(wanted: Any, given: Any, limit: float) -> bool:
    """True if numbers, or lists of them, differ by no more than a limit."""
    if isinstance(wanted, list):
        return (
            isinstance(given, list)
            and len(wanted) == len(given)
            and all(_near(one, two, limit) for one, two in zip(wanted, given))
        )
    if wanted is None or given is None:
        return wanted is given
    return math.isfinite(given) and abs(wanted - given) <= limit * (1.0 + 1e-9)


def _near_rows(wanted: list[dict[str, Any] | None], given: list[dict[str, Any] | None]) -> bool:
    """True if each row holds what is expected of it, in the same order; None stands for no image."""
    return len(wanted) == len(given) and all(
        rows is row is None
        or (rows is not None and row is not None and all(str(row.get(name)) == str(rows[name]) for name in rows))
        for rows, row in zip(wanted, given)
    )
