"""The report for a terminal."""

import unicodedata

import pytest
from reports import ATTACK, CYCLE, FIRST, HOSTILE, REPORT, SECOND, at, finding, single

from imgcif_core.findings import FileReport, Finding, Location, Outcomes, Report, Severity, Span, Unchecked
from imgcif_core.render import render
from imgcif_core.render.excerpt import cells, visible

EXPECTED = """\
data/a b.cif
  metadata file, profile core: not conforming - 1 error, 1 warning, 1 info

error AXI002 axis-dependency-cycle at 12:22
  axis phi depends on itself through kappa - expected a chain that ends at .
      12 | phi   rotation       kappa  1 0 0
         |                      ^^^^^
  help: point kappa at omega
  3 times; also at lines 13, 15

warning SRC001 wavelength-unlikely at 4:41
  wavelength is 979.5 Å - expected 0.1 Å to 10 Å
       4 | _diffrn_radiation_wavelength.wavelength 979.5
         |                                         ^^^^^

info MTA001 no-frames at whole file
  no frame is described
  help: add frames

  rules: 3 with findings, 2 clean, 1 not applicable
  crashed: CON001 (ValueError: no)
  not checked: DET001, DET002 (blocked by AXI002 (line 12))
  not checked: EXT001, EXT002 (network use is off)

c.cbf
  full-cbf file, profile full-cbf: conforming - nothing found

  rules: 0 with findings, 0 clean, 0 not applicable

2 files, 1 not conforming - 1 error, 1 warning, 1 info
imgcif-check 0.1.0; dictionary CIF_IMG 1.8.9 of 2026-05-14 (bundled)
"""


def pointed(one: Finding) -> tuple[str, str]:
    """The source line as shown, and the line with the carets."""
    lines = render(single(one)).splitlines()
    number = next(index for index, line in enumerate(lines) if line.strip().startswith("^") or "| " in line)
    return lines[number], lines[number + 1]


def test_the_whole_report_reads_as_written_by_hand() -> None:
    assert render(REPORT, verbose=True) == EXPECTED


def test_an_empty_report_says_so() -> None:
    assert render(Report("0.1.0", (), ())) == "no files checked\nimgcif-check 0.1.0\n"


def test_quiet_leaves_what_is_grave_and_what_crashed() -> None:
    text = render(REPORT, quiet=True)
    assert text.startswith("data/a b.cif\n\nerror AXI002")
    assert "warning" not in text and "c.cbf" not in text and "imgcif-check" not in text
    assert "crashed: CON001 (ValueError: no)" in text


def test_quiet_goes_down_to_the_severity_asked_for() -> None:
    text = render(REPORT, quiet=True, at_least=Severity.WARNING)
    assert "warning SRC001" in text and "info MTA001" not in text


def test_quiet_says_nothing_of_conforming_files() -> None:
    assert render(Report("0.1.0", (), (SECOND,)), quiet=True) == ""


