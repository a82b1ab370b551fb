"""External data: the rows of ARRAY_DATA_EXTERNAL_DATA, joined to the arrays and frames that use them."""

import numpy as np

from imgcif_core.arrays import Flags
from imgcif_core.cif.matrices import hash_text
from imgcif_core.cif.values import fold
from imgcif_core.formats import MANY_IMAGES, SINGLE_IMAGES
from imgcif_core.model.joins import NONE, combined, filled_hashes, rows_named
from imgcif_core.model.shapes import Shapes, shapes_of
from imgcif_core.records import cached_property, dataclass
from imgcif_core.tables import Table, Tables


@dataclass(frozen=True, slots=True)
class ExternalImage:
    """What one row says; None where it says nothing."""

    row: int
    uri: str | None
    format: str | None
    archive_format: str | None
    archive_path: str | None
    path: str | None
    frame: str
    file_compression: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Frames in the order of their scans: one entry for each frame with an external row.

    row : rows of the external table; number : frame numbers; starts_run : where another scan or
    another array begins. All (entries,).
    """

    row: np.ndarray
    number: np.ndarray
    starts_run: np.ndarray


@dataclass(frozen=True)
class ExternalData:
    """The external rows of a block, and what uses them; immutable.

    of_data : (rows of ARRAY_DATA,) and of_frame : (rows of DIFFRN_DATA_FRAME,) hold row numbers of the
    external table, -1 where there is none.
    """

    table: Table
    data: Table
    frames: Table
    scan_frames: Table

    def __len__(self) -> int:
        return self.table.rows

    def image(self, row: int) -> ExternalImage:
        """What a row says."""
        names = ("uri", "format", "archive_format", "archive_path", "path")
        uri, kind, archive, member, path = (self.table.text(name, row) for name in names)
        frame = self.table.text("frame", row, "1") or "1"
        return ExternalImage(row, uri, kind, archive, member, path, frame, self.table.text("file_compression", row))

    @cached_property
    def ids(self) -> np.ndarray:
        """The hashes of the ids; the default is 1: (n,)."""
        return filled_hashes(self.table, "id", "1")

    @cached_property
    def is_embedded(self) -> np.ndarray:
        """Where a row of ARRAY_DATA holds data of its own: (rows of ARRAY_DATA,) bool."""
        return self.data.explicit("data")

    @cached_property
    def of_data(self) -> np.ndarray:
        """The external row of each row of ARRAY_DATA."""
        pointed = self.data.explicit("external_data_id") | ~self.is_embedded
        rows = rows_named(self.table, ("id",), self.data, ("external_data_id",), ("1",))
        return np.where(pointed, rows, NONE)

    @cached_property
    def data_of_frame(self) -> np.ndarray:
        """The row of ARRAY_DATA of each frame."""
        names = ("array_id", "binary_id")
        return rows_named(self.data, names, self.frames, names, ("1", "1"))

    @cached_property
    def of_frame(self) -> np.ndarray:
        """The external row of each row of DIFFRN_DATA_FRAME."""
        rows = self.data_of_frame
        if not len(self.of_data):
            return np.full(len(rows), NONE)
        return np.where(rows >= 0, self.of_data[rows], NONE)

    @cached_property
    def uris(self) -> Shapes | None:
        """The shapes of the URIs."""
        return self._shapes("uri")

    @cached_property
    def archive_paths(self) -> Shapes | None:
        """The shapes of the member names."""
        return self._shapes("archive_path")

    def _shapes(self, name: str) -> Shapes | None:
        column = self.table.column(name)
        return shapes_of(column) if column is not None else None

    @cached_property
    def file_keys(self) -> np.ndarray:
        """One hash for each file: the same URI and the same member, (n,) uint64."""
        return combined([filled_hashes(self.table, name, "") for name in ("uri", "archive_path")])

    @cached_property
    def dataset_keys(self) -> np.ndarray:
        """One hash for each stack of images: file and path within it, (n,) uint64."""
        if not self.table.explicit("path").any():
            return self.file_keys
        return combined([self.file_keys, filled_hashes(self.table, "path", "")])

    @cached_property
    def image_keys(self) -> np.ndarray:
        """One hash for each image: stack and frame, (n,) uint64."""
        if not self.table.explicit("frame").any():
            return self.dataset_keys
        return combined([self.dataset_keys, filled_hashes(self.table, "frame", "1")])

    @cached_property
    def has_own_images(self) -> bool:
        """True if it is plain, without sorting, that no two rows point to one image."""
        columns = (self.table.column(name) for name in ("archive_path", "uri"))
        return any(column is not None and not column.has_nulls and column.is_all_distinct for column in columns)

    @cached_property
    def frame_numbers(self) -> np.ndarray:
        """The image within the stack; the default is 1, nan for sections and other texts: (n,)."""
        numbers = self.table.numbers("frame")
        return np.where(self.table.explicit("frame"), numbers, 1.0)

    @cached_property
    def is_container(self) -> np.ndarray:
        """Where the format holds several images in a file: (n,) bool."""
        return self.where("format", MANY_IMAGES)

    @cached_property
    def is_single_image(self) -> np.ndarray:
        """Where the format holds one image in a file: (n,) bool."""
        return self.where("format", SINGLE_IMAGES)

    def where(self, name: str, values: frozenset[str]) -> Flags:
        """Where a column of few distinct words holds one of the values, in any case: (n,) bool."""
        column = self.table.column(name)
        if column is None:
            return np.zeros(self.table.rows, dtype=bool)
        if column.few_folded is not None:
            folded = {fold(value) for value in values}
            return np.array([text in folded for text in column.few_folded], dtype=bool)
        wanted = [hash_text(value, fold=True) for value in values]
        first, inverse = column.distinct()
        found: Flags = np.isin(column.folded_hashes()[first], wanted)[inverse]
        return found

    @cached_property
    def sequence(self) -> Sequence:
        """The frames in the order of their scans, each array of a scan for itself."""
        rows = np.flatnonzero(self.of_frame >= 0)
        frame_rows = rows_named(self.scan_frames, ("frame_id",), self.frames, ("id",), ("",))
        frame_rows = frame_rows[rows]
        numbers = self._frame_numbers_in_scans()
        listed = frame_rows >= 0
        number = np.where(listed, numbers[frame_rows], np.nan) if len(numbers) else np.full(len(rows), np.nan)
        rows, frame_rows, number = rows[listed], frame_rows[listed], number[listed]
        runs = self._runs(rows, frame_rows)
        if len(runs) > 1 and ((np.diff(number) < 0) | (runs[1:] != runs[:-1])).any():
            order = np.lexsort((number, runs))
            rows, number, runs = rows[order], number[order], runs[order]
        starts = np.ones(len(rows), dtype=bool)
        starts[1:] = runs[1:] != runs[:-1]
        return Sequence(self.of_frame[rows], number, starts)

    def _runs(self, rows: np.ndarray, frame_rows: np.ndarray) -> np.ndarray:
        """One hash for each scan, element, array and section."""
        names = ("detector_element_id", "array_id", "array_section_id")
        parts = [filled_hashes(self.frames, name, "1")[rows] for name in names if self.frames.has(name)]
        return combined([filled_hashes(self.scan_frames, "scan_id", "")[frame_rows], *parts])

    def _frame_numbers_in_scans(self) -> np.ndarray:
        """The number of each row of DIFFRN_SCAN_FRAME, the order of the rows where none is given."""
        numbers = self.scan_frames.numbers("frame_number")
        return np.arange(1.0, self.scan_frames.rows + 1) if np.isnan(numbers).any() else numbers


def build_external(tables: Tables) -> ExternalData:
    """The external data of a block."""
    names = ("array_data_external_data", "array_data", "diffrn_data_frame", "diffrn_scan_frame")
    return ExternalData(*(tables.table(name) for name in names))
