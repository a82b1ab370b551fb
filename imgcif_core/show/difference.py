"""Two imgCIF files held against each other: what moved, scan by scan, and which names and values differ.

Lengths in mm and pixels, angles in degrees, in the laboratory frames of the files as they stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import Block, Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError
from imgcif_core.model.axes import build_axes
from imgcif_core.model.terms import rotation_axis
from imgcif_core.show.instrument import BlockInstrument, block_instruments, goniometer_rows
from imgcif_core.show.numbers import block_numbers, numbers
from imgcif_core.tables import Tables

SCHEMA = "imgcif-diff/1"
MAX_ITEMS = 200
_LEAST_MM, _LEAST_DEGREES, _LEAST_PIXELS = 1e-6, 1e-6, 1e-5


def difference(one: Document, other: Document, dictionary: Dictionary) -> dict[str, Any]:
    """What differs from the first file to the second, as plain data; blocks in their order."""
    shown = [_instruments(document, dictionary) for document in (one, other)]
    held = [{entry["block"]: entry for entry in blocks} for blocks in shown]
    kinds = {**_kinds(other, dictionary), **_kinds(one, dictionary)}
    blocks = []
    for first, second in zip(one.blocks, other.blocks, strict=False):
        instruments = held[0].get(first.name), held[1].get(second.name)
        moved = _with_units(_both(*instruments), kinds)
        items = list(_items(first, second, dictionary))
        entry = {"blocks": [first.name, second.name], "moved": moved, "items": items[:MAX_ITEMS]}
        entry["items_in_all"] = len(items)
        blocks.append(entry)
    return {
        "schema": SCHEMA,
        "files": [one.source.path, other.source.path],
        "alike": len(one.blocks) == len(other.blocks) and not any(entry["moved"] or entry["items"] for entry in blocks),
        "blocks": blocks,
        "block_counts": [len(one.blocks), len(other.blocks)],
    }


def _instruments(document: Document, dictionary: Dictionary) -> list[dict[str, Any]]:
    """The instruments of the blocks in numbers, none where nothing describes one."""
    try:
        with np.errstate(all="ignore"):
            found = []
            for entry in block_instruments(document, dictionary):
                block = block_numbers(entry)
                for scan, turns in zip(block["scans"], _turns(entry), strict=True):
                    scan["turns"] = turns
                found.append(block)
            return found
    except InputError:
        return []


def _turns(entry: BlockInstrument) -> list[dict[str, Any]]:
    """How the goniometer holds the sample in each scan, at the start of the frame that is shown.

    `sample` is the rotation of what the innermost axis carries, (3, 3), `axis` the one that turns and `direction`
    where it points in the laboratory, (3,).
    """
    axes = entry.axes
    rows = goniometer_rows(entry.tables, axes)
    found = []
    for shown in entry.scans:
        told: dict[str, Any] = {"sample": None, "axis": None, "direction": None}
        is_told = bool(rows) and bool(axes.is_read[axes.chain(rows[-1])].all())
        if shown.scan is not None and shown.index is not None and is_told:
            settings = shown.scan.at(shown.index, axes.chain(rows[-1]))
            told["sample"] = axes.placement(rows[-1], settings).rotation[0]
            turning = rotation_axis(axes, shown.scan, shown.index)
            if turning is not None:
                # As it is written, also where it turns backwards.
                sense = np.sign(shown.scan.drives[turning[0]].increment)
                told |= {"axis": axes.id[turning[0]], "direction": turning[1] * sense}
        found.append(told)
    return found


def _kinds(document: Document, dictionary: Dictionary) -> dict[str, str]:
    """The types of the axes of all blocks, by id."""
    found: dict[str, str] = {}
    for block in document.blocks:
        axes = build_axes(Tables(block, dictionary))
        found |= dict(zip(axes.id, axes.kind, strict=True))
    return found


def _with_units(changes: list[dict[str, Any]], kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """The changes, those of settings with the unit of their axis."""
    for change in changes:
        if "axis" in change:
            change["unit"] = {"rotation": "degrees", "translation": "mm"}.get(kinds.get(change["axis"], ""), "")
    return changes


def _change(what: str, before: Any, after: Any, unit: str = "", **more: Any) -> dict[str, Any]:
    """One thing that differs."""
    return {"what": what, "before": before, "after": after, "unit": unit, **more}


def _both(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What has moved, or which of the two blocks describes no instrument."""
    if one is not None and other is not None:
        return list(_moved(one, other))
    return [] if one is other else [_change("instrument", _there(one), _there(other))]


