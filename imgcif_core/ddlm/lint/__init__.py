"""Checks of a DDLm dictionary itself, for those who write one or bring their own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from imgcif_core.cif.document import Place
from imgcif_core.ddlm.bundled import load_attributes
from imgcif_core.ddlm.compile import build_facts
from imgcif_core.ddlm.lint import attributes, references, structure, values
from imgcif_core.ddlm.lint.subject import Subject
from imgcif_core.ddlm.load import DictionaryProblem, File, Loader
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.findings import Severity

SHOWN = 60


def lint(path: Path, search: Iterable[str | Path] = (), *, mentions: bool = False) -> list[DictionaryProblem]:
    """What is wrong with one dictionary, in the order of its lines.

    The definitions that it imports are looked up, not judged. `mentions` adds the data names in its
    texts that nothing defines.

    Raises
    ------
    InputError
        If the file cannot be read or is no DDLm dictionary.
    """
    loader = Loader(Path(folder) for folder in search)
    file = loader.file(Path(path))
    definitions = loader.definitions(file)
    dictionary = Dictionary(build_facts(loader, [file], with_overlay=False), origin=str(path))
    subject = Subject(file, definitions, dictionary, load_attributes())
    problems = [*_syntax(file), *loader.problems]
    for check in (*attributes.CHECKS, *structure.CHECKS, *references.CHECKS, *values.CHECKS):
        problems.extend(check(subject))
    if mentions:
        problems.extend(references.undefined_mentions(subject))
    source = file.document.source
    return sorted(problems, key=lambda problem: (problem.place.source is not source, problem.line, problem.code))


def _syntax(file: File) -> Iterator[DictionaryProblem]:
    """What the parser had to say; save frames are at home here."""
    source = file.document.source
    for problem in file.document.problems:
        if problem.code == "SYN016" or problem.severity == "info":
            continue
        text = source.data[problem.start : min(problem.end, problem.start + SHOWN)].decode("utf-8", "replace")
        shown = " ".join(text.split()) or "the text here"
        kind = problem.variant.replace("-", " ")
        message = f"{shown!r} breaks the syntax of CIF" + (f" ({kind})" if kind else "")
        place = Place(source, problem.start, problem.end, problem.block)
        yield DictionaryProblem(f"syntax {problem.code}", message, place, Severity(problem.severity))
