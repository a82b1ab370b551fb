"""Large files of many shapes: `make_shapes.py SHAPE SIZE -o FILE`, the size in frames, blocks or panels."""

import argparse
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from make_large import BASE, URI, lines

_ROW = re.compile(r"  [^\s_]")


def rows_changed(frames: int, change: Callable[[str], str], *, settings: bool = False) -> Iterator[str]:
    """A file of frames whose rows are written otherwise."""
    for count, line in enumerate(lines(frames, settings=settings)):
        yield change(line) if count and _ROW.match(line) else line


def _quoted(row: str) -> str:
    return row.replace(URI, f"'{URI} 1'").replace(" quartz_01/", ' "quartz 01/').replace(".cbf\n", '.cbf"\n')


def _with_uncertainties(row: str) -> str:
    return re.sub(r"(\d\.\d+)(?= |$)", r"\1(2)", row) if row.startswith("  frame") else row


def blocks(count: int) -> Iterator[str]:
    """Data blocks with an instrument and frames of their own, of 3 to 4 kB each."""
    head, _, rest = BASE.read_text(encoding="utf-8").partition("data_")
    rest = rest.split("\n", 1)[1]
    yield head
    for number in range(count):
        yield f"data_block{number}\n{rest}\n"


def _loop(category: str, names: str, rows: Iterable[str]) -> Iterator[str]:
    yield "loop_\n" + "".join(f"  _{category}.{name}\n" for name in names.split())
    yield from (f"  {row}\n" for row in rows)


def panels(count: int) -> Iterator[str]:
    """One frame of a detector of many panels in a plane."""
    yield "#\\#CIF_2.0\ndata_panels\n_diffrn_radiation.probe x-ray\n_diffrn_radiation_wavelength.id 1\n"
    yield "_diffrn_radiation_wavelength.value 1.3\n_diffrn_detector.id det\n_diffrn_detector.number_of_axes 1\n"
    yield "_diffrn_detector_axis.axis_id z\n_diffrn_detector_axis.detector_id det\n"
    vectors = " ".join(f"{name}[{index}]" for name in ("vector", "offset") for index in (1, 2, 3))
    axes = ["z translation detector . 0 0 -1 0 0 0", "omega rotation goniometer . 1 0 0 0 0 0"]
    for number in range(count):
        x, y = 20.0 * (number % 100), 12.0 * (number // 100)
        axes.append(f"f{number} translation detector z 1 0 0 {x} {y} 0")
        axes.append(f"s{number} translation detector f{number} 0 -1 0 0 0 0")
    yield from _loop("axis", f"id type equipment depends_on {vectors}", axes)
    each = range(count)
    pairs = [(number, side, index) for number in each for index, side in ((1, "f"), (2, "s"))]
    yield from _loop("diffrn_detector_element", "id detector_id", (f"e{number} det" for number in each))
    steps = (f"{side}{number} set_{side}{number} 0.05 0.1" for number, side, _ in pairs)
    yield from _loop("array_structure_list_axis", "axis_id axis_set_id displacement displacement_increment", steps)
    order = (f"a{number} set_{side}{number} increasing {i} {i} {100 * i}" for number, side, i in pairs)
    yield from _loop("array_structure_list", "array_id axis_set_id direction index precedence dimension", order)
    yield "_diffrn_scan.id SCAN1\n_diffrn_scan.frames 1\n_diffrn_scan.frame_id_start 1\n_diffrn_scan.frame_id_end 1\n"
    names = " ".join(f"{kind}_{name}" for kind in ("angle", "displacement") for name in ("start", "range", "increment"))
    yield from _loop(
        "diffrn_scan_axis", f"scan_id axis_id {names}", ["SCAN1 z . . . 100 0 0", "SCAN1 omega 0 0 0 . . ."]
    )
    yield from _loop("diffrn_scan_frame", "frame_id scan_id frame_number", ["1 SCAN1 1"])
    yield from _loop(
        "diffrn_data_frame", "id binary_id array_id detector_element_id", (f"1 {n} a{n} e{n}" for n in each)
    )
    yield from _loop("array_data", "array_id binary_id external_data_id", (f"a{n} {n} x{n}" for n in each))
    links = (f"x{n} HDF5 https://zenodo.org/records/1/files/run.h5 /entry/data/p{n} 1" for n in each)
    yield from _loop("array_data_external_data", "id format uri path frame", links)


SHAPES: dict[str, Callable[[int], Iterator[str]]] = {
    "plain": lines,
    "quoted columns": lambda size: rows_changed(size, _quoted),
    "quoted ids": lambda size: rows_changed(size, lambda row: re.sub(r"\bframe(\d+)", r"'frame \1'", row)),
    "text fields in rows": lambda size: rows_changed(size, lambda row: row.replace(f" {URI} ", f"\n;{URI}\n;\n")),
    "comments in rows": lambda size: rows_changed(size, lambda row: row.rstrip() + " # a frame\n"),
    "uncertainties": lambda size: rows_changed(size, _with_uncertainties, settings=True),
    "one value a line": lambda size: rows_changed(size, lambda row: "\n".join(row.split()) + "\n"),
    "settings of frames": lambda size: lines(size, settings=True),
    "beyond ASCII": lambda size: rows_changed(size, lambda row: row.replace("frame", "framé")),
    "open quotes": lambda size: rows_changed(size, lambda row: row.replace(" quartz_01/", " 'quartz_01/")),
    "blocks": blocks,
    "panels": panels,
}


def write(shape: str, size: int, path: Path) -> Path:
    """Write a file of a shape."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(SHAPES[shape](size))
    return path


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("size", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    write(options.shape, options.size, options.output)


if __name__ == "__main__":
    main()
