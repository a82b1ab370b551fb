"""Files are written whole, under names nobody can foresee, and nothing else is touched."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from imgcif_core.cli import check_main, main
from imgcif_core.errors import OutputError
from imgcif_core.output import open_output, refuse_output, write_file

GOOD = "data_a\n_audit.block_code a\n"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_new_file_is_whole_and_alone(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", "ångström")
    assert (tmp_path / "a.txt").read_bytes() == "ångström".encode()
    assert names(tmp_path) == ["a.txt"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o666 & ~mask


def test_mode_of_a_replaced_file_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    write_file(target, "new")
    assert target.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_fault_while_writing_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), open_output(target) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert target.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


def test_names_in_use_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link under the temporary name, had somebody guessed it, is an error and not followed."""
    victim = tmp_path / "victim"
    victim.write_text("untouched", encoding="utf-8")
    monkeypatch.setattr("secrets.token_hex", lambda size: "guessed")
    (tmp_path / ".guessed.tmp").symlink_to(victim)
    with pytest.raises(OutputError, match="cannot be written"):
        write_file(tmp_path / "a.txt", "text")
    assert victim.read_text(encoding="utf-8") == "untouched"
    assert (tmp_path / ".guessed.tmp").is_symlink()


def test_temporary_name_says_nothing_of_the_target(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with open_output(tmp_path / "report.json") as stream:
            stream.write(b"x")
            seen += [name for name in names(tmp_path) if name != "report.json"]
    assert len(set(seen)) == 2
    assert not any("report" in name for name in seen)


def test_link_is_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched", encoding="utf-8")
    (tmp_path / "a.txt").symlink_to(victim)
    (tmp_path / "b.txt").symlink_to(tmp_path / "nowhere")
    for name in ("a.txt", "b.txt"):
        with pytest.raises(OutputError, match="symbolic link"):
            write_file(tmp_path / name, "text")
    assert victim.read_text(encoding="utf-8") == "untouched"
    assert not (tmp_path / "nowhere").exists()


def test_device_is_written_into_and_stays(tmp_path: Path) -> None:
    before = os.stat(os.devnull)
    write_file(os.devnull, "text")
    after = os.stat(os.devnull)
    assert stat.S_ISCHR(after.st_mode)
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)


def test_pipe_is_written_into_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, "text")
    reader.join(10)
    assert found == [b"text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_full_device_is_one_sentence() -> None:
    with pytest.raises(OutputError, match="/dev/full: cannot be written"):
        write_file("/dev/full", "text")


def test_existing_file_is_kept_without_overwrite(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(OutputError, match="--overwrite"):
        write_file(target, "new", overwrite=False)
    assert target.read_text(encoding="utf-8") == "old"
    write_file(tmp_path / "b.txt", "new", overwrite=False)
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_file_that_appears_meanwhile_is_kept_without_overwrite(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(OutputError, match="--overwrite"), open_output(target, overwrite=False) as stream:
        stream.write(b"new")
        target.write_text("of somebody else", encoding="utf-8")
    assert target.read_text(encoding="utf-8") == "of somebody else"
    assert names(tmp_path) == ["a.txt"]


def test_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_file(tmp_path / "a.txt", "new", overwrite=False)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"
    with pytest.raises(OutputError):
        write_file(tmp_path / "a.txt", "other", overwrite=False)
    assert names(tmp_path) == ["a.txt"]


def test_inputs_folders_and_odd_names_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.cif"
    source.write_text(GOOD, encoding="utf-8")
    os.link(source, tmp_path / "same.cif")
    for name in ("a.cif", "same.cif"):
        with pytest.raises(OutputError, match="one of the inputs"):
            refuse_output(tmp_path / name, inputs=[source, "-"])
    with pytest.raises(OutputError, match="is a folder"):
        refuse_output(tmp_path)
    with pytest.raises(OutputError, match="no folder"):
        refuse_output(tmp_path / "nowhere" / "a")


def test_report_does_not_replace_what_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source = tmp_path / "a.cif"
    source.write_text(GOOD, encoding="utf-8")
    assert check_main([str(source), "-o", str(source)]) == 2
    assert "one of the inputs" in capsys.readouterr().err
    assert source.read_text(encoding="utf-8") == GOOD


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_standard_output_by_name(tmp_path: Path, name: str) -> None:
    source = tmp_path / "a.cif"
    source.write_text(GOOD, encoding="utf-8")
    command = [sys.executable, "-m", "imgcif_core.cli", "check", "--format", "json", "-o", name, str(source)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.stdout.startswith(b"{")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(tmp_path: Path, closed: str) -> None:
    source = tmp_path / "a.cif"
    source.write_text(GOOD, encoding="utf-8")
    for path in (source, "-"):
        text = f"{sys.executable} -m imgcif_core.cli check {path} {closed}"
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, input=GOOD, check=False)
        assert done.returncode in (0, 1, 2)
        assert "Traceback" not in done.stderr + done.stdout


def test_commands_write_through_one_module() -> None:
    """No other module of the package opens a file for writing or renames one."""
    import ast

    package = Path(__file__).parent.parent / "imgcif_core"
    # These write into folders of their own that disappear.
    own = {"output.py", "images/workspace.py", "sources/archive.py", "create/heads.py", "net/tape.py"}
    writers = {"write_text", "write_bytes", "rename", "replace", "link", "symlink"}
    for path in package.rglob("*.py"):
        name = path.relative_to(package).as_posix()
        if name in own or name.startswith("web/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in writers:
                is_os = isinstance(node.value, ast.Name) and node.value.id == "os"
                assert not is_os and node.attr not in ("write_text", "write_bytes"), f"{name}:{node.lineno}"


def test_unknown_subcommand_is_still_usage(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(["nothing"])
