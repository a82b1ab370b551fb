"""Hostile and broken inputs end in a finding, or in one clear line and exit status 2."""

import bz2
import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from shared import EXAMPLE, text_files

import imgcif_core
from imgcif_core import InputError, Severity
from imgcif_core.cli import check_main

HEAD = b"#\\#CIF_2.0\ndata_x\n"
BROKEN = {
    "empty": b"",
    "only white space": b" \n\t\n",
    "binary": random.Random(1).randbytes(200_000),
    "nul": b"data_x\n_audit.block_code \0\0 x\n",
    "not utf-8": b"data_x\n_audit.block_code \xff\xfe\n",
    "nested lists": HEAD + b"_audit.block_code " + b"[" * 100_000 + b"]" * 100_000 + b"\n",
    "open lists": HEAD + b"_audit.block_code " + b"[" * 100_000,
    "open text field": b"#\\#CIF_2.0\n;\n" + b"data_x _audit.block_code 1\n" * 20_000,
    "open quotes": b"data_x\n" + b"_axis.id 'abc\n" * 20_000,
    "same name": b"data_x\n" + b"_axis.id abc\n" * 20_000,
    "stray values": b"data_x\n" + b"value value\n" * 20_000,
    "loops without names": b"data_x\n" + b"loop_\n" * 20_000,
    "boundaries": b"###CBF: VERSION 1.5\ndata_x\n" + b"_array_data.data\n;\n--CIF-BINARY-FORMAT-SECTION--\n" * 2_000,
}


def judged(data: bytes) -> imgcif_core.FileReport:
    (entry,) = imgcif_core.check(data, name="bad.cif").files
    assert entry.outcomes.crashed == ()
    return entry


@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_gives_a_finding_with_a_line(name: str) -> None:
    entry = judged(BROKEN[name])
    errors = [finding for finding in entry.findings if finding.severity is Severity.ERROR]
    assert errors
    assert all(finding.location.span for finding in errors)


def test_a_very_long_line_is_told_and_read() -> None:
    entry = judged(b"data_x\n_audit.block_code " + b"x" * 20_000_000 + b"\n")
    assert "SYN010" in {finding.rule for finding in entry.findings}


def test_very_many_names_are_read_in_one_go() -> None:
    entry = judged(b"data_x\n_axis.id a\n" + b"".join(b"_axis.a%d 1\n" % number for number in range(50_000)))
    assert sum(finding.count for finding in entry.findings if finding.rule == "DIC001") == 50_000


def test_very_many_errors_are_counted_and_folded() -> None:
    rows = b"".join(b"a%d x%d\n" % (number, number) for number in range(20_000))
    entry = judged(b"data_x\nloop_\n_axis.id\n_axis.vector[1]\n" + rows)
    wrong = [finding for finding in entry.findings if finding.rule == "DIC008"]
    assert sum(finding.count for finding in wrong) == 20_000
    assert len(wrong) < 20


def test_many_blocks_are_judged_up_to_a_limit_that_is_told() -> None:
    data = b"".join(b"data_x%d\n_audit.block_code x\n" % number for number in range(3_000))
    reasons = {unchecked.reason for unchecked in judged(data).outcomes.not_checked}
    assert any("2000 data blocks beyond" in reason for reason in reasons)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gz", "bz2"])
def test_a_bomb_is_refused(pack) -> None:
    with pytest.raises(InputError, match="expands to more than"):
        imgcif_core.check(pack(b"\0" * 90_000_000))


def test_damaged_compression_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.cif.gz"
    path.write_bytes(gzip.compress(EXAMPLE.read_bytes())[:200])
    assert check_main([str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_cannot_be_read_is_one_line_and_the_rest_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / "nowhere.cif", tmp_path / "empty", EXAMPLE]
    assert check_main([str(path) for path in paths]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 2
    assert str(EXAMPLE) in said.out


def mutated(data: bytes, change: list[tuple[float, int, bytes]]) -> bytes:
    """Data with some stretches replaced."""
    for share, length, new in change:
        at = int(share * len(data))
        data = data[:at] + new + data[at + length :]
    return data


CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.sampled_from(
            [
                b"",
                b"\0",
                b"'",
                b'"',
                b"\n;\n",
                b"loop_\n",
                b"data_",
                b" ? ",
                b".",
                b"[",
                b"}",
                b"_x.y ",
                b"\xff",
                b"1e999 ",
                b"#",
            ]
        ),
    ),
    min_size=1,
    max_size=6,
)


@seed(20260301)
@settings(max_examples=60, deadline=None)
@given(CHANGES)
def test_damaged_examples_are_judged(change: list[tuple[float, int, bytes]]) -> None:
    judged(mutated(EXAMPLE.read_bytes(), change))


@pytest.mark.corpus
@pytest.mark.skipif(not text_files(), reason="no real files beside the project")
@seed(20260302)
@settings(max_examples=25, deadline=None)
@given(st.sampled_from(text_files() or [EXAMPLE]), CHANGES)
def test_damaged_real_files_are_judged(path: Path, change: list[tuple[float, int, bytes]]) -> None:
    judged(mutated(bytes(imgcif_core.read(path).source.data[:60_000]), change))


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(st.sampled_from([EXAMPLE, *text_files()]), CHANGES)
def test_many_damaged_files_are_judged(path: Path, change: list[tuple[float, int, bytes]]) -> None:
    judged(mutated(bytes(imgcif_core.read(path).source.data[:200_000]), change))
