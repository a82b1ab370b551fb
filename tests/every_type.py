"""A dictionary with an item of every type, container and constraint, for tests of generic checks."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import imgcif_core
from imgcif_core import Finding, load_dictionary
from imgcif_core.ddlm.model import Dictionary

HEAD = """\
#\\#CIF_2.0
data_EVERY
_dictionary.title EVERY
_dictionary.class Instance
_dictionary.version 1.0.0
_dictionary.date 2026-01-31
"""
TYPES = (
    "Text Word Code Name Tag Uri Iri Date DateTime Version Dimension Range Integer Real Imag Complex Symop Count Index"
)
CATEGORIES = {
    # name: class, parent, keys
    "EVERY_HEAD": ("Head", "EVERY", ()),
    "thing": ("Set", "EVERY_HEAD", ()),
    "other": ("Set", "EVERY_HEAD", ()),
    "row": ("Loop", "EVERY_HEAD", ("_row.id",)),
    "row_more": ("Loop", "row", ("_row_more.id",)),
    "numbered": ("Loop", "EVERY_HEAD", ("_numbered.nr",)),
    "coded": ("Loop", "EVERY_HEAD", ("_coded.code",)),
    "pair": ("Loop", "EVERY_HEAD", ("_pair.one", "_pair.two")),
    "user": ("Loop", "EVERY_HEAD", ("_user.id",)),
}
STATES = "loop_ _enumeration_set.state red green Blue\n"
ITEMS = {
    "thing.byref": "_type.contents ByReference\n_type.contents_referenced_id '_thing.date'\n",
    "thing.list": "_type.contents Real\n_type.container List\n_type.dimension '[3]'\n_enumeration.range 0:10\n",
    "thing.array": "_type.contents Integer\n_type.container Array\n_type.dimension '[]'\n",
    "thing.matrix": "_type.contents Real\n_type.container Matrix\n_type.dimension '[2,2]'\n",
    "thing.colours": f"_type.contents Code\n_type.container List\n{STATES}",
    "thing.table": "_type.contents Real\n_type.container Table\n_type.indices Date\n",
    "thing.code_state": f"_type.purpose State\n_type.contents Code\n{STATES}",
    "thing.word_state": f"_type.purpose State\n_type.contents Word\n{STATES}",
    "thing.advised": f"_type.purpose State\n_type.contents Word\n_enumeration.mandatory No\n{STATES}",
    "thing.limited": "_type.purpose Measurand\n_type.contents Real\n_enumeration.range 0:10\n",
    "thing.limited_su": "_type.purpose SU\n_type.source Related\n_type.contents Real\n"
    "_name.linked_item_id '_thing.limited'\n",
    "thing.exact": "_type.purpose Number\n_type.contents Real\n",
    "thing.named": "_type.contents Text\n_alias.definition_id '_thing_old_name'\n",
    "thing.renamed": "_type.contents Text\nloop_ _alias.definition_id _alias.deprecation_date "
    "'_thing.retired' 2020-01-01\n",
    "thing.replaced": "_type.contents Text\n_definition_replaced.id 1\n_definition_replaced.by '_thing.named'\n",
    "other.value": "_type.contents Text\n",
    "row.id": "_type.purpose Key\n_type.contents Word\n",
    "row.value": "_type.contents Text\n",
    "row_more.id": "_type.purpose Link\n_type.contents Word\n_name.linked_item_id '_row.id'\n",
    "row_more.note": "_type.contents Text\n",
    "numbered.nr": "_type.purpose Key\n_type.contents Integer\n",
    "numbered.row_id": "_type.purpose Link\n_type.contents Word\n_name.linked_item_id '_row.id'\n",
    "coded.code": "_type.purpose Key\n_type.contents Code\n",
    "coded.value": "_type.contents Text\n",
    "pair.one": "_type.purpose Key\n_type.contents Word\n_enumeration.default A\n",
    "pair.two": "_type.purpose Key\n_type.contents Integer\n",
    "user.id": "_type.purpose Key\n_type.contents Word\n",
    "user.one": "_type.purpose Link\n_type.contents Word\n_name.linked_item_id '_pair.one'\n",
    "user.two": "_type.purpose Link\n_type.contents Integer\n_name.linked_item_id '_pair.two'\n",
    "user.code": "_type.purpose Link\n_type.contents Code\n_name.linked_item_id '_coded.code'\n",
    "user.nr": "_type.purpose Link\n_type.contents Integer\n_name.linked_item_id '_numbered.nr'\n",
}


def text() -> str:
    """The dictionary's text."""
    parts = [HEAD]
    for name, (cls, parent, keys) in CATEGORIES.items():
        key_loop = "loop_ _category_key.name " + " ".join(f"'{key}'" for key in keys) + "\n" if keys else ""
        parts.append(
            f"save_{name}\n_definition.id {name}\n_definition.scope Category\n_definition.class {cls}\n"
            f"_name.category_id {parent}\n_name.object_id {name}\n{key_loop}save_\n"
        )
    simple = {f"thing.{kind.lower()}": f"_type.contents {kind}\n" for kind in TYPES.split()}
    for name, body in {**simple, **ITEMS}.items():
        category, item = name.split(".")
        parts.append(
            f"save_{name}\n_definition.id '_{name}'\n_name.category_id {category}\n"
            f"_name.object_id {item}\n{body}save_\n"
        )
    return "".join(parts)


@cache
def every_type() -> Dictionary:
    """The dictionary, loaded as a user's own would be."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "every.dic"
        path.write_text(text(), encoding="utf-8")
        return load_dictionary([path])


def findings(cif: str, *, dictionary: Dictionary | None = None) -> list[Finding]:
    """What is said of a text below the heading of a CIF 2.0 block; the version line is not judged."""
    (entry,) = imgcif_core.check(
        f"#\\#CIF_2.0\ndata_t\n{cif}\n".encode(), dictionary=dictionary or every_type(), name="t.cif"
    ).files
    assert entry.outcomes.crashed == (), entry.outcomes.crashed
    return list(entry.findings)
