"""Damaged inputs of every kind, made from a seed: python tests/fuzz/harness.py KIND COUNT [FIRST]

Each kind is a function of a random generator that makes one damaged input, gives it to the code that
reads it, and tells its size in bytes. What may be raised on bad input is named; anything else is a crash, an
answer that takes too much computing time a hang, and memory over ten times the input is counted. Libraries that
read HDF5 and images run in the processes in which checks have them run. Prints counts as JSON.
"""

import contextlib
import gzip
import io
import json
import os
import random
import signal
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))
SLOW_SECONDS = 20.0
# Computing time of one input, after which it counts as a hang.
HANG_SECONDS = 60.0
# After so long a decoder that gives no answer is ended here; checks wait longer, and tell the same.
HELPER_SECONDS = 5.0
# Memory over so many times the input counts as too much; what readers take for any input is free.
MEMORY_FACTOR, FREE_MEMORY = 10, 64 << 20
NUMBERS = (
    "0 0.0 -0 1e400 -1e400 1e308 -1e308 4.9e-324 1e-400 1(99999999999) 1e400(3) 1.5(0) nan inf ? . "
    "99999999999999999999 -1 1e99999 0x10 1e 360 1e15 '' -0.0 2147483648 -2147483649 9223372036854775808 1e-300"
)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """Bytes with some of them exchanged, cut out, repeated or torn off."""
    found = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        if not found:
            break
        at, step = dice.randrange(len(found)), dice.choice((1, 2, 4, 8, 64))
        action = dice.randrange(6)
        if action == 0:
            found[at] = dice.randrange(256)
        elif action == 1:
            found[at : at + step] = dice.choice((b"\xff", b"\0", b"\x7f", b"\x80")) * step
        elif action == 2:
            del found[at : at + step]
        elif action == 3:
            found[at:at] = found[at : at + step * 8]
        elif action == 4:
            other = dice.randrange(len(found))
            found[at : at + step] = found[other : other + step]
        elif dice.random() < 0.2:
            del found[at:]
    return bytes(found)


def reworded(text: str, dice: random.Random) -> str:
    """A text with some of its words exchanged for others, or for numbers of all sizes."""
    words = text.split(" ")
    for _ in range(dice.choice((1, 2, 5, 20))):
        at = dice.randrange(len(words))
        other = dice.choice(words)
        words[at] = dice.choice((dice.choice(NUMBERS.split()), other, f"{words[at]}\n{other}", ""))
    return " ".join(words)


def _texts() -> list[bytes]:
    paths = sorted((ROOT / "conformance" / "datasets").rglob("*.cif"))[::37] + sorted((ROOT / "examples").glob("*.cif"))
    return [path.read_bytes() for path in paths if path.stat().st_size < 20_000]


def text(dice: random.Random, pool: list[bytes], folder: Path) -> int:
    from imgcif_core import api

    data = dice.choice(pool)
    data = reworded(data.decode("utf-8", "replace"), dice).encode() if dice.random() < 0.5 else damaged(data, dice)
    _told(api.read, data, name="x")
    return len(data)


def check(dice: random.Random, pool: list[bytes], folder: Path) -> int:
    from imgcif_core import api

    data = dice.choice(pool)
    data = reworded(data.decode("utf-8", "replace"), dice).encode() if dice.random() < 0.8 else damaged(data, dice)
    _whole(api.check(data, name="x").files[0])
    return len(data)


def _archives() -> list[bytes]:
    found = []
    for mode in ("w:", "w:gz", "w:bz2", "w:xz"):
        for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode=mode, format=form) as archive:
                for name in ("a.cbf", "long" * (40 if form != tarfile.USTAR_FORMAT else 10) + "/b.cbf"):
                    info = tarfile.TarInfo(name)
                    info.size = 600
                    archive.addfile(info, io.BytesIO(bytes(600)))
                info = tarfile.TarInfo("link")
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(info)
            found.append(buffer.getvalue())
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("a.cbf", bytes(600))
            archive.writestr("d/b.cbf", bytes(range(256)))
        found.append(buffer.getvalue())
    return found


def archive(dice: random.Random, pool: list[bytes], folder: Path) -> int:
    from imgcif_core.images.archives import open_archive
    from imgcif_core.images.bytes import MemoryBytes
    from imgcif_core.images.limits import BytesError, Limits
    from imgcif_core.images.workspace import Workspace

    data = dice.choice(pool)
    if data[:2] == b"\x1f\x8b" and dice.random() < 0.5:
        data = gzip.compress(damaged(gzip.decompress(data), dice), 1)
    else:
        data = damaged(data, dice)
    workspace = Workspace()

    def read() -> None:
        found = open_archive(MemoryBytes(data, "x"), Limits())
        names = [member.name for member in found.listing().members]
        for _, source in found.fetch(names[:3], workspace):
            if not isinstance(source, BytesError):
                source.close()

    try:
        _told(read)
    finally:
        workspace.close()
    return len(data)


