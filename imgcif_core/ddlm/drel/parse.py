"""From the text of a method to its nodes; the only module that knows lark."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.errors import BudgetExceeded, MethodSyntaxError

MAX_TOKENS = 20_000
MAX_DEPTH = 100
_TOKEN = re.compile(r"[A-Za-z_][\w$]*|\d+|'[^']*'|\"[^\"]*\"|#[^\n]*|[^\s\w]")
_GRAMMAR = Path(__file__).parent.parent / "data/drel.lark"


def parse(text: str) -> tuple[nodes.Statement, ...]:
    """The statements of a method.

    Raises
    ------
    MethodSyntaxError
        If the text is not dREL, or is nested deeper than any hand-written method.
    BudgetExceeded
        If it is longer than `MAX_TOKENS`.
    """
    from lark.exceptions import UnexpectedEOF, UnexpectedInput

    _refuse_length(text)
    try:
        statements: tuple[nodes.Statement, ...] = _parser().parse(text)
    except UnexpectedInput as error:
        at = getattr(error, "pos_in_stream", None)
        ended = getattr(getattr(error, "token", None), "type", "") == "$END"
        if ended or isinstance(error, UnexpectedEOF) or at is None or not 0 <= at < len(text):
            raise MethodSyntaxError("the method ends in the middle of a statement", max(len(text) - 1, 0)) from None
        shown = " ".join(text[at : at + 20].split()[:1])
        raise MethodSyntaxError(f"{shown!r} is not expected here", at) from None
    level, where = nodes.depth(statements)
    if level > MAX_DEPTH:
        raise MethodSyntaxError(f"nested {level} deep; {MAX_DEPTH} is the limit", where)
    for node in nodes.walk(statements):
        if isinstance(node, (nodes.Assign, nodes.Increment)):
            _refuse_targets(node)
    return statements


def _refuse_length(text: str) -> None:
    """Refuse a text of more tokens than a method may have, before it is parsed."""
    if len(text) <= MAX_TOKENS:
        return
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count >= MAX_TOKENS:
            raise BudgetExceeded(f"the method is longer than {MAX_TOKENS} tokens (budget of length)", match.start())


def _refuse_targets(node: nodes.Assign | nodes.Increment) -> None:
    """Refuse assignments to what is no variable, item or element."""
    targets = node.targets if isinstance(node, nodes.Assign) else (node.target,)
    for target in targets:
        if not isinstance(target, (nodes.Name, nodes.Attribute, nodes.Subscript)):
            raise MethodSyntaxError("nothing can be assigned to this", target.at)


@lru_cache(maxsize=1)
def _parser() -> Any:
    """The parser, which makes nodes while it parses."""
    import lark

    return lark.Lark(
        _GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        maybe_placeholders=True,
        transformer=_builder(),
    )


def _builder() -> Any:
    """The transformer from rules of the grammar to nodes."""
    import lark

    methods = {name: _of_children(function) for name, function in _RULES.items()}
    return type("Builder", (lark.Transformer,), methods)()


def _of_children(function: Any) -> Any:
    """A method of the transformer from a function of the list of children."""

    def build(_self: Any, found: list[Any]) -> Any:
        return function(found)

    return build


def _name(text: str) -> str:
    """A name without the leading underscore of data names, which does not count."""
    return str(text[1:] if text[0] == "_" else text)


def _chain(kind: str) -> Any:
    """Operands and operator tokens by turns, as a chain."""

    def build(found: list[Any]) -> nodes.Chain:
        rest = tuple((str(found[i]).lower(), found[i].start_pos, found[i + 1]) for i in range(1, len(found), 2))
        return nodes.Chain(rest[0][1], kind, found[0], rest)

    return build


def _logic(operator: str) -> Any:
    return lambda found: nodes.Logic(found[0].at, operator, tuple(found))


def _number(found: list[Any]) -> nodes.Literal:
    token = found[0]
    text = str(token).lower()
    value: Any
    if token.type == "INTEGER":
        # Longer numbers of digits than the sixteen of a double have no use in methods.
        value = int(text) if len(text) < 300 else float("inf")
    elif token.type == "BASED":
        value = int(text[:300], 0)
    elif token.type == "IMAGINARY":
        value = complex(0.0, float(text[:-1]))
    else:
        value = float(text)
    return nodes.Literal(token.start_pos, value)


def _string(found: list[Any]) -> nodes.Literal:
    text = str(found[0])
    width = 3 if text[:3] in ("'''", '"""') and len(text) > 5 else 1
    return nodes.Literal(found[0].start_pos, text[width:-width])


