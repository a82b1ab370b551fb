"""Definitions that faulty dictionaries are made of."""

from dictionaries import FRAMES

NEW_ITEM = FRAMES["sample.kind"].replace("_sample.kind", "_sample.new").replace("object_id kind", "object_id new")
NEW_STATE = (
    NEW_ITEM.replace("'_sample_kind'", "'_sample_new'")
    .replace("State", "Link\n_name.linked_item_id '_sample.kind'")
    .replace("glass", "gel")
)
NEW_RANGE = """\
_definition.id '_sample.new'
_definition.update 2026-01-01
_name.category_id sample
_name.object_id new
_name.linked_item_id '_sample.mass'
_type.purpose Link
_type.source Related
_type.container Single
_type.contents Real
_enumeration.range 0.0:5.0
_units.code dalton
"""
CHILD = """\
_definition.id PART
_definition.scope Category
_definition.class Loop
_definition.update 2026-01-01
_name.category_id SAMPLE
_name.object_id PART
loop_ _category_key.name '_part.id'
"""
PART_ID = FRAMES["sample.id"].replace("_sample.id", "_part.id").replace("category_id sample", "category_id part")
PART_LINK = PART_ID.replace("object_id id", "object_id id\n_name.linked_item_id '_sample.id'").replace("Key", "Link")
FUNCTION = FRAMES["SAMPLE"].replace("SAMPLE", "FUNCTION").replace("class Loop", "class Functions")
FUNCTION = FUNCTION.replace("loop_ _category_key.name '_sample.id'\n", "")
FUNCTION_ITEM = """\
_definition.id '_function.f'
_definition.update 2026-01-01
_definition.class Functions
_name.category_id function
_name.object_id f
_type.purpose Number
_type.source Derived
_type.container Single
_type.contents Real
_units.code none
"""
DEFAULTS = "_enumeration.def_index_ids ['_sample.id']\nloop_ _enumeration_defaults.index _enumeration_defaults.value "
HISTORY = "loop_ _dictionary_audit.version _dictionary_audit.date _dictionary_audit.revision\n"