def _stacks() -> list[bytes]:
    import h5py

    found = []
    for packing in (None, "gzip"):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            entry = file.create_group("entry")
            entry.attrs["NX_class"] = "NXentry"
            detector = entry.create_group("instrument/detector")
            entry["instrument"].attrs["NX_class"] = "NXinstrument"
            detector.attrs["NX_class"] = "NXdetector"
            for name, value in (
                ("distance", 0.2),
                ("beam_center_x", 8.0),
                ("beam_center_y", 8.0),
                ("x_pixel_size", 1e-4),
            ):
                detector[name] = value
                detector[name].attrs["units"] = "m"
            detector["description"] = "made up"
            detector["data"] = h5py.SoftLink("/entry/data/data")
            group = entry.create_group("data")
            group.attrs["NX_class"] = "NXdata"
            group.create_dataset("data", data=np.zeros((3, 16, 16), np.uint16), chunks=(1, 16, 16), compression=packing)
            group["other"] = h5py.ExternalLink("other.h5", "/x")
        found.append(buffer.getvalue())
    return found


def hdf5(dice: random.Random, pool: list[bytes], folder: Path) -> int:
    from imgcif_core.sources.isolated import read_described_master

    path = folder / f"{dice.randrange(1 << 40)}.h5"
    path.write_bytes(damaged(dice.choice(pool), dice))
    request = {"path": str(path), "stand_ins": {}, "folders": [], "follow": False}
    worker = _worker()
    _told(worker.facts, "hdf5_header", {"request": request})
    found = None if DIED else _told(worker.facts, "hdf5_facts", {"request": request, "dataset": None})
    if found is not None:
        _told(worker.array, "hdf5_frame", {"request": request, "dataset": found["path"], "axis": 0, "index": 0})
    # Where the library goes in circles, it does so for every question.
    if not DIED:
        _told(read_described_master, path)
    return path.stat().st_size


def _sources() -> list[tuple[str, bytes]]:
    sys.path.insert(0, str(ROOT / "tests"))
    from create.images import expt, minicbf, smv, tiff
    from create.test_damaged_sources import GEOMETRY
    from experiments import nxmx
    from sources.test_geom import geometry
    from sources.test_xds import inp, xparm

    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [expt(folder / "a_0001.expt"), minicbf(folder / "a_0001.cbf"), smv(folder / "a_0001.img")]
        made += [tiff(folder / "a_0001.tif"), geometry(folder), inp(folder), xparm(folder), nxmx(folder / "a.nxs")]
        found = [(path.name, path.read_bytes()) for path in made]
    return [*found, ("a.geom", GEOMETRY.encode())]


def source(dice: random.Random, pool: list[tuple[str, bytes]], folder: Path) -> int:
    from imgcif_core.create.loop import Wishes, create

    name, data = dice.choice(pool)
    if dice.random() < 0.5 and not name.endswith((".tif", ".nxs")):
        data = reworded(data.decode("latin-1"), dice).encode("latin-1")
    else:
        data = damaged(data, dice)
    path = folder / name
    path.write_bytes(data)
    _told(create, [path], None, Wishes(force=dice.random() < 0.1))
    return len(data)


def _images() -> list[tuple[str, bytes]]:
    sys.path.insert(0, str(ROOT / "tests"))
    from create.images import minicbf, smv, tiff

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [minicbf(folder / "a.cbf"), smv(folder / "a.img"), smv(folder / "b.img", 1024, TYPE="signed_long")]
        made += [tiff(folder / "a.tif"), tiff(folder / "b.tif", text="# Pixel_size 172e-6 m", pages=3)]
        return [(path.suffix, path.read_bytes()) for path in made]


def image(dice: random.Random, pool: list[tuple[str, bytes]], folder: Path) -> int:
    from imgcif_core.images.bytes import FileBytes
    from imgcif_core.images.pixels import open_images

    suffix, data = dice.choice(pool)
    if suffix == ".img" and dice.random() < 0.3:
        head = data.index(b"}")
        data = reworded(data[:head].decode("latin-1").replace("=", "= "), dice).encode("latin-1") + data[head:]
    path = folder / f"a_{dice.randrange(1 << 40)}{suffix}"
    path.write_bytes(damaged(data, dice))
    stack = _told(open_images, FileBytes(path), _worker())
    if stack is not None:
        _told(stack.read, 0)
    return path.stat().st_size


def _cbf() -> list[bytes]:
    sys.path.insert(0, str(ROOT / "tests"))
    from create.images import minicbf

    paths = sorted((ROOT / "conformance" / "datasets").rglob("*.cbf"))
    with tempfile.TemporaryDirectory() as name:
        made = minicbf(Path(name) / "a.cbf").read_bytes()
    return [made, *(path.read_bytes() for path in paths if path.stat().st_size < 20_000)]


