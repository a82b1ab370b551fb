"""A run over many files on a Dask cluster: chunks of paths go out, lines come back as they are done.

Each worker keeps one process of `imgcif-check --format jsonl --files-from -`, which judges as the command does
anywhere, with its limits of time and memory. What goes over the network are paths, options and lines; the files
must lie where all workers see them under the same paths.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from imgcif_core._version import __version__
from imgcif_core.batch.lines import line_of_unreadable
from imgcif_core.batch.run import ENDED, Run
from imgcif_core.errors import InputError, UsageError

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
CHUNK = 25
# Chunks of each worker that are under way, so that none waits for the next.
_AHEAD = 2
_SECONDS_TO_CONNECT = 30


def lines_of_cluster(where: str, words: Sequence[str], run: Run, paths: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Line and status of each file as soon as its chunk is judged.

    Parameters
    ----------
    where :
        A number of workers to start on this machine, the address of a scheduler, or its scheduler file.
    words :
        The options of the command, without its inputs and outputs.

    Raises
    ------
    InputError, UsageError
        If no cluster is there, or its workers are of another version.
    """
    kept: list[str] = []
    left = _in_one_line(paths, kept)
    with _Connection(where) as client:
        from distributed import as_completed

        under_way: dict[Any, list[str]] = {}
        finished = as_completed()

        def send(chunk: list[str]) -> None:
            future = client.submit(judge_chunk, tuple(words), chunk, pure=False)
            under_way[future] = chunk
            finished.add(future)

        while True:
            wanted = _AHEAD * max(1, sum(client.nthreads().values())) - len(under_way)
            for chunk in (list(islice(left, CHUNK)) for _ in range(max(0, wanted))):
                if not chunk:
                    break
                send(chunk)
            yield from (run.line(kept.pop()) for _ in range(len(kept)))
            if not under_way:
                return
            future = next(finished)
            chunk = under_way.pop(future)
            fault = future.exception() if future.status != "finished" else None
            if fault is None:
                yield from (_checked(line, run) for line in future.result())
            elif len(chunk) > 1:
                # One of them is to blame, which none of the others should suffer for.
                for path in chunk:
                    send([path])
            else:
                yield line_of_unreadable(chunk[0], f"{chunk[0]}: {ENDED}", run.name), 2
            future.release()


def _in_one_line(paths: Iterable[str], kept: list[str]) -> Iterator[str]:
    """The paths that a list can hold; others are kept for this process."""
    for path in paths:
        if "\n" in path or "\r" in path or path != path.strip():
            kept.append(path)
        else:
            yield path


def _checked(line: str, run: Run) -> tuple[str, int]:
    """A line with its status; those of another version or dictionary are refused."""
    found = json.loads(line)
    if found["run"] != run.name:
        raise UsageError(f"workers judge by another version or dictionary than this imgcif_core {__version__}")
    return line, int(found["status"])


class _Connection:
    """A client of a cluster, which is closed at the end, and so are workers that were started for it."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._close: list[Any] = []

    def __enter__(self) -> Any:
        try:
            import distributed
        except ImportError:
            raise UsageError("--cluster needs Dask: pip install 'imgcif_core[cluster]'") from None
        if self._where.isdecimal():
            return self._local(distributed, int(self._where))
        is_file = os.path.isfile(self._where)
        named = {"scheduler_file": self._where} if is_file else {"address": self._where}
        try:
            client = distributed.Client(**named, timeout=_SECONDS_TO_CONNECT)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(f"--cluster {self._where}: no scheduler answers ({type(error).__name__})") from None
        self._close.append(client)
        return client

    def _local(self, distributed: Any, workers: int) -> Any:
        """Workers on this machine, which nobody else reaches."""
        if not 1 <= workers <= 1024:
            raise UsageError(f"--cluster {workers}: expected a number of workers, or the address of a scheduler")
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=50,
        )
        client = distributed.Client(cluster)
        self._close += [client, cluster]
        return client

    def __exit__(self, *_: object) -> None:
        for part in self._close:
            part.close()


class _Judge:
    """The process of a worker that judges files, one path in, one line out."""

    def __init__(self, words: tuple[str, ...]) -> None:
        command = [sys.executable, "-m", "imgcif_core.cli", "check", "--format", "jsonl", "--files-from", "-", *words]
        paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="surrogateescape",
            # No module is taken from the folder in which the worker runs.
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(paths)},
        )

    def line(self, path: str) -> str:
        """The line of one file.

        Raises
        ------
        RuntimeError
            If the process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
            found = self._process.stdout.readline()
        except OSError:
            found = ""
        if not found.endswith("\n"):
            self.close()
            raise RuntimeError(ENDED)
        return found.rstrip("\n")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


_JUDGES: dict[tuple[int, tuple[str, ...]], _Judge] = {}
_LOCK = threading.Lock()


def judge_chunk(words: tuple[str, ...], paths: list[str]) -> list[str]:
    """At a worker: the lines of some files; the process that judges stays for the next chunk."""
    key = threading.get_ident(), words
    with _LOCK:
        if key not in _JUDGES:
            _JUDGES[key] = _Judge(words)
            atexit.register(_JUDGES[key].close)
        judge = _JUDGES[key]
    try:
        return [judge.line(path) for path in paths]
    except RuntimeError:
        with _LOCK:
            _JUDGES.pop(key, None)
        raise
