"""A run over many files: inputs one by one, workers that get the dictionary once, lines as they come."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from imgcif_core import api
from imgcif_core._version import __version__
from imgcif_core.batch.lines import Done, line_of, line_of_unreadable, run_name
from imgcif_core.checks.options import CheckOptions
from imgcif_core.cif.document import Document, Source
from imgcif_core.cif.reader import open_source
from imgcif_core.cif.reader import read as read_source
from imgcif_core.ddlm.model import Dictionary
from imgcif_core.errors import InputError, UsageError
from imgcif_core.findings import FileReport, Report, Severity
from imgcif_core.images.side_by_side import work_alone
from imgcif_core.memory import bounded_memory
from imgcif_core.records import dataclass

Announce = Callable[[Document, CheckOptions, Dictionary], None]
# So many files of each worker are under way, so that none waits and no result piles up.
_AHEAD = 4
ENDED = "the process that judged it ended; it may need more memory than there is"


@dataclass(frozen=True)
class Run:
    """What judges all files of a run, and what counts as failed; `announce` tells of a file before it is judged."""

    options: CheckOptions
    dictionary: Dictionary
    fail_on: Severity | None = Severity.ERROR
    require: tuple[str, ...] = ()
    name: str = ""
    announce: Announce | None = None

    @classmethod
    def of(
        cls,
        options: CheckOptions,
        dictionary: Dictionary,
        fail_on: Severity | None,
        require: Sequence[str],
        announce: Announce | None = None,
    ) -> "Run":
        """A run with its name."""
        return cls(options, dictionary, fail_on, tuple(require), run_name(options, dictionary), announce)

    def line(self, path: str, done: Done | None = None) -> tuple[str, int]:
        """The line of one file, and its exit status; an empty line where it is among those that are done."""
        sha256 = ""
        try:
            with bounded_memory([path], self.options.limits):
                source = open_source(path, limits=self.options.limits)
                sha256 = source.sha256
                if done and done.holds(path, sha256, self.name):
                    return "", 0
                report = self._judged(path, source)
        except InputError as error:
            return line_of_unreadable(path, str(error), self.name, sha256), 2
        status = Report(__version__, (), (report,)).exit_status(self.fail_on, self.require)
        return line_of(path, report, self.name, status), status

    def _judged(self, path: str, source: Source) -> FileReport:
        """The report of one file."""
        document = read_source(source)
        if self.options.block is not None and all(block.name != self.options.block for block in document.blocks):
            raise InputError(f"{path}: no data block named {self.options.block}")
        if self.announce is not None:
            self.announce(document, self.options, self.dictionary)
        return api.check_document(document, options=self.options, dictionary=self.dictionary)


_WORKER: list[Run] = []


def start_worker(run: Run) -> None:
    """In a worker, once: what judges."""
    work_alone()
    end_with_parent()
    _WORKER[:] = [run]


def end_with_parent() -> None:
    """In a worker: end once the process that started it is gone, however it ended."""
    import multiprocessing
    import threading

    # Workers hold both ends of the pipe from which they take their work, so that they would wait for ever.
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_outlive, args=(parent.join,), daemon=True).start()


def _outlive(wait: Callable[[], None]) -> None:
    """End this process after a wait, whatever else it does."""
    import os

    wait()
    os._exit(1)


def _line_in_worker(path: str) -> tuple[str, int]:
    """In a worker: the line of one file."""
    return _WORKER[0].line(path)


def lines(run: Run, paths: Iterable[str], jobs: int, done: Done) -> Iterator[tuple[str, int]]:
    """Line and status of each file as soon as it is judged; of one job in the order of the files."""
    if jobs <= 1:
        yield from (run.line(path, done) for path in paths)
        return
    left = left_of(run, paths, done)
    while True:
        under_way: dict[Any, str] = {}
        try:
            yield from _in_pool(run, left, jobs, under_way)
            return
        except BrokenExecutor:
            # One of the files is to blame, which none of the others should suffer for.
            for path in list(under_way.values()):
                try:
                    yield from _in_pool(run, iter([path]), 1, {})
                except BrokenExecutor:
                    yield line_of_unreadable(path, f"{path}: {ENDED}", run.name), 2


def left_of(run: Run, paths: Iterable[str], done: Done) -> Iterator[str]:
    """The files that are not done; only those that have a line are read here."""
    for path in paths:
        sha256 = ""
        if done.may_hold(path):
            with suppress(InputError):
                sha256 = open_source(path, limits=run.options.limits).sha256
            if done.holds(path, sha256, run.name):
                continue
        yield path


def _in_pool(run: Run, left: Iterator[str], jobs: int, under_way: dict[Any, str]) -> Iterator[tuple[str, int]]:
    """Lines from workers that get what judges once; `under_way` tells which files have none yet."""
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait

    with ProcessPoolExecutor(jobs, initializer=start_worker, initargs=(run,)) as pool:
        while True:
            for path in islice(left, jobs * _AHEAD - len(under_way)):
                under_way[pool.submit(_line_in_worker, path)] = path
            if not under_way:
                return
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                found = future.result()
                del under_way[future]
                yield found


def inputs_of(paths: Sequence[str], lists: Sequence[str], stdin: Iterable[str]) -> Iterator[str | InputError]:
    """The files that paths, folders and lists of paths name; what stands for none is an error among them."""
    for path in chain(paths, _listed(lists, stdin)):
        try:
            yield from (str(entry) for entry in api.expand(path))
        except InputError as error:
            yield error


def _listed(lists: Sequence[str], stdin: Iterable[str]) -> Iterator[str]:
    """The paths in lists, one a line; - is standard input."""
    for name in lists:
        if name == "-":
            yield from (line.rstrip("\r\n") for line in stdin if line.strip())
            continue
        try:
            with open(name, encoding="utf-8", errors="surrogateescape") as stream:
                yield from (line.rstrip("\r\n") for line in stream if line.strip())
        except OSError as error:
            raise InputError(f"{name}: cannot be read ({error.strerror or error})") from None


def shard_of(text: str) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """What takes the entries of one shard: every n-th from the i-th on, for `i/n`.

    Raises
    ------
    UsageError
        If the text is no `i/n` with 1 <= i <= n.
    """
    first, slash, count = text.partition("/")
    if not slash or not (first.isdecimal() and count.isdecimal()) or not 1 <= int(first) <= int(count):
        raise UsageError(f"--shard {text}: expected i/n with i from 1 to n, such as 3/16")
    return lambda entries: islice(entries, int(first) - 1, None, int(count))