def cbf(dice: random.Random, pool: list[bytes], folder: Path) -> int:
    import imgcif_core
    from imgcif_core.checks.options import CheckOptions

    data = dice.choice(pool)
    path = folder / "a.cbf"
    binary = data.find(b"--CIF-BINARY-FORMAT-SECTION--")
    if dice.random() < 0.5 and binary > 0:
        # Words of the head of the section, and of the tables before it.
        head = data.find(b"\x0c\x1a", binary)
        start, end = (0, binary) if dice.random() < 0.5 else (binary, head if head > 0 else len(data))
        words = reworded(data[start:end].decode("latin-1"), dice).encode("latin-1")
        data = data[:start] + words + data[end:]
    else:
        data = damaged(data, dice)
    path.write_bytes(data)
    (report,) = imgcif_core.check(path, options=CheckOptions(images="all")).files
    _whole(report)
    return len(data)


def _whole(report: Any) -> None:
    """Raise if a rule has crashed."""
    if report.outcomes.crashed:
        raise AssertionError("; ".join(f"{entry.rule} {entry.reason}" for entry in report.outcomes.crashed))


def _told(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What a function gives; None where it tells in one sentence what is wrong with the input."""
    from imgcif_core.errors import ImgcifError

    try:
        return function(*given, **named)
    except ImgcifError as error:
        if getattr(error, "kind", "") == "crashed" or "not readable - the decoder" in str(error):
            DIED.append(str(error))
        return None


@lru_cache(maxsize=1)
def _worker() -> Any:
    """The process in which checks have images decoded."""
    import atexit

    from imgcif_core.images.isolated import Helper
    from imgcif_core.limits import Limits

    found = Helper(HELPER_SECONDS, memory=Limits().memory)
    atexit.register(found.close)
    return found


KINDS: dict[str, tuple[Callable[..., int], Callable[[], list[Any]]]] = {
    "text": (text, _texts),
    "check": (check, _texts),
    "archive": (archive, _archives),
    "hdf5": (hdf5, _stacks),
    "source": (source, _sources),
    "image": (image, _images),
    "cbf": (cbf, _cbf),
}
# How processes of their own ended while an input was read: the check tells it, and goes on.
DIED: list[str] = []


class Hang(BaseException):
    """An input takes more computing time than any may."""


class Peaks:
    """The most memory that this process and its own take since the last look."""

    def __init__(self) -> None:
        self._base: dict[int, int] = {}

    def begin(self) -> None:
        """Forget earlier peaks."""
        self._base = {}
        for number in self._processes():
            try:
                Path(f"/proc/{number}/clear_refs").write_text("5")
                self._base[number] = _memory(number, "VmRSS")
            except OSError:
                continue

    def grown(self) -> int:
        """The bytes by which a process has grown at most, for those that were there before."""
        return max((_memory(number, "VmHWM") - base for number, base in self._base.items()), default=0)

    def _processes(self) -> list[int]:
        found = [os.getpid()]
        with contextlib.suppress(OSError):
            found += map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
        return found


def _memory(number: int, name: str) -> int:
    """A number of bytes that the system tells of a process."""
    try:
        text = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in text.splitlines() if line.startswith(f"{name}:")), "x 0 kB")
    return int(line.split()[1]) << 10


def run(kind: str, count: int, first: int = 0) -> dict[str, Any]:
    """Give so many damaged inputs to one kind of reader; what went wrong by its place."""
    import warnings

    warnings.simplefilter("ignore")
    function, make = KINDS[kind]
    pool = make()
    crashes: dict[str, list[int]] = {}
    found: dict[str, list[Any]] = {"hangs": [], "slow": [], "large": [], "died": []}
    peaks, largest = Peaks(), 0
    before = signal.signal(signal.SIGPROF, _ring)
    with tempfile.TemporaryDirectory() as name:
        for seed in range(first, first + count):
            DIED.clear()
            peaks.begin()
            started = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
            size = 0
            try:
                size = function(random.Random(seed), pool, Path(name))
            except Hang:
                found["hangs"].append(seed)
            except Exception as error:
                crashes.setdefault(_place(error), []).append(seed)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            taken = time.process_time() - started
            if taken > SLOW_SECONDS:
                found["slow"].append((seed, round(taken, 1)))
            if DIED:
                found["died"].append((seed, DIED[0]))
            grown = peaks.grown()
            largest = max(largest, grown)
            if grown > max(MEMORY_FACTOR * size, FREE_MEMORY):
                found["large"].append((seed, size, grown))
            for entry in Path(name).iterdir():
                entry.unlink()
    signal.signal(signal.SIGPROF, before)
    return {"kind": kind, "inputs": count, "first": first, "crashes": crashes, **found, "grown_mb": largest >> 20}


def _ring(*_: object) -> None:
    raise Hang


def _place(error: BaseException) -> str:
    """What was raised, and where."""
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{type(error).__name__} at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno} {error}"[:300]


if __name__ == "__main__":
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    sys.stdout.write(json.dumps(run(sys.argv[1], int(sys.argv[2]), number)) + "\n")
