"""`imgcif check` and `imgcif-check`: judge files, write one report."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgcif_core._version import __version__
from imgcif_core.commands.common import UNUSABLE, write
from imgcif_core.errors import InputError, UsageError
from imgcif_core.findings import QUESTIONS, FileReport, Report, Severity
from imgcif_core.memory import bounded_memory
from imgcif_core.records import dataclass

if TYPE_CHECKING:
    from imgcif_core.checks.options import CheckOptions
    from imgcif_core.cif.document import Document
    from imgcif_core.ddlm.model import Dictionary
    from imgcif_core.net.settings import NetSettings
    from imgcif_core.render.sheet import Sheet
    from imgcif_core.sources.description import Experiment

    Checked = tuple[FileReport, Sheet | None]

FORMATS = ("text", "json", "jsonl", "sarif", "junit", "github", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of a check."""
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="file, directory, or - for standard input")
    add("--profile", default="auto", metavar="NAME|FILE.toml", help="what is demanded (default: auto)")
    add("--format", choices=FORMATS, default="text", help="form of the report (default: text)")
    add("-o", "--output", metavar="FILE", help="write the report to FILE")
    add(
        "--fail-on",
        choices=("error", "warning", "info", "never"),
        default="error",
        help="least severity for exit status 1 (default: error)",
    )
    add(
        "--require",
        action="append",
        default=[],
        metavar="QUESTIONS",
        help=f"exit status 1 for a no to any of {','.join(QUESTIONS)}",
    )
    add("--level", choices=("severity", "alerts"), default="severity", help="alerts: levels A, B, C, G, and replies")
    add("--select", action="append", default=[], metavar="CODES", help="run only these rules")
    add("--ignore", action="append", default=[], metavar="CODES", help="do not run these rules")
    add("--block", metavar="NAME", help="check only this data block")
    add("--dictionary", action="append", default=[], metavar="FILE", help="judge by this DDLm dictionary")
    add("--dictionary-path", action="append", default=[], metavar="DIR", help="where imports are looked for")
    add("--lenient-imports", action="store_true", help="judge without the imports that cannot be had, and say so")
    add(
        "--images",
        choices=("none", "header", "sample", "all"),
        default="header",
        help="how much of the images is read (default: header)",
    )
    add("--local", action="append", default=[], metavar="DIR", help="local stand-in for external data (repeatable)")
    add("--follow", action="store_true", help="follow links in files that lead out of their folder and of --local")
    add("--map", action="append", default=[], metavar="URL=PATH", help="local stand-in for one URL")
    add("--online", action="store_true", help="follow the links over the network; nothing is asked without this")
    add("--max-download", metavar="SIZE", help="the most that is read over the network for a file (default: 50MB)")
    add("--no-cache", action="store_true", help="ask anew what was read over the network before")
    add("--contact", default="", metavar="ADDRESS", help="whom servers may write to, named in every request")
    add("--ca-file", metavar="FILE", help="certificates (PEM) that are trusted beside those of the system")
    add(
        "--against",
        action="append",
        default=[],
        metavar="SOURCE",
        help="compare with what `imgcif create` reads, or another imgCIF; repeated for several images, or a directory",
    )
    add("--methods", action="store_true", help="run the methods of the dictionary (dREL) on the values")
    add(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what one file may take: memory, disk, cpu, wall, members, ratio, bytes (repeatable)",
    )
    add("--rule-seconds", type=float, default=60.0, metavar="S", help="time limit of one rule (default: 60)")
    add("--jobs", type=int, default=1, metavar="N", help="files checked side by side")
    add("--cluster", metavar="N|ADDRESS", help="with --format jsonl: N Dask workers here, or those of a scheduler")
    add("--files-from", action="append", default=[], metavar="LIST", help="paths, one a line; - is standard input")
    add("--resume", action="store_true", help="with --format jsonl: go on in -o FILE where an earlier run stopped")
    add("--shard", metavar="I/N", help="check every N-th file from the I-th on: one part of a job array")
    add("--quiet", action="store_true", help="only what reaches --fail-on")
    add("--verbose", action="store_true", help="infos, and which rules did not judge, too")
    add("--no-color", action="store_true", help="no colours on a terminal")
    add("--debug", action="store_true", help="show where a crashed rule stopped")