def _unquoted(token: Any) -> str:
    return str(_string([token]).value)


def _not_in(found: list[Any]) -> Any:
    return found[0].update(value="not in")


def _for(found: list[Any]) -> nodes.For:
    keyword, names, _in, values, body = found
    return nodes.For(keyword.start_pos, names, values, body)


def _loop(found: list[Any]) -> nodes.Loop:
    keyword, variable, category, *rest, body = found
    index, operator, other = [*map(str, rest), None, None, None][:3]
    return nodes.Loop(keyword.start_pos, _name(variable), _name(category), index, operator, other, body)


def _if(found: list[Any]) -> nodes.If:
    keyword, condition, body, *rest = found
    branches = [(condition, body)]
    otherwise: tuple[Any, ...] = ()
    for entry in rest:
        if entry[0] is None:
            otherwise = entry[1]
        else:
            branches.append(entry)
    return nodes.If(keyword.start_pos, tuple(branches), otherwise)


def _do(found: list[Any]) -> nodes.Do:
    keyword, variable, _equals, start, stop, step, body = found
    return nodes.Do(keyword.start_pos, _name(variable), start, stop, step, body)


def _assign(found: list[Any]) -> nodes.Assign:
    targets, operator, right = found
    values = right if isinstance(right, tuple) else (right,)
    return nodes.Assign(targets[0].at, str(operator), targets, values)


def _slice(found: list[Any]) -> nodes.Slice:
    bounds = [entry[0] for entry in found] + [None, None]
    at = next((bound.at for bound in bounds if bound is not None), 0)
    return nodes.Slice(at, *bounds[:3])


def _call(found: list[Any]) -> nodes.Call:
    name, arguments = found
    return nodes.Call(name.start_pos, str(name), arguments or ())


_RULES: dict[str, Any] = {
    "start": tuple,
    "bare": lambda found: nodes.Bare(found[0][0].at, found[0]),
    "assign": _assign,
    "range": lambda found: nodes.RangeDisplay(found[0].at, *found),
    "increment": lambda found: nodes.Increment(found[1].start_pos, found[0], str(found[1])),
    "row": lambda found: nodes.Row(found[0].start_pos, _name(found[0]), found[1]),
    "next_": lambda found: nodes.Jump(found[0].start_pos, "next"),
    "break_": lambda found: nodes.Jump(found[0].start_pos, "break"),
    "if_": _if,
    "elif_": lambda found: (found[1], found[2]),
    "else_": lambda found: (None, found[0]),
    "for_": _for,
    "loop_": _loop,
    "do_": _do,
    "repeat_": lambda found: nodes.Repeat(found[0].start_pos, found[1]),
    "with_": lambda found: nodes.With(found[0].start_pos, _name(found[1]), _name(found[2]), found[3]),
    "function_": lambda found: nodes.Function(found[0].start_pos, str(found[1]), found[2] or (), found[3]),
    "parameters": tuple,
    "parameter": lambda found: _name(found[0]),
    "names": lambda found: tuple(map(_name, found)),
    "suite": tuple,
    "block": tuple,
    "expressions": tuple,
    "or_": _logic("or"),
    "and_": _logic("and"),
    "negation": lambda found: nodes.Unary(found[0].start_pos, "not", found[1]),
    "comparison": _chain("compare"),
    "sum": _chain("sum"),
    "product": _chain("product"),
    "not_in": _not_in,
    "power": lambda found: nodes.Power(found[1].start_pos, found[0], found[2]),
    "signed": lambda found: nodes.Unary(found[0].start_pos, str(found[0]), found[1]),
    "attribute": lambda found: nodes.Attribute(found[0].at, found[0], str(found[2])),
    "subscript": lambda found: nodes.Subscript(found[0].at, found[0], found[1]),
    "lookup": lambda found: nodes.Lookup(found[0].at, found[0], found[1]),
    "call": _call,
    "name": lambda found: nodes.Name(found[0].start_pos, _name(found[0])),
    "number": _number,
    "string": _string,
    "unknown": lambda found: nodes.Literal(found[0].start_pos, None),
    "tuple": lambda found: nodes.ListDisplay(found[0].at, tuple(found)),
    "list": lambda found: nodes.ListDisplay(found[0][0].at if found[0] else 0, found[0] or ()),
    "table": lambda found: nodes.TableDisplay(0, tuple(entry for entry in found if entry is not None)),
    "entry": lambda found: (_unquoted(found[0]), found[1]),
    "pairs": tuple,
    "pair": lambda found: (str(found[1]), found[3]),
    "items": tuple,
    "slice": _slice,
    "bound": lambda found: (found[0] if found else None,),
}
