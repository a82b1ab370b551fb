"""A report in one of its forms, made anew from the upload: results hold no objects of the program."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgcif_core.checks.registry import load_rules
from imgcif_core.cif.reader import read
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.render import render
from imgcif_core.repair.mend import replace_data
from imgcif_core.show.page import page
from imgcif_core.show.sheet import sheet_of
from imgcif_core.web.tasks import Progress
from imgcif_core.web.tasks.common import checked, opened, options_of, write_text


def run(folder: Path, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the report in the `format` html or sarif under the name `to`; the rest as for a check."""
    progress(0, 1, "files", "writing the report")
    source = opened(folder, given)
    merged = folder / "merged.cif"
    if given["format"] == "html" and merged.exists():
        # The page to print shows the replies beside their alerts.
        source = replace_data(source, merged.read_bytes())
    document = read(source)
    options = options_of(folder, given)
    entry, report = checked(document, options)
    if given["format"] == "html":
        online = ["--online"] if entry.links is not None else []
        command = shlex.join(["imgcif-check", "--profile", entry.profile, *online, "--format", "html", given["name"]])
        text = page(report, [sheet_of(document, load_bundled(), entry, options, command)])
    else:
        text = render(report, given["format"], rules=_rule_texts())
    write_text(folder, given["to"], text)
    return {}


def _rule_texts() -> dict[str, tuple[str, str, str, str]]:
    """Name, short text, full text and help address of each rule, for SARIF."""
    return {
        rule.code: (rule.name, rule.prose.get("What", rule.name), "\n\n".join(map(": ".join, rule.prose.items())), "")
        for rule in load_rules().values()
    }
