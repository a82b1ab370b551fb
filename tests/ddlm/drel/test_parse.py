"""The grammar: all that dREL has, positions, and what is refused."""

import pytest
from shared import DICTIONARIES, needs_dictionaries

from imgcif_core.cif.reader import open_source, read
from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.cache import from_data, to_data
from imgcif_core.ddlm.drel.errors import BudgetExceeded, MethodSyntaxError, position
from imgcif_core.ddlm.drel.parse import MAX_TOKENS, parse


def test_keywords_know_no_case_and_newlines_do_not_count() -> None:
    assert (
        parse("IF (a) b = 1 ELSE IF (c) b = 2 Else b = 3")[0] == parse("if (a) b = 1 else if (c) b = 2 else b = 3")[0]
    )
    one, other = parse("x = a\n[1]")[0], parse("x = a [1]")[0]
    assert one == other


def test_a_dot_before_digits_is_an_item_or_a_real() -> None:
    (statement,) = parse("x = .5 + t.11 + 3.e2")
    assert isinstance(statement, nodes.Assign)
    (chain,) = statement.values
    assert isinstance(chain, nodes.Chain)
    assert chain.first == nodes.Literal(4, 0.5)
    assert chain.rest[0][2] == nodes.Attribute(9, nodes.Name(9, "t"), "11")
    assert chain.rest[1][2] == nodes.Literal(16, 300.0)


@pytest.mark.parametrize(
    "text",
    [
        "Loop a as cat :i { x = 1 }",
        "Loop a as cat :i>j x = 1",
        "For [a,b] in list { x ++= a }",
        "For a,b in list x --= a",
        "Do i = -2, 2 { Do j = 0, 4, 2 Next }",
        "Repeat { Break }",
        "With c as cell x = c.a",
        "With c as cell { x = c.a }",
        "Function F( s :[Single, Word], t :[Matrix, Real] ) { F = s }",
        "cat( .a = 1, .b = [1,2] )",
        "x = cat[.a = 1, .b = y].c",
        "x = m[0:2, :, 1:, ::2]",
        "x = {'a':1, \"b\":[2]}",
        "x, y = 1, 2",
        "count++",
        "x = a and not b or c && d || e",
        "x = a not in [1,2] ; y = 2 ;",
        "x = 0x1F + 0b11 + 0o17 + 2j + 1.5e-3",
        "x = '''a\nb''' # comment",
        "_enumeration.range = -a.i : a.i",
        "x = a \\\n + b",
        "x = ?",
        "next = 1",
    ],
)
def test_statements_are_parsed_and_kept_as_data(text: str) -> None:
    if text.startswith("next"):
        with pytest.raises(MethodSyntaxError):
            parse(text)
        return
    statements = parse(text)
    assert from_data(to_data(statements)) == statements


def test_dangling_else_belongs_to_the_nearest_if() -> None:
    (outer,) = parse("If (a) If (b) x = 1 Else x = 2")
    assert isinstance(outer, nodes.If) and not outer.otherwise
    inner = outer.branches[0][1][0]
    assert isinstance(inner, nodes.If) and inner.otherwise


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("x = 1\ny = = 2", 2, 5), ("x = (1\n", 1, 7), ("1 = 2", 1, 1), ("x = 1 @", 1, 7), ("f(1) = 2", 1, 1)],
)
def test_what_is_no_drel_is_told_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(MethodSyntaxError) as caught:
        parse(text)
    assert position(text, caught.value.at) == (line, column)


def test_a_hundred_thousand_tokens_are_refused_before_they_are_parsed() -> None:
    text = "x = 1 " * 34_000
    with pytest.raises(BudgetExceeded, match="budget of length") as caught:
        parse(text)
    assert 0 < caught.value.at < MAX_TOKENS * 3


@pytest.mark.parametrize("deep", ["x = " + "[" * 300 + "]" * 300, "x = " + "- " * 300 + "1", "x = a" + ".b" * 300])
def test_deep_nesting_is_refused(deep: str) -> None:
    with pytest.raises(MethodSyntaxError, match="nested"):
        parse(deep)


@needs_dictionaries
def test_every_official_method_is_parsed() -> None:
    counts = {}
    for path in (*DICTIONARIES.glob("*.dic"), *DICTIONARIES.glob("more/*.dic")):
        for block in read(open_source(path)).blocks:
            for frame in block.frames:
                texts = frame.columns.get("_method.expression")
                for row in range(len(texts) if texts is not None else 0):
                    assert parse(texts.text(row))
                    counts[path.name] = counts.get(path.name, 0) + 1
    assert sum(counts.values()) >= 496
