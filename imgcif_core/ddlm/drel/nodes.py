"""The nodes of a parsed method: frozen, each with the offset of its first character or operator in the text."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from imgcif_core.records import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a string; None stands for the missing value `?`."""

    at: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a category, a constant or NULL."""

    at: int
    id: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """An item of a row or category: `base.name`."""

    at: int
    base: "Expression"
    name: str


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step` between brackets; None where a bound is left out."""

    at: int
    start: "Expression | None"
    stop: "Expression | None"
    step: "Expression | None"


@dataclass(frozen=True, slots=True)
class Subscript:
    """An element, a slice, or the row of a category with this key."""

    at: int
    base: "Expression"
    items: tuple["Expression | Slice", ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The row of a category with these values: `cat[.a = x, .b = y]`."""

    at: int
    base: "Expression"
    pairs: tuple[tuple[str, "Expression"], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A built-in function or a function of the dictionary."""

    at: int
    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class ListDisplay:
    """`[a, b]`, or a bracketed tuple of values."""

    at: int
    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class TableDisplay:
    """`{'key': value}`."""

    at: int
    entries: tuple[tuple[str, "Expression"], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Operations of one precedence from left to right: `+ -`, `* / ^`, or comparisons."""

    at: int
    kind: str
    first: "Expression"
    rest: tuple[tuple[str, int, "Expression"], ...]


@dataclass(frozen=True, slots=True)
class Power:
    """`base ** exponent`."""

    at: int
    base: "Expression"
    exponent: "Expression"


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `+x` or `not x`."""

    at: int
    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or` over two conditions or more."""

    at: int
    operator: str
    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class RangeDisplay:
    """`low:high`, the value of an attribute that takes a range."""

    at: int
    low: "Expression"
    high: "Expression"


Expression = (
    Literal
    | Name
    | Attribute
    | Subscript
    | Lookup
    | Call
    | ListDisplay
    | TableDisplay
    | Chain
    | Power
    | Unary
    | Logic
    | RangeDisplay
)


@dataclass(frozen=True, slots=True)
class Assign:
    """Assignment of values to targets: `=`, `+=`, `-=`, `*=`, `++=`, `--=`."""

    at: int
    operator: str
    targets: tuple[Expression, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Increment:
    """`count++`: no dREL, but published methods have it."""

    at: int
    target: Expression
    operator: str


@dataclass(frozen=True, slots=True)
class Row:
    """A new row of a category: `cat(.a = x, .b = y)`."""

    at: int
    category: str
    pairs: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Bare:
    """An expression that stands alone, for what a function does."""

    at: int
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """`Next` or `Break`."""

    at: int
    kind: str


@dataclass(frozen=True, slots=True)
class If:
    """Conditions with what follows from each, and what follows from none."""

    at: int
    branches: tuple[tuple[Expression, tuple["Statement", ...]], ...]
    otherwise: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class For:
    """A loop over the elements of a list."""

    at: int
    names: tuple[str, ...]
    values: tuple[Expression, ...]
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop over the rows of a category, with the number of the row, and a condition on it."""

    at: int
    variable: str
    category: str
    index: str | None
    operator: str | None
    other: str | None
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class Do:
    """A loop over integers, both ends included."""

    at: int
    variable: str
    start: Expression
    stop: Expression
    step: Expression | None
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A loop until `Break`."""

    at: int
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class With:
    """A name for a row; without a body it holds for what follows."""

    at: int
    variable: str
    category: str
    body: tuple["Statement", ...] | None


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the dictionary."""

    at: int
    name: str
    parameters: tuple[str, ...]
    body: tuple["Statement", ...]


Statement = Assign | Increment | Row | Bare | Jump | If | For | Loop | Do | Repeat | With | Function
CLASSES: tuple[type, ...] = (
    Literal,
    Name,
    Attribute,
    Slice,
    Subscript,
    Lookup,
    Call,
    ListDisplay,
    TableDisplay,
    Chain,
    Power,
    Unary,
    Logic,
    RangeDisplay,
    Assign,
    Increment,
    Row,
    Bare,
    Jump,
    If,
    For,
    Loop,
    Do,
    Repeat,
    With,
    Function,
)
FIELDS = {cls: tuple(entry.name for entry in fields(cls)) for cls in CLASSES}


def children(node: Any) -> Iterator[Any]:
    """What lies directly in a node or a tuple: nodes, tuples and plain values."""
    if isinstance(node, tuple):
        yield from node
    elif type(node) in FIELDS:
        for name in FIELDS[type(node)]:
            yield getattr(node, name)


def walk(tree: Any) -> Iterator[Any]:
    """All nodes of a tree, without recursion."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if type(node) in FIELDS:
            yield node
        stack.extend(children(node))


def depth(tree: Any) -> tuple[int, int]:
    """How deep nodes lie within each other, and the offset of the deepest one."""
    deepest, where = 0, 0
    stack = [(tree, 0)]
    while stack:
        node, level = stack.pop()
        if type(node) in FIELDS:
            level += 1
            if level > deepest:
                deepest, where = level, node.at
        stack.extend((child, level) for child in children(node) if isinstance(child, tuple) or type(child) in FIELDS)
    return deepest, where
