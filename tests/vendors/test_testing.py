"""The assertion for writers of imgCIF, alone and as a plugin of pytest."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from shared import EXAMPLE, ROOT

from imgcif_core import CheckOptions
from imgcif_core.testing import assert_conforms

FAULTY = ROOT / "examples" / "faulty.cif"
SMALL = b"#\\#CIF_2.0\ndata_x\n_axis.id omega\n_axis.type upward\n_axis.[local]_colour red\n"


def test_a_conforming_file_gives_its_report() -> None:
    report = assert_conforms(EXAMPLE)
    assert report.conforming
    assert report.path == str(EXAMPLE)


def test_the_failure_names_file_rule_line_and_way_out() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_conforms(FAULTY)
    said = str(caught.value)
    assert said.startswith(f"{FAULTY} does not conform to the profile core: 4 errors")
    assert "DIC006 state-not-enumerated at 80:14" in said
    assert "help:" in said
    assert "warning" not in said


def test_bytes_are_checked_under_the_name_given() -> None:
    with pytest.raises(AssertionError, match="made by my writer does not conform"):
        assert_conforms(SMALL, name="made by my writer")


@pytest.mark.parametrize("allowed", ["DIC006", "DIC", "state-not-enumerated"])
def test_tolerated_rules_do_not_fail(allowed: str) -> None:
    report = assert_conforms(SMALL, allow=[allowed])
    assert "DIC006" in {finding.rule for finding in report.findings}
    with pytest.raises(AssertionError, match="DIC006"):
        assert_conforms(SMALL, allow=["DIC007"])


def test_a_severer_limit_fails_on_remarks() -> None:
    with pytest.raises(AssertionError, match="DIC002"):
        assert_conforms(SMALL, allow=["DIC006"], fail_on="info")


def test_the_profile_decides_what_is_demanded() -> None:
    # A placeholder is doubtful for everybody, and an error in what goes with a raw data letter.
    text = SMALL.replace(b"upward", b"rotation") + b"_diffrn_source.beamline TODO\n"
    assert_conforms(text, profile="core")
    with pytest.raises(AssertionError, match="raw-data-letters"):
        assert_conforms(text, profile="raw-data-letters")
    with pytest.raises(AssertionError, match="raw-data-letters"):
        assert_conforms(text, options=CheckOptions(profile="raw-data-letters"))


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest in a project of its own, with the plugin."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "imgcif_core.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_plugin_makes_a_test_of_each_file(tmp_path: Path) -> None:
    (tmp_path / "good.cif").write_bytes(EXAMPLE.read_bytes())
    (tmp_path / "bad.cbf").write_bytes(SMALL)
    assert "no tests ran" in run_pytest(tmp_path).stdout
    result = run_pytest(tmp_path, "--imgcif")
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout
    assert "DIC006" in result.stdout
    assert "Traceback" not in result.stdout


def test_the_plugin_takes_profile_and_tolerated_rules_from_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "bad.cif").write_bytes(SMALL)
    (tmp_path / "pytest.ini").write_text("[pytest]\nimgcif_allow =\n  DIC006\n")
    assert run_pytest(tmp_path, "--imgcif").returncode == 0
    (tmp_path / "bad.cif").write_bytes(SMALL + b"_diffrn_source.beamline TODO\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nimgcif_profile = raw-data-letters\nimgcif_allow =\n  DIC006\n")
    assert "raw-data-letters" in run_pytest(tmp_path, "--imgcif").stdout


def test_the_fixture_asserts_what_a_writer_made(tmp_path: Path) -> None:
    (tmp_path / "test_writer.py").write_text(
        f"def test_good(assert_imgcif):\n    assert_imgcif({str(EXAMPLE)!r})\n"
        f"def test_bad(assert_imgcif):\n    assert_imgcif({SMALL!r}, name='made')\n"
    )
    result = run_pytest(tmp_path)
    assert "1 failed, 1 passed" in result.stdout
    assert "made does not conform" in result.stdout
    # The failure ends in the line of the test, not inside the library.
    assert "imgcif_core/testing.py" not in result.stdout


def test_the_plugin_is_light_until_a_file_is_checked() -> None:
    code = "import sys, imgcif_core.pytest_plugin; sys.exit('numpy' in sys.modules or 'gemmi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_entry_point_names_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert list(project["entry-points"]["pytest11"].values()) == ["imgcif_core.pytest_plugin"]