def _moved(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What differs of the instrument: beam, goniometer, scans."""
    if one["wavelengths"] != other["wavelengths"]:
        yield _change("wavelength", one["wavelengths"], other["wavelengths"], "angstrom")
    for name in ("source", "gravity"):
        yield from _turned(f"direction of {name}", one[name], other[name])
    for first, second, name in _pairs(one["goniometer"], other["goniometer"]):
        if first is None or second is None:
            yield _change(f"goniometer axis {name}", _there(first), _there(second))
            continue
        yield from _turned(f"goniometer axis {name}", first["vector"], second["vector"])
        if first["depends_on"] != second["depends_on"]:
            carried = (entry["depends_on"] or "the laboratory" for entry in (first, second))
            yield _change(f"goniometer axis {name} depends on", *carried)
    for first, second, name in _pairs(one["scans"], other["scans"]):
        if first is None or second is None:
            yield _change(f"scan {name}", _there(first), _there(second))
            continue
        yield from ({**change, "scan": name} for change in _scan(first, second))
        yield from ({**change, "scan": name} for change in _held(first["turns"], second["turns"]))


def _there(entry: Mapping[str, Any] | None) -> str:
    """A word for what one file has and the other has not."""
    return "absent" if entry is None else "present"


def _pairs(
    one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None, str]]:
    """Entries of two lists by their ids; those without a namesake by their order, where both have as many."""
    later = {entry["id"]: entry for entry in other}
    ids = {entry["id"] for entry in one}
    if len(one) == len(other) and not ids & set(later):
        yield from ((first, second, str(first["id"])) for first, second in zip(one, other, strict=True))
        return
    for entry in one:
        yield entry, later.get(entry["id"]), str(entry["id"])
    for entry in other:
        if entry["id"] not in ids:
            yield None, entry, str(entry["id"])


def _scan(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What differs of one scan: frames, settings, panels."""
    if one["frames"] != other["frames"]:
        yield _change("frames", one["frames"], other["frames"])
    for first, second, name in _pairs(one["axes"], other["axes"]):
        if first is None or second is None:
            yield _change(f"setting of axis {name}", _there(first), _there(second))
            continue
        for key in ("start", "increment", "range"):
            before, after = first.get(key), second.get(key)
            if before != after and not _alike(before, after):
                yield _change(f"axis {name} {key}", before, after, axis=name)
    for first, second, name in _pairs(one["panels"], other["panels"]):
        if first is None or second is None:
            yield _change(f"panel {name}", _there(first), _there(second))
        else:
            yield from ({**change, "panel": name} for change in _panel(first, second))


def _held(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """How differently the goniometer holds and turns the sample in a scan."""
    if one["sample"] is not None and other["sample"] is not None:
        angle = _angle_of_turn(one["sample"], other["sample"])
        if angle > _LEAST_DEGREES:
            yield _change("orientation of the sample", None, None, degrees=angle)
    if one["direction"] is not None and other["direction"] is not None:
        if one["axis"] != other["axis"]:
            yield _change("axis that turns", one["axis"], other["axis"])
        for change in _turned("axis that turns, in the laboratory", one["direction"], other["direction"]):
            yield {**change, "before": numbers(change["before"]), "after": numbers(change["after"])}


def _panel(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """How a panel has moved: the largest way of its corners, its turn, distance and beam centre."""
    if one["size"] != other["size"]:
        yield _change("size", one["size"], other["size"], "pixels")
    if not _close(one["pixel_size"], other["pixel_size"], _LEAST_MM):
        yield _change("pixel size", one["pixel_size"], other["pixel_size"], "mm")
    ways = _corners(other) - _corners(one)
    way = float(np.linalg.norm(ways, axis=1).max()) if np.isfinite(ways).all() else float("nan")
    angle = _angle_of_turn(_frame(one), _frame(other))
    pixel = min((size for size in one["pixel_size"] if size), default=float("nan"))
    if np.isnan(_corners(one)).any() != np.isnan(_corners(other)).any():
        yield _change("place", one["corner"], other["corner"], "mm")
    elif way > _LEAST_MM or angle > _LEAST_DEGREES:
        shift = [round(float(value), 9) for value in ways[0]]
        sizes = {"mm": way, "pixels": way / pixel, "degrees": angle, "shift_of_first_corner": shift}
        yield _change("place", one["corner"], other["corner"], "mm", **sizes)
    if not _close([one["normal_distance"]], [other["normal_distance"]], _LEAST_MM):
        yield _change("normal distance", one["normal_distance"], other["normal_distance"], "mm")
    before, after = ((entry["beam_centre"] or {}).get("pixel") for entry in (one, other))
    if before != after and not (before and after and _close(before, after, _LEAST_PIXELS)):
        yield _change("beam centre", before, after, "pixels")


def _alike(one: Any, other: Any) -> bool:
    """True if two numbers are the same but for rounding."""
    return one is not None and other is not None and bool(np.isclose(one, other, rtol=1e-9, atol=1e-9))


def _close(one: Sequence[float | None], other: Sequence[float | None], least: float) -> bool:
    """True if two lists of numbers differ by less than `least`; unknown ones are alike."""
    first, second = np.array(one, dtype=float), np.array(other, dtype=float)
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=0, atol=least, equal_nan=True))


def _frame(panel: Mapping[str, Any]) -> np.ndarray:
    """Fast, slow and normal as rows: (3, 3)."""
    fast, slow = np.array(panel["fast"], dtype=float), np.array(panel["slow"], dtype=float)
    return np.array([fast, slow, np.cross(fast, slow)])


def _corners(panel: Mapping[str, Any]) -> np.ndarray:
    """The four outer corners of a panel, the first pixel's first: (4, 3) mm."""
    edges = [
        np.array(panel[name], dtype=float) * float(panel["size"][index]) * float(panel["pixel_size"][index])
        for index, name in enumerate(("fast", "slow"))
    ]
    corner = np.array(panel["corner"], dtype=float)
    return np.array([corner, corner + edges[0], corner + edges[1], corner + edges[0] + edges[1]])


def _angle_of_turn(one: np.ndarray, other: np.ndarray) -> float:
    """The angle by which one set of directions is turned against another, in degrees."""
    cosine = (np.trace(one @ other.T) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))) if not np.allclose(one, other, atol=1e-12) else 0.0


