"""Reports for people and programs; each format is a module that is imported when it is asked for."""

from importlib import import_module
from typing import Any

from imgcif_core.errors import UsageError
from imgcif_core.findings import Report

FORMATS = ("text", "json", "sarif", "junit", "github", "html")


def render(report: Report, format: str = "text", **options: Any) -> str:
    """A report as text, json, sarif, junit, github or html.

    Options: `color` and `quiet` for text; `rules` for sarif, a map from code to name, short text,
    full text and help address.

    Raises
    ------
    UsageError
        If there is no such format.
    """
    if format not in FORMATS:
        raise UsageError(f"no report format {format}; there are {', '.join(FORMATS)}")
    module = import_module(f"imgcif_core.render.{format}_format")
    return module.render(report, **options)
