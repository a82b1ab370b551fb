"""The repairs that a report offers: listed with their diffs, or made into a new file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgcif_core.cif.reader import read
from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.render.excerpt import clipped
from imgcif_core.repair import Repair, mend, repairs_of
from imgcif_core.repair.mend import Choice, safe_only, with_choice
from imgcif_core.web.tasks import Progress
from imgcif_core.web.tasks.common import checked, opened, options_of, write_bytes, write_json

SHOWN = 500
_LONGEST_DIFF = 20_000


def run(folder: Path, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """List the repairs in `repairs.json`, and make the chosen ones.

    `given` is that of a check, and with it `apply`: None to list only, "safe", numbers of repairs, or codes of rules,
    whose repairs are all made, as who names a rule has decided. The mended file is left as `mended`.
    """
    progress(0, 2, "steps", "looking for repairs")
    source, options = opened(folder, given), options_of(folder, given)
    entry, _ = checked(read(source), options)
    repairs = repairs_of(source, entry)
    numbers = {id(finding): number for number, finding in enumerate(entry.findings, 1)}
    listed = [_shown(repair, numbers[id(repair.finding)]) for repair in repairs[:SHOWN]]
    write_json(folder, "repairs.json", {"repairs": listed, "repairs_in_all": len(repairs)})
    apply = given.get("apply")
    if apply is None:
        return {}
    progress(1, 2, "steps", "mending")
    mended = mend(source, _choice(apply, repairs), options=options, dictionary=load_bundled())
    write_bytes(folder, "mended", mended.data)
    made = {
        "made": [_shown(repair) for repair in mended.made[:SHOWN]],
        "refused": [_shown(repair) for repair in mended.refused[:SHOWN]],
        "diff": clipped(mended.diff, 50 * _LONGEST_DIFF) if len(mended.diff) > 50 * _LONGEST_DIFF else mended.diff,
        "changed": mended.is_changed,
    }
    write_json(folder, "mended.json", made)
    return {"made": len(mended.made), "refused": len(mended.refused), "changed": mended.is_changed}


def _choice(apply: Any, repairs: list[Repair]) -> Choice:
    """Which repairs are to be made."""
    if apply == "safe":
        return safe_only
    numbers = [entry for entry in apply if isinstance(entry, int)]
    codes = {entry for entry in apply if isinstance(entry, str)}
    by_number = with_choice(numbers, repairs)
    return lambda repair: repair.rule in codes or by_number(repair)


def _shown(repair: Repair, finding: int | None = None) -> dict[str, Any]:
    """A repair as the page and the API tell it; `finding` is the number of the finding in the report."""
    told = repair.as_dict()
    edits = told.pop("edits")
    diff = told["diff"]
    return {
        **told,
        "diff": diff if len(diff) <= _LONGEST_DIFF else clipped(diff, _LONGEST_DIFF),
        "count": len(edits),
        "finding": finding,
    }
