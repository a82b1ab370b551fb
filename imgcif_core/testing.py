"""For the tests of programs that write imgCIF: assert that a file conforms, with a failure that says why not."""

from collections.abc import Collection
from dataclasses import replace

from imgcif_core import api
from imgcif_core._version import __version__
from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import load_rules
from imgcif_core.findings import FileReport, Report, Severity
from imgcif_core.render import render

__all__ = ["assert_conforms"]


def assert_conforms(
    source: api.Input,
    *,
    profile: str = "auto",
    allow: Collection[str] = (),
    fail_on: Severity | str = Severity.ERROR,
    options: CheckOptions | None = None,
    name: str | None = None,
) -> FileReport:
    """Check one imgCIF or CBF, and fail with a readable report if it does not conform.

    Parameters
    ----------
    source :
        A path, the bytes of a file, or a binary file object.
    profile :
        What is demanded, as for the command line.
    allow :
        Codes, names or families of rules whose findings are tolerated, each for a reason of yours.
    fail_on :
        The least severity that fails: error, warning or info.
    options :
        All other choices; its profile gives way to `profile` unless that is auto.
    name :
        What to call bytes and file objects in the failure.

    Returns
    -------
    FileReport
        All that was found, what was tolerated included.

    Raises
    ------
    AssertionError
        If something at or above `fail_on` is found and not tolerated, or a rule crashed.
    InputError
        If the source cannot be read at all.
    """
    __tracebackhide__ = True
    limit = Severity(fail_on)
    chosen = options or CheckOptions()
    if profile != "auto":
        chosen = replace(chosen, profile=profile)
    whole = api.check_document(api.read(source, name=name), options=chosen)
    wrong = tuple(
        finding
        for finding in whole.findings
        if finding.severity.at_least(limit) and not is_allowed(finding.rule, finding.name, allow)
    )
    if wrong or whole.outcomes.crashed:
        raise AssertionError(failure(replace(whole, findings=wrong), limit))
    return whole


def is_allowed(code: str, name: str, allow: Collection[str]) -> bool:
    """True if a rule is tolerated by its code, its name or its family."""
    rule = load_rules().get(code)
    known = (name, *(rule.was if rule is not None else ()))
    return any(entry in known or (entry and code.startswith(entry.upper())) for entry in allow)


def failure(entry: FileReport, limit: Severity) -> str:
    """What an assertion says: how many findings, and each with its line and the way out."""
    counts = {str(severity): entry.count(severity) for severity in Severity}
    told = ", ".join(f"{number} {word}{'s' * (number > 1)}" for word, number in counts.items() if number)
    head = f"{entry.path} does not conform to the profile {entry.profile}: {told or 'a rule crashed'}"
    body = render(Report(__version__, (), (entry,)), "text", quiet=True, at_least=limit)
    return f"{head}\n\n{body.rstrip()}"
