"""Inputs are read to their end only where they have one."""

import gzip
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from imgcif_core import api, inputs
from imgcif_core.errors import InputError
from imgcif_core.inputs import open_regular, read_path, read_stream
from imgcif_core.limits import MIB, Limits
from imgcif_core.sources.detect import detect

SMALL = Limits(bytes=1000, memory=1000)
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_a_device_is_refused(device: str) -> None:
    if not Path(device).exists():
        pytest.skip("no such device here")
    with pytest.raises(InputError, match="a device or socket"):
        read_path(device)
    with pytest.raises(InputError, match="a device or socket"):
        detect(device)


@needs_pipes
def test_a_pipe_is_read_as_far_as_it_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"data_x _a.b 1\n",))
    writer.start()
    assert read_path(pipe) == b"data_x _a.b 1\n"
    writer.join()


@needs_pipes
def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(inputs, "PIPE_SECONDS", 0.05)
    with pytest.raises(InputError, match="nobody wrote"):
        read_path(tmp_path / "pipe")


@needs_pipes
def test_a_pipe_is_no_source_of_a_creation(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="read only once"):
        open_regular(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_stream_without_end_is_read_to_the_limit() -> None:
    with open("/dev/zero", "rb") as stream, pytest.raises(InputError, match="larger than"):
        read_stream(stream, "<stdin>", Limits(memory=4 * MIB))


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    path.write_bytes(b"#" * 1001)
    with pytest.raises(InputError, match="larger than"):
        api.read(path, limits=SMALL)


def test_what_a_small_packed_file_expands_to_fits_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.cif.gz"
    path.write_bytes(gzip.compress(b"\0" * (80 * MIB), 9))
    with pytest.raises(InputError, match="expands to more than 64 MB"):
        api.read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded by the system's own means on Linux")
def test_a_check_that_takes_too_much_memory_ends_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    path.write_text("data_x\nloop_ _a.b\n" + "1 2 3 4 \n" * 400_000, encoding="ascii")
    command = [sys.executable, "-m", "imgcif_core.cli", "check", "--limit", "memory=1k", str(path)]
    # What the interpreter takes anyway is allowed, so that the text must be larger than that.
    code = "from imgcif_core import memory; memory._OWN_MEMORY = 1 << 20; "
    code += "from imgcif_core.cli import main; import sys; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *command[3:]], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "MiB of memory; --limit memory=SIZE allows more" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded by the system's own means on Linux")
@pytest.mark.parametrize(
    "words",
    [
        ["show", "FILE"],
        ["diff", "FILE", "FILE"],
        ["fix", "FILE"],
        ["export", "FILE", "--to", "expt"],
        ["derive", "FILE"],
        ["spots", "FILE"],
        ["create", "FILE"],
        ["merge", "FILE"],
        ["dictionary", "lint", "FILE"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_bounds_its_memory(words: list[str], tmp_path: Path, monkeypatch, capsys) -> None:
    from imgcif_core import memory
    from imgcif_core.cli import main

    path = tmp_path / "x.cif"
    path.write_text("data_x\nloop_ _a.b\n" + "1 2 3 4 \n" * 100_000, encoding="ascii")
    found: list[tuple[int, int]] = []

    def refusing(opened: Callable[..., object]) -> Callable[..., object]:
        """A way to open files that refuses this one alone: modules are imported as before."""

        def refuse(*given: object, **named: object) -> object:
            import resource

            if str(path) not in map(str, given):
                return opened(*given, **named)
            found.append(resource.getrlimit(resource.RLIMIT_DATA))
            raise MemoryError

        return refuse

    monkeypatch.setattr(memory, "_OWN_MEMORY", 2 << 30)
    for name in ("imgcif_core.inputs.os.open", "imgcif_core.inputs._opened", "builtins.open", "pathlib.Path.open"):
        monkeypatch.setattr(name, refusing(pkgutil.resolve_name(name)))
    first, *rest = [str(path) if word == "FILE" else word for word in words]
    assert main([first, "--limit", "memory=512MiB", *rest]) == 2
    assert found[0][0] == (512 << 20) + (2 << 30)
    assert "takes more than 512 MiB of memory; --limit memory=SIZE allows more" in capsys.readouterr().err


def test_other_limits_are_refused_where_they_bind_nothing(capsys) -> None:
    from imgcif_core.cli import main

    assert main(["show", "--limit", "disk=1G", "x.cif"]) == 2
    assert "this command takes memory=SIZE" in capsys.readouterr().err
