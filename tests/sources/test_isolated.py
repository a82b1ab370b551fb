"""Masters and archives are read in a process of their own, and what comes back are descriptions alone."""

import os
import signal
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcif_core.errors import InputError
from imgcif_core.images.isolated import Helper
from imgcif_core.sources import isolated
from imgcif_core.sources.description import Origin, Provenance, ScanFacts
from imgcif_core.sources.isolated import call, packed, unpacked


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, entry.name), getattr(other, entry.name)) for entry in fields(one))
    return type(one) is type(other) and one == other


def test_descriptions_come_back_as_they_went() -> None:
    scan = ScanFacts("s", 3, {"omega": (0.1, float("inf"))}, (), varying={"phi": np.arange(3.0)})
    value = {"scan": scan, "by": (Provenance(Origin.FILE, "a", "b"), None, True, "é"), "empty": np.zeros((0, 3), "<i2")}
    found = unpacked(packed(value))
    assert same(found["scan"].varying["phi"], np.arange(3.0))
    assert same(found["scan"].settings, {"omega": (0.1, float("inf"))})
    assert found["by"] == value["by"]
    assert same(found["empty"], value["empty"])


@pytest.mark.parametrize(
    "text",
    [
        '{"class": "os:system", "of": {}}',
        '{"class": "imgcif_core.sources.isolated:Helper", "of": {}}',
        '{"class": "imgcif_core.sources.isolated:call", "of": {}}',
        '{"enum": "subprocess:Popen", "of": "ls"}',
        '{"array": "O", "at": 0, "shape": [1]}',
        "[" * 100_000,
    ],
)
def test_nothing_but_descriptions_is_built(text: str) -> None:
    block = np.frombuffer(len(text).to_bytes(8, "little") + text.encode() + b"\0" * 64, np.uint8)
    with pytest.raises(InputError, match="makes no sense"):
        unpacked(block)


def test_a_crash_of_the_library_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x_master.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(InputError, match="not readable as HDF5"):
        call("master", path)
    start = Helper._running

    def killed(self: Helper) -> Any:
        process = start(self)
        os.kill(process.pid, signal.SIGKILL)
        return process

    monkeypatch.setattr(Helper, "_running", killed)
    with pytest.raises(InputError, match=r"x_master.h5: not readable - the decoder crashed"):
        call("master", path)


def test_only_functions_of_the_table_are_called(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        call("system", tmp_path)
    assert set(isolated.FUNCTIONS) >= {"master", "heads"}