def _turned(what: str, one: Sequence[float] | None, other: Sequence[float] | None) -> Iterator[dict[str, Any]]:
    """A direction that differs, with its angle."""
    if one is None or other is None:
        if one is not other:
            yield _change(what, one, other)
        return
    first, second = np.array(one, dtype=float), np.array(other, dtype=float)
    if np.isnan(first).any() != np.isnan(second).any():
        yield _change(what, list(one), list(other))
        return
    angle = float(np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second)))
    if angle > _LEAST_DEGREES:
        yield _change(what, list(one), list(other), degrees=angle)


def _items(one: Block, other: Block, dictionary: Dictionary) -> Iterator[dict[str, Any]]:
    """Names that only one block has, and values that differ; aliases are one name."""
    first, second = (_columns(block, dictionary) for block in (one, other))
    for name in [*first, *(name for name in second if name not in first)]:
        here, there = first.get(name), second.get(name)
        if here is None or there is None:
            column = here if here is not None else there
            kind = "only in the first" if there is None else "only in the second"
            yield {"item": name, "kind": kind, "rows": [len(here or ()), len(there or ())], "first": _text(column, 0)}
        elif len(here) != len(there):
            yield {"item": name, "kind": "rows", "rows": [len(here), len(there)]}
        else:
            yield from _values(name, here, there)


