"""Lists of files by the system's rsync: an address of our own after `--`, no shell, an end to time and output."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from imgcif_core.images.limits import BytesError
from imgcif_core.net.limiter import LIMITER
from imgcif_core.net.policy import Lookup, addresses_of, look_up, refuse_name
from imgcif_core.net.settings import NetSettings
from imgcif_core.records import dataclass

SECONDS = 60.0
MAX_OUTPUT = 16 << 20
MAX_ENTRIES = 200_000
_LINE = re.compile(r"([-dlcbps])\S{9}\S*\s+([\d,.]+)\s+(\S+)\s+(\S+)\s(.+)")
_PATH = re.compile(r"/[A-Za-z0-9_][^\0\n\r]{0,2000}")
_KINDS = {"-": "file", "d": "folder", "l": "link"}
# How the program writes bytes of names that a terminal might not show.
_ESCAPED = re.compile(r"\\#([0-3][0-7]{2})")
_MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list: kind is file, folder, link or device; size in bytes."""

    name: str
    size: int
    kind: str
    date: str


@dataclass(frozen=True, slots=True)
class FileList:
    """The entries of a list; `seen` is the time of one that was kept, None for a new one."""

    entries: list[Listed]
    seen: float | None = None


def list_files(uri: str, settings: NetSettings, *, is_deep: bool = False, lookup: Lookup = look_up) -> list[Listed]:
    """What an rsync server holds at an address: a file, or the entries of a folder; raises as `raw_list`."""
    return parse_list(raw_list(uri, settings, is_deep=is_deep, lookup=lookup))


def raw_list(
    uri: str,
    settings: NetSettings,
    *,
    is_deep: bool = False,
    most: int = MAX_OUTPUT,
    lookup: Lookup = look_up,
    observer: Callable[[str, int], None] | None = None,
) -> bytes:
    """What the program writes of an address, `most` bytes; all that lies below a folder where it `is_deep`.

    Raises
    ------
    BytesError
        `refused`, `unreached`, `gone`, `login` or `budget`.
    """
    command, host = command_for(uri, settings, lookup, is_deep=is_deep)
    LIMITER.wait(host, settings)
    output = _run(command, host, min(most, MAX_OUTPUT))
    if observer is not None:
        observer(host, len(output))
    return output


def command_for(
    uri: str, settings: NetSettings, lookup: Lookup = look_up, *, is_deep: bool = False
) -> tuple[list[str], str]:
    """The command of a list, with the checked address in place of the name."""
    import shutil

    if not settings.uses_rsync:
        raise BytesError("refused", "rsync is not used here")
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BytesError("refused", f"no address of rsync ({error})") from None
    path = unquote(parts.path)
    if parts.scheme != "rsync" or parts.username is not None or parts.query or not _PATH.fullmatch(path):
        raise BytesError("refused", "an address of rsync is rsync://HOST/MODULE/PATH, without a user name")
    if "/../" in f"{path}/" or any(sign in path for sign in "*?["):
        raise BytesError("refused", "an address of rsync names one file or folder")
    if settings.loopback is not None and host == "127.0.0.1":
        address = host
    else:
        refuse_name(host)
        address = addresses_of(host, port or 873, lookup)[0]
    program = shutil.which("rsync", path="/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        raise BytesError("refused", "rsync is not installed on this machine")
    place = f"[{address}]" if ":" in address else address
    # The program takes a path as it is, without escapes.
    rebuilt = f"rsync://{place}:{port or 873}{path}"
    options = ["--list-only", "--no-motd", "--contimeout=10", "--timeout=10", "--protect-args", "--no-h"]
    if is_deep:
        options.append("--recursive")
    return [program, *options, "--", rebuilt], host


def _run(command: list[str], host: str, most: int) -> bytes:
    """What the program writes, within time, size and number of entries.

    Its environment is empty of what could change its way, and it has no terminal to ask for a password on.
    """
    import subprocess
    import tempfile
    import threading

    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    is_late = threading.Event()
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env=environment, cwd="/",
            start_new_session=True,
        ) as process,
    ):  # fmt: skip
        _bound(process.pid)

        def end() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(SECONDS, end)
        timer.start()
        try:
            assert process.stdout is not None
            output = process.stdout.read(most + 1)
            if len(output) > most:
                which = " that are left (--max-download)" if most < MAX_OUTPUT else " of names"
                raise BytesError("budget", f"{host} lists more than the {most} bytes{which}")
            if output.count(b"\n") > MAX_ENTRIES:
                raise BytesError("budget", f"{host} lists more than {MAX_ENTRIES} names")
            status = process.wait()
        finally:
            timer.cancel()
            process.kill()
        complaints.seek(0)
        errors = complaints.read(4000).decode("utf-8", "replace")
    if status == 0:
        return output
    raise _fault(status, errors, host) if not is_late.is_set() else BytesError("unreached", f"{host}: no list in time")


def _bound(process: int) -> None:
    """Bound the memory of a process and what it writes, where the system can; a server decides how long a list is."""
    try:
        import resource

        resource.prlimit(process, resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        resource.prlimit(process, resource.RLIMIT_FSIZE, (MAX_OUTPUT, MAX_OUTPUT))
    except (ImportError, AttributeError, OSError, ValueError):
        return


def _fault(status: int, errors: str, host: str) -> BytesError:
    """What the end of the program says of a server, or of the file."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    # What the server itself says comes before what the program makes of it.
    said = next((line[line.index("@ERROR") :] for line in lines if "@ERROR" in line), "")
    said = said or (lines[0] if lines else f"status {status}")
    text = (said if said.isprintable() else ascii(said)[1:-1])[:160]
    if said.startswith("@ERROR: auth failed"):
        return BytesError("login", f"{host} gives it only after a login ({text})")
    if said.startswith("@ERROR: Unknown module") or (status == 23 and "No such file or directory" in errors):
        return BytesError("gone", f"{host} has no such file ({text})")
    return BytesError("unreached", f"{host}: rsync ended with status {status} ({text})")


def parse_list(output: bytes) -> list[Listed]:
    """The entries of a list; lines of other kinds are left out."""
    found = []
    for line in output.decode("latin-1").split("\n"):
        match = _LINE.fullmatch(line)
        if match is None or match[5] == ".":
            continue
        size = re.sub(r"[,.]", "", match[2])
        name = match[5].partition(" -> ")[0] if match[1] == "l" else match[5]
        found.append(Listed(_unescaped(name), int(size or 0), _KINDS.get(match[1], "device"), f"{match[3]} {match[4]}"))
    return found


def _unescaped(name: str) -> str:
    """A name as the server has it: the program writes single bytes as octal numbers."""
    raw = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), name).encode("latin-1")
    return raw.decode("utf-8", "surrogateescape")
