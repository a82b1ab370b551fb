"""Reports for people and programs; each format is a module that is imported when it is asked for."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from imgcif_core.errors import UsageError
from imgcif_core.findings import Report

FORMATS = ("text", "json", "sarif", "junit", "github", "html")


def render(report: Report, format: str = "text", **options: Any) -> str:
    """A report as text, json, sarif, junit, github or html.

    Options: `verbose` for text and html; `color`, `level`, `quiet` and `at_least` for text; `sheets` and `prose` for
    html, see `imgcif_core.show.page`; `rules` (a map from
    code to name, short text, full text and help address) and `root` for sarif. The other formats have none.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    if format not in FORMATS:
        raise UsageError(f"no report format {format}; there are {', '.join(FORMATS)}")
    module = import_module(f"imgcif_core.render.{format}")
    found: str = module.render(report, **options)
    return found


class _CallableModule(ModuleType):
    """This package, which can be called like its function.

    The import system binds the package to the name `imgcif_core.render`, the name under which
    the function is public; a call has to work whichever of the two came first.
    """

    def __call__(self, report: Report, format: str = "text", **options: Any) -> str:
        return render(report, format, **options)


sys.modules[__name__].__class__ = _CallableModule
