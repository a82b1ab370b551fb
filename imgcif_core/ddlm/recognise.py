"""Which kind of dictionary a text is, if it is one: DDLm, a template, DDL2 or DDL1."""

from typing import Literal, cast

from imgcif_core.cif.document import Block, Document

DictionaryKind = Literal["", "DDLm", "template", "DDL2", "DDL1"]
_DDL2_CATEGORIES = ("item", "item_description", "item_type", "item_aliases", "item_linked", "item_enumeration")
_DDL2_HEADS = ("_dictionary.datablock_id", "_datablock.id", "_item_type_list.code", "_item_units_list.code")
_DDL1_NAMES = ("_dictionary_name", "_dictionary_version")
# A dictionary tells what it is in its first definitions; more are not looked at.
_LOOKED_AT = 50


def dictionary_kind(document: Document) -> DictionaryKind:
    """The kind of dictionary that a document is; empty for data and for anything else."""
    if document.known_kind is None:
        document.known_kind = _kind_of(document)
    return cast(DictionaryKind, document.known_kind)


def _kind_of(document: Document) -> DictionaryKind:
    """The kind, by a look at all definitions."""
    blocks = document.blocks
    if not blocks:
        return ""
    frames = [frame for block in blocks for frame in block.frames]
    if any("_definition.id" in frame.columns for frame in frames):
        return "DDLm"
    top = blocks[0]
    if _class_of(top) == "template":
        return "template"
    if any(_is_ddl2(frame) for frame in frames[:_LOOKED_AT]) or any(name in top.columns for name in _DDL2_HEADS):
        return "DDL2"
    if any(_is_ddl1(block) for block in blocks[:_LOOKED_AT]):
        return "DDL1"
    if "_dictionary.title" in top.columns and "_dictionary.ddl_conformance" in top.columns:
        return "DDLm"
    return "template" if frames and "_dictionary.title" in top.columns else ""


def _class_of(block: Block) -> str:
    """The class that the head of a DDLm dictionary states, in lower case."""
    column = block.columns.get("_dictionary.class")
    return column.text(0).lower() if column is not None and len(column) else ""


def _is_ddl2(frame: Block) -> bool:
    """True for a definition in the terms of DDL2."""
    categories = {name.partition(".")[0].lstrip("_") for name in frame.columns}
    return not categories.isdisjoint(_DDL2_CATEGORIES) or {"_category.id", "_category.description"} <= set(
        frame.columns
    )


def _is_ddl1(block: Block) -> bool:
    """True for a definition, or the head, of a DDL1 dictionary, which are data blocks."""
    columns = block.columns
    return any(name in columns for name in _DDL1_NAMES) or ("_name" in columns and "_definition" in columns)
