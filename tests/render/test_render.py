"""What holds for all formats."""

import subprocess
import sys

import pytest
from reports import REPORT, finding, single

import imgcif_core
from imgcif_core.errors import UsageError
from imgcif_core.findings import Report, Severity
from imgcif_core.render import FORMATS, render


@pytest.mark.parametrize("format", FORMATS)
def test_every_report_has_every_format(any_report: Report, format: str) -> None:
    text = render(any_report, format)
    assert text.endswith("\n")
    text.encode("utf-8")


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_the_file_can_act_on_a_terminal(any_report: Report, format: str) -> None:
    text = render(any_report, format)
    assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("format", ["json", "sarif", "junit", "html"])
def test_documents_are_ascii(any_report: Report, format: str) -> None:
    assert render(any_report, format).isascii()


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_report_gives_the_same_text(format: str) -> None:
    assert render(REPORT, format) == render(REPORT, format)


def test_an_unknown_format_is_misuse() -> None:
    with pytest.raises(UsageError, match="no report format pdf"):
        render(REPORT, "pdf")


@pytest.mark.parametrize("format", FORMATS)
def test_fifty_thousand_findings_are_written(format: str) -> None:
    many = [finding(message=f"axis a{number} is odd", severity=Severity.WARNING) for number in range(50_000)]
    text = render(single(*many), format)
    shown = text.count("is odd")
    if format == "text":
        assert shown == 50 and "49950 more findings of AXI002 not shown" in text
    elif format == "html":
        assert shown == 12 + 1 and "49988 more findings of AXI002 not shown" in text
    else:
        assert shown >= 50_000


def test_the_public_name_can_be_called_before_and_after_the_import_of_the_package() -> None:
    code = "import imgcif_core as i; from imgcif_core.findings import Report; r = Report('1', (), ())\n"
    both = code + "t = i.render(r)\nimport imgcif_core.render\nassert imgcif_core.render(r) == t == i.render(r)"
    subprocess.run([sys.executable, "-c", both], check=True)
    assert callable(imgcif_core.render)
    code += "import imgcif_core.render.text\ni.render(r, 'json')"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_text_loads_no_other_format_and_no_numpy() -> None:
    code = (
        "import sys, imgcif_core.render as r; from imgcif_core.findings import Report\n"
        "r.render(Report('1', (), ()))\n"
        "print(*[m for m in ('numpy', 'json', 'html', 'hashlib', 'xml.sax') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == ""
