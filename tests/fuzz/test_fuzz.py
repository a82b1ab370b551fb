"""A few damaged inputs of every kind; more of them by `python tests/fuzz/harness.py KIND COUNT`."""

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("fuzz_harness", Path(__file__).parent / "harness.py")
assert SPEC is not None
assert SPEC.loader is not None
harness = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(harness)


@pytest.mark.parametrize(("kind", "count"), [("text", 150), ("check", 6), ("archive", 100), ("source", 10)])
def test_damaged_inputs_are_told_and_nothing_else(kind: str, count: int) -> None:
    if kind == "source":
        pytest.importorskip("fabio")
    found = harness.run(kind, count)
    assert found["crashes"] == {}
    assert found["slow"] == []
