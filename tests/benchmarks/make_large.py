"""Write a valid imgCIF with any number of frames: `make_large.py 100000 -o large.cif`."""

import argparse
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BASE = ROOT / "conformance" / "datasets" / "bases" / "single-panel.cif"
SETTING_NAMES = ("frame_id", "axis_id", "angle", "angle_increment", "displacement")
URI = "https://zenodo.org/records/7654321/files/quartz_01.tar.bz2"


def lines(frames: int, *, settings: bool = False) -> Iterator[str]:
    """The file line by line: the base up to its scans, then tables of that many frames.

    With `settings` each frame has rows of its own for both axes.
    """
    head = BASE.read_text(encoding="utf-8")
    head = head[: head.index("loop_\n  _diffrn_scan_frame.scan_id")]
    head = head.replace("frame01 frame06 6 ", f"frame1 frame{frames} {frames} ")
    head = head.replace("10.0 3.0 0.5", f"10.0 {frames * 0.001:.3f} 0.001")
    yield head
    tables = {
        ("_diffrn_scan_frame", ("scan_id", "frame_id", "frame_number", "integration_time")): "SCAN1 frame{n} {n} 0.5",
        ("_diffrn_data_frame", ("id", "detector_element_id", "array_id", "binary_id")): "frame{n} PANEL 1 {n}",
        ("_array_data", ("array_id", "binary_id", "external_data_id")): "1 {n} E{n}",
        ("_array_data_external_data", ("id", "format", "uri", "archive_format", "archive_path")): (
            f"E{{n}} CBF {URI} TBZ quartz_01/quartz_{{n:07d}}.cbf"
        ),
    }
    for (category, names), row in tables.items():
        yield "loop_\n" + "".join(f"  {category}.{name}\n" for name in names)
        for number in range(1, frames + 1):
            yield f"  {row.format(n=number)}\n"
        yield "\n"
    if settings:
        yield "loop_\n" + "".join(f"  _diffrn_scan_frame_axis.{name}\n" for name in SETTING_NAMES)
        for number in range(1, frames + 1):
            yield f"  frame{number} omega {10 + 0.001 * (number - 1):.3f} 0.001 .\n"
            yield f"  frame{number} distance . . 200.0\n"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--settings", action="store_true", help="state the settings of the axes for each frame")
    options = parser.parse_args()
    with options.output.open("w", encoding="utf-8") as stream:
        stream.writelines(lines(options.frames, settings=options.settings))


if __name__ == "__main__":
    main()