def test_colour_comes_only_when_asked_for_and_never_alone() -> None:
    assert "\x1b" not in render(REPORT)
    coloured = render(REPORT, color=True, verbose=True)
    assert "\x1b[1;31merror AXI002\x1b[0m" in coloured
    for code in ("\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == EXPECTED


def test_findings_stand_by_severity_then_in_the_order_of_the_file() -> None:
    rules = [("SYN001", Severity.INFO), ("SYN002", Severity.ERROR), ("SYN003", Severity.INFO)]
    rules += [("SYN004", Severity.WARNING), ("SYN005", Severity.ERROR)]
    text = render(single(*[finding(code, severity) for code, severity in rules]), verbose=True)
    order = [line.split()[1] for line in text.splitlines() if line.startswith(("error", "warning", "info"))]
    assert order == ["SYN002", "SYN005", "SYN004", "SYN001", "SYN003"]


@pytest.mark.parametrize(("begin", "length"), [(1, 7), (500, 7), (1994, 7), (300, 400), (1, 2000), (2001, 1)], ids=str)
def test_a_long_line_is_cut_round_the_span(begin: int, length: int) -> None:
    line = "".join(chr(ord("a") + number % 26) for number in range(2000))
    shown, carets = pointed(finding(location=at(7, begin, length), source_line=line))
    assert len(shown) <= 80 and len(carets) <= 80
    wanted = line[begin - 1 : begin - 1 + length]
    start, stop = carets.index("^"), carets.rindex("^") + 1
    assert wanted.startswith(shown[start:stop])
    assert ("…" in shown) and (length > 60 or shown[start:stop] == wanted)


def test_a_line_that_just_fits_is_not_cut() -> None:
    line = "x" * 69
    assert pointed(finding(location=at(1, 60, 3), source_line=line))[0] == f"       1 | {line}"
    shown = pointed(finding(location=at(1, 60, 3), source_line=line + "y"))[0]
    assert len(shown) <= 80 and "…" in shown


@pytest.mark.parametrize("head", ["\t", "漢字 ", "a\u0301 ", "\x00\x1b ", "\u202e ", "\ud800", "𝛼𝛽 "], ids=ascii)
def test_the_caret_stands_under_its_character_whatever_comes_before(head: str) -> None:
    shown, carets = pointed(finding(location=at(1, len(head) + 1, 5), source_line=f"{head}kappa 1"))
    before = shown[: shown.index("kappa")]
    # Counted apart from the program: wide characters fill two cells, combining marks none.
    width = sum(
        {"W": 2, "F": 2}.get(unicodedata.east_asian_width(one), 0 if unicodedata.combining(one) else 1)
        for one in before
    )
    assert carets == " " * 9 + "|" + " " * (width - 10) + "^^^^^"


def test_wide_characters_get_two_carets_each() -> None:
    assert pointed(finding(location=at(1, 1, 2), source_line="漢字 x"))[1].count("^") == 4


def test_long_lines_of_wide_characters_stay_within_the_width() -> None:
    shown, carets = pointed(finding(location=at(1, 400, 3), source_line="漢" * 900))
    assert cells(shown) <= 80 and carets.count("^") == 6


def test_a_span_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    one = finding(location=Location(span=Span(3, 5, 9, 2)), source_line="abc 'open")
    assert pointed(one)[1].count("^") == len("'open")


def test_an_empty_span_and_one_at_the_end_get_one_caret() -> None:
    for place in (at(1, 2, 0), at(1, 4, 0), at(1, 4, 1)):
        assert pointed(finding(location=place, source_line="abc"))[1].count("^") == 1


def test_a_span_beyond_the_known_part_of_a_line_shows_no_line() -> None:
    text = render(single(finding(location=at(1, 5000, 3), source_line="abc")))
    assert "^" not in text and "at 1:5000" in text


def test_escape_sequences_of_a_file_are_shown_but_not_sent() -> None:
    text = render(HOSTILE, verbose=True)
    assert "\x1b" not in text and "␛[2J" in text and "<U+009B>31m" in text and "<U+202E>" in text


def test_only_our_own_escape_sequences_are_in_coloured_text() -> None:
    parts = render(HOSTILE, color=True).split("\x1b")
    assert all(part.startswith(("[1;31m", "[1m", "[0m")) for part in parts[1:])


def test_visible_leaves_printable_text_as_it_is() -> None:
    assert visible("5 Å, 漢字, a\u0301") == "5 Å, 漢字, a\u0301"
    assert visible("a\u00a0b\x7f\x00") == "a<U+00A0>b␡␀"
    assert visible(ATTACK).isprintable()


def test_every_line_has_at_most_80_characters() -> None:
    words = "_diffrn_scan_frame_axis.displacement_increment is odd " * 9
    one = finding(message=words, help="x" * 300, count=2000, more=tuple(at(10**6 + n, 1) for n in range(9)))
    unchecked = tuple(Unchecked(f"EXT{number:03}", "off " * 40) for number in range(300))
    text = render(single(one, outcomes=Outcomes(not_checked=unchecked)), verbose=True)
    assert max(map(len, text.splitlines())) <= 80
    assert "and 288 more" in text


def test_a_message_of_a_million_characters_is_cut() -> None:
    assert len(render(single(finding(message="x" * 10**6)))) < 3000


def test_places_left_out_are_admitted() -> None:
    more = tuple(at(line, 1) for line in (9, 7, 9, 5))
    text = render(single(finding(location=at(5, 2), count=120, more=more)))
    assert "120 times; also at lines 7, 9, ..." in text
    assert "5 times; also at lines 7, 9\n" in render(single(finding(location=at(5, 2), count=5, more=more)))
    assert "2 times; also at line 7\n" in render(single(finding(location=at(5, 2), count=2, more=more[1:2])))
    assert "  2 times\n" in render(single(finding(location=at(5, 2), count=2, more=more[3:])))


def test_a_finding_without_a_span_says_which_block() -> None:
    assert "at block scan1\n" in render(single(finding(location=Location(block="scan1"))))


def test_a_crash_with_its_finding_counts_once() -> None:
    crash = Outcomes(crashed=(Unchecked("AXI002", "KeyError: x"),))
    report = Report("1", (), (FileReport("a.cif", "", "metadata", "core", (CYCLE,), crash), FIRST))
    assert "rules: 0 with findings, 0 clean" in render(report, verbose=True)
