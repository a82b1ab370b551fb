"""What workers do: each task is a module with `run(folder, given, progress) -> dict` that leaves its results as files.

`folder` is that of the job, with the uploads in `inputs`; `given` is plain data that the server made, never a
request as it came; `progress(done, total, unit, text)` says how far it is.
"""

from collections.abc import Callable
from pathlib import Path

Progress = Callable[[int, int, str, str], None]


class Refused(Exception):
    """A task that cannot be done as asked, with the status that says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def without_folder(text: str, folder: Path) -> str:
    """A text in which no path of the server is left."""
    inputs = folder / "inputs"
    for path in (inputs / "against", inputs / "local", inputs, folder / "temporary", folder, folder.parent):
        text = text.replace(f"{path}/", "").replace(str(path), ".")
    return text
