"""The commands `imgcif` and `imgcif-check`: arguments in, text and exit status out."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from imgcif_core._version import __version__
from imgcif_core.errors import ImgcifError, InputError, UsageError
from imgcif_core.findings import FileReport, Report, Severity

if TYPE_CHECKING:
    from imgcif_core.checks.options import CheckOptions
    from imgcif_core.create.questions import Question
    from imgcif_core.ddlm.model import Dictionary

FORMATS = ("text", "json", "sarif", "junit", "github", "html")
UNUSABLE = 2
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
    if given[0] == "check":
        return _run(_check_parser("imgcif check"), given[1:])
    return _run(_umbrella_parser(), given)


def check_main(arguments: Sequence[str] | None = None) -> int:
    """Run `imgcif-check`, the short way to `imgcif check`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        sys.stdout.write(SHORT_HELP)
        return UNUSABLE
    return _run(_check_parser("imgcif-check"), given)


def _check_parser(program: str) -> argparse.ArgumentParser:
    """The parser of the check alone, without what the other subcommands need."""
    parser = argparse.ArgumentParser(program, description="Check imgCIF and CBF files.")
    _add_check_arguments(parser)
    return parser


def _run(parser: argparse.ArgumentParser, given: Sequence[str]) -> int:
    """Parse, call the subcommand, and turn exceptions into one line and a status."""
    parser.add_argument("--version", action="version", version=f"imgcif_core {__version__}")
    options = parser.parse_args(given)
    try:
        return options.command(options)
    except ImgcifError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return UNUSABLE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    except KeyboardInterrupt:
        sys.stderr.write(f"{parser.prog}: interrupted\n")
        return 130
    except OSError as error:
        sys.stderr.write(f"{parser.prog}: {error.filename or 'output'}: {error.strerror or error}\n")
        return UNUSABLE


def _umbrella_parser() -> argparse.ArgumentParser:
    """The parser of `imgcif` with its subcommands."""
    parser = argparse.ArgumentParser("imgcif", description="imgCIF: check, show and explain.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check_arguments(commands.add_parser("check", help="check files (the same as imgcif-check)"))
    show = commands.add_parser("show", help="the instrument in numbers (geometry passport)")
    show.add_argument("file")
    show.add_argument("--format", choices=("text", "json"), default="text")
    show.add_argument("--frame", type=int, metavar="N", help="settings at the start of frame N of each scan")
    show.set_defaults(command=_show)
    explain = commands.add_parser("explain", help="what a rule means and how to mend what it found")
    explain.add_argument("code")
    explain.set_defaults(command=_explain)
    commands.add_parser("rules", help="list all rules").set_defaults(command=_rules)
    commands.add_parser("profiles", help="list the profiles").set_defaults(command=_profiles)
    _add_create_command(commands.add_parser("create", help="imgCIF from raw data or an experiment description"))
    _add_dictionary_commands(commands.add_parser("dictionary", help="work with DDLm dictionaries"))
    conformance = commands.add_parser("conformance", help="run the conformance suite on this or another tool")
    conformance.add_argument("action", choices=("list", "run", "smoke", "tools", "harness"))
    conformance.add_argument("arguments", nargs=argparse.REMAINDER, help="see `imgcif conformance run --help`")
    conformance.set_defaults(command=_conformance)
    return parser


def _add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of a check."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="file, directory, or - for standard input")
    add("--profile", default="auto", metavar="NAME|FILE.toml", help="what is demanded (default: auto)")
    add("--format", choices=FORMATS, default="text")
    add("-o", "--output", metavar="FILE", help="write the report to FILE")
    add("--fail-on", choices=("error", "warning", "info", "never"), default="error")
    add("--select", action="append", default=[], metavar="CODES", help="run only these rules")
    add("--ignore", action="append", default=[], metavar="CODES", help="do not run these rules")
    add("--block", metavar="NAME", help="check only this data block")
    add("--dictionary", action="append", default=[], metavar="FILE", help="judge by this DDLm dictionary")
    add("--dictionary-path", action="append", default=[], metavar="DIR", help="where imports are looked for")
    add("--images", choices=("none", "header", "sample", "all"), default="header")
    add("--local", metavar="DIR", help="local stand-in for external data")
    add("--map", action="append", default=[], metavar="URL=PATH", help="local stand-in for one URL")
    add("--against", metavar="SOURCE", help="compare with .expt, HDF5 master, miniCBF header or another imgCIF")
    add("--jobs", type=int, default=1, metavar="N", help="files checked side by side")
    add("--quiet", action="store_true", help="only what reaches --fail-on")
    add("--no-color", action="store_true")
    add("--debug", action="store_true", help="show where a crashed rule stopped")
    parser.set_defaults(command=_check)


def _check(given: argparse.Namespace) -> int:
    """Check all paths, write one report."""
    from imgcif_core import api

    options = _check_options(given)
    dictionary = api.load_dictionary(given.dictionary, given.dictionary_path)
    files, unreadable = _check_all(given, options, dictionary)
    report = Report(__version__, api.identities(dictionary), tuple(files))
    if files or not unreadable:
        _write(given.output, _rendered(report, given))
    if given.debug:
        for finding in report.findings():
            for line in finding.data.get("trace", ()):
                sys.stderr.write(f"{finding.rule}: {line}\n")
    fail_on = None if given.fail_on == "never" else Severity(given.fail_on)
    return UNUSABLE if unreadable else report.exit_status(fail_on)


def _check_options(given: argparse.Namespace) -> "CheckOptions":
    """The library's options from the command line's."""
    from imgcif_core.checks.options import CheckOptions

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
        local=Path(given.local) if given.local else None,
        maps=maps,
        against=_readable_source(given.against),
        debug=given.debug,
    )
    _refuse_unknown(options)
    return options


