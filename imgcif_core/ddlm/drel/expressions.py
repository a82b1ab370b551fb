"""From expressions to closures over a frame; nothing of a method is run as Python."""

from collections.abc import Callable
from typing import Any

from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.builtins import ARITY, FUNCTIONS
from imgcif_core.ddlm.drel.context import Packet
from imgcif_core.ddlm.drel.errors import MethodError, OperationError, UndefinedName
from imgcif_core.ddlm.drel.frame import Frame
from imgcif_core.ddlm.drel.values import (
    COMPARISONS,
    MISSING,
    OPERATORS,
    describe,
    invert,
    is_nothing,
    limited,
    negate,
    plain,
    size_of,
    truth,
)

Evaluate = Callable[[Frame], Any]
_BINARY = {**OPERATORS, **COMPARISONS}


def compile_expression(node: nodes.Expression) -> Evaluate:
    """A function that gives the value of an expression in a frame."""
    return _COMPILERS[type(node)](node)


def guarded(at: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of an operation; what it complains of gets its place."""
    try:
        return function(*arguments)
    except OperationError as error:
        raise MethodError(str(error), at) from None
    except (ArithmeticError, ValueError, TypeError, IndexError, KeyError) as error:
        raise MethodError(f"cannot be computed ({type(error).__name__.lower()}: {str(error)[:80]})", at) from None


def _literal(node: nodes.Literal) -> Evaluate:
    value = MISSING if node.value is None else node.value
    return lambda frame: value


def _name(node: nodes.Name) -> Evaluate:
    name, at = node.id, node.at

    def evaluate(frame: Frame) -> Any:
        variables = frame.variables
        return variables[name] if name in variables else frame.resolve(name, at)

    return evaluate


def _attribute(node: nodes.Attribute) -> Evaluate:
    name, at = node.name, node.at
    if isinstance(node.base, nodes.Name):
        base_name = node.base.id
        return lambda frame: frame.named_attribute(base_name, name, at)
    base = compile_expression(node.base)
    return lambda frame: frame.attribute(base(frame), name, at)


def is_category(node: nodes.Expression, frame: Frame) -> bool:
    """True if an expression is the bare name of a category, not of a variable."""
    return isinstance(node, nodes.Name) and node.id not in frame.variables and frame.world.has_category(node.id)


def _subscript(node: nodes.Subscript) -> Evaluate:
    base = compile_expression(node.base)
    items = [_index(entry) for entry in node.items]
    at = node.items[0].at

    def evaluate(frame: Frame) -> Any:
        if is_category(node.base, frame):
            assert isinstance(node.base, nodes.Name)
            keys = tuple(item(frame) for item in items)
            return frame.world.find_row(node.base.id.lower(), keys)
        value = base(frame)
        return guarded(at, element, value, [item(frame) for item in items])

    return evaluate


def _index(node: "nodes.Expression | nodes.Slice") -> Evaluate:
    """An index, or a slice of Python's kind: the end is not in it."""
    if not isinstance(node, nodes.Slice):
        return compile_expression(node)
    bounds = [None if part is None else compile_expression(part) for part in (node.start, node.stop, node.step)]

    def evaluate(frame: Frame) -> slice:
        values = [None if bound is None else guarded(node.at, _whole, bound(frame)) for bound in bounds]
        if values[2] == 0:
            raise MethodError("a slice cannot have the step 0", node.at)
        return slice(*values)

    return evaluate


def _whole(value: Any) -> int:
    value = plain(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise OperationError(f"{describe(value)} stands where an index is needed")
    return value


def element(value: Any, indices: list[Any]) -> Any:
    """An element or part of a list, text, matrix or table."""
    if is_nothing(value) or any(is_nothing(index) for index in indices):
        return MISSING
    if isinstance(value, dict):
        return value.get(indices[0], MISSING) if isinstance(indices[0], str) else MISSING
    if isinstance(value, Packet) or not hasattr(value, "__getitem__"):
        raise OperationError(f"{describe(value)} has no elements")
    chosen = tuple(index if isinstance(index, slice) else _whole(index) for index in indices)
    try:
        if hasattr(value, "ndim"):
            return plain(value[chosen]) if all(isinstance(index, int) for index in chosen) else value[chosen]
        for index in chosen:
            value = value[index]
    except IndexError:
        shown = ",".join("a slice" if isinstance(index, slice) else str(index) for index in chosen)
        raise OperationError(f"index {shown} lies outside {describe(value)}") from None
    return str(value) if isinstance(value, str) else value


def _lookup(node: nodes.Lookup) -> Evaluate:
    pairs = [(name, compile_expression(value)) for name, value in node.pairs]

    def evaluate(frame: Frame) -> Any:
        if not is_category(node.base, frame):
            raise MethodError("only the rows of a category are looked up by their items", node.at)
        assert isinstance(node.base, nodes.Name)
        wanted = [(name, value(frame)) for name, value in pairs]
        return frame.world.find_row_with(node.base.id.lower(), wanted, frame.budget, node.at)

    return evaluate


def _call(node: nodes.Call) -> Evaluate:
    name, at = node.name.lower(), node.at
    if name in _SPECIAL:
        return _SPECIAL[name](node)
    arguments = [compile_expression(argument) for argument in node.arguments]
    if name in FUNCTIONS:
        least, most = ARITY[name]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} or more"
            raise MethodError(f"{node.name} takes {wanted} arguments, not {len(arguments)}", at)
        builtin = FUNCTIONS[name]

        def evaluate(frame: Frame) -> Any:
            values = [argument(frame) for argument in arguments]
            frame.budget.spend(1 + sum(map(size_of, values)) // 64, at)
            return guarded(at, builtin, *values)

        return evaluate

    def call(frame: Frame) -> Any:
        function = frame.world.function(name)
        if function is None:
            raise UndefinedName(f"{node.name} is no function of dREL or of the dictionary", at)
        return function(frame, [argument(frame) for argument in arguments], at)

    return call


def _len(node: nodes.Call) -> Evaluate:
    """The number of rows of a category, or of elements."""
    if len(node.arguments) != 1:
        raise MethodError(f"Len takes 1 argument, not {len(node.arguments)}", node.at)
    argument = node.arguments[0]
    value = compile_expression(argument)

    def evaluate(frame: Frame) -> Any:
        if is_category(argument, frame):
            assert isinstance(argument, nodes.Name)
            return frame.world.row_count(argument.id.lower())
        return guarded(node.at, FUNCTIONS["len"], value(frame))

    return evaluate


def _named_item(node: nodes.Call) -> tuple[str, str]:
    """Category and object of the item that a call names: `cat.obj`, bare or as a text."""
    argument = node.arguments[0] if len(node.arguments) == 1 else None
    if isinstance(argument, nodes.Attribute) and isinstance(argument.base, nodes.Name):
        return argument.base.id.lower(), argument.name
    if isinstance(argument, nodes.Literal) and isinstance(argument.value, str) and "." in argument.value:
        category, _, name = argument.value.strip("_").partition(".")
        return category.lower(), name
    raise MethodError(f"{node.name} takes the name of one item", node.at)


def _current_row(node: nodes.Call) -> Evaluate:
    category, name = _named_item(node)

    def evaluate(frame: Frame) -> Any:
        if frame.packet is None or frame.packet.category != category:
            raise MethodError(f"the method has no row of {category}", node.at)
        return frame.world.row_in_group(frame.packet, name)

    return evaluate


def _unique_id(node: nodes.Call) -> Evaluate:
    category, name = _named_item(node)

    def evaluate(frame: Frame) -> Any:
        if frame.packet is None or frame.packet.category != category:
            raise MethodError(f"the method has no row of {category}", node.at)
        return frame.world.new_id(frame.packet, name)

    return evaluate


def _message(node: nodes.Call) -> Evaluate:
    """`Alert` and `print`: a text for the person who reads the report."""
    arguments = [compile_expression(argument) for argument in node.arguments]

    def evaluate(frame: Frame) -> Any:
        values = [value for value in (argument(frame) for argument in arguments) if isinstance(value, str)]
        frame.messages.append((" ".join(map(str, values))[:200], node.at))
        return MISSING

    return evaluate


_SPECIAL: dict[str, Callable[[nodes.Call], Evaluate]] = {
    "len": _len,
    "current_row": _current_row,
    "unique_id": _unique_id,
    "alert": _message,
    "print": _message,
}


def _list(node: nodes.ListDisplay) -> Evaluate:
    items = [compile_expression(item) for item in node.items]
    return lambda frame: [item(frame) for item in items]


def _table(node: nodes.TableDisplay) -> Evaluate:
    entries = [(key, compile_expression(value)) for key, value in node.entries]
    return lambda frame: {key: value(frame) for key, value in entries}


def _chain(node: nodes.Chain) -> Evaluate:
    if node.kind == "compare":
        return _comparison(node)
    first = compile_expression(node.first)
    steps = [(_BINARY[operator], at, compile_expression(operand)) for operator, at, operand in node.rest]

    def evaluate(frame: Frame) -> Any:
        value = first(frame)
        for operate, at, operand in steps:
            other = operand(frame)
            try:
                value = operate(value, other)
            except OperationError as error:
                raise MethodError(str(error), at) from None
        size = size_of(value)
        if size > 64:
            frame.budget.spend(size // 64, node.at)
        return value

    return evaluate


def _comparison(node: nodes.Chain) -> Evaluate:
    """Comparisons; `a < b < c` holds where both hold."""
    first = compile_expression(node.first)
    steps = [(_BINARY[operator], at, compile_expression(operand)) for operator, at, operand in node.rest]

    def evaluate(frame: Frame) -> Any:
        left, answer = first(frame), True
        for compare, at, operand in steps:
            right = operand(frame)
            found = guarded(at, compare, left, right)
            if found is False:
                return False
            answer = MISSING if found is MISSING else answer
            left = right
        return answer

    return evaluate


def _power(node: nodes.Power) -> Evaluate:
    base, exponent = compile_expression(node.base), compile_expression(node.exponent)
    return lambda frame: guarded(node.at, OPERATORS["**"], base(frame), exponent(frame))


def _unary(node: nodes.Unary) -> Evaluate:
    operand = compile_expression(node.operand)
    if node.operator == "not":

        def evaluate(frame: Frame) -> Any:
            answer = guarded(node.at, truth, operand(frame))
            return MISSING if answer is None else invert(answer)

        return evaluate
    if node.operator == "-":
        return lambda frame: guarded(node.at, negate, operand(frame))
    return operand


def _logic(node: nodes.Logic) -> Evaluate:
    """`and` and `or` of three truths, from left to right until it is decided."""
    items = [(compile_expression(item), item.at) for item in node.items]
    decisive = node.operator == "or"

    def evaluate(frame: Frame) -> Any:
        answer: Any = not decisive
        for item, at in items:
            found = guarded(at, truth, item(frame))
            if found is decisive:
                return decisive
            answer = MISSING if found is None else answer
        return answer

    return evaluate


def _range(node: nodes.RangeDisplay) -> Evaluate:
    """A range as the text of the attribute: `low:high`."""
    low, high = compile_expression(node.low), compile_expression(node.high)

    def evaluate(frame: Frame) -> Any:
        ends = [plain(low(frame)), plain(high(frame))]
        return MISSING if any(map(is_nothing, ends)) else limited(":".join(map(str, ends)))

    return evaluate


_COMPILERS: dict[type, Callable[[Any], Evaluate]] = {
    nodes.Literal: _literal,
    nodes.Name: _name,
    nodes.Attribute: _attribute,
    nodes.Subscript: _subscript,
    nodes.Lookup: _lookup,
    nodes.Call: _call,
    nodes.ListDisplay: _list,
    nodes.TableDisplay: _table,
    nodes.Chain: _chain,
    nodes.Power: _power,
    nodes.Unary: _unary,
    nodes.Logic: _logic,
    nodes.RangeDisplay: _range,
}
