"""Workflow commands, read back by the rules of the runner."""

from reports import HOSTILE, REPORT, at, finding, single

from imgcif_core.findings import Location, Report, Severity, Span
from imgcif_core.render import render

EXPECTED = """\
::error file=data/a b.cif,line=12,endLine=12,col=22,endColumn=27,title=AXI002 axis-dependency-cycle\
::axis phi depends on itself through kappa - expected a chain that ends at .\
%0Ahelp: point kappa at omega%0A3 times; also at lines 13, 15
::warning file=data/a b.cif,line=4,endLine=4,col=41,endColumn=46,title=SRC001 wavelength-unlikely\
::wavelength is 979.5 Å - expected 0.1 Å to 10 Å
::notice file=data/a b.cif,title=MTA001 no-frames::no frame is described%0Ahelp: add frames
::error file=data/a b.cif,title=CON001 crashed::ValueError: no
imgcif-check: data/a b.cif: not conforming - 1 error, 1 warning, 1 info
imgcif-check: c.cbf: conforming - nothing found
imgcif-check: 2 files, 1 not conforming - 1 error, 1 warning, 1 info
"""


def command(line: str) -> tuple[str, dict[str, str], str]:
    """Name, properties and text of a command, as the runner takes them apart."""
    head, _, data = line.removeprefix("::").partition("::")
    name, _, properties = head.partition(" ")
    values = dict(entry.split("=", 1) for entry in properties.split(","))
    for code, character in (("%0D", "\r"), ("%0A", "\n")):
        data = data.replace(code, character)
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        values = {key: value.replace(code, character) for key, value in values.items()}
    return name, values, data.replace("%25", "%")


def test_the_whole_output_reads_as_written_by_hand() -> None:
    assert render(REPORT, "github") == EXPECTED


def test_an_empty_report_has_a_summary_line_only() -> None:
    text = render(Report("1", (), ()), "github")
    assert text == "imgcif-check: 0 files, 0 not conforming - nothing found\n"


def test_separators_in_path_and_message_are_escaped() -> None:
    report = single(finding(message="100% of a::b, c", name="odd-name"), path="a,b:c%0A=d.cif")
    line = render(report, "github").splitlines()[0]
    assert line == "::error file=a%2Cb%3Ac%250A=d.cif,title=AXI002 odd-name::100%25 of a::b, c"
    name, values, data = command(line)
    assert (name, values["file"], data) == ("error", "a,b:c%0A=d.cif", "100% of a::b, c")


def test_a_line_break_in_the_file_starts_no_command() -> None:
    lines = render(HOSTILE, "github").splitlines()
    # Two findings, a crash, the file's line and the last one.
    assert len(lines) == 5
    assert all(line.startswith(("::error file=", "imgcif-check: ")) for line in lines)
    assert not any("##[" in line for line in lines if not line.startswith("::"))


def test_message_lines_stay_lines() -> None:
    line = render(single(finding(message="a\r\nb\nc")), "github").splitlines()[0]
    assert command(line)[2] == "a\nb\nc"


def test_a_span_over_several_lines_has_no_columns() -> None:
    one = finding(location=Location(span=Span(3, 5, 9, 2)))
    _, values, _ = command(render(single(one), "github").splitlines()[0])
    assert (values["line"], values["endLine"]) == ("3", "9") and "col" not in values and "endColumn" not in values


def test_the_gravest_come_first() -> None:
    findings = [finding(severity=severity, location=at(1, 1)) for severity in reversed(Severity)]
    names = [line.split()[0] for line in render(single(*findings), "github").splitlines()[:3]]
    assert names == ["::error", "::warning", "::notice"]
