"""From statements to closures over a frame; each gives None, or how it leaves the loop around it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.context import Packet
from imgcif_core.ddlm.drel.errors import MethodError, MethodSyntaxError, OperationError, Undecided
from imgcif_core.ddlm.drel.expressions import Evaluate, compile_expression, element, guarded
from imgcif_core.ddlm.drel.frame import Frame
from imgcif_core.ddlm.drel.parse import parse
from imgcif_core.ddlm.drel.values import (
    COMPARISONS,
    MISSING,
    OPERATORS,
    describe,
    equal,
    is_nothing,
    limited,
    plain,
    truth,
)

Run = Callable[[Frame], str | None]
BREAK = "break"
_BORROWED = (nodes.Name, nodes.Attribute, nodes.Subscript)


def compile_suite(statements: Sequence[nodes.Statement]) -> Run:
    """A function that runs statements in their order."""
    steps = [(statement.at, _COMPILERS[type(statement)](statement)) for statement in statements]

    def run(frame: Frame) -> str | None:
        spend = frame.budget.spend
        for at, step in steps:
            spend(1, at)
            signal = step(frame)
            if signal is not None:
                return signal
        return None

    return run


def _assign(node: nodes.Assign) -> Run:
    if _sets_dimension(node):
        return _assign_dimension(node)
    values = [_owned(value) for value in node.values]
    targets = [_target(target, node.operator) for target in node.targets]

    def run(frame: Frame) -> None:
        found = [value(frame) for value in values]
        if len(targets) != len(found):
            if len(found) != 1 or not isinstance(found[0], list) or len(found[0]) != len(targets):
                raise MethodError(f"{len(found)} values are assigned to {len(targets)} names", node.at)
            found = found[0]
        for target, value in zip(targets, found, strict=True):
            target(frame, value)

    return run


def _owned(node: nodes.Expression) -> Evaluate:
    """The value of an expression; a list that belongs to another name is copied."""
    value = compile_expression(node)
    if not isinstance(node, _BORROWED):
        return value

    def evaluate(frame: Frame) -> Any:
        found = value(frame)
        if isinstance(found, (list, np.ndarray, dict)):
            frame.budget.spend(len(found) // 64, node.at)
            return found.copy()
        return found

    return evaluate


def _target(node: nodes.Expression, operator: str) -> Callable[[Frame, Any], None]:
    """A function that gives a value to a target, combined with the value before by `+=` and its kin."""
    if operator == "=":
        return _store(node)
    before = compile_expression(node)
    store = _store(node)

    def combine(frame: Frame, value: Any) -> None:
        store(frame, guarded(node.at, _combined, operator, before(frame), value))

    return combine


def _combined(operator: str, before: Any, value: Any) -> Any:
    """The value before with another added, taken away, appended or dropped."""
    if operator == "++=":
        if not isinstance(before, list):
            raise OperationError(f"{describe(before)} is no list that something can be appended to")
        before.append(value)
        return limited(before)
    if operator == "--=":
        if not isinstance(before, list):
            raise OperationError(f"{describe(before)} is no list that something can be dropped from")
        place = next((index for index, entry in enumerate(before) if equal(entry, value) is True), None)
        return before if place is None else before[:place] + before[place + 1 :]
    return OPERATORS[operator[0]](before, value)


def _store(node: nodes.Expression) -> Callable[[Frame, Any], None]:
    """A function that puts a value into a variable, an item, or an element of a variable."""
    if isinstance(node, nodes.Name):
        name = node.id

        def store(frame: Frame, value: Any) -> None:
            frame.variables[name] = value

        return store
    if isinstance(node, nodes.Attribute) and isinstance(node.base, nodes.Name):
        base, name, at = node.base.id, node.name, node.at
        return lambda frame, value: frame.assign_attribute(base, name, value, at)
    if isinstance(node, nodes.Subscript) and isinstance(node.base, nodes.Name):
        return _store_element(node)
    raise MethodSyntaxError("nothing can be assigned to this", node.at)


def _store_element(node: nodes.Subscript) -> Callable[[Frame, Any], None]:
    assert isinstance(node.base, nodes.Name)
    variable, at = node.base.id, node.at
    items = [compile_expression(item) for item in node.items if not isinstance(item, nodes.Slice)]
    if len(items) != len(node.items):
        raise MethodSyntaxError("values are assigned to one element at a time", at)

    def store(frame: Frame, value: Any) -> None:
        if variable not in frame.variables:
            raise MethodError(f"{variable} is no variable of this method", at)
        indices = [plain(item(frame)) for item in items]
        holder = frame.variables[variable]
        frame.variables[variable] = guarded(at, _with_element, holder, indices, value)

    return store


def _with_element(holder: Any, indices: list[Any], value: Any) -> Any:
    """A list, table or matrix with one element replaced."""
    if isinstance(holder, dict):
        if not isinstance(indices[0], str):
            raise OperationError("the keys of a table are texts")
        holder[str(indices[0])] = value
        return limited(holder)
    if not isinstance(holder, (list, np.ndarray)):
        raise OperationError(f"{describe(holder)} has no elements")
    element(holder, indices)
    if isinstance(holder, np.ndarray):
        if is_nothing(value):
            raise OperationError("a matrix has no room for a missing value")
        number = np.asarray(value)
        result = holder.astype(np.result_type(holder, number), copy=False)
        result[tuple(indices)] = number
        return result
    inner = holder
    for index in indices[:-1]:
        inner = inner[index]
    inner[indices[-1]] = value
    return holder


def _sets_dimension(node: nodes.Assign) -> bool:
    """True for `_type.dimension = '[c.modulation_dimension]'`, a text in which expressions stand."""
    target = node.targets[0]
    return (
        isinstance(target, nodes.Attribute)
        and isinstance(target.base, nodes.Name)
        and (target.base.id.lower(), target.name.lower()) == ("type", "dimension")
        and isinstance(node.values[0], nodes.Literal)
        and isinstance(node.values[0].value, str)
    )


def _assign_dimension(node: nodes.Assign) -> Run:
    """The expressions between the brackets of a dimension are evaluated."""
    literal = node.values[0]
    assert isinstance(literal, nodes.Literal)
    try:
        inner = parse(str(literal.value))
    except MethodSyntaxError:
        raise MethodSyntaxError("the text is no dimension such as [3,3]", literal.at) from None
    display = inner[0].items[0] if len(inner) == 1 and isinstance(inner[0], nodes.Bare) else None
    if not isinstance(display, nodes.ListDisplay):
        raise MethodSyntaxError("the text is no dimension such as [3,3]", literal.at)
    parts = [compile_expression(item) for item in display.items]

    def run(frame: Frame) -> None:
        values = [plain(part(frame)) for part in parts]
        if any(is_nothing(value) for value in values):
            frame.attributes["_type.dimension"] = MISSING
        elif all(isinstance(value, (int, float)) and float(value).is_integer() for value in values):
            frame.attributes["_type.dimension"] = "[" + ",".join(str(int(value)) for value in values) + "]"
        else:
            raise MethodError("a dimension is no whole number", literal.at)

    return run


def _increment(node: nodes.Increment) -> Run:
    add = _target(node.target, "+=" if node.operator == "++" else "-=")
    return lambda frame: add(frame, 1)


def _row(node: nodes.Row) -> Run:
    pairs = [(name.lower(), compile_expression(value)) for name, value in node.pairs]
    category = node.category.lower()

    def run(frame: Frame) -> None:
        if not frame.world.has_category(category):
            raise MethodError(f"{category} is no category", node.at)
        frame.rows.append((category, {name: value(frame) for name, value in pairs}))
        frame.budget.spend(len(pairs), node.at)

    return run


def _bare(node: nodes.Bare) -> Run:
    items = [compile_expression(item) for item in node.items]

    def run(frame: Frame) -> None:
        for item in items:
            item(frame)

    return run


def _jump(node: nodes.Jump) -> Run:
    kind = node.kind
    return lambda frame: kind


def _if(node: nodes.If) -> Run:
    branches = [(compile_expression(test), test.at, compile_suite(body)) for test, body in node.branches]
    otherwise = compile_suite(node.otherwise)

    def run(frame: Frame) -> str | None:
        for test, at, body in branches:
            answer = guarded(at, truth, test(frame))
            if answer is None:
                raise Undecided(at)
            if answer:
                return body(frame)
        return otherwise(frame)

    return run


def _for(node: nodes.For) -> Run:
    values = [compile_expression(value) for value in node.values]
    body, names = compile_suite(node.body), node.names

    def run(frame: Frame) -> str | None:
        found = plain(values[0](frame)) if len(values) == 1 else [value(frame) for value in values]
        if is_nothing(found):
            raise Undecided(node.at)
        if not isinstance(found, (list, str)):
            raise MethodError(f"{describe(found)} has no elements to go through", node.at)
        # What is added to or dropped from the list on the way does not change the way.
        for entry in list(found):
            frame.budget.spend(1, node.at)
            _bind(frame, names, entry, node.at)
            if body(frame) == BREAK:
                break
        return None

    return run


def _bind(frame: Frame, names: tuple[str, ...], entry: Any, at: int) -> None:
    """Give an element to one name, or its elements to several."""
    if len(names) == 1:
        frame.variables[names[0]] = entry
        return
    if not isinstance(entry, list) or len(entry) != len(names):
        size = len(entry) if isinstance(entry, list) else "no"
        raise MethodError(f"an element with {size} elements cannot be given to {len(names)} names", at)
    frame.variables.update(zip(names, entry, strict=True))


def _loop(node: nodes.Loop) -> Run:
    body, category = compile_suite(node.body), node.category.lower()
    compare = COMPARISONS[node.operator] if node.operator else None

    def run(frame: Frame) -> str | None:
        if not frame.world.has_category(category):
            raise MethodError(f"{node.category} is no category", node.at)
        rows = frame.world.row_count(category)
        frame.is_empty = frame.is_empty or not rows
        for row in range(rows):
            frame.budget.spend(1, node.at)
            if node.index is not None:
                frame.variables[node.index] = row
                if compare is not None and node.other is not None:
                    other = frame.variables.get(node.other, MISSING)
                    if not guarded(node.at, compare, row, other):
                        continue
            frame.variables[node.variable] = Packet(category, row)
            if body(frame) == BREAK:
                break
        return None

    return run


def _do(node: nodes.Do) -> Run:
    bounds = [compile_expression(bound) for bound in (node.start, node.stop)]
    step = compile_expression(node.step) if node.step is not None else None
    body = compile_suite(node.body)

    def run(frame: Frame) -> str | None:
        start, stop = (plain(bound(frame)) for bound in bounds)
        width = plain(step(frame)) if step is not None else 1
        if any(is_nothing(value) for value in (start, stop, width)):
            raise Undecided(node.at)
        if not all(isinstance(value, (int, float)) and float(value).is_integer() for value in (start, stop, width)):
            raise MethodError("Do counts in whole numbers", node.at)
        if not width:
            raise MethodError("Do cannot count by 0", node.at)
        count = int(start)
        while count <= stop if width > 0 else count >= stop:
            frame.budget.spend(1, node.at)
            frame.variables[node.variable] = count
            if body(frame) == BREAK:
                break
            count += int(width)
        return None

    return run


def _repeat(node: nodes.Repeat) -> Run:
    body = compile_suite(node.body)

    def run(frame: Frame) -> str | None:
        while True:
            frame.budget.spend(1, node.at)
            if body(frame) == BREAK:
                return None

    return run


def _with(node: nodes.With) -> Run:
    body = compile_suite(node.body) if node.body is not None else None

    def run(frame: Frame) -> str | None:
        if not frame.world.has_category(node.category):
            raise MethodError(f"{node.category} is no category", node.at)
        frame.variables[node.variable] = frame.row_of(node.category, node.at)
        return body(frame) if body is not None else None

    return run


def _function(node: nodes.Function) -> Run:
    """A function inside a method is known to the dictionary, not run where it stands."""
    return lambda frame: None


def compile_function(node: nodes.Function) -> Callable[[Frame, list[Any], int], Any]:
    """A function of the dictionary: called with the caller's frame, values, and the place of the call."""
    body = compile_suite(node.body)

    def call(caller: Frame, values: list[Any], at: int) -> Any:
        if len(values) != len(node.parameters):
            raise MethodError(f"{node.name} takes {len(node.parameters)} arguments, not {len(values)}", at)
        budget = caller.budget
        if budget.depth >= budget.limits.depth:
            raise MethodError(f"{node.name} calls itself {budget.depth} deep (budget of depth)", at)
        frame = Frame(caller.world, budget, None, caller.packet)
        frame.variables.update(zip(node.parameters, values, strict=True))
        frame.messages = caller.messages
        budget.depth += 1
        try:
            body(frame)
        except MethodError as error:
            # The place is in the text of the function, which the caller does not show.
            raise type(error)(f"in function {node.name}: {error.message}", at) from None
        except Undecided:
            return MISSING
        finally:
            budget.depth -= 1
        lower = node.name.lower()
        return next((value for name, value in frame.variables.items() if name.lower() == lower), MISSING)

    return call


_COMPILERS: dict[type, Callable[[Any], Run]] = {
    nodes.Assign: _assign,
    nodes.Increment: _increment,
    nodes.Row: _row,
    nodes.Bare: _bare,
    nodes.Jump: _jump,
    nodes.If: _if,
    nodes.For: _for,
    nodes.Loop: _loop,
    nodes.Do: _do,
    nodes.Repeat: _repeat,
    nodes.With: _with,
    nodes.Function: _function,
}