def run(given: argparse.Namespace) -> int:
    """Check all paths, write one report."""
    from imgcif_core import api

    options = _check_options(given)
    unknown = set(_codes(given.require)) - set(QUESTIONS)
    if unknown:
        raise UsageError(f"--require {', '.join(sorted(unknown))}: there are {', '.join(QUESTIONS)}")
    if given.output is not None:
        from imgcif_core.output import refuse_output

        refuse_output(given.output, inputs=given.paths)
    _refuse_combinations(given)
    if given.format == "jsonl":
        return _run_lines(given, options)
    dictionary = api.load_dictionary(given.dictionary, given.dictionary_path, is_lenient=given.lenient_imports)
    checked, unreadable = _check_all(given, options, dictionary)
    report = Report(__version__, api.identities(dictionary), tuple(entry for entry, _ in checked))
    if checked or not unreadable:
        write(given.output, _rendered(report, given, [sheet for _, sheet in checked]), given.paths)
    if given.debug:
        for finding in report.findings():
            for line in finding.data.get("trace", ()):
                sys.stderr.write(f"{finding.rule}: {line}\n")
    return UNUSABLE if unreadable else report.exit_status(_fail_on(given), _codes(given.require))


def _refuse_combinations(given: argparse.Namespace) -> None:
    """Refuse options that make no sense together, and a command without inputs."""
    if not given.paths and not given.files_from:
        raise UsageError("no input: give a PATH, or --files-from LIST")
    if given.resume and (given.format != "jsonl" or given.output is None):
        raise UsageError("--resume goes on in the lines of --format jsonl -o FILE")
    if given.cluster is not None and (given.format != "jsonl" or given.jobs > 1 or given.online):
        raise UsageError("--cluster goes with --format jsonl, and with neither --jobs nor --online")
    if given.format == "jsonl" and "-" in given.paths:
        raise UsageError("--format jsonl takes no text from standard input; --files-from - takes paths")


def _selected(given: argparse.Namespace) -> "Iterator[str | InputError]":
    """The files that the options name, those of the shard alone."""
    from imgcif_core.batch.run import inputs_of, shard_of

    found = inputs_of(given.paths, given.files_from, sys.stdin or ())
    return shard_of(given.shard)(found) if given.shard else found


def _run_lines(given: argparse.Namespace, options: "CheckOptions") -> int:
    """Write one line a file as soon as it is judged; the status tells of all lines, those of earlier runs too."""
    from imgcif_core import api
    from imgcif_core.batch.lines import Done, done_in
    from imgcif_core.batch.progress import Progress
    from imgcif_core.batch.run import Run, left_of, lines
    from imgcif_core.output import open_lines

    chosen = _selected(given)
    dictionary = api.load_dictionary(given.dictionary, given.dictionary_path, is_lenient=given.lenient_imports)
    judge = Run.of(options, dictionary, _fail_on(given), _codes(given.require), say_plan if options.online else None)
    done, keep = done_in(given.output) if given.resume else (Done(), None)
    status = done.status
    unusable = False

    def paths() -> Iterator[str]:
        nonlocal unusable
        for entry in chosen:
            if isinstance(entry, InputError):
                unusable = _say(entry)
            else:
                yield entry

    if given.cluster is not None:
        from imgcif_core.batch.cluster import lines_of_cluster

        found = lines_of_cluster(given.cluster, _words(given, _OF_RUNS), judge, left_of(judge, paths(), done))
    else:
        found = lines(judge, paths(), given.jobs, done)
    with open_lines(given.output or "-", keep, inputs=given.paths) as stream, Progress(sys.stderr) as progress:
        for line, own in found:
            status = max(status, own)
            if line:
                stream.write(f"{line}\n".encode())
                stream.flush()
            progress.count(own)
    return UNUSABLE if unusable else status


def _fail_on(given: argparse.Namespace) -> Severity | None:
    """The least severity that fails, None for never."""
    return None if given.fail_on == "never" else Severity(given.fail_on)


def _check_options(given: argparse.Namespace) -> "CheckOptions":
    """The library's options from the command line's."""
    from imgcif_core.checks.options import CheckOptions
    from imgcif_core.limits import Limits

    maps = {}
    for entry in given.map:
        url, equals, path = entry.rpartition("=")
        if not equals or not url:
            raise UsageError(f"--map {entry}: expected URL=PATH")
        maps[url] = path
    options = CheckOptions(
        profile=given.profile,
        select=_codes(given.select),
        ignore=_codes(given.ignore),
        block=given.block,
        images=given.images,
        local=tuple(Path(folder) for folder in given.local),
        follow=given.follow,
        limits=Limits().with_settings(given.limit),
        rule_seconds=given.rule_seconds if given.rule_seconds > 0 else None,
        maps=maps,
        against=_readable_source(given),
        methods=given.methods,
        debug=given.debug,
        online=online_settings(given),
    )
    _refuse_unknown(options)
    return options


