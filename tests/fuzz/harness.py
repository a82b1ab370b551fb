"""Damaged inputs of every kind, made from a seed: python tests/fuzz/harness.py KIND COUNT [FIRST]

Each kind is a function of a random generator that makes one damaged input and gives it to the code that
reads it. What may be raised on bad input is named; anything else is a crash. Prints counts as JSON.
"""

import gzip
import io
import json
import random
import resource
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))
SLOW_SECONDS = 20.0
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


def text(dice: random.Random, pool: list[bytes], folder: Path) -> None:
    from imgcif_core import api

    data = dice.choice(pool)
    data = reworded(data.decode("utf-8", "replace"), dice).encode() if dice.random() < 0.5 else damaged(data, dice)
    api.read(data, name="x")


def check(dice: random.Random, pool: list[bytes], folder: Path) -> None:
    from imgcif_core import api

    data = dice.choice(pool)
    data = reworded(data.decode("utf-8", "replace"), dice).encode() if dice.random() < 0.8 else damaged(data, dice)
    report = api.check(data, name="x").files[0]
    if report.outcomes.crashed:
        raise AssertionError("; ".join(f"{entry.rule} {entry.reason}" for entry in report.outcomes.crashed))


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


def archive(dice: random.Random, pool: list[bytes], folder: Path) -> None:
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
    try:
        found = open_archive(MemoryBytes(data, "x"), Limits())
        names = [member.name for member in found.listing().members]
        for _, source in found.fetch(names[:3], workspace):
            if not isinstance(source, BytesError):
                source.close()
    finally:
        workspace.close()


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


def hdf5(dice: random.Random, pool: list[bytes], folder: Path) -> None:
    from imgcif_core.images import hdf5_frames
    from imgcif_core.images.limits import BytesError
    from imgcif_core.sources.nxmx import read_master

    path = folder / f"{dice.randrange(1 << 40)}.h5"
    path.write_bytes(damaged(dice.choice(pool), dice))
    request = {"path": str(path), "stand_ins": {}, "folders": [], "follow": False}
    try:
        for ask in (
            lambda: hdf5_frames.header(request),
            lambda: hdf5_frames.frame(request, hdf5_frames.facts(request, None)["path"], 0, 0),
            lambda: read_master(path),
        ):
            try:
                ask()
            except (BytesError, *EXPECTED):
                continue
    finally:
        hdf5_frames._door.cache_clear()
        path.unlink()


def _sources() -> list[tuple[str, bytes]]:
    sys.path.insert(0, str(ROOT / "tests"))
    from create.images import expt, minicbf, smv, tiff

    found = []
    with tempfile.TemporaryDirectory() as name:
        for maker, suffix in ((expt, "expt"), (minicbf, "cbf"), (smv, "img"), (tiff, "tif")):
            path = Path(name) / f"a_0001.{suffix}"
            maker(path)
            found.append((suffix, path.read_bytes()))
    return found


def source(dice: random.Random, pool: list[tuple[str, bytes]], folder: Path) -> None:
    from imgcif_core.create.loop import Wishes, create

    suffix, data = dice.choice(pool)
    if dice.random() < 0.5 and suffix in ("expt", "cbf", "img"):
        data = reworded(data.decode("latin-1"), dice).encode("latin-1")
    else:
        data = damaged(data, dice)
    path = folder / f"a_{dice.randrange(1 << 20):06d}.{suffix}"
    path.write_bytes(data)
    try:
        create([path], None, Wishes(force=dice.random() < 0.1))
    finally:
        path.unlink()


def image(dice: random.Random, pool: list[tuple[str, bytes]], folder: Path) -> None:
    from imgcif_core.formats import pixel_reader_of
    from imgcif_core.images import fabio_files
    from imgcif_core.images.bytes import MemoryBytes
    from imgcif_core.images.pixels import open_cbf

    suffix, data = dice.choice([entry for entry in pool if entry[0] != "expt"])
    data = damaged(data, dice)
    if suffix == "cbf":
        open_cbf(MemoryBytes(data, "x.cbf"), None).read(0)
        return
    reader, _, told = pixel_reader_of(data[:4096]).partition(":")
    if reader != "fabio":
        return
    path = folder / f"a_{dice.randrange(1 << 40)}.{suffix}"
    path.write_bytes(data)
    try:
        fabio_files.facts(str(path), told)
        fabio_files.frame(str(path), told, 0)
    finally:
        fabio_files._open.cache_clear()
        path.unlink()


KINDS = {
    "text": (text, _texts),
    "check": (check, _texts),
    "archive": (archive, _archives),
    "hdf5": (hdf5, _stacks),
    "source": (source, _sources),
    "image": (image, _sources),
}
# What a helper process answers with a word, because it runs in a process of its own.
EXPECTED: tuple[type[BaseException], ...] = ()


def run(kind: str, count: int, first: int = 0) -> dict:
    """Give so many damaged inputs to one kind of reader; what went wrong by its place."""
    import warnings

    from imgcif_core.errors import ImgcifError
    from imgcif_core.images import worker

    global EXPECTED
    EXPECTED = (ImgcifError,)
    allowed = EXPECTED + (worker._EXPECTED if kind in ("hdf5", "image") else ())
    if kind in ("hdf5", "image"):
        # The process of its own answers whatever its decoders raise.
        allowed = (*allowed, Exception)
    warnings.simplefilter("ignore")
    function, make = KINDS[kind]
    pool = make()
    crashes: dict[str, list[int]] = {}
    slow: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as name:
        for seed in range(first, first + count):
            started = time.process_time()
            try:
                function(random.Random(seed), pool, Path(name))
            except allowed:
                pass
            except Exception as error:
                trace = error.__traceback__
                while trace.tb_next is not None:
                    trace = trace.tb_next
                place = (
                    f"{type(error).__name__} at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno} {error}"
                )
                crashes.setdefault(place[:300], []).append(seed)
            taken = time.process_time() - started
            if taken > SLOW_SECONDS:
                slow.append((seed, round(taken, 1)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"kind": kind, "inputs": count, "first": first, "crashes": crashes, "slow": slow, "peak_mb": peak}


if __name__ == "__main__":
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    sys.stdout.write(json.dumps(run(sys.argv[1], int(sys.argv[2]), number), indent=1) + "\n")
