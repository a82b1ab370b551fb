"""`imgcif rules`: one line for each rule."""

import argparse
import sys

from imgcif_core.commands.common import emit


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`imgcif rules` has no arguments."""


def run(_given: argparse.Namespace) -> int:
    """Print one line for each rule."""
    from imgcif_core.checks.registry import load_rules

    lines = [f"{rule.code}  {rule.severity:<8} {rule.name}" for rule in load_rules().values()]
    emit(sys.stdout, "\n".join(lines))
    return 0
