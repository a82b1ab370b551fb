"""Readers of HDF5 masters and archives in a process of their own: what a damaged file does to a library ends there.

What they describe comes back as text and arrays, of which only descriptions of this package are built again;
nothing is unpickled. Run as `python -m imgcif_core.sources.isolated`; see `imgcif_core.images.isolated`.
"""

import atexit
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from imgcif_core.errors import ImgcifError, InputError, UsageError
from imgcif_core.images.isolated import COMMAND, TIME_LIMIT, Helper
from imgcif_core.images.limits import BytesError, Limits
from imgcif_core.limits import DEFAULT_LIMITS, Budget

# What may be called, by name; each gives plain values, arrays and descriptions.
FUNCTIONS = {
    "master": "nxmx:read_described_master",
    "kind": "hdf5kinds:kind_of_hdf5",
    "run": "euxfel:read_run_files",
    "stack": "masters:stack_of",
    "geometry": "geom:read_geom_and_data",
    "heads": "archive:unpack_heads",
    "shape": "hdf5:shape_of",
    "values": "hdf5:plain_values",
}
_DESCRIPTIONS = ("imgcif_core.sources.", "imgcif_core.model.")
# An archive is unpacked at some MB a second at least.
_SLOW_BYTES = 1_000_000


def call(function: str, path: str | Path, *given: Any, **named: Any) -> Any:
    """What a function of the table gives for a file, called in the process that all readings share.

    Raises
    ------
    InputError
        What the function raises, or that the process ended or took too long.
    """
    helper = _shared()
    try:
        # A file, or the folder of many, is one piece of work.
        helper.budget = Budget(DEFAULT_LIMITS, Path(path).stat().st_size)
    except OSError:
        helper.budget = Budget(DEFAULT_LIMITS)
    return _asked(helper, function, path, given, named)


def call_once(function: str, path: str | Path, *given: Any, limits: Limits = DEFAULT_LIMITS, **named: Any) -> Any:
    """The same in a process for this call alone, which may take as long as the size of the file lets expect."""
    seconds = max(TIME_LIMIT, Path(path).stat().st_size / _SLOW_BYTES)
    helper = Helper(seconds, _command(), limits.memory, Budget(limits, Path(path).stat().st_size))
    try:
        return _asked(helper, function, path, given, named)
    finally:
        helper.close()


def read_described_master(
    path: str | Path,
    images_per_file: int | None = None,
    *,
    folders: Iterable[str | Path] = (),
    links_lead_out: bool = False,
) -> Any:
    """What an HDF5 master describes, as `nxmx.read_described_master` has it."""
    named = {"folders": [str(folder) for folder in folders], "links_lead_out": links_lead_out}
    return call("master", path, images_per_file, **named)


def read_master(path: str | Path, folders: Iterable[str | Path] = (), *, follow: bool = False) -> Any:
    """The experiment that an HDF5 master describes; directions that it does not give are defaults."""
    from imgcif_core.sources.draft import Draft

    described = read_described_master(path, folders=folders, links_lead_out=follow)
    return described.guessed() if isinstance(described, Draft) else described


def _command() -> list[str]:
    """How the process is started."""
    return [*COMMAND[:-1], "imgcif_core.sources.isolated"]


@lru_cache(maxsize=1)
def _shared() -> Helper:
    """The process of all readings, started with the first."""
    helper = Helper(TIME_LIMIT, _command(), DEFAULT_LIMITS.memory)
    atexit.register(helper.close)
    return helper


