"""The report as one page, with drawings and explanations: what the command writes and the web page embeds."""

from collections.abc import Mapping, Sequence

from imgcif_core.checks.registry import load_rules
from imgcif_core.findings import Report
from imgcif_core.render import render
from imgcif_core.render.sheet import Sheet


def page(report: Report, sheets: Sequence[Sheet | None] = (), *, verbose: bool = False) -> str:
    """The report as an HTML page.

    Parameters
    ----------
    sheets :
        What `sheet_of` gives for each file of the report, in their order; None shows the findings alone.
    verbose :
        True to show findings of level G unfolded.
    """
    return render(report, "html", verbose=verbose, sheets=sheets, prose=rule_prose(report))


def rule_prose(report: Report) -> Mapping[str, Mapping[str, str]]:
    """The explanations of the rules that have findings, by code and heading."""
    rules = load_rules()
    found = {finding.rule for finding in report.findings()}
    return {code: rules[code].prose for code in sorted(found) if code in rules}
