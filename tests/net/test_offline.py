"""Offline nothing opens a socket: an audit hook in every process of every command writes down what would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from manifest.data import write_quartz

from imgcif_core.cli import COMMANDS

ROOT = Path(__file__).parents[2]
DATASETS = ROOT / "conformance/datasets"
# Loaded by every interpreter that is started: sockets of processes among themselves are no network.
HOOK = """
import os, sys

def watch(event, arguments):
    is_network = event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib."))
    if event == "socket.__new__" and len(arguments) > 1 and int(arguments[1]) == 1:
        return
    if is_network and event not in ("socket.gethostname",):
        with open(os.environ["WATCHED"], "a") as told:
            told.write(f"{event} {arguments!r}\\n")

def count(event, arguments):
    watch(event, arguments)

sys.addaudithook(count)
with open(os.environ["WATCHED"] + ".starts", "a") as told:
    told.write("1\\n")
"""
RUN = """
import json, sys
from imgcif_core.cli import check_main, main

for command in json.load(sys.stdin):
    try:
        status = check_main(command[1:]) if command[0] == "imgcif-check" else main(command)
    except SystemExit as end:
        status = end.code
    print(json.dumps([command[0], status]), file=sys.stderr)
"""
HDF5 = DATASETS / "ext/EXT012-hdf5-header"
# The page is a server by its nature, and is asked for its help alone.
CALLS: list[list[str]] = [
    ["check", "quartz.cif", "--images", "all", "--local", "downloads"],
    ["imgcif-check", "quartz.cif", "--images", "sample", "--format", "jsonl", "-o", "out.jsonl"],
    ["check", f"{HDF5}/pass-six-frames.cif", "--local", f"{HDF5}/six"],
    ["show", "quartz.cif"],
    ["spots", "quartz.cif", "--local", "downloads"],
    ["derive", "quartz.cif"],
    ["create", f"{ROOT}/examples/quartz.expt", "-o", "new.cif"],
    ["export", "quartz.cif", "--to", "xds", "-o", "XDS.INP"],
    ["fix", f"{ROOT}/examples/faulty.cif", "--diff"],
    ["diff", "quartz.cif", f"{ROOT}/examples/faulty.cif"],
    ["manifest", "quartz.cif", "--local", "downloads", "-o", "m.json"],
    ["manifest", "quartz.cif", "--crate", "crate"],
    ["verify", "m.json", "--local", "downloads"],
    ["merge", "out.jsonl", "--format", "json"],
    ["serve", "--help"],
    ["explain", "EXT018"],
    ["rules"],
    ["profiles"],
    ["dictionary", "show", "_axis.id"],
    ["conformance", "list"],
]  # fmt: skip


def run(folder: Path, calls: list[list[str]]) -> tuple[list[str], int, list]:
    """What the hook saw, how many processes it was in, and how the commands ended."""
    (folder / "hook").mkdir()
    (folder / "hook/sitecustomize.py").write_text(HOOK)
    watched = folder / "watched"
    environment = {**os.environ, "PYTHONPATH": f"{folder}/hook{os.pathsep}{ROOT}", "WATCHED": str(watched)}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(calls),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends = [json.loads(line) for line in done.stderr.splitlines() if line.startswith('["')]
    seen = watched.read_text().splitlines() if watched.exists() else []
    return seen, len(watched.with_name("watched.starts").read_text().splitlines()), ends


def test_no_command_opens_a_socket_offline(tmp_path: Path) -> None:
    assert {call[0] for call in CALLS} == {*COMMANDS, "imgcif-check"}
    write_quartz(tmp_path)
    (tmp_path / "crate").mkdir()
    seen, processes, ends = run(tmp_path, CALLS)
    assert seen == []
    assert [name for name, _ in ends] == [call[0] for call in CALLS]
    # Bad usage would prove nothing.
    assert {name: status for name, status in ends if status not in (0, 1)} in ({}, {"spots": 2}), ends
    assert processes >= 3, "the processes that read images are watched, too"


@pytest.mark.parametrize("call", [["check", "quartz.cif", "--online", "--no-cache", "--max-download", "1kB"]])
def test_the_hook_sees_what_is_asked_online(tmp_path: Path, call: list[str]) -> None:
    """The names end in a domain that no look-up knows, so that nothing leaves this machine but the question."""
    write_quartz(tmp_path)
    path = tmp_path / "quartz.cif"
    text = path.read_text().replace("zenodo.org/records/7654321/files", "imgcif.invalid")
    path.write_text("".join(line for line in text.splitlines(keepends=True) if "dataset_DOI" not in line))
    seen, _, _ = run(tmp_path, call and [call])
    assert any(line.startswith("socket.getaddrinfo") for line in seen)
