"""`imgcif create`: an imgCIF from raw data or an experiment description."""

import argparse
import sys
from typing import TYPE_CHECKING

from imgcif_core.commands.common import emit
from imgcif_core.create.command import add_arguments

if TYPE_CHECKING:
    from imgcif_core.create.questions import Question

__all__ = ["add_arguments", "run"]


def run(given: argparse.Namespace) -> int:
    """Create an imgCIF, and say what came of it."""
    from imgcif_core.create.command import run as create

    outcome = create(given, _ask)
    if outcome.remarks:
        emit(sys.stderr, outcome.remarks)
    if outcome.output:
        emit(sys.stdout, outcome.output)
    return outcome.status


def _ask(entry: "Question") -> str | None:
    """The answer of a person to a question; None where nobody answers."""
    needed = "" if entry.is_needed else " [Enter to leave out]"
    sys.stderr.write(f"\n{entry.text}\n(for example {entry.example}){needed} ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None