def _readable_source(source: str | None) -> str | None:
    """The source to compare with, refused before any work where it cannot be read."""
    if source is not None:
        from imgcif_core.sources.any import read_source

        read_source(source)
    return source


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
            if not any(rule.name == code or rule.code.startswith(code.upper()) for rule in rules):
                raise UsageError(f"no rule has the code, name or family {code}; `imgcif rules` lists them")


def _check_all(
    given: argparse.Namespace, options: "CheckOptions", dictionary: "Dictionary"
) -> tuple[list[FileReport], bool]:
    """The reports of all files, and whether an input could not be read."""
    from imgcif_core import api

    unreadable = False
    inputs: list = []
    for path in given.paths:
        try:
            inputs.extend([path] if path == "-" else api.expand(path))
        except InputError as error:
            unreadable = _say(error)
    files = []
    for outcome in _outcomes(inputs, options, dictionary, given.jobs):
        if isinstance(outcome, InputError):
            unreadable = _say(outcome)
        else:
            files.append(outcome)
    return files, unreadable


def _say(error: InputError) -> bool:
    """Put one line about an unreadable input on standard error."""
    sys.stderr.write(f"imgcif-check: {error}\n")
    return True


def _outcomes(inputs: Sequence, options: "CheckOptions", dictionary: "Dictionary", jobs: int) -> list:
    """The report or the InputError of each input, in order."""
    if jobs > 1 and len(inputs) > 1 and "-" not in inputs:
        from concurrent.futures import ProcessPoolExecutor
        from functools import partial

        with ProcessPoolExecutor(min(jobs, len(inputs))) as pool:
            return list(pool.map(partial(_outcome, options=options, dictionary=dictionary), inputs))
    return [_outcome(entry, options, dictionary) for entry in inputs]


def _outcome(entry: str, options: "CheckOptions", dictionary: "Dictionary") -> FileReport | InputError:
    """The report of one input, or why it cannot be read."""
    from imgcif_core import api

    try:
        document = api.read(sys.stdin.buffer, name="<stdin>") if entry == "-" else api.read(entry)
    except InputError as error:
        return error
    if options.block is not None and all(block.name != options.block for block in document.blocks):
        return InputError(f"{entry}: no data block named {options.block}")
    return api.check_document(document, options=options, dictionary=dictionary)


def _rendered(report: Report, given: argparse.Namespace) -> str:
    """The report in the format asked for."""
    from imgcif_core.render import render

    if given.format == "text":
        to_terminal = given.output is None and sys.stdout.isatty()
        color = to_terminal and not given.no_color and not os.environ.get("NO_COLOR")
        return render(report, "text", color=color, quiet=given.quiet)
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


def _write(path: str | None, text: str) -> None:
    """Write to standard output, or to a file that appears only when it is whole."""
    if path is None:
        _emit(sys.stdout, text)
        return
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _emit(stream: TextIO, text: str) -> None:
    """Write text, with a stand-in for what the terminal's encoding cannot show."""
    if not text.endswith("\n"):
        text += "\n"
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _show(given: argparse.Namespace) -> int:
    """Print the geometry passport of a file."""
    import json

    from imgcif_core import api
    from imgcif_core.show import geometry, passport_text

    document = api.read(sys.stdin.buffer, name="<stdin>") if given.file == "-" else api.read(given.file)
    dictionary = api.load_dictionary()
    if given.format == "json":
        text = json.dumps(geometry(document, dictionary, frame=given.frame), indent=2)
    else:
        text = passport_text(document, dictionary, frame=given.frame)
    _emit(sys.stdout, text)
    return 0


