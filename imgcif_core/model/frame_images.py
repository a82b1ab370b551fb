"""Which images belong to which frames, and the choice of frames to look at."""

from collections.abc import Iterator

import numpy as np

from imgcif_core.model.arrays import DEFAULT_ARRAY
from imgcif_core.model.joins import filled_hashes, rows_spelt
from imgcif_core.model.storage import StoredArrays
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Table

NONE = -1


@dataclass(frozen=True, slots=True)
class FrameImage:
    """One image of one frame: rows of the tables, -1 where there is none.

    `position` counts the frames of the scan from 0; a frame has one image for each detector element.
    """

    scan_id: str
    position: int
    frame_id: str | None
    frame_row: int
    data_row: int
    array_id: str
    section_id: str | None


class FrameImages:
    """The images of a block in the order of its scans; without frames, the rows of ARRAY_DATA."""

    def __init__(self, arrays: StoredArrays) -> None:
        self.arrays = arrays
        tables = arrays.tables
        self.data = tables.table("array_data")
        self.frames = tables.table("diffrn_data_frame")
        self.scan_frames = tables.table("diffrn_scan_frame")

    def scans(self) -> list[tuple[str, np.ndarray]]:
        """The id and the frames of each scan, in the order of their numbers.

        Frames are rows of DIFFRN_SCAN_FRAME, of DIFFRN_DATA_FRAME where there are no scans, or of
        ARRAY_DATA where there are no frames.
        """
        if not self.frames:
            return [("", np.arange(self.data.rows))]
        if not self.scan_frames:
            _, first = np.unique(filled_hashes(self.frames, "id", ""), return_index=True)
            return [("", np.sort(first))]
        column = self.scan_frames.column("scan_id")
        if column is None:
            return [("", self._in_order(np.arange(self.scan_frames.rows)))]
        first, inverse = column.distinct()
        return [
            (column.text(int(row)), self._in_order(np.flatnonzero(inverse == index)))
            for index, row in enumerate(first.tolist())
        ]

    def _in_order(self, rows: np.ndarray) -> np.ndarray:
        """Rows of frames by their numbers, as they stand where not all have one."""
        numbers = self.scan_frames.numbers("frame_number")[rows]
        return rows if np.isnan(numbers).any() else rows[np.argsort(numbers, kind="stable")]

    def chosen(self, *, sample: bool) -> Iterator[FrameImage]:
        """The images of all frames, or of the first, the middle and the last frame of each scan."""
        by_frame = _Groups(filled_hashes(self.frames, "id", "")) if self.frames else None
        data_rows = self.data_rows_of_frames()
        ids = filled_hashes(self.scan_frames, "frame_id", "") if self.scan_frames else None
        for scan_id, rows in self.scans():
            if not len(rows):
                continue
            positions = np.array(sorted({0, (len(rows) - 1) // 2, len(rows) - 1})) if sample else np.arange(len(rows))
            for position in positions[positions < len(rows)].tolist():
                row = int(rows[position])
                if by_frame is None:
                    yield self._of_data(row, position)
                    continue
                key = ids[row] if ids is not None else by_frame.keys[row]
                for frame_row in by_frame.rows(key):
                    yield self._of_frame(scan_id, position, frame_row, int(data_rows[frame_row]))

    def data_rows_of_frames(self) -> np.ndarray:
        """The first row of ARRAY_DATA of each row of DIFFRN_DATA_FRAME."""
        if not self.frames or not self.data:
            return np.full(self.frames.rows, NONE)
        # Data that name no array belong to the only one; a single row needs no names at all.
        given = [name for name in ("array_id", "binary_id") if self.data.has(name)]
        names = given if self.data.rows > 1 or len(given) == 2 else [name for name in given if self.frames.has(name)]
        if not names:
            return (
                np.zeros(self.frames.rows, dtype=np.int64) if self.data.rows == 1 else np.full(self.frames.rows, NONE)
            )
        return rows_spelt(self.data, names, self.frames, names, ["1"] * len(names))

    def _of_frame(self, scan_id: str, position: int, frame_row: int, data_row: int) -> FrameImage:
        """The image of a row of DIFFRN_DATA_FRAME."""
        array = self.frames.text("array_id", frame_row, DEFAULT_ARRAY) or DEFAULT_ARRAY
        section = self.frames.text("array_section_id", frame_row)
        return FrameImage(scan_id, position, self.frames.text("id", frame_row), frame_row, data_row, array, section)

    def _of_data(self, row: int, position: int) -> FrameImage:
        """The image of a row of ARRAY_DATA without a frame."""
        return FrameImage("", position, None, NONE, row, self.arrays.id_of(row), None)

    def table_of(self, image: FrameImage) -> tuple[Table, int]:
        """The row that stands for an image in messages."""
        return (self.frames, image.frame_row) if image.frame_row >= 0 else (self.data, image.data_row)


# So many searches through all keys are faster than a sort of them.
_SEARCHES = 12


class _Groups:
    """Rows by key, found without a step per row."""

    def __init__(self, keys: np.ndarray) -> None:
        self.keys = keys
        self._searches = 0

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows in the order of their keys, and the keys in it."""
        order = np.argsort(self.keys, kind="stable")
        return order, self.keys[order]

    def rows(self, key: np.uint64) -> list[int]:
        """The rows of a key, in order."""
        self._searches += 1
        if self._searches <= _SEARCHES:
            found: list[int] = np.flatnonzero(self.keys == key).tolist()
            return found
        order, keys = self._sorted
        found = order[np.searchsorted(keys, key, "left") : np.searchsorted(keys, key, "right")].tolist()
        return found
