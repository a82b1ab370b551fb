"""The public functions: read, check, explain, and the dictionary that judges."""

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from imgcif_core._version import __version__
from imgcif_core.checks import engine
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import Rule, load_rules
from imgcif_core.cif.document import Document
from imgcif_core.cif.reader import find_inputs, open_source
from imgcif_core.cif.reader import read as read_source
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError, UsageError
from imgcif_core.findings import DictionaryIdentity, FileReport, Report
from imgcif_core.limits import DEFAULT_LIMITS, Limits

Input = str | PathLike[str] | bytes | BinaryIO


def read(source: Input, *, name: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one imgCIF or CBF; its faults stand in `Document.problems`.

    Parameters
    ----------
    source :
        A path, the bytes of a file, or a binary file object; `.gz` and `.bz2` are undone.
    name :
        What to call bytes and file objects in messages.
    limits :
        How much is read and unpacked.

    Raises
    ------
    InputError
        If nothing can be read from the source at all.
    """
    return read_source(open_source(source, name, limits))


def load_dictionary(
    paths: Sequence[str | PathLike[str]] = (), search: Iterable[str] = (), *, is_lenient: bool = False
) -> Dictionary:
    """The bundled imgCIF dictionary, or the DDLm dictionaries in the given files.

    `search` lists folders in which imported dictionaries and templates are looked for. A lenient
    reading goes on without imports that cannot be had, and keeps them as `Dictionary.gaps`.

    Raises
    ------
    InputError
        If a file cannot be read or is not a DDLm dictionary.
    """
    if not paths:
        return load_bundled()
    from imgcif_core.ddlm.compile import load_dictionary as load

    return load([Path(path) for path in paths], [Path(folder) for folder in search], is_lenient=is_lenient)


def check(
    source: Input | Sequence[Input],
    *,
    options: CheckOptions | None = None,
    dictionary: Dictionary | None = None,
    name: str | None = None,
) -> Report:
    """Check one input, or each of a list; a directory stands for the files below it.

    Parameters
    ----------
    source :
        Path, bytes, binary file object, or a list of them.
    options :
        Profile, selection of rules and the like; the defaults are those of the command line.
    dictionary :
        What judges; the bundled imgCIF dictionary unless given.

    Raises
    ------
    InputError
        If an input cannot be read at all. What is wrong inside a file is a finding.
    """
    chosen = options or CheckOptions()
    judge = dictionary or load_bundled()
    inputs: Sequence[Input] = source if isinstance(source, (list, tuple)) else [source]  # type: ignore[list-item]
    files = [
        check_document(read(entry, name=name, limits=chosen.limits), options=chosen, dictionary=judge)
        for item in inputs
        for entry in expand(item)
    ]
    return Report(__version__, identities(judge), tuple(files))


def check_document(
    document: Document, *, options: CheckOptions | None = None, dictionary: Dictionary | None = None
) -> FileReport:
    """Check a document that has been read already."""
    return engine.check_document(document, dictionary or load_bundled(), options or CheckOptions())


def explain(code: str) -> Rule:
    """The rule of a code or name, with its prose in `Rule.prose`.

    Raises
    ------
    UsageError
        If no rule has that code or name.
    """
    rules = load_rules()
    for rule in rules.values():
        if code.upper() == rule.code or code.lower() == rule.name:
            return rule
    from difflib import get_close_matches

    close = get_close_matches(code.upper(), list(rules), 1)
    hint = f"; did you mean {close[0]}" if close else "; `imgcif rules` lists them"
    raise UsageError(f"no rule has the code or name {code}{hint}")


def expand(item: Input) -> list[Input]:
    """An input itself, or the files of a directory."""
    if isinstance(item, (str, PathLike)) and Path(item).is_dir():
        found: list[Input] = list(find_inputs(Path(item)))
        if not found:
            raise InputError(f"{item}: no .cif, .imgcif or .cbf file in this directory")
        return found
    return [item]


def identities(dictionary: Dictionary) -> tuple[DictionaryIdentity, ...]:
    """What a report says about the dictionary that judged."""
    return (
        DictionaryIdentity(
            dictionary.title,
            dictionary.version,
            dictionary.date,
            dictionary.sha256,
            dictionary.origin,
            dictionary.gaps,
        ),
    )


__all__ = ["Input", "UsageError", "check", "check_document", "expand", "explain", "load_dictionary", "read"]