def online_settings(given: argparse.Namespace) -> "NetSettings | None":
    """The bounds of the network, None where it is not asked for.

    Raises
    ------
    UsageError
        If options of the network are given without `--online`, or what it needs is not installed.
    """
    if not given.online:
        if given.max_download is not None or given.no_cache or given.contact or given.ca_file is not None:
            options = "--max-download, --no-cache, --contact and --ca-file"
            raise UsageError(f"{options} need --online: no network is used without it")
        return None
    from imgcif_core.commands.progress import Progress
    from imgcif_core.net.network import settings_of

    settings = settings_of(given.max_download, given.contact, uses_cache=not given.no_cache, ca_file=given.ca_file)
    return replace(settings, observer=Progress(settings.max_download)) if sys.stderr.isatty() else settings


def say_plan(document: "Document", options: "CheckOptions", dictionary: "Dictionary") -> None:
    """Tell on standard error what will be asked for, before anything is."""
    from imgcif_core.net.links import dois_of, links_of_all
    from imgcif_core.net.plan import plan_of, plan_text
    from imgcif_core.tables import Tables

    assert options.online is not None
    all_tables = [Tables(block, dictionary) for block in document.blocks if options.block in (None, block.name)]
    steps = plan_of(links_of_all(all_tables).values(), dois_of(all_tables), options.online, depth=options.images)
    sys.stderr.write(f"{document.source.path}: {plan_text(steps, options.online)}")
    sys.stderr.flush()


def _readable_source(given: argparse.Namespace) -> "str | Experiment | None":
    """The source to compare with, refused before any work where it cannot be read; a series is read once."""
    sources: Sequence[str] = given.against
    if not sources:
        return None
    from imgcif_core.formats import format_suffix
    from imgcif_core.images.limits import Reach
    from imgcif_core.sources.reference import read_reference

    own = [path for path in sources if Path(path).is_file() and format_suffix(path) == "CBF"]
    if len(sources) == 1 and own:
        # Its own header is what a file may be held against, which only the check of that file knows.
        return sources[0]
    return read_reference(sources, Reach(tuple(given.local), given.follow))


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    """Codes from repeated and comma-separated options."""
    return tuple(code.strip() for entry in given for code in entry.split(",") if code.strip())


def _refuse_unknown(options: "CheckOptions") -> None:
    """Refuse codes that name no rule, and profiles that do not exist."""
    if options.profile != "auto":
        from imgcif_core.checks.profiles import load_profile

        load_profile(options.profile)
    if options.select or options.ignore:
        from imgcif_core.checks.registry import load_rules

        rules = load_rules().values()
        for code in (*options.select, *options.ignore):
            if not any(rule.answers_to(code) for rule in rules):
                raise UsageError(f"no rule has the code, name or family {code}; `imgcif rules` lists them")


def _check_all(
    given: argparse.Namespace, options: "CheckOptions", dictionary: "Dictionary"
) -> tuple[list["Checked"], bool]:
    """The reports of all files, and whether an input could not be read."""

    unreadable = False
    inputs: list[str] = []
    for entry in _selected(given) if given.files_from or given.shard else _expanded(given.paths):
        if isinstance(entry, InputError):
            unreadable = _say(entry)
        else:
            inputs.append(entry)
    files = []
    for outcome in _outcomes(inputs, options, dictionary, given):
        if isinstance(outcome, InputError):
            unreadable = _say(outcome)
        else:
            files.append(outcome)
    return files, unreadable


def _expanded(paths: Sequence[str]) -> "Iterator[str | InputError]":
    """The files that paths and folders name; - stays as it is."""
    from imgcif_core import api

    for path in paths:
        try:
            yield from [path] if path == "-" else (str(entry) for entry in api.expand(path))
        except InputError as error:
            yield error


def _say(error: InputError) -> bool:
    """Put one line about an unreadable input on standard error."""
    sys.stderr.write(f"imgcif-check: {error}\n")
    return True


