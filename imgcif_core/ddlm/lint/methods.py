"""Methods: there where their purpose is, dREL, and made of names that are defined."""

from collections.abc import Iterable, Iterator

from imgcif_core.cif.document import Place
from imgcif_core.ddlm.collect import methods_of
from imgcif_core.ddlm.drel import nodes
from imgcif_core.ddlm.drel.builtins import CONSTANTS, FUNCTIONS
from imgcif_core.ddlm.drel.errors import MethodError
from imgcif_core.ddlm.drel.parse import parse
from imgcif_core.ddlm.frames import Frame
from imgcif_core.ddlm.lint.subject import Subject, error
from imgcif_core.ddlm.load import DictionaryProblem
from imgcif_core.ddlm.methods import Method
from imgcif_core.findings import Severity

# Functions that see the category of the method and not its values.
_OF_ROWS = ("current_row", "unique_id")


def expressions(subject: Subject) -> Iterator[DictionaryProblem]:
    """Purposes of methods without the method."""
    for frame in subject.frames:
        columns = frame.block.columns
        purposes, texts = columns.get("_method.purpose"), columns.get("_method.expression")
        if purposes is not None and (texts is None or texts.has_nulls):
            message = f"{frame.id} names the purpose of a method, but gives no expression"
            yield error("method-without-expression", message, frame, "_method.purpose")


def grammar(subject: Subject) -> Iterator[DictionaryProblem]:
    """Methods that are no dREL, or use what the language does not have."""
    for frame in subject.frames:
        for method in methods_of(frame):
            try:
                tree = parse(method.text)
            except MethodError as fault:
                message = f"method of {frame.id} cannot be read - {fault.message}"
                yield _problem("method-syntax", message, frame, method, fault.at, Severity.ERROR)
                continue
            for node in nodes.walk(tree):
                if isinstance(node, nodes.Increment):
                    message = f"method of {frame.id} uses {node.operator}, which dREL does not have - expected += 1"
                    yield _problem("method-operator", message, frame, method, node.at, Severity.WARNING)
            if not subject.has_gaps:
                yield from _names(subject, frame, method, tree)


def _problem(code: str, message: str, frame: Frame, method: Method, at: int, severity: Severity) -> DictionaryProblem:
    """A problem within the text of a method."""
    column = frame.block.columns["_method.expression"]
    row = next((row for row in range(len(column)) if column.text(row) == method.text), 0)
    # A text field begins with its semicolon; other delimiters are one byte wide as well.
    offset = len(method.text[:at].encode()) + 1 if len(method.text.encode()) < int(column.lengths[row]) else 0
    start = min(int(column.starts[row]) + offset, int(column.ends[row]) - 1)
    place = Place(column.source, start, start + 1, frame.name, None, column.name)
    return DictionaryProblem(code, message, place, severity)


def _names(subject: Subject, frame: Frame, method: Method, tree: object) -> Iterator[DictionaryProblem]:
    """Variables that nothing sets, categories, items and functions that nothing defines; each once."""
    variables, categories = _bound(tree)
    told: set[str] = set()
    for node in nodes.walk(tree):
        name = _undefined(subject, node, variables, categories)
        if name and name not in told:
            told.add(name)
            message = f"method of {frame.id} uses {name}, which nothing defines"
            yield _problem("method-name", message, frame, method, getattr(node, "at", 0), Severity.WARNING)


def _bound(tree: object) -> tuple[set[str], dict[str, str]]:
    """The variables that a method sets, and the categories for which some of them stand."""
    variables: set[str] = set()
    categories: dict[str, str] = {}
    for node in nodes.walk(tree):
        if isinstance(node, (nodes.Assign, nodes.Increment)):
            targets = node.targets if isinstance(node, nodes.Assign) else (node.target,)
            variables.update(_plain(target) for target in targets)
        elif isinstance(node, nodes.For):
            variables.update(map(str.lower, node.names))
        elif isinstance(node, (nodes.Loop, nodes.With)):
            categories[node.variable.lower()] = node.category.lower()
            if isinstance(node, nodes.Loop) and node.index:
                variables.add(node.index.lower())
        elif isinstance(node, nodes.Do):
            variables.add(node.variable.lower())
        elif isinstance(node, nodes.Function):
            variables.update(map(str.lower, node.parameters))
            variables.add(node.name.lower())
    return variables - {""}, categories


def _plain(target: object) -> str:
    """The variable that an assignment sets, through subscripts."""
    while isinstance(target, nodes.Subscript):
        target = target.base
    return target.id.lower() if isinstance(target, nodes.Name) else ""


def _undefined(subject: Subject, node: object, variables: Iterable[str], categories: dict[str, str]) -> str:
    """The name in a node that nothing defines, or an empty text."""
    if isinstance(node, nodes.Attribute) and isinstance(node.base, nodes.Name):
        head = node.base.id.lower().lstrip("_")
        if head in variables:
            return ""
        category = categories.get(head, head)
        if not _is_category(subject, category):
            return node.base.id
        return "" if _has_item(subject, category, node.name.lower()) else f"{category}.{node.name}"
    if isinstance(node, nodes.Call):
        known = node.name.lower() in FUNCTIONS or node.name.lower() in _OF_ROWS or node.name.lower() in variables
        is_defined = known or subject.dictionary.lookup(f"_function.{node.name}") is not None
        return "" if is_defined else f"the function {node.name}"
    if isinstance(node, nodes.Name):
        key = node.id.lower().lstrip("_")
        known = key in variables or key in categories or key in CONSTANTS
        return "" if known or _is_category(subject, key) else node.id
    return ""


def _is_category(subject: Subject, name: str) -> bool:
    """True for a category of the dictionary, or of the attributes of DDLm."""
    return subject.dictionary.category(name) is not None or subject.ddl.category(name) is not None


def _has_item(subject: Subject, category: str, name: str) -> bool:
    """True if a category, or one joined to it, has an item of a name, or the name is an attribute of DDLm."""
    full = f"_{category}.{name}"
    if subject.dictionary.named_in_methods(category, name) is not None or subject.ddl.lookup(full) is not None:
        return True
    family = {category, *subject.dictionary.family(category)}
    family |= {other for other in subject.dictionary.categories() if category in subject.dictionary.family(other)}
    return any(item.object.lower() == name for other in family for item in subject.dictionary.items_of(other))


CHECKS = (expressions, grammar)
