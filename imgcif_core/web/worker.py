"""A worker: reads requests from standard input, works in the folder of a job, answers on standard output.

Run as `python -m imgcif_core.web.worker`, see `imgcif_core.web.pool`. Decoders run in it and in its children, never
in the server. What no task is known to raise ends the process, which is one failed job.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from imgcif_core.errors import ImgcifError
from imgcif_core.images.side_by_side import work_alone
from imgcif_core.memory import peak_memory
from imgcif_core.web.tasks import Refused, without_folder

# One file that is written: a report on a file of 2 GB is smaller.
_LARGEST_FILE = 4 << 30
_MAX_DETAIL = 2000


def main() -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints is no answer.
    os.dup2(2, 1)
    _bound(int(os.environ.get("IMGCIF_WEB_MEMORY", "0")))
    work_alone()
    _warm()
    # The time of a task begins when it can be worked on.
    _send(answers, {"ready": True})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        folder = Path(request["folder"])
        tempfile.tempdir = str(folder / "temporary")
        _send(answers, {**_outcome(answers, request["task"], folder, request["given"]), "peak": peak_memory()})


def _outcome(answers: BinaryIO, task: str, folder: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a task gives, or the sentence that says why it cannot."""

    def progress(done: int, total: int, unit: str, text: str) -> None:
        _send(answers, {"progress": {"done": done, "total": total, "unit": unit, "text": text}})

    try:
        return {"done": import_module(f"imgcif_core.web.tasks.{task}").run(folder, given, progress)}
    except Refused as error:
        return _failed(folder, error.status, str(error))
    except ImgcifError as error:
        return _failed(folder, 422, str(error))
    except MemoryError:
        return _failed(folder, 422, "the work needs more memory than this service gives")
    except RecursionError:
        return _failed(folder, 422, "the input is nested too deeply")


def _failed(folder: Path, status: int, detail: str) -> dict[str, Any]:
    """A failure without the path of the folder."""
    # What a terminal is told of dxtbx is no way for a page, which never runs it.
    told = without_folder(detail, folder).partition("; dxtbx may know it")[0]
    return {"failed": told[:_MAX_DETAIL], "status": status}


def _send(answers: BinaryIO, said: Mapping[str, Any]) -> None:
    answers.write(json.dumps(said).encode() + b"\n")
    answers.flush()


def _bound(memory: int) -> None:
    """Set the limits that hold for this process and its children."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _warm() -> None:
    """Load what every check needs before the first one comes, by a check of the example."""
    from imgcif_core.api import read
    from imgcif_core.checks.options import CheckOptions
    from imgcif_core.web.example import EXAMPLE_NAME, example_text
    from imgcif_core.web.tasks.check import rehearse

    rehearse(read(example_text().encode(), name=EXAMPLE_NAME), CheckOptions())


if __name__ == "__main__":
    main()
