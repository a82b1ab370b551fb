"""Checks of a DDLm dictionary itself, for those who write one or bring their own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from imgcif_core.cif.document import Place
from imgcif_core.ddlm.bundled import load_attributes
from imgcif_core.ddlm.compile import build_facts
from imgcif_core.ddlm.frames import File
from imgcif_core.ddlm.lint import attributes, examples, methods, references, structure, targets, values
from imgcif_core.ddlm.lint.subject import Subject
from imgcif_core.ddlm.load import ABSENT, DictionaryProblem, Loader
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.findings import Severity

SHOWN = 60
CHECKS = (
    *attributes.CHECKS,
    *structure.CHECKS,
    *references.CHECKS,
    *targets.CHECKS,
    *values.CHECKS,
    *methods.CHECKS,
    *examples.CHECKS,
)
_RESTS_ON_IMPORTS = frozenset({"missing-parent", "missing-key", "missing-link-target", "missing-target"})


def lint(path: Path, search: Iterable[str | Path] = (), *, mentions: bool = False) -> list[DictionaryProblem]:
    """What is wrong with one dictionary, in the order of its lines.

    The definitions that it imports are looked up, not judged. `mentions` adds the data names in its
    texts that nothing defines.

    Raises
    ------
    InputError
        If the file cannot be read or is no DDLm dictionary.
    """
    loader = Loader((Path(folder) for folder in search), is_lenient=True)
    file = loader.file(Path(path))
    definitions = loader.definitions(file)
    facts = build_facts(loader, [file], with_overlay=False)
    facts["gaps"] = [problem.message for problem in loader.problems if problem.code in ABSENT]
    subject = Subject(file, definitions, Dictionary(facts, origin=str(path)), load_attributes())
    problems = [*_syntax(file), *loader.problems]
    for check in CHECKS:
        problems.extend(check(subject))
    if subject.has_gaps:
        # What is not found may stand in what could not be imported.
        problems = [problem for problem in problems if problem.code not in _RESTS_ON_IMPORTS]
    if mentions:
        problems.extend(references.undefined_mentions(subject))
    source = file.source
    return sorted(_once(problems), key=lambda problem: (problem.place.source is not source, problem.line, problem.code))


def _once(problems: Iterable[DictionaryProblem]) -> list[DictionaryProblem]:
    """Each complaint once."""
    seen = {(problem.code, problem.message, problem.place.start): problem for problem in reversed(list(problems))}
    return list(reversed(seen.values()))


def _syntax(file: File) -> Iterator[DictionaryProblem]:
    """What the parser had to say; save frames are at home here."""
    source = file.source
    for problem in file.document.problems:
        if problem.code == "SYN016" or problem.severity == "info":
            continue
        text = source.data[problem.start : min(problem.end, problem.start + SHOWN)].decode("utf-8", "replace")
        shown = " ".join(text.split()) or "the text here"
        kind = problem.variant.replace("-", " ")
        message = f"{shown!r} breaks the syntax of CIF" + (f" ({kind})" if kind else "")
        place = Place(source, problem.start, problem.end, problem.block)
        yield DictionaryProblem(f"syntax {problem.code}", message, place, Severity(problem.severity))
