"""`imgcif profiles`: one line for each profile."""

import argparse
import sys

from imgcif_core.commands.common import emit


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """`imgcif profiles` has no arguments."""


def run(_given: argparse.Namespace) -> int:
    """Print one line for each profile."""
    from imgcif_core.checks.profiles import NAMES, load_profile

    width = max(map(len, NAMES))
    lines = [f"{name:<{width}}  {load_profile(name).description}" for name in NAMES]
    emit(sys.stdout, "\n".join([f"{'auto':<{width}}  The profile that fits the file (default).", *lines]))
    return 0
