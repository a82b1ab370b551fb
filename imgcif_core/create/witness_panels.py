"""Places of panels read a second time from files of XDS and psana, by products of 4 x 4 matrices.

Nothing of the readers of these formats is used here: that is what makes it a second reading.
"""

import re
from collections.abc import Sequence

import numpy as np

from imgcif_core.records import dataclass

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"


@dataclass(frozen=True, slots=True)
class Stated:
    """Wavelength in angstrom, step in degrees, directions of beam and axis, corners: (3 n, 3) mm."""

    wavelength: float
    step: float
    beam: np.ndarray
    axis: np.ndarray
    corners: np.ndarray


def _motion(columns: Sequence[np.ndarray] | np.ndarray, place: np.ndarray) -> np.ndarray:
    """The 4 x 4 matrix with the directions of axes as columns, and a place."""
    found = np.eye(4)
    for index, column in enumerate(columns):
        found[:3, index] = column / np.linalg.norm(column)
    found[:3, 3] = place
    return found


def xds_numbers(text: str, name: str) -> Stated:
    """What XDS.INP, a head, or XPARM.XDS states.

    Raises
    ------
    ValueError, IndexError
        If a number is not there.
    """
    plain = text.lstrip()
    if re.match(r"G?XPARM\.XDS", plain) or name.upper().endswith("XPARM.XDS"):
        return _of_rows(plain)
    return _of_keywords(plain)


def _of_keywords(text: str) -> Stated:
    """The numbers behind keywords; comments of XDS.INP are no part of it, the ! of heads is."""
    text = text.replace("!", " ") if text.startswith("!") else re.sub(r"!.*", "", text)

    def all_of(key: str, count: int = 1) -> np.ndarray:
        pattern = r"\s+".join([_NUMBER] * count)
        return np.array(re.findall(rf"(?<![A-Z_-]){key}=\s*{pattern}", text), float).reshape(-1, count)

    def last(key: str, count: int = 1) -> np.ndarray:
        found: np.ndarray = all_of(key, count)[-1]
        return found

    sizes = np.array([last("QX")[0], last("QY")[0]])
    fast, slow = (last(f"DIRECTION_OF_DETECTOR_{axis}-AXIS", 3) for axis in "XY")
    centre = np.array([last("ORGX")[0], last("ORGY")[0]])
    pixels = all_of("SEGMENT", 4)
    if len(pixels):
        parts = [
            (corner, np.array([x, y, away]), one, two)
            for corner, x, y, away, one, two in zip(
                pixels,
                all_of("SEGMENT_ORGX")[:, 0],
                all_of("SEGMENT_ORGY")[:, 0],
                all_of("SEGMENT_DISTANCE")[:, 0],
                all_of("DIRECTION_OF_SEGMENT_X-AXIS", 3),
                all_of("DIRECTION_OF_SEGMENT_Y-AXIS", 3),
                strict=True,
            )
        ]
    else:
        parts = [_whole(int(last("NX")[0]), int(last("NY")[0]))]
    corners = _corners(fast, slow, sizes, centre, float(last("DETECTOR_DISTANCE")[0]), parts)
    return Stated(
        float(last("X-RAY_WAVELENGTH")[0]),
        float(last("OSCILLATION_RANGE")[0]),
        last("INCIDENT_BEAM_DIRECTION", 3),
        last("ROTATION_AXIS", 3),
        corners,
    )


Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _whole(width: int, height: int) -> Part:
    """A detector of one piece as its only segment."""
    return np.array([1, width, 1, height]), np.zeros(3), np.eye(3)[0], np.eye(3)[1]


def _of_rows(text: str) -> Stated:
    """The rows of XPARM.XDS as XDS writes them today."""
    rows = [np.array(line.split(), float) for line in text.splitlines()[1:] if line.strip()]
    if [len(row) for row in rows[6:11]] != [5, 3, 3, 3, 3]:
        raise ValueError("rows of an older XPARM.XDS")
    count, (_, _, *size) = int(rows[6][0]), rows[6][1:]
    heads, bodies = rows[11 : 11 + 2 * count : 2], rows[12 : 12 + 2 * count : 2]
    parts = [(head[1:], body[:3], body[3:6], body[6:9]) for head, body in zip(heads, bodies, strict=True)]
    corners = _corners(rows[8], rows[9], np.array(size), rows[7][:2], float(rows[7][2]), parts)
    return Stated(float(rows[1][0]), float(rows[0][2]), rows[1][1:], rows[0][3:], corners)


