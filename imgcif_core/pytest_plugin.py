"""For pytest: the fixture `assert_imgcif`, and `--imgcif`, which makes a test of each imgCIF file.

Settings in the configuration of pytest: `imgcif_profile`, and `imgcif_allow` with one code, name or
family of rules in each line. Nothing heavy is imported before a file is checked.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imgcif_core.formats import TEXT_SUFFIXES


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options and settings of the plugin."""
    group = parser.getgroup("imgcif", "imgCIF files as tests")
    group.addoption("--imgcif", action="store_true", help="check each .cif, .imgcif and .cbf file that is collected")
    parser.addini("imgcif_profile", "profile by which imgCIF files are judged", default="auto")
    parser.addini("imgcif_allow", "rules whose findings are tolerated", type="linelist", default=[])


def settings(config: pytest.Config) -> dict[str, Any]:
    """The keywords for `assert_conforms` that the configuration gives."""
    return {"profile": config.getini("imgcif_profile"), "allow": tuple(config.getini("imgcif_allow"))}


@pytest.fixture
def assert_imgcif(pytestconfig: pytest.Config) -> Callable[..., Any]:
    """`imgcif_core.testing.assert_conforms` with the profile and tolerated rules of the configuration."""
    from imgcif_core.testing import assert_conforms

    return partial(assert_conforms, **settings(pytestconfig))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect imgCIF files where `--imgcif` asks for it."""
    if parent.config.getoption("--imgcif") and file_path.name.lower().endswith(TEXT_SUFFIXES):
        return ImgcifFile.from_parent(parent, path=file_path)
    return None


class ImgcifFile(pytest.File):
    """A file with one test."""

    def collect(self) -> Iterator["ImgcifItem"]:
        """The test that the file conforms."""
        yield ImgcifItem.from_parent(self, name="conforms")


class ImgcifItem(pytest.Item):
    """The test that a file conforms."""

    def runtest(self) -> None:
        """Check the file."""
        from imgcif_core.testing import assert_conforms

        assert_conforms(self.path, **settings(self.config))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report alone; how the plugin came to it is of no interest."""
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """How the test is named."""
        return self.path, 0, f"{self.path.name} conforms"
