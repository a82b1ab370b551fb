"""Windows into the text of a file: 400 lines at a time, read from the disk where they stand."""

import asyncio
import json
from pathlib import Path

from imgcif_core.records import dataclass
from imgcif_core.render.excerpt import visible
from imgcif_core.web.problems import Problem
from imgcif_core.web.service import done_or_problem
from imgcif_core.web.store import Job

LINES = 400
_LONGEST = 1000
_WINDOW_BYTES = 4 << 20
_BEFORE = 10


@dataclass(frozen=True, slots=True)
class Window:
    """Some lines of a text: the number of the first, the lines made fit to be shown, and how many there are."""

    first: int
    lines: list[str]
    total: int

    @property
    def last(self) -> int:
        """The number of the last line."""
        return self.first + len(self.lines) - 1


async def window_of(job: Job, line: int, count: int = LINES) -> Window:
    """The page of lines in which a line stands, with it a few lines below the top.

    Raises
    ------
    Problem
        404 if the text has no such line, 409 while the job is not done.
    """
    done_or_problem(job)
    return await asyncio.to_thread(_window, job.folder, max(1, line - _BEFORE), line, count)


async def lines_between(job: Job, first: int, last: int) -> Window:
    """Lines from the first to the last, at most one page; raises as `window_of`."""
    done_or_problem(job)
    return await asyncio.to_thread(_window, job.folder, first, first, max(1, min(LINES, last - first + 1)))


def _window(folder: Path, first: int, wanted: int, count: int) -> Window:
    """Read some lines; those of binary data are replaced by a word."""
    try:
        index = json.loads((folder / "lines.json").read_bytes())
    except FileNotFoundError:
        raise Problem(404, "this job has no text") from None
    if not 1 <= wanted <= index["lines"]:
        raise Problem(404, f"the text has {index['lines']} lines")
    page = (first - 1) // index["every"]
    with (folder / "text").open("rb") as stream:
        stream.seek(index["starts"][page])
        data = stream.read(_WINDOW_BYTES)
    at, opaque = index["starts"][page], index["opaque"]
    lines = []
    for number, line in enumerate(_split(data), page * index["every"] + 1):
        if number >= first + count or number > index["lines"]:
            break
        if number >= first:
            is_hidden = any(begin < at + len(line) and at < stop for begin, stop in opaque)
            lines.append("(binary data)" if is_hidden else _shown(line))
        at += len(line)
    return Window(first, lines, index["lines"])


def _split(data: bytes) -> list[bytes]:
    """Lines with their ends; LF, CRLF and CR end lines."""
    return data.splitlines(keepends=True) or [b""]


def _shown(line: bytes) -> str:
    """A line as text, cut where it is very long, with nothing in it that acts."""
    text = line.rstrip(b"\r\n").decode("utf-8", "replace").removeprefix("\ufeff").replace("\t", "    ")
    return visible(text[:_LONGEST]) + (" (cut)" if len(text) > _LONGEST else "")
