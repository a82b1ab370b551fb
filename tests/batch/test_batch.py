"""Runs over many files go on where they stopped, and their lines give one report whatever their order."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcif_core.batch.lines import done_in, read_lines
from imgcif_core.batch.merge import SHOWN, merged, rendered
from imgcif_core.batch.progress import Progress
from imgcif_core.batch.run import inputs_of, shard_of
from imgcif_core.cli import check_main, main
from imgcif_core.errors import InputError, UsageError

EXAMPLE = (Path(__file__).parent.parent.parent / "examples" / "complete.cif").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve files: some whole, some with a fault, one that cannot be read."""
    found = tmp_path / "in"
    found.mkdir()
    for number in range(11):
        text = EXAMPLE if number % 2 else EXAMPLE.replace("_diffrn_radiation_wavelength.value", "_diffrn.no_such_name")
        (found / f"f{number:02d}.cif").write_text(text.replace("data_", f"data_n{number}", 1), encoding="utf-8")
    (found / "g.cif").write_bytes(b"\x1f\x8bbroken")
    return found


def run(*words: str) -> int:
    return check_main(["--format", "jsonl", *words])


def test_one_job_and_two_give_the_same_lines(folder: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert run(str(folder), "-o", str(one)) == 2
    assert run(str(folder), "-o", str(two), "--jobs", "2") == 2
    assert sorted(one.read_bytes().splitlines()) == sorted(two.read_bytes().splitlines())
    assert len(one.read_bytes().splitlines()) == 12


def test_shards_together_are_the_whole(folder: Path, tmp_path: Path) -> None:
    whole = tmp_path / "all.jsonl"
    run(str(folder), "-o", str(whole))
    parts = [str(tmp_path / f"{number}.jsonl") for number in (1, 2, 3)]
    for number, part in enumerate(parts, 1):
        run(str(folder), "-o", part, "--shard", f"{number}/3")
    report = merged([str(whole)])
    assert report == merged(parts) == merged(parts[::-1])
    assert (report["files"], report["unreadable"]) == (12, 1)
    assert report["unreadable_files"][0]["path"].endswith("g.cif")


def test_a_run_that_was_killed_goes_on(folder: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "all.jsonl", tmp_path / "out.jsonl"
    run(str(folder), "-o", str(whole))
    command = [sys.executable, "-m", "imgcif_core.cli", "check", str(folder), "--format", "jsonl", "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < limit:
        if out.exists() and out.read_bytes().count(b"\n") >= 3:
            process.send_signal(signal.SIGKILL)
            process.wait()
    with out.open("ab") as stream:
        stream.write(b'{"schema": "imgcif-check-li')
    before = out.read_bytes().splitlines()[:-1]
    assert run(str(folder), "-o", str(out), "--resume") == 2
    assert out.read_bytes().splitlines()[: len(before)] == before
    assert sorted(out.read_bytes().splitlines()) == sorted(whole.read_bytes().splitlines())
    assert merged([str(out)]) == merged([str(whole)])


def test_what_is_done_is_not_done_again_unless_it_changed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    run(str(folder), "-o", str(out))
    length = len(out.read_bytes())
    for jobs in ("1", "2"):
        assert run(str(folder), "-o", str(out), "--resume", "--jobs", jobs) == 2
        readable = [line for line in out.read_bytes()[length:].splitlines() if b"unreadable" not in line]
        assert readable == []
    (folder / "f00.cif").write_text(EXAMPLE, encoding="utf-8")
    run(str(folder), "-o", str(out), "--resume")
    assert b"f00.cif" in out.read_bytes()[length:]
    assert merged([str(out)])["files"] == 12
    again = len(out.read_bytes().splitlines())
    run(str(folder), "-o", str(out), "--resume", "--profile", "core")
    assert len(out.read_bytes().splitlines()) == again + 12


def test_lists_of_files(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = tmp_path / "names"
    names.write_text(f"{folder / 'f01.cif'}\n\n{folder / 'f03.cif'}\n", encoding="utf-8")
    assert run("--files-from", str(names)) in (0, 1)
    assert len(capfd.readouterr().out.splitlines()) == 2


def test_reports_are_bounded_and_escape_what_stands_in_files(folder: Path, tmp_path: Path) -> None:
    line = {"schema": "imgcif-check-line/1", "run": "r", "status": 2, "sha256": ""}
    many = tmp_path / "many.jsonl"
    with many.open("w", encoding="utf-8") as stream:
        for number in range(3 * SHOWN):
            entry = {**line, "path": f"<script>{number:04d}", "unreadable": "=cmd"}
            stream.write(json.dumps(entry) + "\n")
    report = merged([str(many)])
    assert report["unreadable"] == 3 * SHOWN
    assert [entry["path"] for entry in report["unreadable_files"][:2]] == ["<script>0000", "<script>0001"]
    assert len(report["unreadable_files"]) == SHOWN
    assert "<script" not in rendered(report, "html")


def test_merge_on_the_command_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.jsonl"
    run(str(folder), "-o", str(out))
    assert main(["merge", str(out), "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("rule,name,files,error,warning,info,example\n")
    assert main(["merge", str(folder / "f01.cif"), "--format", "json"]) == 2
    assert "line 1 is no line of" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2", "1/0"])
def test_wrong_shards_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        shard_of(text)


def test_options_that_make_no_sense_are_refused(folder: Path) -> None:
    assert run("-") == 2
    assert check_main(["--resume", str(folder)]) == 2
    assert check_main(["--quiet"]) == 2


def test_lines_group_rules_by_reason(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    run(str(folder / "f01.cif"), "-o", str(out))
    text = out.read_text(encoding="utf-8")
    assert text.count("off in profile") <= 1
    assert done_in(str(out))[1] == len(text)
    with pytest.raises(InputError, match="cannot be read"):
        list(read_lines(str(tmp_path / "absent")))


def test_a_file_that_ends_its_process_harms_no_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgcif_core.batch import run as batch_run

    judge = batch_run.Run.line

    def falls(self: batch_run.Run, path: str, done: object = None) -> tuple[str, int]:
        if path.endswith("f03.cif"):
            os.kill(os.getpid(), signal.SIGKILL)
        return judge(self, path)

    monkeypatch.setattr(batch_run.Run, "line", falls)
    out = tmp_path / "out.jsonl"
    assert run(str(folder), "-o", str(out), "--jobs", "2") == 2
    lines = out.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 12
    fallen = [line for line in lines if "the process that judged it ended" in line]
    assert len(fallen) == 1 and "f03.cif" in fallen[0]


def _children(number: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


def _is_there(number: int) -> bool:
    try:
        return not re.search(r"\) [ZX] ", Path(f"/proc/{number}/stat").read_text())
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are told by /proc")
def test_workers_end_with_the_run_that_started_them(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "imgcif_core.cli", "check", "--format", "jsonl", "--jobs", "2", "-o", str(out)]
    process = subprocess.Popen([*command, "--files-from", "-"], stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    # Enough paths to start both workers; then the run waits for more of the list.
    process.stdin.write("".join(f"{path}\n" for path in sorted(folder.iterdir())))
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while len(workers := _children(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    process.stdin.close()
    while any(map(_is_there, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) == 2 and not any(map(_is_there, workers))


def test_lists_are_read_as_they_come() -> None:
    def endless() -> Iterator[str]:
        yield "a.cif\n"
        raise AssertionError("the list is read ahead")

    assert next(iter(inputs_of([], ["-"], endless()))) == "a.cif"


def test_progress_is_one_line_that_goes() -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    with Progress(screen) as progress:
        progress._last -= 10
        for status in (0, 1, 2, 3):
            progress.count(status)
        assert "4 files" in progress.text(progress._last)
        assert "1 with findings, 1 unreadable, 1 with a crashed rule" in progress.text(progress._last)
    assert "\r\x1b[K1 files" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_dictionary_goes_to_a_worker_once_for_every_format(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgcif_core.ddlm.model import Dictionary

    def refuse(self: Dictionary) -> None:
        raise AssertionError("a dictionary is packed for each file")

    monkeypatch.setattr(Dictionary, "__getstate__", refuse, raising=False)
    out = tmp_path / "out.json"
    assert check_main([str(folder), "--format", "json", "-o", str(out), "--jobs", "2"]) == 2
    assert len(json.loads(out.read_text(encoding="utf-8"))["files"]) == 11
