"""Dictionaries wrong in one thing: text, code of the problem, and what stands in its line."""

from dictionaries import FRAMES, HEAD, dictionary, edited
from lint_parts import (
    CHILD,
    DEFAULTS,
    FUNCTION,
    FUNCTION_ITEM,
    HISTORY,
    NEW_ITEM,
    NEW_RANGE,
    NEW_STATE,
    PART_ID,
    PART_LINK,
)

FAULTS = {
    # What is wrong: the text, the code, and a text of the line that is named.
    "state that DDLm lacks": (edited("sample.kind", "Recorded", "Recalled"), "attribute-state", "Recalled"),
    "unit that DDLm lacks": (edited("sample.cell", "angstroms", "angstrom"), "attribute-state", "_units.code"),
    "misspelt attribute": (edited("sample.cell", "_units.code", "_unit.code"), "unknown-attribute", "_unit.code"),
    "old attribute": (
        edited("sample.kind", "_enumeration.default powder", "_enumeration.def_index_id '_sample.id'"),
        "deprecated-attribute",
        "def_index_id",
    ),
    "date that is none": (edited("sample.kind", "2026-01-01", "2026-01-32"), "attribute-type", "2026-01-32"),
    "list for one value": (edited("sample.kind", "contents Code", "contents [Code]"), "attribute-container", "[Code]"),
    "mandatory attribute": (edited("sample.id", "_name.object_id id\n", ""), "missing-attribute", "save_sample.id"),
    "dictionary without a title": (
        dictionary(HEAD.replace("_dictionary.title TESTS\n", "")),
        "missing-attribute",
        "data_TESTS",
    ),
    "unit of a category": (edited("SAMPLE", "loop_", "_units.code metres\nloop_"), "forbidden-attribute", "metres"),
    "type outside a frame": (dictionary(HEAD + "_type.contents Real\n"), "forbidden-attribute", "_type.contents"),
    "no head": (dictionary(TESTS_HEAD=None), "head-category", "data_TESTS"),
    "two heads": (edited("SAMPLE", "Loop", "Head"), "head-category", "Head"),
    "head of another dictionary": (edited("TESTS_HEAD", "id TESTS\n", "id OTHER\n"), "head-category", "OTHER"),
    "item of class Set": (
        edited("sample.id", "_definition.update", "_definition.class Set\n_definition.update"),
        "definition-class",
        "_definition.class Set",
    ),
    "attribute in an instance dictionary": (
        edited("sample.id", "_definition.update", "_definition.class Attribute\n_definition.update"),
        "definition-class",
        "Attribute",
    ),
    "id defined twice": (edited("sample.kind", "_sample.kind'", "_sample.id'"), "duplicate-definition", None),
    "method name used twice": (
        edited("sample.kind", "object_id kind", "object_id id"),
        "duplicate-object",
        "object_id id",
    ),
    "frame twice": (dictionary() + f"save_sample.id\n{FRAMES['sample.id']}save_\n", "syntax SYN005", None),
    "frame of another name": (edited("sample.kind", "_sample.kind'", "_sample.sort'"), "frame-name", "_sample.sort"),
    "item without underscore": (edited("sample.kind", "'_sample.kind'", "'sample.kind'"), "definition-id", None),
    "name and object disagree": (edited("sample.kind", "object_id kind", "object_id sort"), "data-name-form", "sort"),
    "versions out of order": (
        dictionary(HEAD + HISTORY + "2.0.0 2025-01-01 x\n1.0.0 2026-01-31 x\n"),
        "dictionary-history",
        "1.0.0 2026-01-31 x",
    ),
    "last version is another": (
        dictionary(HEAD + HISTORY + "0.9.0 2026-01-31 x\n"),
        "dictionary-history",
        "0.9.0 2026-01-31 x",
    ),
    "change after the dictionary": (edited("sample.id", "2026-01-01", "2026-02-01"), "update-date", "2026-02-01"),
    "no such category": (edited("sample.kind", "category_id sample", "category_id simple"), "missing-parent", "simple"),
    "item as category": (
        edited("sample.kind", "category_id sample", "category_id '_sample.id'"),
        "missing-parent",
        "_sample.id",
    ),
    "set below a loop": (
        dictionary(PART=CHILD.replace("Loop", "Set"), part__id=PART_ID),
        "set-below-loop",
        "_definition.class Set",
    ),
    "category below itself": (edited("SAMPLE", "id TESTS_HEAD", "id SAMPLE"), "category-cycle", "category_id SAMPLE"),
    "loop without key": (
        edited("SAMPLE", "loop_ _category_key.name '_sample.id'\n", ""),
        "missing-key",
        "_definition.class Loop",
    ),
    "key that is not defined": (edited("SAMPLE", "'_sample.id'", "'_sample.nr'"), "missing-key", "_sample.nr"),
    "key by its alias": (edited("SAMPLE", "'_sample.id'", "'_sample_kind'"), "key-is-alias", "_category_key.name"),
    "key of another category": (
        dictionary(PART=CHILD.replace("_part.id", "_sample.id")),
        "foreign-key",
        "_category_key",
    ),
    "loop not joined to the one above": (dictionary(PART=CHILD, part__id=PART_ID), "key-of-parent", "_category_key"),
    "link without target": (
        edited("sample.parent_id", "_name.linked_item_id '_sample.id'\n", ""),
        "missing-link",
        "_type.purpose Link",
    ),
    "link to nothing": (
        edited("sample.parent_id", "'_sample.id'", "'_sample.nr'"),
        "missing-link-target",
        "_sample.nr",
    ),
    "link to itself": (
        edited("sample.parent_id", "item_id '_sample.id'", "item_id '_sample.parent_id'"),
        "refers-to-itself",
        None,
    ),
    "link of another type": (edited("sample.parent_id", "contents Word", "contents Code"), "link-contents", "Code"),
    "link with states of its own": (
        dictionary(sample__new=NEW_STATE),
        "link-states",
        "_enumeration_set.state",
    ),
    "link of another range": (dictionary(sample__new=NEW_RANGE), "link-range", "0.0:5.0"),
    "link of another purpose": (edited("sample.parent_id", "Link", "Encode"), "link-purpose", "linked_item_id"),
    "uncertainty of a state": (
        edited("sample.mass_su", "'_sample.mass'", "'_sample.cell'"),
        "uncertainty-of-exact-item",
        "_sample.cell",
    ),
    "uncertainty that is not related": (
        edited("sample.mass_su", "Related", "Recorded"),
        "uncertainty-source",
        "Recorded",
    ),
    "uncertainty of another unit": (edited("sample.mass_su", "dalton", "electrons"), "link-units", "electrons"),
    "uncertainty of another name": (
        dictionary(
            sample__mass_su=None,
            sample__mass_esd=FRAMES["sample.mass_su"].replace("mass_su", "mass_esd"),
        ),
        "uncertainty-name",
        "_sample.mass_esd'",
    ),
    "measurand without uncertainty": (dictionary(sample__mass_su=None), "missing-uncertainty", "Measurand"),
    "alias that is a name": (edited("sample.kind", "'_sample_kind'", "'_sample.id'"), "alias-clash", "_alias"),
    "alias of two items": (dictionary(sample__new=NEW_ITEM), "alias-clash", None),
    "alias of itself": (edited("sample.kind", "'_sample_kind'", "'_sample.kind'"), "alias-of-itself", "_alias"),
    "type by a reference to nothing": (
        edited("sample.kind", "contents Code", "contents ByReference\n_type.contents_referenced_id '_sample.nr'"),
        "missing-target",
        "_sample.nr",
    ),
    "type by reference without one": (edited("sample.kind", "Code", "ByReference"), "missing-target", "ByReference"),
    "replaced by nothing known": (
        edited(
            "sample.kind", "_type.purpose", "_definition_replaced.id 1\n_definition_replaced.by '_x.y'\n_type.purpose"
        ),
        "missing-target",
        "_x.y",
    ),
    "defaults by unknown items": (
        edited("sample.kind", "_enumeration.default powder", "_enumeration.def_index_ids ['_x.y']"),
        "missing-target",
        "_x.y",
    ),
    "state without states": (
        edited("sample.kind", "loop_ _enumeration_set.state powder crystal glass\n", ""),
        "missing-states",
        "_type.purpose State",
    ),
    "number that is a word": (edited("sample.cell", "contents Real", "contents Word"), "purpose-contents", "Number"),
    "real description": (edited("sample.cell", "Number", "Describe"), "purpose-contents", "Describe"),
    "old type": (edited("sample.cell", "contents Real", "contents Count"), "old-type", "Count"),
    "recorded and evaluated": (
        edited("sample.cell", "_type.source", "_method.expression 'x = 1'\n_type.source"),
        "method-of-primitive",
        "_type.source",
    ),
    "dimension of a single value": (
        edited("sample.kind", "_type.contents", "_type.dimension '[2]'\n_type.contents"),
        "dimension-of-single",
        "[2]",
    ),
    "matrix without dimension": (
        edited("sample.cell", "List\n_type.dimension '[3]'", "Matrix"),
        "missing-dimension",
        "Matrix",
    ),
    "keys of a single value": (
        edited("sample.kind", "_type.contents", "_type.indices Code\n_type.contents"),
        "indices-of-single",
        "_type.indices",
    ),
    "state twice by the case rule": (edited("sample.kind", "glass", "Powder"), "duplicate-state", "Powder"),
    "state with a blank": (edited("sample.kind", "glass", "'two parts'"), "state-type", "two parts"),
    "range without colon": (edited("sample.mass", "0.0:", "0.0-9.0"), "range-form", "0.0-9.0"),
    "range without ends": (edited("sample.mass", "0.0:", ":"), "range-form", "_enumeration.range"),
    "range of words": (edited("sample.mass", "0.0:", "low:high"), "range-form", "low:high"),
    "range upside down": (edited("sample.mass", "0.0:", "9.0:0.0"), "range-order", "9.0:0.0"),
    "range of a word": (
        edited("sample.id", "contents Word\n", "contents Word\n_enumeration.range 1:\n"),
        "range-of-text",
        "_enumeration.range",
    ),
    "default of another type": (
        edited("sample.mass", "_units.code", "_enumeration.default heavy\n_units.code"),
        "default-type",
        "heavy",
    ),
    "default that is no state": (edited("sample.kind", "default powder", "default liquid"), "default-state", "liquid"),
    "default out of range": (
        edited("sample.mass", "_units.code", "_enumeration.default -1.0\n_units.code"),
        "default-range",
        "-1.0",
    ),
    "unit of a word": (
        edited("sample.id", "contents Word\n", "contents Word\n_units.code metres\n"),
        "unit-of-text",
        "_units.code",
    ),
    "number without unit": (
        edited("sample.cell", "_units.code angstroms\n", ""),
        "missing-unit",
        "_type.contents Real",
    ),
    "import of a file that is not there": (
        edited("sample.kind", "_type.purpose State", "_import.get [{'file':no.cif 'save':x}]"),
        "import-file",
        "save_sample.kind",
    ),
    "import with an unknown option": (
        edited("sample.kind", "_type.purpose State", "_import.get [{'file':no.cif 'save':x 'dupl':Keep}]"),
        "import-option",
        "Keep",
    ),
    "import with an unknown key": (
        edited("sample.kind", "_type.purpose State", "_import.get [{'file':no.cif 'frame':x}]"),
        "import-key",
        "frame",
    ),
    "item that imports definitions": (
        edited("sample.kind", "_type.purpose State", "_import.get [{'file':no.cif 'save':x 'mode':Full}]"),
        "import-mode",
        "Full",
    ),
    "item in the Head": (
        edited("sample.cell", "category_id sample", "category_id TESTS_HEAD"),
        "item-in-head",
        "TESTS_HEAD",
    ),
    "version that is no semantic one": (
        dictionary(HEAD.replace("version 1.0.0", "version 01.0.0")),
        "attribute-type",
        "_dictionary.version",
    ),
    "release before its pre-release": (
        dictionary(
            HEAD.replace("version 1.0.0", "version 1.0.0-dev")
            + HISTORY
            + "1.0.0 2026-01-01 x\n1.0.0-dev 2026-01-31 x\n"
        ),
        "dictionary-history",
        "1.0.0-dev 2026-01-31 x",
    ),
    "template that sets an identity": (
        "#\\#CIF_2.0\ndata_T\n_dictionary.title T\n_dictionary.class Template\nsave_a\n_name.object_id a\nsave_\n",
        "template-identity",
        "_name.object_id a",
    ),
    "dictionary without frames": (
        HEAD.replace("_dictionary.uri https://example.org/tests.dic\n", ""),
        "missing-attribute",
        None,
    ),
    "fractional range of an integer": (
        edited("sample.mass", "contents Real\n_enumeration.range 0.0:", "contents Integer\n_enumeration.range 0.5:"),
        "range-of-integer",
        "0.5:",
    ),
    "uncertainty below zero": (
        edited("sample.mass_su", "contents Real", "contents Real\n_enumeration.range -1.0:"),
        "uncertainty-range",
        "-1.0:",
    ),
    "uncertainty without its measurand": (
        edited("sample.mass_su", "_name.linked_item_id '_sample.mass'\n", ""),
        "missing-link",
        "_type.purpose SU",
    ),
    "name of an uncertainty for something else": (
        dictionary(sample__kind_su=NEW_ITEM.replace("_sample.new", "_sample.kind_su").replace("id new", "id kind_su")),
        "uncertainty-name",
        "_sample.kind_su",
    ),
    "unit of an integer left out": (
        edited("sample.cell", "Real\n_units.code angstroms", "Integer"),
        "missing-unit",
        "_type.contents Integer",
    ),
    "list without dimension": (edited("sample.cell", "_type.dimension '[3]'\n", ""), "missing-dimension", "List"),
    "type taken from itself": (
        edited("sample.kind", "contents Code", "contents ByReference\n_type.contents_referenced_id '_sample.kind'"),
        "refers-to-itself",
        "contents_referenced_id",
    ),
    "replaced by itself": (
        edited(
            "sample.kind",
            "_type.purpose",
            "_definition_replaced.id 1\n_definition_replaced.by '_sample.kind'\n_type.purpose",
        ),
        "refers-to-itself",
        "_definition_replaced.by",
    ),
    "default by itself, through an alias": (
        edited("sample.kind", "_enumeration.default powder", "_enumeration.def_index_ids ['_sample_kind']"),
        "refers-to-itself",
        "def_index_ids",
    ),
    "referenced id without reference": (
        edited("sample.kind", "contents Code", "contents Code\n_type.contents_referenced_id '_sample.id'"),
        "unused-reference",
        "contents_referenced_id",
    ),
    "purpose of attributes": (edited("sample.kind", "State", "Audit"), "reserved-word", "Audit"),
    "type of attributes": (edited("sample.kind", "contents Code", "contents Implied"), "reserved-word", "Implied"),
    "matrix of text": (
        edited(
            "sample.cell",
            "List\n_type.dimension '[3]'\n_type.contents Real",
            "Matrix\n_type.dimension '[3]'\n_type.contents Text",
        ),
        "matrix-of-text",
        "_type.contents Text",
    ),
    "purpose of a method without its text": (
        edited("sample.cell", "_units.code", "_method.purpose Evaluation\n_units.code"),
        "method-without-expression",
        "_method.purpose",
    ),
    "function without a method": (
        dictionary(FUNCTION=FUNCTION, function__f=FUNCTION_ITEM),
        "method-missing",
        "_definition.class Functions",
    ),
    "index of defaults without a table": (
        edited("sample.kind", "_enumeration.default powder", "_enumeration.def_index_ids ['_sample.id']"),
        "default-table",
        "def_index_ids",
    ),
    "table of defaults without an index": (
        edited(
            "sample.kind",
            "_enumeration.default powder",
            "loop_ _enumeration_defaults.index _enumeration_defaults.value [a] glass",
        ),
        "default-table",
        "_enumeration_defaults.index",
    ),
    "tabulated default that is no state": (
        edited("sample.kind", "_enumeration.default powder", DEFAULTS + "[a] glass [b] liquid"),
        "default-state",
        "liquid",
    ),
    "child key linked to what is no key": (
        dictionary(PART=CHILD, part__id=PART_LINK.replace("'_sample.id'", "'_sample.parent_id'")),
        "key-to-non-key",
        "_category_key.name",
    ),
    "child with more keys than its parent": (
        dictionary(
            PART=CHILD.replace("'_part.id'", "'_part.id' '_part.nr'"),
            part__id=PART_LINK,
            part__nr=PART_ID.replace("_part.id", "_part.nr").replace("object_id id", "object_id nr"),
        ),
        "more-keys-than-parent",
        "_category_key.name",
    ),
    "keys of the Head": (
        edited("TESTS_HEAD", "_name.category_id", "_category_key.name '_sample.id'\n_name.category_id"),
        "key-of-class",
        "_category_key.name",
    ),
    "link by an alias": (
        edited("sample.parent_id", "'_sample.id'", "'_sample_kind'"),
        "link-by-alias",
        "_sample_kind",
    ),
    "link to one of two keys": (
        dictionary(
            SAMPLE=FRAMES["SAMPLE"].replace("'_sample.id'", "'_sample.id' '_sample.kind'"),
            PART=CHILD.replace("category_id SAMPLE", "category_id TESTS_HEAD"),
            part__id=PART_LINK,
        ),
        "link-to-part-of-key",
        "linked_item_id '_sample.id'",
    ),
    "link of another dimension": (
        dictionary(
            sample__new=FRAMES["sample.cell"]
            .replace("_sample.cell", "_sample.new")
            .replace("object_id cell", "object_id new\n_name.linked_item_id '_sample.cell'")
            .replace("Number", "Link")
            .replace("[3]", "[2]")
        ),
        "link-dimension",
        "[2]",
    ),
    "method that is no dREL": (
        edited("sample.cell", "_units.code", "_method.expression 'x = = 1'\n_units.code"),
        "method-syntax",
        "x = = 1",
    ),
    "method with an operator of other languages": (
        edited("sample.cell", "_units.code", "_method.expression 'x = 1 ; x++'\n_units.code"),
        "method-operator",
        "x++",
    ),
    "method with an unknown item": (
        edited("sample.cell", "_units.code", "_method.expression 'sample.cell = sample.lenght'\n_units.code"),
        "method-name",
        "lenght",
    ),
    "method with an unknown function": (
        edited("sample.cell", "_units.code", "_method.expression 'sample.cell = Nrom(sample.mass)'\n_units.code"),
        "method-name",
        "Nrom",
    ),
    "example of another type": (
        edited("sample.mass", "_units.code", "_description_example.case heavy\n_units.code"),
        "example-type",
        "heavy",
    ),
    "example that is no state": (
        edited("sample.kind", "_enumeration.default", "_description_example.case liquid\n_enumeration.default"),
        "example-state",
        "liquid",
    ),
    "example that is no CIF": (
        edited("SAMPLE", "loop_", "_description_example.case\n;\nloop_\n_sample.id\n_sample.kind\nA glass B\n;\nloop_"),
        "example-syntax",
        ";",
    ),
    "example with an unknown name": (
        edited("SAMPLE", "loop_", "_description_example.case\n;\nloop_ _sample.id _sample.size A 1\n;\nloop_"),
        "example-name",
        ";",
    ),
    "example of a category with a value of another type": (
        edited("SAMPLE", "loop_", "_description_example.case\n;\nloop_ _sample.id _sample.mass A 4(\n;\nloop_"),
        "example-type",
        ";",
    ),
    "example of a category with a single value for a list": (
        edited("SAMPLE", "loop_", "_description_example.case\n;\nloop_ _sample.id _sample.cell A 4\n;\nloop_"),
        "example-type",
        ";",
    ),
    "example of a category with a value that is no state": (
        edited("SAMPLE", "loop_", "_description_example.case\n;\nloop_ _sample.id _sample.kind A gas\n;\nloop_"),
        "example-state",
        ";",
    ),
    "example of a category with a value out of range": (
        edited("SAMPLE", "loop_", "_description_example.case\n;\nloop_ _sample.id _sample.mass A -2\n;\nloop_"),
        "example-range",
        ";",
    ),
    "example of a category with a key twice": (
        edited("SAMPLE", "loop_", "_description_example.case\n;\nloop_ _sample.id _sample.mass A 2 A 3\n;\nloop_"),
        "example-key",
        ";",
    ),
    "text that breaks CIF": (edited("sample.kind", "State", "'State"), "syntax SYN008", "'State"),
}
