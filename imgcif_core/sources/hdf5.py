"""HDF5 files read with care: links stay within the folder, units are converted, texts are texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import InputError

LENGTHS = {"m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "micron": 1e-3, "microns": 1e-3, "µm": 1e-3, "nm": 1e-6}
ANGLES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "rad": 180.0 / np.pi, "radian": 180.0 / np.pi}
ANGLES.update({"radians": 180.0 / np.pi, "mrad": 0.18 / np.pi})
WAVELENGTHS = {"angstrom": 1.0, "angstroms": 1.0, "å": 1.0, "a": 1.0, "nm": 10.0, "m": 1e10, "pm": 0.01}
TIMES = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MAX_STEPS = 64
MAX_EXACT = 10_000


class Master:
    """An open HDF5 file with the files beside it that it links to; use it in a `with`.

    Raises
    ------
    InputError
        If h5py is missing or the file is no readable HDF5.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import h5py
        except ImportError:
            raise InputError(f"{path}: reading HDF5 needs the extra 'images' (h5py)") from None
        self._h5py = h5py
        self.path = Path(path)
        self.folder = self.path.resolve().parent
        self.refused: list[str] = []
        self.missing: list[str] = []
        self._opened: dict[Path, Any] = {}
        try:
            self.root = h5py.File(self.path, "r")
        except OSError as error:
            raise InputError(f"{path}: not readable as HDF5 - {_first_line(error)}") from None

    def __enter__(self) -> "Master":
        return self

    def __exit__(self, *_: object) -> None:
        for handle in (*self._opened.values(), self.root):
            handle.close()

    def get(self, base: Any, path: str) -> Any:
        """The group or dataset at a path, followed link by link; None where there is none."""
        node = base.file["/"] if path.startswith("/") else base
        for part in path.split("/"):
            if part in ("", "."):
                continue
            if not isinstance(node, self._h5py.Group):
                return None
            link = node.get(part, getlink=True)
            if isinstance(link, self._h5py.ExternalLink):
                node = self._external(node, link.filename, link.path)
            elif isinstance(link, self._h5py.SoftLink):
                node = self._soft(node, link.path)
            else:
                node = self._hard(node, part)
            if node is None:
                return None
        return node

    def _soft(self, node: Any, target: str, depth: int = 0) -> Any:
        """The target of a soft link; None for a chain of links that does not end."""
        if depth > MAX_STEPS or target.count("/") > MAX_STEPS:
            return None
        parent, _, name = target.rpartition("/")
        holder = node.file["/"] if target.startswith("/") else node
        for part in parent.split("/"):
            holder = self._hard(holder, part) if part not in ("", ".") and holder is not None else holder
        if holder is None or not isinstance(holder, self._h5py.Group):
            return None
        link = holder.get(name, getlink=True)
        if isinstance(link, self._h5py.SoftLink):
            return self._soft(holder, link.path, depth + 1)
        if isinstance(link, self._h5py.ExternalLink):
            return self._external(holder, link.filename, link.path)
        return self._hard(holder, name)

    def _hard(self, node: Any, part: str) -> Any:
        """A member that needs no other file."""
        if not isinstance(node, self._h5py.Group) or node.get(part, getlink=True) is None:
            return None
        if not isinstance(node.get(part, getlink=True), self._h5py.HardLink):
            return None
        try:
            return node[part]
        except (KeyError, OSError, RuntimeError):
            return None

    def _external(self, node: Any, filename: str, path: str) -> Any:
        """The target of a link to another file, within the folder of the master only."""
        target = self.resolve(filename, Path(node.file.filename))
        if target is None:
            return None
        if target not in self._opened:
            try:
                self._opened[target] = self._h5py.File(target, "r")
            except OSError as error:
                self.missing.append(f"{filename} ({_first_line(error)})")
                return None
        return self._soft(self._opened[target]["/"], "/" + path.lstrip("/"))

    def resolve(self, filename: str, holder: Path | None = None) -> Path | None:
        """The file that a link names, None where it is missing or lies outside the folder."""
        base = (holder or self.path).resolve().parent
        target = (base / filename).resolve()
        if not target.is_relative_to(self.folder):
            self._note(self.refused, filename)
            return None
        if not target.is_file():
            self._note(self.missing, filename)
            return None
        return target

    @staticmethod
    def _note(names: list[str], name: str) -> None:
        if name not in names:
            names.append(name)

    def groups(self, base: Any, nx_class: str) -> Iterator[tuple[str, Any]]:
        """Name and group of the direct members of a NeXus class, in the order of names."""
        for name in sorted(base) if isinstance(base, self._h5py.Group) else ():
            node = self._hard(base, name)
            if isinstance(node, self._h5py.Group) and attribute(node, "NX_class") == nx_class:
                yield name, node

    def is_dataset(self, node: Any) -> bool:
        """True for a dataset."""
        return isinstance(node, self._h5py.Dataset)

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
        if node.size is None or node.size > 50_000_000:
            raise InputError(f"{self.path}: {self._place(base, path)} holds {node.size} values, too many for metadata")
        try:
            return node[()]
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(f"{self.path}: {self._place(base, path)} cannot be read - {_first_line(error)}") from None

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
    if node is None:
        return ""
    try:
        value = node.attrs.get(name)
    except (OSError, RuntimeError):
        return ""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def vector(node: Any, name: str) -> np.ndarray | None:
    """An attribute of three numbers; None where there is none."""
    try:
        value = np.asarray(node.attrs.get(name), dtype=float).ravel()
    except (TypeError, ValueError, OSError, RuntimeError):
        return None
    return value if value.shape == (3,) and np.isfinite(value).all() else None


def _first_line(error: Exception) -> str:
    """The first line of a message."""
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
