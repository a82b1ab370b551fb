"""What several commands share: text to the terminal or into a file."""

import sys
from pathlib import Path
from typing import TextIO

UNUSABLE = 2


def write(path: str | None, text: str) -> None:
    """Write to standard output, or to a file that appears only when it is whole."""
    if path is None:
        emit(sys.stdout, text)
        return
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def emit(stream: TextIO, text: str) -> None:
    """Write text, with a stand-in for what the terminal's encoding cannot show."""
    if not text.endswith("\n"):
        text += "\n"
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
