"""The fast and the careful road give one document; gemmi reads the same values from what it accepts."""

import re
from pathlib import Path

import gemmi
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from roads import assert_same, both
from shared import DICTIONARIES, ROOT, text_files

from imgcif_core.cif import loops
from imgcif_core.cif.document import Quoting
from imgcif_core.cif.reader import open_source, read

CASES = sorted(path for path in (ROOT / "conformance" / "datasets").rglob("*.c[ib]f"))
FILES = [*text_files(), *sorted(path for path in DICTIONARIES.glob("*") if path.is_file())]


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast road sets in after a few values and works in small pieces."""
    monkeypatch.setattr(loops, "CAREFUL_STRETCH", 3)
    monkeypatch.setattr(loops, "SMALLEST_CHUNK", 24)
    monkeypatch.setattr(loops, "LARGEST_CHUNK", 100)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_roads_agree_on_the_files_of_the_suite(path: Path, short_stretches: None) -> None:
    assert_same(*both(path.read_bytes()))


@pytest.mark.corpus
@pytest.mark.skipif(not FILES, reason="no real files beside the project")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_roads_agree_on_real_files(path: Path) -> None:
    source = open_source(path)
    assert_same(read(source), read(open_source(source.data), road="careful"))


PLAIN = """1 -2.5 3e4 . ? a frame_1 #x data loop stop_it a'b 1.2(3) _ ; $a x;y loop_a data- ab#c"""
WORDS = st.one_of(st.sampled_from(re.split(" ", PLAIN)), st.text("abcXYZ019.-+()", min_size=1, max_size=6))
WRITTEN = st.one_of(
    WORDS,
    WORDS,
    WORDS,
    st.sampled_from(
        ["'two words'", '"it\'s"', "'a'b'", "\n;text\nof lines\n;", "''", "'#no comment'", "loop_", "data_b"]
    ),
)
GAPS = st.sampled_from([" ", "\n", "  ", "\t", "\r\n", " #note\n", "\n#data_x loop_\n"])


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Texts of loops and pairs, mostly plain, some of them broken."""
    parts = [draw(st.sampled_from(["", "#\\#CIF_1.1\n", "#\\#CIF_2.0\n"])), "data_a\n"]
    for number in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            names = [f"_c{number}.n{index}" for index in range(draw(st.integers(1, 3)))]
            parts.append("\nloop_ " + " ".join(names))
            count = draw(st.integers(0, 40))
        else:
            parts.append(f"\n_p{number}.x")
            count = 1
        for _ in range(count):
            parts += [draw(GAPS), draw(WRITTEN)]
        parts.append("\n")
    return "".join(parts).encode()


@seed(20260310)
@settings(max_examples=300, deadline=None)
@given(documents())
def test_roads_agree_on_generated_texts(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "CAREFUL_STRETCH", 2)
        patch.setattr(loops, "SMALLEST_CHUNK", 16)
        assert_same(*both(data))


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(documents())
def test_roads_agree_on_very_many_generated_texts(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "CAREFUL_STRETCH", 2)
        patch.setattr(loops, "SMALLEST_CHUNK", 16)
        assert_same(*both(data))


def assert_as_gemmi(data: bytes, *, is_real: bool = False) -> None:
    """Where gemmi accepts a text of CIF 1.1, names and values are the same, text fields undecoded."""
    document = read(open_source(data))
    if document.is_cif2:
        return
    try:
        theirs = gemmi.cif.read_string(data.decode("utf-8"))
    except (ValueError, RuntimeError):
        assert not is_real or document.problems
        return
    ours = {block.name.lower(): block for block in document.blocks}
    for block in theirs:
        columns = ours[block.name.lower()].columns
        for item in block:
            pairs = [item.pair] if item.pair else []
            loops = item.loop
            for name, value in pairs:
                assert raw_texts(columns[name.lower()]) == [value]
            if loops is not None:
                width = len(loops.tags)
                for index, name in enumerate(loops.tags):
                    assert raw_texts(columns[name.lower()]) == list(loops.values[index::width])


def raw_texts(column) -> list[str]:
    """Values as they are written."""
    return [column.raw(row).decode("utf-8") for row in range(len(column))]


@pytest.mark.corpus
@pytest.mark.skipif(not text_files(), reason="no real files beside the project")
@pytest.mark.parametrize("path", text_files(), ids=lambda path: path.name)
def test_gemmi_reads_the_same_values_of_real_files(path: Path) -> None:
    source = open_source(path)
    document = read(source)
    if document.sections or document.problem_totals.get("SYN008"):
        pytest.skip("binary, or broken in a way that gemmi does not report")
    assert_as_gemmi(source.data, is_real=True)


@seed(20260311)
@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=30))
def test_gemmi_reads_the_same_values_of_generated_loops(rows: list[list[str]]) -> None:
    plain = [[f"x{word}" if word[0] in "#_;$" else word for word in row] for row in rows]
    body = "\n".join(" ".join(row) for row in plain)
    assert_as_gemmi(f"data_a\nloop_ _c.one _c.two\n{body}\n".encode())


def test_what_is_quoted_is_told_apart_from_what_is_not() -> None:
    document = read(open_source(b"data_a\nloop_ _c.x\n. '.' \"?\" ?\n;.\n;\n"))
    column = document.blocks[0].columns["_c.x"]
    assert column.is_null.tolist() == [True, False, False, True, False]
    assert [column.quoting_of(row) for row in range(5)] == [
        Quoting.BARE,
        Quoting.SINGLE,
        Quoting.DOUBLE,
        Quoting.BARE,
        Quoting.TEXT,
    ]