def _explain(given: argparse.Namespace) -> int:
    """Print a rule's prose."""
    import textwrap

    from imgcif_core import api

    rule = api.explain(given.code)
    lines = [f"{rule.code} {rule.name} ({rule.severity})", ""]
    for head, text in rule.prose.items():
        lines += [head, *textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="  "), ""]
    _emit(sys.stdout, "\n".join(lines).rstrip())
    return 0


def _rules(_given: argparse.Namespace) -> int:
    """Print one line for each rule."""
    from imgcif_core.checks.registry import load_rules

    lines = [f"{rule.code}  {rule.severity:<8} {rule.name}" for rule in load_rules().values()]
    _emit(sys.stdout, "\n".join(lines))
    return 0


def _profiles(_given: argparse.Namespace) -> int:
    """Print one line for each profile."""
    from imgcif_core.checks.profiles import NAMES, load_profile

    width = max(map(len, NAMES))
    lines = [f"{name:<{width}}  {load_profile(name).description}" for name in NAMES]
    _emit(sys.stdout, "\n".join([f"{'auto':<{width}}  The profile that fits the file (default).", *lines]))
    return 0


def _conformance(given: argparse.Namespace) -> int:
    """Run the conformance suite, or answer its requests."""
    from imgcif_core import conformance_run

    if given.action == "harness":
        return conformance_run.harness(sys.stdin, sys.stdout)
    if given.action == "run" and not conformance_run.has_images():
        sys.stderr.write("imgcif conformance: without the extra `images`, cases about images and HDF5 files fail\n")
    return conformance_run.run([given.action, *given.arguments])


def _add_create_command(parser: argparse.ArgumentParser) -> None:
    """The arguments of a creation."""
    from imgcif_core.create.command import add_arguments

    add_arguments(parser)
    parser.set_defaults(command=_create)


def _create(given: argparse.Namespace) -> int:
    """Create an imgCIF, and say what came of it."""
    from imgcif_core.create.command import run

    outcome = run(given, _ask)
    if outcome.remarks:
        _emit(sys.stderr, outcome.remarks)
    if outcome.output:
        _emit(sys.stdout, outcome.output)
    return outcome.status


def _ask(entry: "Question") -> str | None:
    """The answer of a person to a question; None where nobody answers."""
    needed = "" if entry.is_needed else " [Enter to leave out]"
    sys.stderr.write(f"\n{entry.text}\n(for example {entry.example}){needed} ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None


def _add_dictionary_commands(parser: argparse.ArgumentParser) -> None:
    """The subcommands of `imgcif dictionary`."""
    commands = parser.add_subparsers(required=True, metavar="ACTION")
    actions: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
        "compile": (_dictionary_compile, "write the facts table of a dictionary and all that it imports"),
        "show": (_dictionary_show, "print what the dictionary says of an item or category"),
        "lint": (_dictionary_lint, "check a DDLm dictionary itself"),
    }
    for name, (command, text) in actions.items():
        action = commands.add_parser(name, help=text)
        if name == "show":
            action.add_argument("names", nargs="+", metavar="NAME")
            action.add_argument("--dictionary", action="append", default=[], metavar="FILE", dest="files")
        else:
            action.add_argument("files", nargs="+", metavar="FILE.dic")
        action.add_argument("--dictionary-path", action="append", default=[], metavar="DIR")
        if name == "compile":
            action.add_argument("-o", "--output", required=True, metavar="FILE")
        if name == "lint":
            action.add_argument("--mentions", action="store_true", help="names in texts that nothing defines, too")
        action.set_defaults(command=command)


def _dictionary_compile(given: argparse.Namespace) -> int:
    """Compile dictionaries to a facts table."""
    from imgcif_core.ddlm.compile import compile_facts

    text = compile_facts([Path(file) for file in given.files], [Path(path) for path in given.dictionary_path])
    _write(given.output, text)
    return 0


def _dictionary_show(given: argparse.Namespace) -> int:
    """Print facts of items and categories."""
    from imgcif_core import api
    from imgcif_core.ddlm.show import show

    dictionary = api.load_dictionary(given.files, given.dictionary_path)
    _emit(sys.stdout, "\n\n".join(show(dictionary, name) for name in given.names))
    return 0


def _dictionary_lint(given: argparse.Namespace) -> int:
    """Print what is wrong with dictionaries."""
    from imgcif_core.ddlm.lint import lint

    search = given.dictionary_path
    problems = [entry for file in given.files for entry in lint(Path(file), search, mentions=given.mentions)]
    _emit(sys.stdout, "\n".join(map(str, problems)) if problems else "no faults found")
    return int(any(entry.severity is Severity.ERROR for entry in problems))


if __name__ == "__main__":
    sys.exit(main())
