"""From a session to the data blocks of a file, and to where each of their values comes from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core._version import __version__
from imgcif_core.cif.write import Category, DataBlock, Value, Values
from imgcif_core.create.builder import EXPERIMENT, Built
from imgcif_core.create.categories import categories
from imgcif_core.create.links import external_rows
from imgcif_core.create.names import plain
from imgcif_core.create.session import Session
from imgcif_core.errors import UsageError
from imgcif_core.records import dataclass

DERIVED = "derived: imgcif_core"
# Beyond this many rows a column is one line of provenance, however its values are made.
_SHOWN_ROWS = 60


@dataclass(frozen=True, slots=True)
class Origins:
    """Where a value comes from: of one row, whose key values are in `key`, or of all rows of an item."""

    block: str
    item: str
    value: str
    source: str
    key: str = ""


def data_blocks(session: Session) -> list[DataBlock]:
    """The blocks of all parts of a session whose experiment is whole."""
    names = block_names(session)
    dataset = names[0].rpartition("_")[0] if len(names) > 1 else None
    return [_block(session, index, name, dataset) for index, name in enumerate(names)]


def block_names(session: Session) -> list[str]:
    """The names of the data blocks."""
    built, paths = session.built, session.paths
    source = session.wishes.name or (Path(paths[0]).name.split(".")[0] if paths else built[0].experiment.path)
    name = plain(Path(source).name, "experiment")
    return [name] if len(built) == 1 else [f"{name}_{number}" for number in range(1, len(built) + 1)]


def _block(session: Session, index: int, name: str, dataset: str | None) -> DataBlock:
    """One data block, with the items that a person set."""
    built = session.built[index]
    found = [*_head(session, built, name, dataset), *categories(built, _external(session, index))]
    found = [_with_link_sources(category, session) for category in found]
    found = _with_items(found, _carried(built), built.origin("items") or "file")
    return DataBlock(name, _with_items(found, session.wishes.items, "person: --set"))


def _external(session: Session, index: int) -> dict[str, Values] | None:
    """The columns that link the frames of a part; None where the source names no images."""
    built, links = session.built[index], session.wishes.all_links
    chosen = [
        (images, scan_id, number, names)
        for scan, scan_id, number in zip(built.scans, built.scan_ids, session.numbers[index], strict=True)
        for images, names in zip(scan.image_sets, session.members.get(number, ()), strict=True)
    ]
    if not chosen:
        return None
    addresses = [session.addresses[number] for _, _, number, _ in chosen]
    images, ids, _, names = zip(*chosen, strict=True)
    return external_rows(images, ids, links, addresses, names)


def _with_link_sources(category: Category, session: Session) -> Category:
    """The links with who says them: a person the address, the source the names."""
    links = session.wishes.all_links
    if category.name != "array_data_external_data" or not links.are_given:
        return category
    of_folder = "person: address of the folder, names of the source"
    said = {
        "uri": "person: address of the archive" if links.archive_url else of_folder,
        "archive_format": "derived: name of the archive",
    }
    if links.root:
        said["archive_path"] = "person: root within the archive, names of the source"
    return replace(category, sources={**category.sources, **said})


def _head(session: Session, built: Built, name: str, dataset: str | None) -> list[Category]:
    """Who made the block, of what, and by which dictionary."""
    from imgcif_core.ddlm.bundled import load_bundled

    dictionary = load_bundled()
    audit: dict[str, Values] = {
        "block_code": name,
        "creation_date": datetime.now(UTC).date().isoformat(),
        "creation_method": f"imgcif_core {__version__} from {Path(built.experiment.path).name}",
    }
    found = [Category("audit", audit)]
    if dataset is not None:
        found.append(Category("audit_dataset", {"id": dataset}))
    found.append(Category("audit_conform", {"dict_name": dictionary.title, "dict_version": dictionary.version}))
    doi = session.wishes.all_doi
    if doi is not None:
        found.append(Category("database", {"dataset_DOI": doi[0]}, sources={"": doi[1]}))
    found.append(Category("diffrn", {"id": EXPERIMENT}))
    return found


# Angles that are counted from an axis of the frame: a turn of the frame about the beam makes them others.
_BY_FRAME = ("polarizn_source_norm", "polarisn_norm", "div_x_source", "div_y_source", "div_x_y_source")


def frame_bound(built: Built) -> list[str]:
    """Items of the source that would be wrong in the frame of the file, as it was turned: these are left out."""
    if np.array_equal(built.rotation, np.eye(3)):
        return []
    return [name for name in built.experiment.items if name.rpartition(".")[2] in _BY_FRAME]


def _carried(built: Built) -> dict[str, Value]:
    """The items of the source that are carried over."""
    dropped = set(frame_bound(built))
    return {name: value for name, value in built.experiment.items.items() if name not in dropped}


def _with_items(found: list[Category], items: Mapping[str, Value], said: str) -> list[Category]:
    """Categories with further items, which win over those that are there."""
    if not items:
        return found
    from imgcif_core.ddlm.bundled import load_bundled

    dictionary = load_bundled()
    for name, value in items.items():
        item = dictionary.lookup(name if name.startswith("_") else f"_{name}")
        if item is None:
            raise UsageError(f"{name} is no data name of the imgCIF dictionary")
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise UsageError(f"{name}: expected a text or a number, found {value!r}")
        category, entry = item.category.lower(), item.object
        position = next((i for i, one in enumerate(found) if one.name == category), None)
        if position is None:
            found.append(Category(category, {entry: value}, sources={"": said}))
            continue
        old = found[position]
        kept = next((known for known in old.items if known.lower() == entry.lower()), entry)
        found[position] = replace(old, items={**old.items, kept: value}, sources={**old.sources, kept: said})
    return found


def origins(blocks: Sequence[DataBlock]) -> tuple[Origins, ...]:
    """Where every value comes from: row by row, long tables column by column."""
    return tuple(
        entry for block in blocks for category in block.categories for entry in _category_origins(block.name, category)
    )


def _category_origins(block: str, category: Category) -> Iterator[Origins]:
    """The origins of one category."""
    sources = category.sources
    default = sources.get("") or DERIVED
    count = category.rows
    is_by_row = category.is_looped and count <= _SHOWN_ROWS
    keys = _keys(category) if is_by_row else []
    for name, values in category.items.items():
        item, own = f"_{category.name}.{name}", sources.get(name)
        if not is_by_row:
            yield Origins(block, item, _shown(values), own or _of_rows(category, default))
            continue
        column = [values] * count if _is_single(values) else values
        for row, (key, value) in enumerate(zip(keys, column, strict=True)):  # type: ignore[arg-type]
            source = own or (category.row_sources[row] if category.row_sources else "") or default
            yield Origins(block, item, _text(value), source, key)


def _of_rows(category: Category, default: str) -> str:
    """The sources of all rows of a long table, each once."""
    return "; ".join(dict.fromkeys(entry or default for entry in category.row_sources)) or default


def _keys(category: Category) -> list[str]:
    """What tells the rows apart: the first item, with those after it until no two rows are the same."""
    found = [""] * category.rows
    for values in category.items.values():
        if not _is_single(values):
            found = [f"{old}, {_text(new)}" if old else _text(new) for old, new in zip(found, values, strict=True)]  # type: ignore[arg-type]
            if len(set(found)) == len(found):
                break
    return found


def _is_single(values: Values) -> bool:
    """True for one value for all rows."""
    return isinstance(values, (str, int, float, type(None), np.generic))


def _text(value: Any) -> str:
    """A value as it is written, without line ends."""
    return "." if value is None else " ".join(str(value).split())


def _shown(values: Values) -> str:
    """A value, or the first of many with their number."""
    if _is_single(values):
        return _text(values)
    column: Any = values
    return f"{_text(column[0])} ... ({len(column)} rows)" if len(column) > 1 else _text(column[0])
