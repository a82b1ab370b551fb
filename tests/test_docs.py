"""What the documents show runs, and what is generated is up to date."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imgcif_core.cli import check_main, main

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.usefixtures("own_registry")
def test_python_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)


def commands_of(page: Path) -> list[str]:
    """The commands of the product in the shell examples of a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines = [line.removeprefix(".venv/bin/") for line in lines]
    # What copies pixels needs images, which are too large to be kept here; tests/export does it.
    return [line for line in lines if line.startswith(("imgcif ", "imgcif-check ")) and "--copy-images" not in line]


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples, an empty folder of images, and a file to be exported."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "images").mkdir()
    shutil.copy(ROOT / "examples" / "complete.cif", folder / "scan.cif")
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)], ids=lambda page: page.name)
def test_commands_run(page: Path, copies: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    monkeypatch.chdir(copies)
    for made in ("quartz.cif", "XDS.INP", "scan.expt", "scan.geom", "scan_master.h5", "quartz.expt"):
        (copies / made).unlink(missing_ok=True)
    for command in commands_of(page):
        text, _, comment = command.partition("  #")
        program, *arguments = shlex.split(text)
        expected = int(comment.split("status")[1]) if "status" in comment else 0
        status = (check_main if program == "imgcif-check" else main)(arguments)
        assert status == expected, f"{command}\n{capfd.readouterr().err}"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(tmp_path / "site")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "site" / "_rules" / "AXI003.html").read_text(encoding="utf-8")
    assert "Files that fail" in page and "Files that pass" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", text, flags=re.S))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_generated_pages_are_up_to_date() -> None:
    result = subprocess.run([sys.executable, str(ROOT / "docs" / "make.py"), "--check"], check=False)
    assert result.returncode == 0, "run `python docs/make.py`"


def test_the_report_in_the_readme_is_real() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"^```text\n\$ imgcif-check (\S+)\n(.*?)^```", text, re.M | re.S)
    assert shown, "README.md shows no report"
    command = [sys.executable, "-m", "imgcif_core.cli", "check", shown[1]]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stdout.strip() == shown[2].strip()
