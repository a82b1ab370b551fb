"""`imgcif fix`: the repairs that findings offer, shown first, written when asked for."""

import argparse
import sys
from typing import TYPE_CHECKING

from imgcif_core.commands.common import emit
from imgcif_core.errors import UsageError

if TYPE_CHECKING:
    from imgcif_core.repair import Mended, Repair

PACKED = (b"\x1f\x8b", b"BZh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `imgcif fix`."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the imgCIF or CBF to mend")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--diff", action="store_true", help="show what would change, as a unified diff")
    what.add_argument("--write", action="store_true", help="write the mended file in place")
    add("-o", "--output", metavar="OUT", help="write the mended file to OUT instead")
    add("--unsafe", action="store_true", help="ask about each repair that changes a number or rests on a guess")
    add("--select", action="append", default=[], metavar="CODES", help="only repairs of these rules")
    add("--profile", default="auto", metavar="NAME|FILE.toml", help="what is demanded (default: auto)")
    add("--dictionary", action="append", default=[], metavar="FILE", help="judge by this DDLm dictionary")
    add("--dictionary-path", action="append", default=[], metavar="DIR", help="where imports are looked for")
    add("--format", choices=("text", "json"), default="text", help="form of the list of repairs")


def run(given: argparse.Namespace) -> int:
    """List, show or write the repairs; 1 where some are left to be made, as nothing was written."""
    from imgcif_core import api
    from imgcif_core.checks.options import CheckOptions
    from imgcif_core.cif.reader import open_source
    from imgcif_core.repair import mend

    is_written = given.write or given.output is not None
    if given.diff and given.output is not None:
        raise UsageError("--diff shows what would change, and writes no file: leave -o out, or --diff")
    if given.file == "-" and given.write:
        raise UsageError("standard input cannot be written in place: use -o OUT")
    source = open_source(sys.stdin.buffer, "<stdin>") if given.file == "-" else open_source(given.file)
    if given.unsafe and given.file == "-":
        raise UsageError("--unsafe asks on standard input: name a file")
    codes = tuple(code.strip().upper() for entry in given.select for code in entry.split(",") if code.strip())
    dictionary = api.load_dictionary(given.dictionary, given.dictionary_path)

    def choose(repair: "Repair") -> bool:
        if codes and not repair.rule.startswith(codes):
            return False
        return repair.is_safe or (given.unsafe and _ask(repair))

    mended = mend(source, choose, options=CheckOptions(profile=given.profile), dictionary=dictionary)
    if is_written:
        _write(given, mended)
        emit(sys.stderr if given.output == "-" else sys.stdout, _told(mended, is_written=True))
        return 0
    if given.diff:
        if mended.diff:
            emit(sys.stdout, mended.diff)
        else:
            sys.stderr.write("imgcif: no repair to show; without --diff it is said what is left to decide on\n")
    elif given.format == "json":
        emit(sys.stdout, _json(mended))
    else:
        emit(sys.stdout, _told(mended, is_written=False))
    return int(mended.is_changed)


def _ask(repair: "Repair") -> bool:
    """Whether a person wants a repair that is not safe."""
    sys.stderr.write(f"\n{repair.rule} line {repair.line}: {repair.finding.message}\n  help: {repair.finding.help}\n")
    sys.stderr.write("".join(f"  {line}\n" for line in repair.diff.splitlines()[3:]))
    sys.stderr.write("make this repair? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _write(given: argparse.Namespace, mended: "Mended") -> None:
    """Put the mended bytes where they belong; a packed file stays packed."""
    from imgcif_core.output import write_file

    if given.output is not None:
        write_file(given.output, mended.data, inputs=[] if given.file == "-" else [given.file])
    elif mended.is_changed:
        write_file(given.file, _packed_like(given.file, mended.data))


def _packed_like(path: str, data: bytes) -> bytes:
    """The bytes, packed as the file at the path is."""
    with open(path, "rb") as stream:
        head = stream.read(3)
    if head.startswith(PACKED[0]):
        import gzip

        return gzip.compress(data, mtime=0)
    if head == PACKED[1]:
        import bz2

        return bz2.compress(data)
    return data


def _told(mended: "Mended", *, is_written: bool) -> str:
    """What was made, what is left, and what to do next, in words."""
    from imgcif_core.repair import repairs_of
    from imgcif_core.repair.mend import replace_data

    lines = [mended.source.path]
    verb = "mended" if is_written else "would be mended"
    for repair in mended.made:
        lines += _lines(repair)
    left = repairs_of(replace_data(mended.source, mended.data), mended.after)
    unsafe = [repair for repair in left if not repair.is_safe]
    lines.append(f"{_number(len(mended.made), 'finding')} {verb}")
    if mended.refused:
        rules = ", ".join(sorted({repair.rule for repair in mended.refused}))
        lines.append(f"{_number(len(mended.refused), 'repair')} taken back, which would bring other findings: {rules}")
    if unsafe:
        lines.append(f"{_number(len(unsafe), 'repair')} to decide on, asked for with --unsafe:")
        for repair in unsafe:
            lines += _lines(repair)
    rest = sum(not finding.edits and str(finding.severity) != "info" for finding in mended.after.findings)
    if rest:
        lines.append(f"{_number(rest, 'error or warning', 'errors and warnings')} to mend by hand, see imgcif check")
    if mended.is_changed and not is_written:
        lines.append("nothing is written yet: --diff shows the changes, --write makes them")
    return "\n".join(lines)


def _lines(repair: "Repair") -> list[str]:
    """One repair in two or three lines."""
    lines = [f"  {repair.rule} line {repair.line}: {repair.finding.message}"]
    if repair.before:
        lines.append(f"    - {repair.before.strip()}")
    if repair.after:
        lines.append(f"    + {repair.after.strip()}")
    more = len(repair.edits) - 1
    return [*lines, f"    and {_number(more, 'more place')}"] if more else lines


def _number(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def _json(mended: "Mended") -> str:
    """The repairs as JSON."""
    from imgcif_core.render.json import dumps
    from imgcif_core.repair import repairs_of
    from imgcif_core.repair.mend import replace_data

    left = repairs_of(replace_data(mended.source, mended.data), mended.after)
    value = {
        "schema": "imgcif-repairs/1",
        "path": mended.source.path,
        "sha256": mended.source.sha256,
        "repairs": [repair.as_dict() for repair in mended.made],
        "refused": [repair.as_dict() for repair in mended.refused],
        "left": [repair.as_dict() for repair in left],
        "diff": mended.diff,
    }
    return dumps(value)
