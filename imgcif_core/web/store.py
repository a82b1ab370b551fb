"""Jobs and their folders: ids that nobody guesses, nothing kept longer than said, leftovers removed at the start."""

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from imgcif_core.records import dataclass, field
from imgcif_core.web.pool import Work

_PREFIX = "imgcif-serve-"
_OWNER = "owner"
_REMEMBERED = 10_000


@dataclass(slots=True)
class Job:
    """One thing that a client asked for: its folder, and the work in progress on it.

    `kind` is check, create or compare; uploads lie in `inputs`, results beside it.
    """

    id: str
    kind: str
    folder: Path
    client: str
    used: float
    work: Work | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> Path:
        """Where the uploads lie."""
        return self.folder / "inputs"

    @property
    def state(self) -> str:
        """queued, running, done or failed."""
        return self.work.state if self.work else "done"

    def path(self, name: str) -> Path:
        """A result by its name, which comes from the code and never from a request."""
        return self.folder / name


class Store:
    """The folder of all jobs of this process; jobs unused for `keep_seconds` are removed."""

    def __init__(self, folder: str = "", keep_seconds: float | None = None) -> None:
        parent = Path(folder) if folder else Path(tempfile.gettempdir())
        parent.mkdir(parents=True, exist_ok=True)
        _sweep_leftovers(parent)
        self.root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self.keep_seconds = keep_seconds
        self._lock: TextIO = open(self.root / _OWNER, "w", encoding="ascii")  # noqa: SIM115
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._jobs: dict[str, Job] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._jobs)

    def new(self, kind: str, client: str) -> Job:
        """A new job with an empty folder."""
        name = secrets.token_urlsafe(16)
        folder = self.root / name
        (folder / "inputs").mkdir(parents=True, mode=0o700)
        (folder / "temporary").mkdir(mode=0o700)
        job = Job(name, kind, folder, client, time.monotonic())
        self._jobs[name] = job
        return job

    def get(self, name: str) -> Job | None:
        """The job of an id, which counts as used now."""
        job = self._jobs.get(name)
        if job is not None:
            job.used = time.monotonic()
        return job

    def was(self, name: str) -> bool:
        """True for the id of a job that has been removed."""
        return name in self._gone

    def drop(self, job: Job) -> None:
        """Remove a job with all its files."""
        self._jobs.pop(job.id, None)
        self._gone[job.id] = None
        while len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)
        shutil.rmtree(job.folder, ignore_errors=True)

    def expired(self) -> list[Job]:
        """Jobs whose time is over and that nothing works on."""
        if self.keep_seconds is None:
            return []
        oldest = time.monotonic() - self.keep_seconds
        return [job for job in self._jobs.values() if job.used < oldest and job.state not in ("queued", "running")]

    def sizes(self) -> dict[str, int]:
        """The bytes that each job takes on the disk, by id."""
        return {name: _size_of(job.folder) for name, job in list(self._jobs.items())}

    def beyond(self, most: int, sizes: Mapping[str, int]) -> list[Job]:
        """Jobs to remove so that all together take no more: each time the oldest of the client that holds most."""
        known = [job for job in self._jobs.values() if job.id in sizes]
        held: Counter[str] = Counter()
        for job in known:
            held[job.client] += sizes[job.id]
        idle = sorted((job for job in known if job.state not in ("queued", "running")), key=lambda job: job.used)
        found: list[Job] = []
        while held.total() > most and idle:
            first = max((job.client for job in idle), key=lambda client: held[client])
            job = next(job for job in idle if job.client == first)
            idle.remove(job)
            held[first] -= sizes[job.id]
            found.append(job)
        return found

    @contextmanager
    def kept_if_whole(self, job: Job) -> Iterator[None]:
        """Remove a job if what happens within raises."""
        is_whole = False
        try:
            yield
            is_whole = True
        finally:
            if not is_whole:
                self.drop(job)

    def close(self) -> None:
        """Remove everything."""
        self._jobs.clear()
        shutil.rmtree(self.root, ignore_errors=True)
        self._lock.close()


def _size_of(folder: Path) -> int:
    """The bytes of the files below a folder; what goes meanwhile is none."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            entry = path.lstat()
            # Holes take nothing, and a file with several names is counted once.
            total += entry.st_blocks * 512 // (entry.st_nlink if stat.S_ISREG(entry.st_mode) else 1)
    return total


def _sweep_leftovers(parent: Path) -> None:
    """Remove the folders of processes of this user that have ended: nobody holds their lock."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with open(folder / _OWNER, "r+", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
