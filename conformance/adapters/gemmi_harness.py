"""gemmi as a reader of CIF 1.1: verdict, line of the first error, and values."""

import re

import gemmi
from gemmi import cif
from serve import refused, serve


def value(raw: str) -> object:
    """A value in the form of the suite from the text as it stands in the file."""
    return {"null": raw} if cif.is_null(raw) else cif.as_string(raw)


def block_values(block: cif.Block) -> dict:
    """All items of a block and its save frames."""
    items: dict[str, list] = {}
    frames = []
    for item in block:
        if item.pair is not None:
            items[item.pair[0]] = [value(item.pair[1])]
        elif item.loop is not None:
            width = item.loop.width()
            for index, tag in enumerate(item.loop.tags):
                items[tag] = [value(raw) for raw in item.loop.values[index::width]]
        elif item.frame is not None:
            frames.append(block_values(item.frame))
    return {"code": block.name, "items": items, **({"frames": frames} if frames else {})}


def check(request: dict) -> dict:
    """Read one file, and look for missing values and repeated names."""
    try:
        document = cif.read(request["file"])
        document.check_for_missing_values()
        document.check_for_duplicates()
    except (ValueError, RuntimeError, UnicodeDecodeError) as error:
        place = re.search(r":(\d+):\d+", str(error)) or re.search(r":(\d+)[: ]", str(error))
        return refused(str(error), int(place[1]) if place else None)
    try:
        blocks = [block_values(block) for block in document]
    except UnicodeDecodeError as error:
        return refused(str(error))
    return {"conforming": True, "findings": [], "document": {"blocks": blocks}}


serve("gemmi", gemmi.__version__, check)
