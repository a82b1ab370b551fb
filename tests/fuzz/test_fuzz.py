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


# What longer runs have found, cut down: the bytes of a text, by the rule that fell.
FOUND = {
    "REL003, an id of bytes that are no text": (
        b"data_x\nloop_\n_array_structure_list.array_id\n_array_structure_list.index\n"
        b"_array_structure_list.dimension\n_array_structure_list.precedence\n1 1 9 1\n1 2 9 2\n"
        b"_array_data.array_id \xff\n_array_data.binary_id 1\n"
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(name: str) -> None:
    import imgcif_core

    (report,) = imgcif_core.check(FOUND[name], name="x").files
    assert report.outcomes.crashed == ()
    assert name[:6] in {finding.rule for finding in report.findings}
