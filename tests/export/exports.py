"""Plans of our own files, and readings of what was exported that are not the exporter's own."""

import re
from pathlib import Path

import numpy as np

import imgcif_core
from imgcif_core.export import Plan, Sweep, export_file, make_plan
from imgcif_core.export.files import LocalFiles

DICTIONARY = imgcif_core.load_dictionary()


def plan_of(source: Path | str | bytes) -> Plan:
    """The plan of a file or of text."""
    return make_plan(document_of(source), DICTIONARY, LocalFiles())


def document_of(source: Path | str | bytes):
    """A document from a path or text."""
    if isinstance(source, Path):
        return imgcif_core.read(source)
    data = source.encode() if isinstance(source, str) else source
    return imgcif_core.read(data, name="given.cif")


def exported(source: Path | str | bytes, target: str, folder: Path, **options) -> list[Path]:
    """The files of an export into a folder."""
    names = {"expt": "out.expt", "xds": "XDS.INP", "geom": "out.geom", "nxmx": "out_master.h5"}
    made = export_file(document_of(source), DICTIONARY, target, output=folder / names[target], **options)
    return [entry.path for entry in made if entry.path is not None]


def corners_of(sweep: Sweep) -> np.ndarray:
    """The outer corners of the panels of a sweep: (panels, 4, 3) mm."""
    return np.array([panel.corners() for panel in sweep.panels])


def corners_along_beam(sweep: Sweep) -> np.ndarray:
    """The corners in the frame with Z against the beam and Y up, in which our reader gives CrystFEL's panels."""
    along = -sweep.source / np.linalg.norm(sweep.source)
    up = -sweep.gravity if sweep.gravity is not None else np.array([0.0, 1.0, 0.0])
    across = np.cross(up, along) / np.linalg.norm(np.cross(up, along))
    # Rows are the axes X, Y and Z: X closes the right-handed set.
    frame = np.stack([-across, np.cross(along, across), -along])
    return corners_of(sweep) @ frame.T


class XdsFile:
    """XDS.INP as the documentation of XDS tells to read it: where each pixel of the image lies."""

    def __init__(self, path: Path) -> None:
        self.values: dict[str, list[str]] = {}
        for line in path.read_text().splitlines():
            body = line.partition("!")[0]
            for key, value in re.findall(r"([A-Z][A-Z_0-9/-]*)=\s*([^=]*?)(?=\s+[A-Z][A-Z_0-9/-]*=|\s*$)", body):
                self.values.setdefault(key, []).append(value)

    def numbers(self, key: str, index: int = 0) -> np.ndarray:
        """The numbers behind a keyword."""
        return np.array([float(part) for part in self.values[key][index].split()])

    def place(self, x: float, y: float) -> np.ndarray:
        """The laboratory position of a pixel, counted from 1 at the centre of the first: (3,) mm."""
        first, second = self.numbers("DIRECTION_OF_DETECTOR_X-AXIS"), self.numbers("DIRECTION_OF_DETECTOR_Y-AXIS")
        axes = np.stack([first, second, np.cross(first, second)], axis=1)
        size = self.numbers("QX")[0], self.numbers("QY")[0]
        begin = np.array(
            [
                -self.numbers("ORGX")[0] * size[0],
                -self.numbers("ORGY")[0] * size[1],
                self.numbers("DETECTOR_DISTANCE")[0],
            ]
        )
        inside = np.array([x * size[0], y * size[1], 0.0])
        for index in range(len(self.values.get("SEGMENT", []))):
            low_x, high_x, low_y, high_y = self.numbers("SEGMENT", index)
            if low_x <= x <= high_x and low_y <= y <= high_y:
                fast = self.numbers("DIRECTION_OF_SEGMENT_X-AXIS", index)
                slow = self.numbers("DIRECTION_OF_SEGMENT_Y-AXIS", index)
                inside = (
                    (x - self.numbers("SEGMENT_ORGX", index)[0]) * size[0] * fast
                    + (y - self.numbers("SEGMENT_ORGY", index)[0]) * size[1] * slow
                    + self.numbers("SEGMENT_DISTANCE", index)[0] * np.cross(fast, slow)
                )
        return axes @ (begin + inside)