def _outcomes(
    inputs: Sequence[str], options: "CheckOptions", dictionary: "Dictionary", given: argparse.Namespace
) -> list["Checked | InputError"]:
    """The report, with a sheet for a page, or the InputError of each input, in order."""
    judge = _Judge(options, dictionary, _command_to_repeat(given) if given.format == "html" else None)
    # One request at a time: files are judged one after the other where the network is used.
    if given.jobs > 1 and options.online is None and len(inputs) > 1 and "-" not in inputs:
        from concurrent.futures import ProcessPoolExecutor

        workers = min(given.jobs, len(inputs))
        with ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(judge,)) as pool:
            return list(pool.map(_outcome_in_worker, inputs))
    return [_outcome(entry, judge) for entry in inputs]


@dataclass(frozen=True, slots=True)
class _Judge:
    """What judges all inputs; `command` is the one to repeat it, for pages."""

    options: "CheckOptions"
    dictionary: "Dictionary"
    command: str | None


_WORKER: list[_Judge] = []


def _start_worker(judge: _Judge) -> None:
    """In a worker, once: what judges."""
    from imgcif_core.batch.run import end_with_parent
    from imgcif_core.images.side_by_side import work_alone

    end_with_parent()
    work_alone()
    _WORKER[:] = [judge]


def _outcome_in_worker(entry: str) -> "Checked | InputError":
    """In a worker: the outcome of one input."""
    return _outcome(entry, _WORKER[0])


def _outcome(entry: str, judge: _Judge) -> "Checked | InputError":
    """The report of one input and, where a command to repeat it is given, its sheet; or why it cannot be read."""
    from imgcif_core import api

    options, dictionary, command = judge.options, judge.dictionary, judge.command
    limits = options.limits
    try:
        if entry == "-" and sys.stdin is None:
            raise InputError("standard input is closed")
        with bounded_memory([entry], limits):
            source, name = (sys.stdin.buffer, "<stdin>") if entry == "-" else (entry, None)
            document = api.read(source, name=name, limits=limits)
            if options.block is not None and all(block.name != options.block for block in document.blocks):
                return InputError(f"{entry}: no data block named {options.block}")
            if options.online is not None:
                say_plan(document, options, dictionary)
            report = api.check_document(document, options=options, dictionary=dictionary)
            if command is None:
                return report, None
            from imgcif_core.show.sheet import sheet_of

            return report, sheet_of(document, dictionary, report, options, command)
    except InputError as error:
        return error


def _command_to_repeat(given: argparse.Namespace) -> str:
    """The command with all options that differ from their defaults."""
    return shlex.join(["imgcif-check", *_words(given, ("paths", "output")), *given.paths])


# Options of a run over many files, which say nothing of how one is judged.
_OF_RUNS = ("paths", "output", "format", "cluster", "jobs", "files_from", "resume", "shard", "no_color")


def _words(given: argparse.Namespace, without: Sequence[str]) -> list[str]:
    """The options that differ from their defaults, but for some."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    usual = vars(parser.parse_args(["-"]))
    words: list[str] = []
    for name, value in vars(given).items():
        if name in without or name not in usual or value == usual[name]:
            continue
        option = f"--{name.replace('_', '-')}"
        for part in value if isinstance(value, list) else [value]:
            words += [option] if part is True else [option, str(part)]
    return words


def _rendered(report: Report, given: argparse.Namespace, sheets: Sequence["Sheet | None"]) -> str:
    """The report in the format asked for."""
    from imgcif_core.render import render

    if given.format == "text":
        to_terminal = given.output is None and sys.stdout.isatty()
        color = to_terminal and not given.no_color and not os.environ.get("NO_COLOR")
        least = _fail_on(given) or Severity.ERROR
        shown = {"verbose": given.verbose, "level": given.level}
        return render(report, "text", color=color, quiet=given.quiet, at_least=least, **shown)
    if given.format == "html":
        from imgcif_core.show.page import page

        return page(report, sheets, verbose=given.verbose)
    if given.format == "sarif":
        return render(report, "sarif", rules=_rule_texts())
    return render(report, given.format)


def _rule_texts() -> dict[str, tuple[str, str, str, str]]:
    """Name, short text, full text and help address of each rule, for SARIF."""
    from imgcif_core.checks.registry import load_rules

    texts = {}
    for rule in load_rules().values():
        prose = rule.prose
        full = "\n\n".join(f"{head}: {text}" for head, text in prose.items())
        texts[rule.code] = (rule.name, prose.get("What", rule.name), full, "")
    return texts
