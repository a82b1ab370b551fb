"""Where the images of a scan lie: as the file links them, and on this machine."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from imgcif_core.cif.document import Document
from imgcif_core.cif.matrices import hash_text
from imgcif_core.images.local import LocalData
from imgcif_core.model.external import ExternalData, build_external
from imgcif_core.model.joins import combined, filled_hashes, rows_of
from imgcif_core.model.scans import Scan
from imgcif_core.sources.description import ImageFiles
from imgcif_core.tables import Tables

# Tails of a member's name that are looked for below a local folder.
_TAILS = 8


class LocalFiles:
    """Finds linked files in folders of this machine, a folder at a time; nothing is unpacked.

    Parameters
    ----------
    base :
        The folder of the document: what lies beside it is found as well.
    local :
        Folders with downloaded files or unpacked archives.
    maps :
        Stand-ins for URIs, as `imgcif-check --map` takes them.
    """

    def __init__(
        self, base: Path | None = None, local: Sequence[Path] = (), maps: Mapping[str, str] | None = None
    ) -> None:
        self.folders = [*local, *([base] if base is not None else [])]
        chosen: list[Path | None] = [*self.folders] or [None]
        self._stand_ins = [LocalData(base=base, local=folder, maps=maps) for folder in chosen]
        self._places: dict[tuple[str, str], Path | None] = {}
        self._names: dict[Path, frozenset[str]] = {}

    def find(self, uri: str, member: str | None) -> Path | None:
        """The file that a link leads to, None if it is not on this machine as a file of its own."""
        head, _, name = (member if member is not None else uri).rpartition("/")
        key = (uri if member is not None else "", head)
        if key not in self._places:
            self._places[key] = self._folder(uri, member)
        folder = self._places[key]
        if folder is None or not name:
            return None
        return folder / name if name in self._listing(folder) else None

    def close(self) -> None:
        """Let go of what was opened."""
        for entry in self._stand_ins:
            entry.close()

    def _folder(self, uri: str, member: str | None) -> Path | None:
        """The local folder in which a file, and those linked beside it, lie."""
        for entry in self._stand_ins:
            found = entry.stand_in(uri)
            if member is None and isinstance(found, Path) and found.is_file():
                return found.parent
            if member is not None and isinstance(found, Path) and found.is_dir():
                inside = _below(found, member)
                if inside is not None:
                    return inside.parent
        return self._unpacked(member) if member is not None else None

    def _unpacked(self, member: str) -> Path | None:
        """The folder of a member that was unpacked below a local folder: the longest tail that is there."""
        parts = PurePosixPath(member).parts
        for folder in self.folders:
            for start in range(max(0, len(parts) - _TAILS), len(parts)):
                found = _below(folder, "/".join(parts[start:]))
                if found is not None:
                    return found.parent
        return None

    def _listing(self, folder: Path) -> frozenset[str]:
        """The names in a folder, read once."""
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))
            except OSError:
                self._names[folder] = frozenset()
        return self._names[folder]


def _below(folder: Path, name: str) -> Path | None:
    """A file below a folder; None if the name climbs out, or nothing is there."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        return None
    found = folder / path
    try:
        return found if found.is_file() else None
    except OSError:
        return None


class ScanImages:
    """The images of the scans of one block."""

    def __init__(self, tables: Tables, document: Document, files: LocalFiles) -> None:
        self.document, self.files = document, files
        self.external: ExternalData = build_external(tables)
        self._frame_ids = tables.table("diffrn_scan_frame")
        self._texts = {
            name: self.external.table.texts(name)
            for name in ("uri", "archive_path", "path", "format")
            if self.external.table
        }

    def of(self, scan: Scan | None, arrays: Sequence[str]) -> tuple[ImageFiles | None, bool]:
        """The images of a scan, where all panels lie in one array, and whether they are on this machine."""
        distinct = list(dict.fromkeys(name.casefold() for name in arrays))
        if len(distinct) != 1:
            return None, False
        count = scan.count if scan is not None else max(1, len(self.document.sections))
        if self.document.sections and not len(self.external):
            if len(self.document.sections) < count:
                return None, False
            own = ImageFiles(
                (self.document.source.path,), np.zeros(count, np.int64), np.arange(1, count + 1), None, "CBF"
            )
            return own, True
        rows = self._rows(scan, arrays[0])
        if rows is None or len(rows) < count or (rows < 0).any():
            return None, False
        return self._linked(rows[:count])

    def _rows(self, scan: Scan | None, array: str) -> np.ndarray | None:
        """The row of external data of each frame of a scan; None where the frames are not listed."""
        frames = self.external.frames
        if not len(self.external) or not frames:
            return np.arange(len(self.external)) if len(self.external) else None
        if scan is None or not len(scan.frame_rows):
            return self.external.of_frame
        wanted = filled_hashes(self._frame_ids, "frame_id", "")[scan.frame_rows]
        ids, owners = filled_hashes(frames, "id", ""), filled_hashes(frames, "array_id", "1")
        name = np.full(len(wanted), hash_text(array), dtype=np.uint64)
        rows = rows_of(combined([ids, owners]), combined([wanted, name]))
        return np.where(rows >= 0, self.external.of_frame[rows], -1)

    def _linked(self, rows: np.ndarray) -> tuple[ImageFiles | None, bool]:
        """The files behind rows of external data: local paths where all are here, else names as linked."""
        uris, members = self._texts["uri"], self._texts["archive_path"]
        links = [(uris[row] or "", members[row]) for row in rows.tolist()]
        local = []
        for uri, member in links:
            path = self.files.find(uri, member)
            if path is None:
                break
            local.append(str(path))
        is_local = len(local) == len(links)
        names = local if is_local else [member or uri for uri, member in links]
        order: dict[str, int] = {}
        file = np.array([order.setdefault(name, len(order)) for name in names], dtype=np.int64)
        paths = {self._texts["path"][row] for row in rows.tolist()}
        kinds = {self._texts["format"][row] for row in rows.tolist()}
        if len(paths) > 1:
            return None, False
        numbers = self.external.frame_numbers[rows]
        if (np.isnan(numbers) & self.external.table.explicit("frame")[rows]).any():
            # Which image of its file a frame is, cannot be read.
            return None, False
        frame = np.nan_to_num(numbers, nan=1.0).astype(np.int64)
        return ImageFiles(tuple(order), file, frame, paths.pop(), kinds.pop() if len(kinds) == 1 else None), is_local
