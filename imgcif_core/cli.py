"""The commands `imgcif` and `imgcif-check`: which subcommand runs, and what becomes of its exceptions."""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from imgcif_core._version import __version__
from imgcif_core.commands.common import UNUSABLE, add_limit, memory_limits, paths_in
from imgcif_core.errors import Ended, ImgcifError, OutputError
from imgcif_core.memory import bounded_memory, uncollected

# Tables of frames gain nothing by threads of linear algebra, whose start every file would pay for.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Each is a module of `imgcif_core.commands`, imported only when it is called.
COMMANDS = {
    "check": "check files (the same as imgcif-check)",
    "show": "the instrument in numbers (geometry passport)",
    "spots": "whether strong spots of sampled frames lie where the geometry says",
    "derive": "values that the methods of dictionaries give, with the path of derivation",
    "create": "imgCIF from raw data or an experiment description",
    "export": "files from which DIALS, XDS, CrystFEL and NeXus readers can work",
    "fix": "repairs that findings offer: shown first, written when asked for",
    "diff": "what moved between two files, in mm, pixels and degrees; names and values otherwise",
    "manifest": "what is confirmed of the data behind a file, as JSON or as an RO-Crate",
    "verify": "whether what a manifest confirmed is still as it was",
    "merge": "one report of many runs of imgcif-check --format jsonl",
    "serve": "the web page: check, repair, create and compare in a browser",
    "explain": "what a rule means and how to mend what it found",
    "rules": "list all rules",
    "profiles": "list the profiles",
    "dictionary": "work with DDLm dictionaries",
    "conformance": "run the conformance suite on this or another tool",
}
# Those that bind the memory of each input themselves, or of their workers, and those that read none.
_UNBOUND = frozenset({"check", "serve", "conformance", "explain", "rules", "profiles"})
SHORT_HELP = """\
imgcif-check PATH...   check imgCIF and CBF files, directories, or - for standard input
imgcif create INPUT... an imgCIF from raw data or an experiment description
imgcif show FILE       the instrument in numbers
imgcif explain CODE    what a rule means and how to mend what it found
imgcif rules           all rules
imgcif --help          everything else
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the umbrella command `imgcif`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        sys.stdout.write(SHORT_HELP)
        return UNUSABLE
    if given[0] in COMMANDS:
        return _run(f"imgcif {given[0]}", given[0], given[1:])
    parser = argparse.ArgumentParser("imgcif", description="imgCIF: check, show and explain.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text)
    _add_version(parser)
    parser.parse_args(given)
    return UNUSABLE


def check_main(arguments: Sequence[str] | None = None) -> int:
    """Run `imgcif-check`, the short way to `imgcif check`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        sys.stdout.write(SHORT_HELP)
        return UNUSABLE
    return _run("imgcif-check", "check", given)


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"imgcif_core {__version__}")


class _ClosedOutput(io.TextIOBase):
    """What stands for a standard output that is closed: text has nowhere to go."""

    def write(self, text: str) -> int:
        raise OutputError("standard output is closed")


def _fill_streams() -> None:
    """Put the null device where standard streams are closed, so that no file is opened in their place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _end_in_order() -> None:
    """Let a request to end run what removes temporary files."""
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)


def _leave(number: int, _: object) -> None:
    """End in order, with the status that shells give to a signal."""
    raise Ended(128 + number)


def _run(program: str, name: str, given: Sequence[str]) -> int:
    """Parse, call the subcommand, and turn exceptions into one line and a status."""
    _fill_streams()
    _end_in_order()
    with uncollected():
        command = importlib.import_module(f"imgcif_core.commands.{name}")
    text = COMMANDS[name]
    parser = argparse.ArgumentParser(program, description=f"{text[0].upper()}{text[1:]}.")
    command.add_arguments(parser)
    if name not in _UNBOUND:
        add_limit(parser)
    _add_version(parser)
    options = parser.parse_args(given)
    try:
        if name in _UNBOUND:
            return int(command.run(options))
        with bounded_memory(paths_in(options), memory_limits(options.limit)):
            return int(command.run(options))
    except ImgcifError as error:
        sys.stderr.write(f"{program.split()[0]}: {error}\n")
        return UNUSABLE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write(f"{program.split()[0]}: interrupted\n")
        return 130
    except OSError as error:
        sys.stderr.write(f"{program.split()[0]}: {error.filename or 'output'}: {error.strerror or error}\n")
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
