"""The four questions of readiness, answered from the model of each block and from what the rules found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from imgcif_core.checks.completeness.needs import Need
from imgcif_core.checks.fetching import Fetching
from imgcif_core.checks.obstacles import Obstacle
from imgcif_core.checks.profiles import Profile
from imgcif_core.checks.registry import Blocked, NotApplicable, NotChecked
from imgcif_core.cif.document import Document
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.findings import Answer, Finding, Readiness, Ready, Severity

Get = Callable[[str], Any]
# What the dictionary has to define so that a file can be judged as one of diffraction images.
_DOMAIN = ("axis", "array_structure_list", "diffrn_scan")
_NO_IMAGES = "no scans, frames or images"


def readiness(
    document: Document, dictionary: Dictionary, profile: Profile, blocks: Sequence[Get], findings: Sequence[Finding]
) -> Readiness:
    """The answers for a file; `blocks` give the inputs of each block by name."""
    errors = _errors(findings)
    read = _read(document, errors["read"])
    if profile.asked == ("read",):
        unknown = Ready(Answer.NOT_CHECKED, (f"judged as {profile.scope or profile.title}",))
        return Readiness(read, unknown, unknown, unknown)
    if not all(dictionary.category(name) for name in _DOMAIN):
        unknown = Ready(Answer.NOT_CHECKED, (f"{dictionary.title} does not describe diffraction images",))
        return Readiness(read, unknown, unknown, unknown)
    return Readiness(
        read,
        _interpret(blocks, errors["interpret"]),
        _fetch(blocks, errors["fetch"]),
        _describe(blocks, errors["describe"]),
    )


def _errors(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """The codes of errors by the question that they answer."""
    found: dict[str, list[str]] = {name: [] for name in ("read", "interpret", "fetch", "describe")}
    for finding in findings:
        if finding.severity is Severity.ERROR and finding.rule not in found.setdefault(finding.question, []):
            found[finding.question].append(finding.rule)
    return found


def _each(blocks: Sequence[Get], name: str) -> tuple[list[Any], list[str]]:
    """The input of a name of all blocks that have it, and why others could not be built."""
    values, reasons = [], []
    for get in blocks:
        try:
            values.append(get(name))
        except NotApplicable:
            continue
        except NotChecked as reason:
            reasons.append(str(reason))
        except Blocked as blockage:
            reasons.append(f"blocked by {', '.join(blockage.codes)}")
    return values, list(dict.fromkeys(reasons))


def _read(document: Document, errors: Sequence[str]) -> Ready:
    """No where the text breaks the grammar."""
    syntax = [problem.code for problem in document.problems if problem.severity == "error"]
    codes = tuple(dict.fromkeys([*syntax, *errors]))
    return Ready(Answer.NO, codes) if codes else Ready(Answer.YES)


def _answer(missing: Sequence[str], unknown: Sequence[str], errors: Sequence[str]) -> Ready:
    """No for what is missing and for errors that nothing missing accounts for; else what nobody could tell."""
    told = " ".join(missing)
    codes = [code for code in errors if code not in told]
    if missing or codes:
        return Ready(Answer.NO, tuple(dict.fromkeys([*missing, *codes])))
    return Ready(Answer.NOT_CHECKED, tuple(dict.fromkeys(unknown))) if unknown else Ready(Answer.YES)


def _interpret(blocks: Sequence[Get], errors: Sequence[str]) -> Ready:
    """No where any pixel of any frame has no place, or nobody knows the wavelength."""
    judged, reasons = _each(blocks, "obstacles")
    if not judged and not reasons:
        return Ready(Answer.NO, (_NO_IMAGES, *errors))
    found: list[Obstacle] = [entry for obstacles in judged for entry in obstacles]
    missing = [_said(entry.words, entry.code) for entry in found if entry.is_fault]
    return _answer(missing, [*reasons, *(entry.words for entry in found if not entry.is_fault)], errors)


def _fetch(blocks: Sequence[Get], errors: Sequence[str]) -> Ready:
    """No where a frame leads to no image; links are read, and followed only where the run has done so."""
    judged, reasons = _each(blocks, "fetching")
    if not judged and not reasons:
        return Ready(Answer.NO, (_NO_IMAGES, *errors))
    entries: list[Fetching] = judged
    missing = [_said(gap.words, gap.code) for entry in entries for gap in entry.gaps]
    ready = _answer(missing, reasons, errors)
    if ready.answer is not Answer.YES:
        return ready
    # Links are those of the whole file.
    evidence = next(iter(_each(blocks[:1], "any_evidence")[0]), None)
    followed = "not visited"
    if evidence is not None:
        from imgcif_core.net.evidence import counts

        followed = f"followed: {counts(evidence.verdicts)}"
    linked = sum(entry.linked for entry in entries)
    return Ready(Answer.YES, tuple(_means(sum(entry.embedded for entry in entries), linked, followed)))


def _means(embedded: int, linked: int, followed: str) -> Iterator[str]:
    """How the images are reached."""
    if embedded:
        yield f"{embedded} {'image' if embedded == 1 else 'images'} in the file"
    if linked:
        yield f"{linked} complete {'link' if linked == 1 else 'links'}, {followed}"


def _describe(blocks: Sequence[Get], errors: Sequence[str]) -> Ready:
    """No where a stranger is not told what was measured, how, where, when and by whom."""
    judged, reasons = _each(blocks, "needs")
    if not judged and not reasons:
        return Ready(Answer.NO, (_NO_IMAGES, *errors))
    needs: list[Need] = [entry for found in judged for entry in found]
    return _answer([_said(f"{entry.words} not given", entry.code) for entry in needs], reasons, errors)


def _said(words: str, code: str) -> str:
    """Words with the rule that tells more."""
    return f"{words} ({code})" if code else words
