"""What the system sees: no command, and none of its processes, opens a file outside the folders that it may enter.

The inputs do what they can to lead out: links, climbing names, HDF5 links, virtual sources and external storage.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from image_tables import text_of_images
from shared import EXAMPLE

ROOT = Path(__file__).parent.parent
OPENED = re.compile(r'(?:open|openat|creat|execve)\((?:AT_FDCWD, )?"((?:[^"\\]|\\.)*)"(?:, ([A-Z_|]+))?.*= (-?\d+)')
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder of inputs that lead to a folder beside it, and to files of the system."""
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("fabio")
    secret, found = tmp_path / "secret", tmp_path / "inputs"
    secret.mkdir()
    found.mkdir()
    (secret / "key.bin").write_bytes(b"s" * 1200)
    (secret / "i.img").write_bytes(b"{\nHEADER_BYTES=512;\n}\n" + b"s" * 2000)
    with h5py.File(secret / "d.h5", "w") as file:
        file["/d"] = [[1] * 30] * 20
    with h5py.File(found / "a.h5", "w") as file:
        file["/link"] = h5py.ExternalLink("../secret/d.h5", "/d")
        file["/whole"] = h5py.ExternalLink(str(secret / "d.h5"), "/d")
        file.create_dataset("/stored", (20, 30), "u2", external=[("../secret/key.bin", 0, 1200)])
        file.create_dataset("/system", (20, 30), "u1", external=[("/etc/passwd", 0, 600)])
        layout = h5py.VirtualLayout((20, 30), "i8")
        layout[:] = h5py.VirtualSource("../secret/d.h5", "/d", (20, 30))
        file.create_virtual_dataset("/virtual", layout)
    (found / "link.img").symlink_to(secret / "i.img")
    (found / "folder").symlink_to(secret)
    with tarfile.open(found / "a.tar", "w") as archive:
        for name, target in (("i.img", "../secret/i.img"), ("j.img", "/etc/passwd")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    places = [
        *(f"HDF5 a.h5 . . /{name} 1" for name in ("link", "whole", "stored", "system", "virtual")),
        "SMV link.img . . . 1",
        "SMV folder/i.img . . . 1",
        "SMV ../secret/i.img . . . 1",
        f"SMV file://{secret}/i.img . . . 1",
        "SMV file:///etc/passwd . . . 1",
        "SMV a.tar TAR i.img . 1",
        "SMV a.tar TAR j.img . 1",
        "SMV a.tar TAR ../../secret/i.img . 1",
    ]
    (found / "x.cif").write_text(text_of_images(places, 30, 20), encoding="ascii")
    shutil.copy(EXAMPLE, found / "complete.cif")
    return found


COMMANDS = {
    "check": ["check", "--images", "all", "IN/x.cif"],
    "check with a folder": [
        "check",
        "--images",
        "all",
        "--local",
        "IN",
        "--format",
        "html",
        "-o",
        "OUT/r.html",
        "IN/x.cif",
    ],
    "lines": ["check", "--format", "jsonl", "--jobs", "2", "-o", "OUT/o.jsonl", "IN/x.cif", "IN/complete.cif"],
    "against": ["check", "--against", "IN/a.h5", "IN/complete.cif"],
    "show": ["show", "IN/x.cif"],
    "spots": ["spots", "IN/x.cif", "--local", "IN"],
    "fix": ["fix", "IN/x.cif", "-o", "OUT/f.cif"],
    "diff": ["diff", "IN/x.cif", "IN/complete.cif"],
    "derive": ["derive", "IN/complete.cif"],
    "export": ["export", "IN/complete.cif", "--to", "xds", "--local", "IN", "-o", "OUT/XDS.INP"],
    "create from a master": ["create", "IN/a.h5", "-o", "OUT/c.cif"],
    "create from an archive": ["create", "IN/a.tar", "-o", "OUT/c.cif"],
    "create from a folder": ["create", "IN", "-o", "OUT/c.cif"],
    "create without the link": ["create", "IN", "--exclude", "*.img", "-o", "OUT/c.cif"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_file_is_opened_outside_the_folders(name: str, inputs: Path, tmp_path: Path) -> None:
    out, temporary, log = tmp_path / "out", tmp_path / "temporary", tmp_path / "log"
    out.mkdir()
    temporary.mkdir()
    words = [word.replace("IN", str(inputs), 1).replace("OUT", str(out), 1) for word in COMMANDS[name]]
    words = [word.replace(f"XDS.{inputs}P", "XDS.INP") for word in words]
    environment = {**os.environ, "TMPDIR": str(temporary), "HOME": str(out), "PYTHONDONTWRITEBYTECODE": "1"}
    trace = ["strace", "-f", "-qq", "-s", "500", "-o", str(log), "-e", "trace=open,openat,creat,execve,socket,connect"]
    command = [*trace, sys.executable, "-m", "imgcif_core.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=out, timeout=300)
    assert "Traceback" not in done.stderr and done.returncode in (0, 1, 2), done.stderr
    seen = log.read_text(encoding="utf-8", errors="replace")
    opened = [
        (Path(os.path.join(out, path)), flags or "") for path, flags, got in OPENED.findall(seen) if int(got) >= 0
    ]
    assert any(path.is_relative_to(inputs) for path, _ in opened)
    secret = (tmp_path / "secret").resolve()
    led_out = [path for path, _ in opened if _real(path).is_relative_to(secret) or path == Path("/etc/passwd")]
    assert led_out == []
    readable = [inputs, out, temporary, ROOT, Path(sys.prefix), Path(sys.base_prefix), *map(Path, sys.path[1:])]
    readable += [Path(name) for name in ("/usr", "/lib", "/lib64", "/proc", "/sys", "/dev", "/etc")]
    strange = {str(path) for path, _ in opened if not any(_real(path).is_relative_to(p.resolve()) for p in readable)}
    assert strange == set()
    written = [str(path) for path, flags in opened if "O_WRONLY" in flags or "O_RDWR" in flags or "O_CREAT" in flags]
    allowed = (str(out), str(temporary), "/dev/null", "/dev/shm/", "/dev/tty")
    assert [path for path in written if not path.startswith(allowed)] == []
    assert not re.search(r"socket\(AF_INET|connect\(", seen)


def _real(path: Path) -> Path:
    """Where a path leads, links followed; processes that are gone have no folder in /proc."""
    try:
        return path.resolve()
    except OSError:
        return path
