"""What several commands share: text to the terminal or into a file."""

import sys
from collections.abc import Iterable
from typing import TextIO

UNUSABLE = 2


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
