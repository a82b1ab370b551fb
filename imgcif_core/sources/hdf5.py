"""HDF5 files read with care: links stay within the folder, units are converted, texts are texts."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError
from imgcif_core.images.hdf5_door import Door, is_dataset, is_group, is_own, names_in
from imgcif_core.images.hdf5_door import attribute as raw_attribute
from imgcif_core.images.limits import BytesError

LENGTHS = {"m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "micron": 1e-3, "microns": 1e-3, "µm": 1e-3, "nm": 1e-6}
ANGLES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "rad": 180.0 / np.pi, "radian": 180.0 / np.pi}
ANGLES.update({"radians": 180.0 / np.pi, "mrad": 0.18 / np.pi})
WAVELENGTHS = {"angstrom": 1.0, "angstroms": 1.0, "å": 1.0, "a": 1.0, "nm": 10.0, "m": 1e10, "pm": 0.01}
TIMES = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MAX_STEPS = 64
MAX_EXACT = 10_000
MAX_MEMBERS = 100_000


class Master:
    """An open HDF5 file with the files beside it that it links to; use it in a `with`.

    Raises
    ------
    InputError
        If h5py is missing or the file is no readable HDF5.
    """

    def __init__(self, path: str | Path, folders: Iterable[str | Path] = (), *, follow: bool = False) -> None:
        self.path = Path(path)
        self.notes: list[str] = []
        # Names of the datasets whose values were read, and of those that are images.
        self.read: set[str] = set()
        self.images: set[str] = set()
        self._door = Door(path, {}, folders, follow=follow)
        try:
            self.root = self._door.root
        except BytesError as error:
            if error.kind == "unsupported":
                raise InputError(f"{path}: reading HDF5 needs the extra 'images' (h5py)") from None
            raise InputError(f"{path}: not readable as HDF5 - {error}") from None

    def __enter__(self) -> "Master":
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()

    def get(self, base: Any, path: str) -> Any:
        """The group or dataset at a path, followed link by link; None where there is none."""
        try:
            if not is_group(base):
                base = self._door.follow(base.file, base.name.rpartition("/")[0] or "/")[0]
            return self._door.follow(base, path)[0]
        except BytesError as error:
            # Some writers leave out the slash with which a path from the root begins.
            if "/" in path and not path.startswith("/") and path.split("/")[0] in self.root:
                return self.get(self.root, f"/{path}")
            self._note(error)
            return None

    def resolve(self, filename: str) -> str | None:
        """The file that a link names, None where it is missing or lies outside the folder."""
        try:
            return self._door.linked(filename, self._door.path)
        except BytesError as error:
            self._note(error)
            return None

    def _note(self, error: BytesError) -> None:
        """Keep what a link asked for in vain."""
        if error.kind == "missing":
            return
        note = f"linked file {error} is missing" if error.kind == "needed" else str(error)
        if note not in self.notes:
            self.notes.append(note)

    def groups(self, base: Any, nx_class: str) -> Iterator[tuple[str, Any]]:
        """Name and group of the direct members of a NeXus class, in the order of names."""
        for name in names_in(base, MAX_MEMBERS) if is_group(base) else ():
            node = self.get(base, name) if is_own(base, name) else None
            if is_group(node) and attribute(node, "NX_class") == nx_class:
                yield name, node

    def names(self, path: str) -> list[str]:
        """The names in a group, sorted; none where there is no such group."""
        node = self.get(self.root, path)
        return names_in(node, MAX_MEMBERS) if is_group(node) else []

    def is_own(self, path: str) -> bool:
        """True for what is stored at a path, not linked to."""
        parent, _, name = path.rpartition("/")
        node = self.get(self.root, parent or "/")
        return is_group(node) and is_own(node, name)

    def is_dataset(self, node: Any) -> bool:
        """True for a dataset."""
        return is_dataset(node)

    def datasets(self, base: Any) -> Iterator[Any]:
        """All datasets below a group that are stored in it, not linked to; in the order of names."""
        seen = {base} if is_group(base) else set()
        pending = list(seen)
        while pending and len(seen) < MAX_MEMBERS:
            node = pending.pop()
            if is_dataset(node):
                yield node
                continue
            below = (self.get(node, name) for name in names_in(node, MAX_MEMBERS) if is_own(node, name))
            fresh = [entry for entry in below if (is_group(entry) or is_dataset(entry)) and entry not in seen]
            seen.update(fresh)
            pending.extend(reversed(fresh))

    def shown(self, node: Any) -> str:
        """A value as a text of one line; of many the first and the last."""
        try:
            values = np.asarray(self._door.value(node)).ravel()
        except BytesError:
            return "unreadable"
        texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
        return " ".join(texts)[:200] if len(texts) <= 3 else f"{texts[0][:80]} ... {texts[-1][:80]}"

    def text(self, base: Any, path: str) -> str | None:
        """A text value; None where there is none."""
        value = self._value(base, path)
        if isinstance(value, np.ndarray):
            value = value.ravel()[0] if value.size else None
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return value.strip() or None if isinstance(value, str) else None

    def numbers(self, base: Any, path: str, units: dict[str, float] | None = None, default: str = "") -> np.ndarray:
        """Values as (n,) float64 in the unit of the project, converted by a table; empty if absent.

        `default` is the unit of a dataset that names none.

        Raises
        ------
        InputError
            If the unit is not in the table.
        """
        value = self._value(base, path)
        if value is None:
            return np.zeros(0)
        try:
            values = _as_written(np.asarray(value)).ravel()
        except (TypeError, ValueError):
            raise InputError(f"{self.path}: {self._place(base, path)} is not a number") from None
        if units is None:
            return values
        node = self.get(base, path)
        unit = (attribute(node, "units") or default).strip()
        factor = units.get(unit.lower())
        if factor is None:
            raise InputError(
                f"{self.path}: {self._place(base, path)} has the unit {unit!r}, expected one of {', '.join(units)}"
            )
        return values if factor == 1.0 else _without_noise(values * factor)

    def number(self, base: Any, path: str, units: dict[str, float] | None = None, default: str = "") -> float | None:
        """The first of some values; None where there is none or it is not finite."""
        values = self.numbers(base, path, units, default)
        return float(values[0]) if len(values) and np.isfinite(values[0]) else None

    def _value(self, base: Any, path: str) -> Any:
        """The value of a small dataset."""
        node = self.get(base, path)
        if not self.is_dataset(node):
            return None
        if node.size is None:
            raise InputError(f"{self.path}: {self._place(base, path)} holds no values")
        self.read.add(node.name)
        try:
            return self._door.value(node, self._place(base, path))
        except BytesError as error:
            if error.kind in ("unsafe", "needed"):
                self._note(error)
                return None
            raise InputError(f"{self.path}: {error}") from None

    def _place(self, base: Any, path: str) -> str:
        """A path for messages."""
        return path if path.startswith("/") else f"{base.name.rstrip('/')}/{path}"


def _as_written(values: np.ndarray) -> np.ndarray:
    """Values as float64; those stored in single precision by their shortest decimal form."""
    if values.dtype == np.float32 and values.size <= MAX_EXACT:
        return np.array([float(str(value)) for value in values.ravel()])
    return values.astype(float)


def _without_noise(values: np.ndarray) -> np.ndarray:
    """Values without the last binary digits that a change of unit made."""
    if values.size > MAX_EXACT:
        return values
    return np.array([float(f"{value:.15g}") for value in values])


def attribute(node: Any, name: str) -> str:
    """A text attribute; empty where there is none."""
    value = raw_attribute(node, name)
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def vector(node: Any, name: str) -> np.ndarray | None:
    """An attribute of three numbers; None where there is none."""
    try:
        value = np.asarray(raw_attribute(node, name), dtype=float).ravel()
    except (TypeError, ValueError):
        return None
    return value if value.shape == (3,) and np.isfinite(value).all() else None


def plain_values(path: str, datasets: Iterable[str], group: str) -> tuple[dict[str, tuple[np.ndarray, str]], list[str]]:
    """Numbers of datasets as they are stored, with their units, and the names in a group; for a second look."""
    with Master(path) as master:
        found = {
            name: (master.numbers(master.root, name), attribute(master.get(master.root, name), "units"))
            for name in datasets
        }
        return found, master.names(group)


def shape_of(path: str, dataset: str) -> tuple[int, ...]:
    """The shape of a dataset; empty where there is none."""
    with Master(path) as master:
        node = master.get(master.root, dataset)
        return tuple(int(length) for length in node.shape) if master.is_dataset(node) else ()
