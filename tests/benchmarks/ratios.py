"""All measures of speed as ratios in one run: `python tests/benchmarks/ratios.py`.

Processor time of both sides counts, taken in turn, the median of the ratios of some rounds, so that other work on
the machine disturbs little. `--quick` takes smaller files and fewer rounds, `--million` adds one of a million frames.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
from make_shapes import SHAPES, write  # noqa: E402

EXAMPLE = HERE.parent.parent / "examples" / "complete.cif"
# An installed package has its modules compiled.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
Row = tuple[str, str, str]


def spent() -> float:
    """Processor seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def of_process(code: str) -> float:
    """Processor seconds of a Python process that runs some code."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # A process that failed early would seem fast.
    if process.returncode:
        raise SystemExit(f"status {process.returncode} of: {code}")
    return usage.ru_utime + usage.ru_stime


def of_call(work: Callable[[], object]) -> float:
    """Processor seconds of a call."""
    start = spent()
    work()
    return spent() - start


def paired(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float, float]:
    """Medians of our time, of the other and of the ratio, measured in turn after one warm-up."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    ratio = statistics.median(one / max(other, 1e-6) for one, other in pairs)
    return statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs), ratio


def check_code(path: Path) -> str:
    """What the installed command runs."""
    # A traceback ends with status 1 as findings do, so that the verdict has to be looked at.
    return f"from imgcif_core.cli import check_main; assert check_main([{str(path)!r}]) in (0, 1)"


def start(rounds: int) -> Iterator[Row]:
    """A small file as a process, and in a process that is warm."""
    import imgcif_core

    imports = "import gemmi, numpy"
    _, _, ratio = paired(lambda: of_process(check_code(EXAMPLE)), lambda: of_process(imports), rounds)
    yield "start and check of a small file", f"{ratio:.2f} x import gemmi, numpy", "1.7"
    data = EXAMPLE.read_bytes()
    imgcif_core.check(data)
    each = statistics.median(of_call(lambda: imgcif_core.check(data)) for _ in range(3 * rounds))
    yield f"warm check of {len(data) / 1000:.1f} kB", f"{1000 * each:.0f} ms", "15 ms for 4 kB"


def frames(folder: Path, sizes: dict[int, float], rounds: int) -> Iterator[Row]:
    """Plain files of many frames as processes."""
    for size, limit in sizes.items():
        path = write("plain", size, folder / f"{size}.cif")
        read = f"import gemmi; gemmi.cif.read({str(path)!r})"
        _, _, ratio = paired(partial(of_process, check_code(path)), partial(of_process, read), rounds)
        yield f"{size} frames as a process", f"{ratio:.2f} x gemmi.cif.read", f"{limit}"


def shapes(folder: Path, size: int, rounds: int) -> Iterator[Row]:
    """Files of many shapes in a warm process."""
    import gemmi

    import imgcif_core

    def read(path: Path) -> bool:
        try:
            gemmi.cif.read(str(path))
        except (RuntimeError, ValueError):
            return False
        return True

    for shape in SHAPES:
        if shape in ("blocks", "panels"):
            continue
        path = write(shape, size, folder / "shape.cif")
        megabytes = path.stat().st_size / 1e6
        ours = partial(of_call, partial(imgcif_core.check, path))
        time, _, ratio = paired(ours, partial(of_call, partial(read, path)), rounds)
        if read(path):
            yield f"shape: {shape}", f"{ratio:.1f} x gemmi.cif.read", "8"
        else:
            yield f"shape: {shape} (gemmi refuses)", f"{1000 * time / megabytes:.0f} ms a MB", "40 ms"


def many(folder: Path, blocks: int, panels: int) -> Iterator[Row]:
    """Many blocks and many panels, and how the time grows with them."""
    import imgcif_core

    for shape, most, words in (("blocks", blocks, "10 ms each at 1000"), ("panels", panels, "2 s for 10000")):
        times = []
        for size in (most // 4, most):
            path = write(shape, size, folder / "many.cif")
            times.append(of_call(partial(imgcif_core.check, path)))
        growth = times[1] / times[0]
        yield f"{most} {shape}", f"{1000 * times[1] / most:.2f} ms each, {growth:.1f} x a quarter of them", words


def images(folder: Path, counts: dict[int, int]) -> Iterator[Row]:
    """Frames of a CBF series against their bare decoding; sizes in pixels a side with numbers of frames."""
    try:
        from fabio.compression import decByteOffset
    except ImportError:
        yield "images", "fabio is not installed", ""
        return
    import imgcif_core
    from imgcif_core import CheckOptions
    from imgcif_core.cif.sections import byte_offset, section

    for side, count in counts.items():
        image = np.random.default_rng(side).poisson(3.0, (side, side)).astype(np.int32)
        packed = byte_offset(image)
        head = "###CBF: VERSION 1.5\ndata_x\nloop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.data\n"
        data = head.encode() + b"".join(f"1 {n}\n".encode() + section(image, n) for n in range(1, count + 1))
        path = folder / "images.cbf"
        path.write_bytes(data)
        document = imgcif_core.read(path)

        def ours(depth: str) -> float:
            return of_call(partial(imgcif_core.check_document, document, options=CheckOptions(images=depth)))  # noqa: B023

        def bare() -> float:
            return of_call(lambda: [decByteOffset(packed, size=side**2, dtype="int32") for _ in range(count)])  # noqa: B023

        ours("all"), bare()
        rounds = [(ours("all"), ours("header"), bare()) for _ in range(3)]
        extra = statistics.median(one - none - decoding for one, none, decoding in rounds) / count
        ratio = statistics.median((one - none) / decoding for one, none, decoding in rounds)
        limit = "4" if side >= 1000 else "0.2 ms more"
        yield f"{count} frames of {side} x {side}", f"{ratio:.1f} x decoding, {1000 * extra:.2f} ms more each", limit


def main() -> None:
    """Print a table of what is measured, with the aim beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small files and few rounds")
    parser.add_argument("--million", action="store_true", help="a million frames too")
    parser.add_argument("--only", choices=("start", "frames", "shapes", "many", "images"), help="one group")
    options = parser.parse_args()
    rounds = 3 if options.quick else 7
    sizes = {10_000: 5.5} | ({} if options.quick else {100_000: 3.2}) | ({1_000_000: 2.8} if options.million else {})
    blocks, panels = (100, 400) if options.quick else (1000, 10_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        groups = {
            "start": lambda: start(rounds),
            "frames": lambda: frames(folder, sizes, rounds),
            "shapes": lambda: shapes(folder, 20_000, rounds),
            "many": lambda: many(folder, blocks, panels),
            "images": lambda: images(folder, {64: 50, 1000: 3} if options.quick else {64: 500, 1000: 20, 2500: 6}),
        }
        print(f"{'what':<42}{'measured':<44}aim")
        for group, measure in groups.items():
            if options.only in (None, group):
                for what, measured, aim in measure():
                    print(f"{what:<42}{measured:<44}{aim}", flush=True)


if __name__ == "__main__":
    main()
