"""Lists of files by the system's rsync: a real daemon on loopback, and servers that only look like one."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from net.servers import drip, network, raw_server, settings

from imgcif_core.images.limits import BytesError
from imgcif_core.net import rsync
from imgcif_core.net.evidence import gather
from imgcif_core.net.links import Link
from imgcif_core.net.rsync import Listed, command_for, list_files, parse_list

pytestmark = pytest.mark.skipif(shutil.which("rsync") is None, reason="the program rsync is not installed")
GREETING = b"@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def daemon(folder: Path, more: str = "") -> Iterator[str]:
    """A daemon of the real program with the module `raw`, and the address of that module."""
    port = free_port()
    folder.joinpath("conf").write_text(
        f"port = {port}\naddress = 127.0.0.1\nuse chroot = no\nlog file = {folder}/log\n"
        f"[raw]\npath = {folder}/data\nread only = yes\ncomment = images\n{more}"
    )
    command = ["rsync", "--daemon", "--no-detach", f"--config={folder}/conf"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                with socket.socket() as trial:
                    if trial.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield f"rsync://127.0.0.1:{port}/raw"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("rsync")
    data = base / "data" / "quartz"
    data.mkdir(parents=True)
    for number in (1, 2, 3):
        (data / f"frame_{number}.cbf").write_bytes(bytes(1000 + number))
    (data / "a b.cbf").write_bytes(b"12")
    (data / "é.cbf").write_bytes(b"123")
    (data / "empty.cbf").touch()
    (data / "folder").mkdir()
    (data / "link.cbf").symlink_to("frame_1.cbf")
    return base


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[str]:
    with daemon(folder, f"[closed]\npath = {folder}/data\nauth users = somebody\nsecrets file = {folder}/none\n"
                f"[away]\npath = {folder}/data\nhosts deny = *\n") as found:  # fmt: skip
        yield found


def listed(uri: str, **more) -> dict[str, Listed]:
    return {entry.name: entry for entry in list_files(uri, settings(**more))}


def fault_of(uri: str, **more) -> BytesError:
    with pytest.raises(BytesError) as caught:
        list_files(uri, settings(**more))
    return caught.value


def test_a_folder_is_listed_with_names_sizes_and_kinds(place: str) -> None:
    found = listed(f"{place}/quartz/")
    assert {name: entry.size for name, entry in found.items() if entry.kind == "file"} == {
        "frame_1.cbf": 1001, "frame_2.cbf": 1002, "frame_3.cbf": 1003, "a b.cbf": 2, "é.cbf": 3, "empty.cbf": 0
    }  # fmt: skip
    assert {name: entry.kind for name, entry in found.items() if entry.kind != "file"} == {
        "folder": "folder", "link.cbf": "link"
    }  # fmt: skip


@pytest.mark.parametrize(("name", "size"), [("frame_2.cbf", 1002), ("a%20b.cbf", 2), ("%C3%A9.cbf", 3)])
def test_a_single_file_is_listed(place: str, name: str, size: int) -> None:
    ((_, entry),) = listed(f"{place}/quartz/{name}").items()
    assert (entry.kind, entry.size) == ("file", size)


def test_the_root_of_a_module_is_listed(place: str) -> None:
    assert list(listed(f"{place}/")) == list(listed(place)) == ["quartz"]


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("raw/nothing/", "gone", "no such file"),
        ("raw/quartz/frame_9.cbf", "gone", "no such file"),
        ("other/quartz/", "gone", "Unknown module 'other'"),
        ("closed/quartz/", "login", "only after a login"),
        ("away/quartz/", "unreached", "access denied"),
    ],
)
def test_what_the_daemon_does_not_give_has_a_kind(place: str, path: str, kind: str, words: str) -> None:
    fault = fault_of(f"{place.removesuffix('raw')}{path}")
    assert fault.kind == kind and words in str(fault)


def test_no_list_of_modules_is_asked_for(place: str) -> None:
    """Without a module a server lists its modules with texts of its own, which are no files."""
    assert fault_of(place.removesuffix("raw")).kind == "refused"


@pytest.mark.parametrize(
    "uri",
    [
        "rsync://127.0.0.1/--rsh=sh/a",
        "rsync://127.0.0.1/raw/../../etc/passwd",
        "rsync://127.0.0.1/raw/*",
        "rsync://127.0.0.1/raw/a%0Ab",
        "rsync://127.0.0.1/raw/a?x",
        "rsync://somebody@127.0.0.1/raw/a",
        "rsync://127.0.0.1:99999/raw/a",
        "https://127.0.0.1/raw/a",
        "rsync://localhost/raw/a",
        "rsync://10.0.0.1/raw/a",
        "rsync://[::1]/raw/a",
        "rsync://169.254.169.254/raw/a",
        "127.0.0.1::raw/a",
        "somebody@127.0.0.1:raw/a",
    ],
)
def test_hostile_addresses_are_refused_before_anything_runs(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was run"))
    assert fault_of(uri).kind == "refused"


def test_the_command_is_rebuilt_with_the_checked_address() -> None:
    command, host = command_for("rsync://example.org/raw/-e%20sh/x", settings(), lambda host, port: ["93.184.215.14"])
    assert host == "example.org"
    assert command[command.index("--") + 1 :] == ["rsync://93.184.215.14:873/raw/-e sh/x"]
    with pytest.raises(BytesError, match="not used here"):
        command_for("rsync://example.org/raw/x", settings(uses_rsync=False))


def test_a_folder_of_hostile_names_is_listed_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    names = [
        "-rf",
        "new\nline.cbf",
        "x\n-rw-r--r--              9 2026-01-01 00:00:00 forged.cbf",
        "\x1b[31mred\x1b[0m.cbf",
        "back\\#012slash",
        "a -> b",
        " leading",
        "$(touch x);`id`",
    ]
    for name in names:
        (data / name).write_bytes(b"1")
    with daemon(tmp_path) as place:
        found = listed(f"{place}/")
    assert sorted(found) == sorted(names)
    assert {entry.size for entry in found.values()} == {1}


def test_a_list_beyond_the_bound_is_ended(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsync, "MAX_OUTPUT", 100)
    assert fault_of(f"{place}/quartz/").kind == "budget"


def test_a_daemon_that_is_not_there_says_nothing() -> None:
    assert fault_of(f"rsync://127.0.0.1:{free_port()}/raw/a").kind == "unreached"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        GREETING,
        GREETING + b"@RSYNCD: OK\n",
        GREETING + b"@RSYNCD: OK\n" + bytes(range(256)) * 40,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"@RSYNCD: 9999999.0\n@ERROR: \x1b[2Jgone\n",
        b"@RSYNCD: 1.0\n",
        GREETING + b"welcome\n" * 10_000,
    ],
)
def test_a_server_that_dies_or_lies_says_nothing(answer: bytes) -> None:
    def die(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1 << 16)

    with raw_server(die) as port:
        fault = fault_of(f"rsync://127.0.0.1:{port}/raw/a")
    assert fault.kind == "unreached" and str(fault).isprintable() and len(str(fault)) < 300


@pytest.mark.parametrize("byte", [b"x", b"\n"])
def test_a_drip_ends(byte: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsync, "SECONDS", 0.5)
    with raw_server(lambda connection: drip(connection, GREETING, byte)) as port:
        assert str(fault_of(f"rsync://127.0.0.1:{port}/raw/a")) == "127.0.0.1: no list in time"


def test_lines_that_are_no_entries_are_left_out() -> None:
    lines = b"drwxr-xr-x 4,096 2026/01/01 00:00:00 .\nnonsense\n-rw-r--r-- 1,234,567 2026/01/01 00:00:00 a\n"
    assert parse_list(lines) == [Listed("a", 1234567, "file", "2026/01/01 00:00:00")]


def test_links_of_one_folder_cost_one_list(place: str) -> None:
    names = ("frame_1.cbf", "%C3%A9.cbf", "frame_9.cbf", "empty.cbf", "folder", "link.cbf")
    own = network()
    found = gather(own, [Link(f"{place}/quartz/{name}", "CBF", "", (), 1) for name in names]).verdicts
    told = {uri.rpartition("/")[2]: verdict for uri, verdict in found.items()}
    assert [told[name].state for name in names] == ["confirmed"] * 2 + ["contradicted"] * 3 + ["not checked"]
    assert told["frame_1.cbf"].size == 1001
    assert "lists no frame_9.cbf" in told["frame_9.cbf"].because
    assert own.client.budget.requests == 1 and own.client.budget.bytes > 100


def test_a_budget_that_is_spent_runs_no_program(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was run"))
    (verdict,) = gather(network(max_requests=0), [Link(f"{place}/a", "CBF", "", (), 1)]).verdicts.values()
    assert verdict.state == "not checked"
