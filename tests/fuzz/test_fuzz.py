"""A few damaged inputs of every kind; more of them by `python tests/fuzz/harness.py KIND COUNT`."""

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("fuzz_harness", Path(__file__).parent / "harness.py")
assert SPEC is not None
assert SPEC.loader is not None
harness = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(harness)


@pytest.mark.parametrize(("kind", "count"), [("text", 150), ("check", 6), ("archive", 100), ("source", 10), ("cbf", 3)])
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


# Seeds of files on which the HDF5 library goes in circles, at least where its version is the one that was tried.
ENDLESS = (449, pytest.param(457, marks=pytest.mark.slow), pytest.param(476, marks=pytest.mark.slow))


@pytest.mark.parametrize("seed", ENDLESS)
def test_a_library_that_goes_in_circles_is_ended_and_told(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("h5py")
    monkeypatch.setattr(harness, "HELPER_SECONDS", 3.0)
    harness._worker.cache_clear()
    found = harness.run("hdf5", 1, seed)
    assert found["crashes"] == {} and found["hangs"] == []
    assert [words for _, words in found["died"]] in ([], ["the decoder gave no answer within 3 s"])


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(name: str) -> None:
    import imgcif_core

    (report,) = imgcif_core.check(FOUND[name], name="x").files
    assert report.outcomes.crashed == ()
    assert name[:6] in {finding.rule for finding in report.findings}
