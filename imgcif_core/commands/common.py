"""What several commands share: text to the terminal or into a file."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from imgcif_core.errors import UsageError
from imgcif_core.limits import DEFAULT_LIMITS, Limits

UNUSABLE = 2


def add_limit(parser: argparse.ArgumentParser) -> None:
    """The option that allows a command more memory."""
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="memory=SIZE",
        help="the memory that inputs below 10 MB may take, larger ones in proportion (default: 1GiB)",
    )


def memory_limits(settings: list[str]) -> Limits:
    """The limits of a command of which only the memory is bound.

    Raises
    ------
    UsageError
        If another limit is named, or the value is none.
    """
    for entry in settings:
        if entry.partition("=")[0] != "memory":
            raise UsageError(f"--limit {entry}: this command takes memory=SIZE")
    return DEFAULT_LIMITS.with_settings(settings)


def paths_in(given: argparse.Namespace) -> Iterator[str]:
    """All that options name which is a file or folder, or standard input; of `kind:path` the path."""
    for value in vars(given).values():
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            if not isinstance(entry, str):
                continue
            name = next((name for name in (entry, entry.partition(":")[2]) if name and os.path.exists(name)), None)
            if name is not None or entry == "-":
                yield name or entry


def write(path: str | None, text: str, inputs: Iterable[str] = ()) -> None:
    """Write to standard output, or to a file that appears only when it is whole and is none of the inputs."""
    if path is None:
        emit(sys.stdout, text)
        return
    from imgcif_core.output import write_file

    write_file(path, text, inputs=inputs)


def emit(stream: TextIO, text: str) -> None:
    """Write text, with a stand-in for what the terminal's encoding cannot show."""
    if not text.endswith("\n"):
        text += "\n"
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
