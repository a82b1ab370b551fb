"""Lines of one length are read from the first one; a slip in any of them is seen as by the careful road."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roads import assert_same, both

from imgcif_core.cif import loops
from imgcif_core.cif.runs import Runs
from imgcif_core.cif.scan import FEWEST_LINES, ruled_words

HEADS = {"1.1": "", "2.0": "#\\#CIF_2.0\n"}
NAMES = "data_x\nloop_\n_a.id\n_a.scan\n_a.value\n"
LINES = "".join(f"frm{number:05d} SCAN_1 0.{number % 7}5\n" for number in range(500))
TAIL = "loop_\n_b.id\n1\n2\n"


def text_of(version: str, lines: str) -> bytes:
    return (HEADS[version] + NAMES + lines + TAIL).encode()


def test_lines_alike_are_taken_at_once() -> None:
    data = LINES.encode() + b"loop_\n_b.id\n1\n"
    found = ruled_words(data, 0, is_cif2=True)
    assert found is not None
    starts, ends, position = found
    # The line in which the stretch ends is left to the next look.
    assert len(starts) >= 3 * 498
    assert data[starts[-3] : ends[-3]].startswith(b"frm")
    assert position == ends[-1]


@pytest.mark.parametrize("version", HEADS)
@pytest.mark.parametrize(
    ("place", "slip"),
    [
        (0, "'"), (0, '"'), (0, ";"), (0, "#"), (0, "_"), (0, "["), (3, "["), (3, "'"), (8, "x"), (8, "\t"),
        (5, " "), (4, "\r"), (17, "é"), (0, "loop_"), (0, "data_b"), (0, "_b.value"), (9, "stop_ "), (0, "globAL"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", [70, 300])
def test_a_slip_in_one_line_is_seen(version: str, place: int, slip: str, line: int) -> None:
    rows = LINES.splitlines(keepends=True)
    rows[line] = rows[line][:place] + slip + rows[line][place + len(slip) :]
    assert_same(*both(text_of(version, "".join(rows))))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HEADS)), st.integers(90, len(LINES) - 2), st.sampled_from(" \t\r\n'\";#_$[]{}dDl.?x"))
def test_any_byte_may_be_another_one(version: str, place: int, byte: str) -> None:
    assert_same(*both(text_of(version, LINES[:place] + byte + LINES[place + 1 :])))


@pytest.mark.parametrize("width", [3, 9])
def test_lines_that_only_end_alike_are_read_word_by_word(width: int) -> None:
    lines = "".join(f"{'a' * (1 + n % width)} {'b' * (width - n % width)} c\n" for n in range(400))
    assert ruled_words(lines.encode(), 0, is_cif2=False) is None
    assert_same(*both(text_of("1.1", lines)))


def test_a_loop_that_ends_leaves_the_next_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    plain = loops.plain_words

    def counted(data: bytes, position: int, chunk: int, *, is_cif2: bool) -> tuple[np.ndarray, np.ndarray, int, bool]:
        looked.append(min(chunk, len(data) - position))
        return plain(data, position, chunk, is_cif2=is_cif2)

    monkeypatch.setattr(loops, "plain_words", counted)
    body = "".join(f"{'x' * (1 + n % 5)} y\n" for n in range(20_000))
    data = text_of("1.1", body) + ("loop_\n_c.id\n_c.other\n" + body).encode()
    both(data)
    assert sum(looked) < 1.2 * len(data)


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 9)), min_size=1, max_size=5), st.integers(0, 7))
def test_steps_lead_to_the_same_bytes(stretches: list[tuple[int, int]], shift: int) -> None:
    steps = np.concatenate([np.full(rows, step) for rows, step in stretches])
    offsets = np.cumsum(steps)
    array = np.random.default_rng(len(offsets)).integers(0, 256, int(offsets[-1]) + 12, dtype=np.uint8)
    runs, rows = Runs(array, offsets), slice(len(offsets) // 3, len(offsets))
    np.testing.assert_array_equal(runs.bytes_at(shift, rows), array[offsets[rows] + shift])
    parts = list(runs.matrices(shift, 4, 64))
    assert [part.start for part, _ in parts[1:]] == [part.stop for part, _ in parts[:-1]]
    wanted = array[offsets[:, None] + shift + np.arange(4)]
    np.testing.assert_array_equal(np.concatenate([matrix for _, matrix in parts]), wanted)


def test_few_lines_are_not_worth_it() -> None:
    assert ruled_words(b"a b\n" * (FEWEST_LINES - 1), 0, is_cif2=False) is None