def _asked(helper: Helper, function: str, path: str | Path, given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """The answer of a process, built again."""
    arrays: list[np.ndarray] = []
    arguments = _plain([str(path), *given], arrays), _plain(dict(named), arrays)
    if arrays:
        raise TypeError("arrays are no arguments of isolated readers")
    try:
        block = helper.array("described", {"function": function, "given": arguments[0], "named": arguments[1]})
    except BytesError as error:
        words = f"not readable - {error}" if error.kind == "crashed" else str(error)
        raise InputError(words if str(path) in words else f"{path}: {words}") from None
    answer = unpacked(block)
    if "fault" in answer:
        raise (UsageError if answer["is_usage"] else InputError)(answer["fault"])
    return answer["found"]


def described(function: str, given: Any, named: Any) -> np.ndarray:
    """In the process: what a function gives, or what is wrong with the file, as bytes."""
    module, _, name = FUNCTIONS[function].partition(":")
    try:
        called = getattr(import_module(f"imgcif_core.sources.{module}"), name)
        return packed({"found": called(*_built(given, b""), **_built(named, b""))})
    except BytesError:
        raise
    except ImgcifError as error:
        return packed({"fault": str(error), "is_usage": isinstance(error, UsageError)})


def packed(value: Any) -> np.ndarray:
    """Plain values, arrays and descriptions as bytes: (n,) uint8."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_plain(value, arrays)).encode()
    parts = [len(text).to_bytes(8, "little"), text, *(np.ascontiguousarray(entry).tobytes() for entry in arrays)]
    return np.frombuffer(b"".join(parts), np.uint8)


def unpacked(block: np.ndarray) -> Any:
    """The values that `packed` made bytes of.

    Raises
    ------
    InputError
        If the bytes hold anything else.
    """
    data = block.tobytes()
    length = int.from_bytes(data[:8], "little")
    try:
        return _built(json.loads(data[8 : 8 + length]), data[8 + length :])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise InputError(f"the reader gave an answer that makes no sense ({type(error).__name__})") from None


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    """A value as JSON takes it; arrays are collected, and named by their place, type and shape."""
    if isinstance(value, Enum):
        return {"enum": _name(type(value)), "of": _plain(value.value, arrays)}
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return {"array": None, "of": _plain(value.tolist(), arrays)}
        start = sum(entry.nbytes for entry in arrays)
        arrays.append(value)
        return {"array": value.dtype.str, "at": start, "shape": list(value.shape)}
    if isinstance(value, (list, tuple)):
        return {"list" if isinstance(value, list) else "tuple": [_plain(entry, arrays) for entry in value]}
    if isinstance(value, Mapping):
        return {"dict": [[_plain(name, arrays), _plain(entry, arrays)] for name, entry in value.items()]}
    if is_dataclass(value) and not isinstance(value, type):
        found = {entry.name: _plain(getattr(value, entry.name), arrays) for entry in fields(value)}
        return {"class": _name(type(value)), "of": found}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be carried")


def _name(kind: type) -> str:
    """How a class is found again."""
    return f"{kind.__module__}:{kind.__qualname__}"


def _built(node: Any, data: bytes) -> Any:
    """The value of a node."""
    if isinstance(node, list):
        return [_built(entry, data) for entry in node]
    if not isinstance(node, dict):
        return node
    if "list" in node:
        return [_built(entry, data) for entry in node["list"]]
    if "tuple" in node:
        return tuple(_built(entry, data) for entry in node["tuple"])
    if "dict" in node:
        return {_built(name, data): _built(entry, data) for name, entry in node["dict"]}
    if "array" in node:
        return _array(node, data)
    kind = _class(node.get("class") or node["enum"])
    if "enum" in node:
        return kind(_built(node["of"], data))
    made = kind.__new__(kind)
    for entry in fields(kind):
        object.__setattr__(made, entry.name, _built(node["of"][entry.name], data))
    return made


def _array(node: Mapping[str, Any], data: bytes) -> np.ndarray:
    """An array; texts of any length come as a list."""
    if node["array"] is None:
        return np.array(_built(node["of"], data), dtype=object)
    dtype = np.dtype(node["array"])
    if dtype.hasobject:
        raise ValueError("an array of objects")
    count = int(np.prod(node["shape"], dtype=np.int64))
    return np.frombuffer(data, dtype, count, node["at"]).reshape(node["shape"]).copy()


def _class(name: str) -> Any:
    """A class of descriptions of this package, and no other."""
    module, _, qualified = name.partition(":")
    if not module.startswith(_DESCRIPTIONS) or "." in qualified:
        raise ValueError(f"{name} is no description")
    found = getattr(import_module(module), qualified)
    if not isinstance(found, type) or not (is_dataclass(found) or issubclass(found, Enum)):
        raise ValueError(f"{name} is no description")
    return found


if __name__ == "__main__":
    from imgcif_core.images.worker import main

    # Classes are named by their modules, so that this one goes by its own name.
    main({"described": import_module("imgcif_core.sources.isolated").described})