def _corners(
    fast: np.ndarray, slow: np.ndarray, sizes: np.ndarray, centre: np.ndarray, distance: float, parts: Sequence[Part]
) -> np.ndarray:
    """First corner, fast end and slow end of each segment: (3 n, 3) mm."""
    detector = _motion([fast, slow, np.cross(fast, slow)], np.zeros(3))
    origin = _motion(np.eye(3), np.array([*(-centre * sizes), distance]))
    found = []
    for pixels, place, one, two in parts:
        # A segment's own origin is a pixel, counted from 1 at its centre; its distance runs along its normal.
        segment = _motion([one, two, np.cross(one, two)], np.zeros(3))
        begin = _motion(np.eye(3), np.array([*(-place[:2] * sizes), place[2]]))
        whole = detector @ origin @ segment @ begin
        low, high = pixels[[0, 2]] - 0.5, pixels[[1, 3]] + 0.5
        for x, y in (low, (high[0], low[1]), (low[0], high[1])):
            found.append((whole @ [x * sizes[0], y * sizes[1], 0.0, 1.0])[:3])
    return np.array(found)


# Steps, wide step, pixels of a chip along rows and columns, chips along both, and whether y falls with the row: um.
_CHIPS = {
    "SENS2X1:V1": (109.92, 274.8, 185, 194, 1, 2, True),
    "EPIX100:V1": (50.0, 175.0, 352, 384, 2, 2, False),
    "EPIX10KA:V1": (100.0, 250.0, 176, 192, 2, 2, True),
}


def _along(step: float, wide: float, count: int, chips: int) -> np.ndarray:
    """Centres of pixels along one direction about the middle: (chips, count) um."""
    if chips == 1:
        return (np.arange(count) * step - (count - 1) * step / 2.0)[None]
    half = np.arange(count) * step + wide - step / 2.0
    return np.stack([-half[::-1], half])


Lines = tuple[np.ndarray, np.ndarray, bool]


def _pixel_lines(kind: str) -> list[Lines]:
    """For each chip of a segment where its columns and its rows lie, in um, and whether columns run along x."""
    if kind in _CHIPS:
        step, wide, rows, columns, down, across, falls = _CHIPS[kind]
        tops = _along(step, wide, rows, down) * (-1.0 if falls else 1.0)
        return [(left, top, True) for top in tops for left in _along(step, wide, columns, across)]
    if kind.startswith("JUNGFRAU"):
        # Two pixels of gap between chips of 256.
        lefts, upright = ([np.arange(256) * 75.0 + 258 * 75.0 * place for place in range(many)] for many in (4, 2))
        middle = [(values[0][0] + values[-1][-1]) / 2.0 for values in (lefts, upright)]
        sign = -1.0 if kind.endswith("V1") else 1.0
        return [(left - middle[0], sign * (top - middle[1]), True) for top in upright for left in lefts]
    words = kind.split(":") if kind.startswith("MTRX") else ["", "512", "512", "75", "75"]
    rows, columns, row_step, column_step = int(words[1]), int(words[2]), float(words[3]), float(words[4])
    return [(np.arange(columns) * column_step, np.arange(rows) * row_step, False)]


def psana_corners(text: str) -> np.ndarray:
    """First corner, fast end and slow end of each chip, with Z towards the source: (3 n, 3) mm."""
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    objects = [(row[0], int(row[1]), row[2], int(row[3]), np.array(row[4:], float)) for row in rows]
    parents = {(name, index) for name, index, *_ in objects}
    root = (parents - {(name, index) for _, _, name, index, _ in objects}).pop()
    found: list[np.ndarray] = []

    def walk(parent: tuple[str, int], outer: np.ndarray, depth: int) -> None:
        below = sorted((entry for entry in objects if (entry[0], entry[1]) == parent), key=lambda entry: entry[3])
        for name, _, own, index, values in below:
            place = values[:3].copy()
            place[2] = -abs(place[2]) if name.startswith("IP") else place[2]
            whole = outer @ _moved(place, values[3:6] + values[6:9])
            if (own, index) in parents and depth < 32:
                walk((own, index), whole, depth + 1)
                continue
            for columns, lines, is_across in _pixel_lines(own):
                found.extend(_ends(whole, columns, lines, is_across))

    walk(root, np.eye(4), 0)
    return np.array(found) * 1e-3


def _moved(place: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """The turns about Z, Y and X one after the other, then the translation: (4, 4)."""
    whole = np.eye(4)
    for degrees, (first, second) in zip(turns, ((0, 1), (2, 0), (1, 2)), strict=True):
        step = np.eye(4)
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        step[first, first] = step[second, second] = cosine
        step[first, second], step[second, first] = -sine, sine
        whole = step @ whole
    whole[:3, 3] = place
    return whole


def _ends(whole: np.ndarray, columns: np.ndarray, rows: np.ndarray, is_across: bool) -> list[np.ndarray]:
    """First corner, fast end and slow end of one chip from its pixels' centres."""
    found = []
    for place in ((0, 0), (-1, 0), (0, -1)):
        # Half a step beyond the first or the last centre.
        ends = [_beyond(values, end) for values, end in zip((columns, rows), place, strict=True)]
        across, upright = ends if is_across else ends[::-1]
        found.append((whole @ [across, upright, 0.0, 1.0])[:3])
    return found


def _beyond(values: np.ndarray, end: int) -> float:
    """Half a step out of a row of centres, at its first or its last."""
    inner = values[1] if end == 0 else values[-2]
    return float(values[end] + (values[end] - inner) / 2.0)
