"""Faults of the text that a change of the text mends, and how to write it."""

from collections.abc import Callable

from imgcif_core.cif.document import Change, Document, SyntaxProblem
from imgcif_core.cif.write import MAX_LINE, encode

_BOM = b"\xef\xbb\xbf"


def edits_of(document: Document, problem: SyntaxProblem) -> list[Change]:
    """The changes that mend a fault of the text; empty where only the author knows them."""
    if problem.end - problem.start > MAX_LINE:
        # No other quotes make a legal line of it, and what was meant is beyond a guess.
        return []
    maker = _MAKERS.get((problem.code, problem.variant))
    return maker(document, problem) if maker is not None else []


def _text(document: Document, problem: SyntaxProblem) -> str:
    """What stands in the place of a problem."""
    return document.source.data[problem.start : problem.end].decode("utf-8", "replace")


def _instead(document: Document, problem: SyntaxProblem, text: str, *, is_safe: bool = True) -> list[Change]:
    """Another text in the place of a problem."""
    return [Change(document.source, problem.start, problem.end, text, is_safe)]


def _inserted(document: Document, offset: int, text: str, *, is_safe: bool = True) -> list[Change]:
    """A text before an offset."""
    return [Change(document.source, offset, offset, text, is_safe)]


def _version(document: Document, version: str) -> list[Change]:
    """A first line that names the version of CIF."""
    start = 3 if document.source.data.startswith(_BOM) else 0
    return _inserted(document, start, f"#\\#CIF_{version}\n")


def _quoted(document: Document, problem: SyntaxProblem) -> list[Change]:
    """A value in quotes, where it is on one line and quotes are free."""
    text = _text(document, problem)
    quote = next((mark for mark in "'\"" if mark not in text), None)
    return [] if quote is None or "\n" in text else _instead(document, problem, f"{quote}{text}{quote}")


def _other_quotes(document: Document, problem: SyntaxProblem) -> list[Change]:
    """A string that holds its own quote, in the other kind of quotes."""
    text = _text(document, problem)[1:-1]
    written = encode(text)
    return [] if written.startswith("\n") else _instead(document, problem, written)


def _closed(document: Document, problem: SyntaxProblem) -> list[Change]:
    """A quote at the end of the line; where the string was meant to end is a guess."""
    raw = document.source.data[problem.start : problem.end]
    end = problem.start + len(raw.rstrip(b" \t"))
    return _inserted(document, end, raw[:1].decode("ascii"), is_safe=False) if end > problem.start + 1 else []


def _renamed(document: Document, problem: SyntaxProblem) -> list[Change]:
    """A data name as it was meant."""
    return _instead(document, problem, str(problem.data["name"]))


_MAKERS: dict[tuple[str, str], Callable[[Document, SyntaxProblem], list[Change]]] = {
    ("SYN002", ""): lambda document, _: _version(document, "1.1"),
    ("SYN002", "cif2-syntax"): lambda document, _: [] if document.magic else _version(document, "2.0"),
    ("SYN007", "first-character"): _quoted,
    ("SYN008", "quote"): _closed,
    ("SYN012", ""): _other_quotes,
    ("SYN013", "misspelt-loop"): lambda document, problem: _instead(document, problem, "loop_"),
    ("SYN013", "lost-loop"): lambda document, problem: _inserted(document, problem.start, "loop_\n"),
    ("SYN013", "lost-underscore"): _renamed,
    ("SYN013", "blank-in-name"): _renamed,
    ("SYN013", "no-blank"): lambda document, problem: _inserted(
        document, problem.start + len(str(problem.data["name"]).encode()), " "
    ),
}
