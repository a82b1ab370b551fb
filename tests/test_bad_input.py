"""Hostile and broken inputs end in a finding, or in one clear line and exit status 2."""

import bz2
import gzip
import os
import random
import subprocess
import sys
import time
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


REAL_SIZES = {
    # What: the text as an expression, the longest time in seconds, the most memory in MiB, a rule that speaks.
    "a word of 100 MB": ("b'data_x\\n_audit.block_code ' + b'x' * 100_000_000", 60, 900, "SYN010"),
    "a quoted line of 100 MB": (
        "b'data_x\\n_audit.block_code \\x27' + b'x' * 100_000_000 + b'\\x27'",
        60,
        900,
        "SYN010",
    ),
    "an open quote of 100 MB": ("b'data_x\\n_audit.block_code \\x27' + b'x' * 100_000_000", 60, 900, "SYN008"),
    "quotes in a line of 100 MB": ("b'data_x\\n_a.b \\x27' + b'x\\x27x' * 33_000_000 + b'\\x27'", 60, 900, "SYN012"),
    "a comment of 100 MB": ("b'#' + b'x' * 100_000_000 + b'\\ndata_x _axis.id 1'", 60, 900, "SYN010"),
    "a text field of 100 MB": ("b'data_x _a.b\\n;' + b'x' * 100_000_000 + b'\\n;'", 60, 900, "SYN010"),
    "100 MB of NUL": ("b'data_x\\n_a.b 1\\n' + b'\\0' * 100_000_000", 90, 900, "SYN009"),
    "100 MB of values in one line": (
        "b'data_x loop_ _diffrn_scan_frame.frame_id ' + b'a ' * 50_000_000",
        200,
        4000,
        "SYN010",
    ),
    "100 million empty lines": ("b'\\n' * 100_000_000 + b'data_x _axis.idd 1'", 120, 3000, "DIC001"),
    "a field opened in line 1": ("b';\\n' + b'data_x _audit.block_code 1\\n' * 300_000", 120, 1500, "SYN008"),
    "a million names": (
        "b'data_x\\n' + b''.join(b'_axis.a%d 1\\n' % n for n in range(1_000_000))",
        200,
        2000,
        "DIC001",
    ),
    "100,000 wrong values": (
        "b'data_x loop_ _axis.id _axis.vector[1]\\n' + b''.join(b'a%d x%d\\n' % (n, n) for n in range(100_000))",
        120,
        500,
        "DIC008",
    ),
    "100,000 open quotes": (
        "b'data_x\\n' + b''.join(b'_axis.id \\x27a%d\\n' % n for n in range(100_000))",
        120,
        500,
        "SYN008",
    ),
    "100,000 nested lists": ("b'#\\\\#CIF_2.0\\ndata_x\\n_a.b ' + b'[' * 100_000 + b']' * 100_000", 60, 300, "SYN001"),
    "200,000 equal axes": ("b'data_x loop_ _axis.id _axis.type\\n' + b'a rotation\\n' * 200_000", 200, 1500, "REL004"),
}
MEASURE = r"""
import re, time, imgcif_core
data = {text}
start = time.monotonic()
(entry,) = imgcif_core.check(data, name="big.cif").files
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) // 1024
crashed = [unchecked.rule for unchecked in entry.outcomes.crashed]
print(time.monotonic() - start, peak, crashed, sorted({{finding.rule for finding in entry.findings}}), sep="|")
"""


@pytest.mark.stress
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell peak memory")
@pytest.mark.parametrize("name", REAL_SIZES)
def test_very_large_faults_end_in_bounded_time_and_memory(name: str) -> None:
    text, longest, most, rule = REAL_SIZES[name]
    command = [sys.executable, "-c", MEASURE.format(text=text)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * longest, check=True)
    seconds, peak, crashed, rules = done.stdout.strip().split("|")
    assert (crashed, rule in rules) == ("[]", True), done.stdout
    assert (float(seconds) < longest, int(peak) < most) == (True, True), done.stdout


@pytest.mark.parametrize("how", ["equal", "counting"])
def test_no_table_of_many_rows_takes_long_or_crashes_a_rule(how: str) -> None:
    dictionary = imgcif_core.load_dictionary()
    rows = 2_000
    for name in dictionary.categories():
        items = [item.id for item in dictionary.items_of(name)]
        if dictionary.category(name).layer != "CIF_IMG" or not items:
            continue
        lines = [" ".join([str(row) if how == "counting" else "1"] * len(items)) for row in range(rows)]
        start = time.process_time()
        judged(f"data_a\nloop_\n{' '.join(items)}\n{chr(10).join(lines)}\n".encode())
        # A step for each pair of rows would take minutes.
        assert time.process_time() - start < 20, name


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "closed.cif"
    path.write_bytes(EXAMPLE.read_bytes())
    path.chmod(0)
    assert check_main([str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_the_system_refuses_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: object, *arguments: int, **more: int) -> int:
        if str(path).endswith("closed.cif"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "open", refuse)
    assert check_main([str(tmp_path / "closed.cif")]) == 2
    assert capsys.readouterr().err == f"imgcif-check: {tmp_path}/closed.cif: cannot be read (Permission denied)\n"


def test_a_report_that_cannot_be_written_leaves_no_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_main([str(EXAMPLE), "-o", str(tmp_path / "nowhere" / "report.txt")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


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
