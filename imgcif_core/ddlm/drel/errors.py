"""What can go wrong in a method, each with the place inside it."""


class OperationError(Exception):
    """An operation that its operands do not allow; the caller knows the place."""


class MethodError(Exception):
    """A method cannot be parsed or evaluated; `at` is the offset of the character in its text."""

    kind = "error"

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class MethodSyntaxError(MethodError):
    """The text of a method is not dREL."""

    kind = "syntax"


class UndefinedName(MethodError):
    """A name that is no variable, category, item, function or constant."""

    kind = "name"


class BudgetExceeded(MethodError):
    """A method took more steps, time or memory than it may; the message names the budget."""

    kind = "budget"


class Undecided(Exception):
    """A condition rests on a missing value, so that no branch may be taken; `at` is its place."""

    def __init__(self, at: int) -> None:
        super().__init__("a condition rests on a missing value")
        self.at = at


def position(text: str, at: int) -> tuple[int, int]:
    """The 1-based line and column of an offset in the text of a method."""
    line = text.count("\n", 0, at) + 1
    return line, at - (text.rfind("\n", 0, at) + 1) + 1
