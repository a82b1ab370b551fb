"""A small faultless dictionary for the tests, and the means to change it."""

from pathlib import Path

HEAD = """\
#\\#CIF_2.0
data_TESTS
_dictionary.title TESTS
_dictionary.class Instance
_dictionary.version 1.0.0
_dictionary.date 2026-01-31
_dictionary.uri https://example.org/tests.dic
_dictionary.ddl_conformance 4.2.0
_dictionary.namespace Tests
"""
FRAMES = {
    "TESTS_HEAD": """\
_definition.id TESTS_HEAD
_definition.scope Category
_definition.class Head
_definition.update 2026-01-01
_name.category_id TESTS
_name.object_id TESTS_HEAD
""",
    "SAMPLE": """\
_definition.id SAMPLE
_definition.scope Category
_definition.class Loop
_definition.update 2026-01-01
_name.category_id TESTS_HEAD
_name.object_id SAMPLE
loop_ _category_key.name '_sample.id'
""",
    "sample.id": """\
_definition.id '_sample.id'
_definition.update 2026-01-01
_name.category_id sample
_name.object_id id
_type.purpose Key
_type.source Related
_type.container Single
_type.contents Word
""",
    "sample.kind": """\
_definition.id '_sample.kind'
_definition.update 2026-01-01
_alias.definition_id '_sample_kind'
_name.category_id sample
_name.object_id kind
_type.purpose State
_type.source Recorded
_type.container Single
_type.contents Code
loop_ _enumeration_set.state powder crystal glass
_enumeration.default powder
""",
    "sample.mass": """\
_definition.id '_sample.mass'
_definition.update 2026-01-01
_name.category_id sample
_name.object_id mass
_type.purpose Measurand
_type.source Recorded
_type.container Single
_type.contents Real
_enumeration.range 0.0:
_units.code dalton
""",
    "sample.mass_su": """\
_definition.id '_sample.mass_su'
_definition.update 2026-01-01
_name.category_id sample
_name.object_id mass_su
_name.linked_item_id '_sample.mass'
_type.purpose SU
_type.source Related
_type.container Single
_type.contents Real
_units.code dalton
""",
    "sample.parent_id": """\
_definition.id '_sample.parent_id'
_definition.update 2026-01-01
_name.category_id sample
_name.object_id parent_id
_name.linked_item_id '_sample.id'
_type.purpose Link
_type.source Related
_type.container Single
_type.contents Word
""",
    "sample.cell": """\
_definition.id '_sample.cell'
_definition.update 2026-01-01
_name.category_id sample
_name.object_id cell
_type.purpose Number
_type.source Recorded
_type.container List
_type.dimension '[3]'
_type.contents Real
_units.code angstroms
""",
}


def dictionary(head: str = HEAD, **frames: str | None) -> str:
    """The text of the dictionary with some frames replaced, added or (None) left out.

    Names of frames are given with two underscores for the dot: `sample__id`.
    """
    changed: dict[str, str | None] = dict(FRAMES)
    changed.update({name.replace("__", "."): body for name, body in frames.items()})
    parts = [f"save_{name}\n{body}save_\n" for name, body in changed.items() if body is not None]
    return head + "".join(parts)


def edited(frame: str, old: str, new: str) -> str:
    """The dictionary with one text replaced in one frame."""
    body = FRAMES[frame]
    assert body.count(old) == 1, f"{old!r} stands {body.count(old)} times in {frame}"
    return dictionary(**{frame.replace(".", "__"): body.replace(old, new)})


def write(folder: Path, text: str, name: str = "tests.dic") -> Path:
    """A dictionary file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