def _columns(block: Block, dictionary: Dictionary) -> dict[str, Column]:
    """The columns of a block by definition id, unknown ones by their own name."""
    tables = Tables(block, dictionary)
    found: dict[str, Column] = {}
    for name, column in block.columns.items():
        known = tables.items.get(name)
        found.setdefault(known[0].id if known else column.name, column)
    return found


def _values(name: str, here: Column, there: Column) -> Iterator[dict[str, Any]]:
    """The rows in which two columns of one length differ; numbers are compared as numbers."""
    differ = (here.hashes != there.hashes) | (here.is_null != there.is_null)
    one, other = here.numbers(), there.numbers()
    differ &= ~(one.valid & other.valid & (one.values == other.values))
    rows = np.flatnonzero(differ)
    if len(rows):
        row = int(rows[0])
        texts = [_text(here, row), _text(there, row)]
        yield {"item": name, "kind": "values", "differ": len(rows), "of": len(here), "row": row + 1, "values": texts}


def _text(column: Column | None, row: int) -> str:
    """A value, cut for a report."""
    return "" if column is None or row >= len(column) else column.text(row)[:80]


def as_text(found: Mapping[str, Any]) -> str:
    """The difference in words."""
    lines = [f"{found['files'][0]} -> {found['files'][1]}"]
    if found["block_counts"][0] != found["block_counts"][1]:
        lines.append(
            f"  data blocks: {found['block_counts'][0]} -> {found['block_counts'][1]}, the first ones compared"
        )
    for block in found["blocks"]:
        if not block["moved"] and not block["items"]:
            continue
        lines.append(f"block {' -> '.join(dict.fromkeys(block['blocks']))}")
        lines += [f"  {_sentence(change)}" for change in block["moved"]] or ["  nothing of the instrument has moved"]
        lines += [f"  {_item_sentence(entry)}" for entry in block["items"]]
        left = block["items_in_all"] - len(block["items"])
        if left:
            lines.append(f"  and {left} more items")
    if found["alike"]:
        lines.append("  alike: the same instrument, names and values")
    return "\n".join(lines)


def _sentence(change: Mapping[str, Any]) -> str:
    """One change of the instrument in words."""
    where = "".join(f"{kind} {change[kind]}, " for kind in ("scan", "panel") if kind in change)
    unit = f" {change['unit']}" if change["unit"] else ""
    if change["before"] is None and change["after"] is None and "degrees" in change:
        return f"{where}{change['what']}: turned by {change['degrees']:.4g} deg"
    text = f"{where}{change['what']}: {_shown(change['before'])} -> {_shown(change['after'])}{unit}"
    if "mm" in change:
        return (
            f"{text}; moved by {change['mm']:.6g} mm = {change['pixels']:.4g} px, turned by {change['degrees']:.4g} deg"
        )
    return f"{text}; turned by {change['degrees']:.4g} deg" if "degrees" in change else text


def _shown(value: Any) -> str:
    """A value of the passport in short."""
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(_shown, value)) + ")"
    return f"{value:.7g}" if isinstance(value, float) else "unknown" if value is None else str(value)


def _item_sentence(entry: Mapping[str, Any]) -> str:
    """One item in words."""
    if entry["kind"] == "values":
        rows = "" if entry["of"] == 1 else f" in {entry['differ']} of {entry['of']} rows, the first {entry['row']}"
        return f"{entry['item']}{rows}: {entry['values'][0]!r} -> {entry['values'][1]!r}"
    if entry["kind"] == "rows":
        return f"{entry['item']}: {entry['rows'][0]} -> {entry['rows'][1]} rows"
    return f"{entry['item']} {entry['kind']}: {entry['first']!r}"
