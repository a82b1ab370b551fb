"""A small dictionary of our own with the methods of a test, and the world of a small block."""

from pathlib import Path
from typing import Any

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.compile import load_dictionary
from imgcif_core.ddlm.drel.budget import Limits
from imgcif_core.ddlm.drel.program import Program
from imgcif_core.ddlm.drel.world import World
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.derive.store import TableStore
from imgcif_core.tables import Tables

HEAD = """\
#\\#CIF_2.0
data_TESTS
_dictionary.title TESTS
_dictionary.class Instance
_dictionary.version 1.0.0
_dictionary.date 2026-01-31
save_TESTS_HEAD
_definition.id TESTS_HEAD
_definition.scope Category
_definition.class Head
_name.category_id TESTS
_name.object_id TESTS_HEAD
save_
"""
# Two loops, one below the other, and a Set.
CATEGORIES = {
    "atom": ("Loop", "TESTS_HEAD", "_atom.id"),
    "shape": ("Loop", "atom", "_shape.id"),
    "kind": ("Loop", "TESTS_HEAD", "_kind.symbol"),
    "cell": ("Set", "TESTS_HEAD", ""),
}
ITEMS = {
    "atom.id": "Word",
    "atom.kind": "Code _name.linked_item_id '_kind.symbol' _type.purpose Link",
    "atom.x": "Real",
    "atom.y": "Real",
    "atom.twice": "Real",
    "atom.number": "Integer",
    "atom.xy": "Real _type.container Matrix _type.dimension '[2]'",
    "shape.id": "Word _name.linked_item_id '_atom.id' _type.purpose Link",
    "shape.size": "Real",
    "kind.symbol": "Code",
    "kind.mass": "Real",
    "cell.a": "Real",
    "cell.b": "Real _enumeration.default 7.5",
    "cell.text": "Text",
    "cell.result": "Real",
    "cell.list": "Real _type.container List",
    "cell.matrix": "Real _type.container Matrix _type.dimension '[3,3]'",
    "cell.complex": "Complex",
}


def dictionary(folder: Path, **methods: str | tuple[str, str]) -> Dictionary:
    """The dictionary with methods: `cell__result="..."` evaluates, ("Definition", "...") gives another purpose."""
    parts = [HEAD]
    for name, (cls, parent, key) in CATEGORIES.items():
        parts.append(f"save_{name}\n_definition.id {name}\n_definition.scope Category\n_definition.class {cls}\n")
        parts.append(f"_name.category_id {parent}\n_name.object_id {name}\n")
        parts.append((f"_category_key.name '{key}'\n" if key else "") + _method(methods.pop(name, None)) + "save_\n")
    for name, contents in ITEMS.items():
        category, _, item = name.partition(".")
        parts.append(f"save_{name}\n_definition.id '_{name}'\n_name.category_id {category}\n_name.object_id {item}\n")
        parts.append(f"_type.contents {contents}\n{_method(methods.pop(f'{category}__{item}', None))}save_\n")
    for name, text in methods.items():
        parts.append(f"save_f.{name}\n_definition.id '_function.{name}'\n_name.category_id function\n")
        parts.append(f"_name.object_id {name}\n{_method(text)}save_\n")
    path = folder / "tests.dic"
    path.write_text("".join(parts), encoding="utf-8")
    return load_dictionary([path])


def _method(text: str | tuple[str, str] | None) -> str:
    if text is None:
        return ""
    purpose, expression = text if isinstance(text, tuple) else ("Evaluation", text)
    return f"_method.purpose {purpose}\n_method.expression\n;\n{expression}\n;\n"


def world(data: str, judge: Dictionary, limits: Limits | None = None) -> World:
    """The world of a block with some data items."""
    document = read(open_source(f"#\\#CIF_2.0\ndata_t\n{data}\n".encode(), "t"))
    tables = Tables(document.blocks[0], judge)
    return World(TableStore(tables), judge, Program(judge.methods), limits)


def derive(folder: Path, data: str, item: str, row: int = 0, **methods: Any) -> Any:
    """The value of one item."""
    judge = dictionary(folder, **methods)
    found = judge.lookup(item)
    assert found is not None
    return world(data, judge).value(found, row).value


def result(folder: Path, method: str, data: str = "_cell.a 2.0") -> Any:
    """What a method of `_cell.result` gives."""
    return derive(folder, data, "_cell.result", cell__result=method)
