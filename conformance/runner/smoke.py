"""Before a run: is it the adapter that is wrong, or the tool?"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from .adapter import Adapter, faults_of
from .tool import CommandTool

GOOD = {
    "1.1": "#\\#CIF_1.1\ndata_smoke\n_audit.creation_date 2026-01-01\n",
    "2.0": "#\\#CIF_2.0\ndata_smoke\n_audit.creation_date 2026-01-01\n",
}
BAD = "data_smoke\n_audit.creation_date 2026-01-01\n_audit.creation_date 'never closed\nloop_\n"


@dataclass(frozen=True)
class Smoke:
    """What the smoke test found: `blame` is nobody, adapter or tool."""

    blame: str
    reason: str


def smoke(tool: CommandTool, adapter: Adapter) -> Smoke:
    """Try a file that nobody refuses and one that nobody accepts."""
    for fault in faults_of(adapter):
        return Smoke("adapter", fault)
    if "command" not in adapter.data and "harness" not in adapter.data:
        return Smoke("nobody", "")
    versions = adapter.claims.get("versions") or ["1.1", "2.0"]
    good_text = adapter.data.get("smoke", {}).get("good") or GOOD[versions[0]]
    with tempfile.TemporaryDirectory() as folder:
        good, bad = Path(folder, "good.cif"), Path(folder, "bad.cif")
        good.write_text(good_text, encoding="utf-8")
        bad.write_text(BAD, encoding="utf-8")
        first, second = tool.check(good), tool.check(bad)
    for answer, what in ((first, "a good file"), (second, "a broken file")):
        if answer.error:
            return Smoke("adapter", f"on {what}: {answer.error}")
    if not first.accepted and second.accepted:
        return Smoke(
            "adapter", "accepts the broken file and refuses the good one: the verdict is read the wrong way round"
        )
    if first.accepted is second.accepted:
        said = "accepts" if first.accepted else "refuses"
        told = (first.findings or ())[:1]
        return Smoke("tool", f"{said} a good file and a broken one alike" + (f" ({told[0].message})" if told else ""))
    if adapter.depth > "A" and not second.findings:
        return Smoke("adapter", "refuses the broken file, but no finding can be read from the output")
    return Smoke("nobody", "")
