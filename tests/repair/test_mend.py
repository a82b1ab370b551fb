"""Repairs of whole files: what changes, what stays, and that a mangled file comes out sound."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgcif_core.checks import grouping
from imgcif_core.checks.registry import Rule
from imgcif_core.cif.document import Source
from imgcif_core.cif.reader import read
from imgcif_core.cif.write import encode
from imgcif_core.findings import Edit, Finding, Severity
from imgcif_core.repair import EditError, apply_edits, mend

EXAMPLE = (Path(__file__).parents[2] / "examples" / "complete.cif").read_bytes()


def source_of(data: bytes) -> Source:
    return Source("a.cif", data)


def values_of(data: bytes) -> dict[str, list[str]]:
    """All values by name."""
    found: dict[str, list[str]] = {}
    for block in read(source_of(data)).blocks:
        for name, column in block.columns.items():
            found[name] = list(column.texts())
    return found


def serious(data: bytes) -> set[tuple]:
    report = mend(source_of(data), lambda _: False).before
    return {
        (finding.rule, finding.message) for finding in report.findings if finding.severity.at_least(Severity.WARNING)
    }


# Slips that a safe repair undoes: what to look for, and what it becomes.
SLIPS: list[tuple[bytes, bytes]] = [
    (b"_diffrn_radiation_wavelength.value ", b"_diffrn_radiation.wavelength "),
    (b"_diffrn_detector.make ", b"_diffrn_detector.manufacturer "),
    (b"_audit.block_code ", b"_audit.block_id "),
    (b"_array_data_external_data.uri\n", b"_array_data_external_data.url\n"),
    (b"_array_data_external_data.archive_path\n", b"_array_data_external_data_archive_path\n"),
    (b"  _axis.depends_on\n", b"  _axis.dependson\n"),
    (b"  _diffrn_scan_axis.axis_id\n", b"  diffrn_scan_axis.axis_id\n"),
    (b"x-ray", b"X-rays"),
    (b"1600 ", b"1600.0 "),
    (b" TBZ ", b" tbz "),
    (b"10.5281/", b"https://doi.org/10.5281/"),
]


def mangled(chance: random.Random) -> tuple[bytes, int]:
    data, made = EXAMPLE, 0
    for old, new in chance.sample(SLIPS, chance.randint(1, 6)):
        if old in data:
            data, made = data.replace(old, new, 1), made + 1
    if chance.random() < 0.3:
        data = data.replace(b"\n", b"\r\n")
    return data, made


@pytest.mark.parametrize("seed", range(25))
def test_a_mangled_file_is_mended_and_says_the_same(seed: int) -> None:
    data, made = mangled(random.Random(seed))
    ends = (data.count(b"\r\n"), data.count(b"\n"))
    mended = mend(source_of(data), lambda repair: repair.is_safe and repair.finding.severity is not Severity.INFO)
    assert not made or mended.is_changed
    assert serious(mended.data) == serious(EXAMPLE)
    assert values_of(mended.data) == values_of(EXAMPLE)
    assert mended.data.replace(b"\r\n", b"\n").count(b"#") == EXAMPLE.count(b"#")
    assert (mended.data.count(b"\r\n") == mended.data.count(b"\n")) is (ends[0] == ends[1])


def test_safe_repairs_are_all_that_is_made_unasked() -> None:
    data = EXAMPLE.replace(b"_diffrn_detector.make ", b"_diffrn_detector.mkae ")
    mended = mend(source_of(data))
    assert all(repair.is_safe for repair in mended.made)
    assert b"mkae" in mended.data
    asked = mend(source_of(data), lambda repair: repair.rule == "DIC001")
    assert b"mkae" not in asked.data and not asked.made[0].is_safe


def test_implicit_keys_and_defaults_are_written_out() -> None:
    data = b"#\\#CIF_1.1\ndata_a\n_array_intensities.gain 1.0 # measured\n_array_intensities.linearity linear\n"
    mended = mend(source_of(data))
    assert values_of(mended.data)["_array_intensities.array_id"] == ["1"]
    assert b"_array_intensities.gain 1.0 # measured\n" in mended.data


def test_bytes_outside_the_edits_stay_whatever_they_are() -> None:
    binary = bytes(range(256)) * 4
    head = b"###CBF: VERSION 1.5\r\ndata_a\r\n_diffrn_source.device Synchrotron # \xe9t\xe9\r\n"
    section = (
        b"_array_data.data\r\n;\r\n--CIF-BINARY-FORMAT-SECTION--\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: BINARY\r\nX-Binary-Size: 1024\r\nX-Binary-ID: 1\r\n"
        b'X-Binary-Element-Type: "unsigned 8-bit integer"\r\n\r\n\x0c\x1a\x04\xd5'
        + binary
        + b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n"
    )
    mended = mend(source_of(head + section), lambda repair: repair.rule == "DIC006")
    assert mended.data == head.replace(b"Synchrotron", b"synch") + section


def test_an_edit_in_the_data_of_a_binary_section_is_refused() -> None:
    text = b"data_a\n_array_data.data\n;\n--CIF-BINARY-FORMAT-SECTION--\nContent-Type: application/octet-stream\n"
    text += b"Content-Transfer-Encoding: BINARY\nX-Binary-Size: 4\n\n\x0c\x1a\x04\xd5abcd\n"
    source = source_of(text + b"--CIF-BINARY-FORMAT-SECTION----\n;\n")
    read(source)
    line, column = source.position(source.data.index(b"abcd"))
    with pytest.raises(EditError, match="binary section"):
        apply_edits(source, [Edit(line, column, line, column + 2, "x", True)])


def test_edits_over_one_another_are_refused_and_equal_ones_made_once() -> None:
    one = Edit(1, 1, 1, 4, "x", True)
    assert apply_edits(b"abcdef", [one, one]) == b"xdef"
    with pytest.raises(EditError, match="meet"):
        apply_edits(b"abcdef", [one, Edit(1, 2, 1, 5, "y", True)])
    with pytest.raises(EditError, match="2 lines"):
        apply_edits(b"a\nb", [Edit(3, 1, 3, 1, "x", True)])


def test_insertions_at_one_place_keep_their_order() -> None:
    edits = [Edit(1, 2, 1, 2, "1", True), Edit(1, 2, 1, 2, "2", True)]
    assert apply_edits(b"ab", edits) == b"a12b"


def test_a_line_feed_in_an_edit_is_the_line_end_of_the_file() -> None:
    assert apply_edits(b"a\r\nb", [Edit(2, 1, 2, 1, "x\n", True)]) == b"a\r\nx\r\nb"


def test_a_repair_that_brings_something_else_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    real = grouping._finding

    def misled(rule: Rule, *rest: Any) -> Finding:
        found = real(rule, *rest)
        edits = [replace(edit, text="no_such_state_at_all ''") for edit in found.edits] if rule.code == "DIC006" else []
        return replace(found, edits=tuple(edits) or found.edits)

    data = b"#\\#CIF_1.1\ndata_a\n_diffrn_source.device Synchrotron\n_audit.block_id a\n"
    monkeypatch.setattr(grouping, "_finding", misled)
    mended = mend(source_of(data), lambda repair: repair.rule in ("DIC001", "DIC006"))
    assert [repair.rule for repair in mended.refused] == ["DIC006"]
    assert [repair.rule for repair in mended.made] == ["DIC001"]
    assert mended.data == data.replace(b"block_id", b"block_code")


def test_diffs_fit_the_text() -> None:
    data = EXAMPLE.replace(b"x-ray", b"X-rays").replace(b" TBZ ", b" tbz ")
    for repair in mend(source_of(data)).made:
        removed = [line[1:] for line in repair.diff.splitlines()[2:] if line.startswith("-")]
        assert all(line.encode() in data for line in removed)
        assert repair.after != repair.before


@pytest.mark.parametrize("text", ["a b", "it's", "é", "", "loop_", "1.5"])
def test_written_values_read_back(text: str) -> None:
    data = f"#\\#CIF_2.0\ndata_a\n_a {encode(text)}\n".encode()
    assert values_of(data)["_a"] == [text]


def test_many_rows_are_mended_at_once() -> None:
    rows = b"".join(b"  %d rotation%s\n" % (number, b"" if number % 2 else b"al") for number in range(400))
    data = b"#\\#CIF_1.1\ndata_a\nloop_\n  _axis.id\n  _axis.type\n" + rows
    mended = mend(source_of(data), lambda repair: repair.rule == "DIC006")
    kinds = np.unique(values_of(mended.data)["_axis.type"])
    assert kinds.tolist() == ["rotation"] and len(mended.made) == 1
