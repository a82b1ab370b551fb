"""Checks whether an imgCIF file describes its raw diffraction data correctly."""

from imgcif_core._version import __version__
from imgcif_core.errors import ImgcifError, InputError, UsageError
from imgcif_core.findings import FileReport, Finding, Location, Report, Severity, Span

_LAZY = {
    "check": "imgcif_core.api",
    "check_document": "imgcif_core.api",
    "explain": "imgcif_core.api",
    "load_dictionary": "imgcif_core.api",
    "read": "imgcif_core.api",
    "render": "imgcif_core.render",
    "CheckOptions": "imgcif_core.checks.options",
}

__all__ = [
    "CheckOptions",
    "FileReport",
    "Finding",
    "ImgcifError",
    "InputError",
    "Location",
    "Report",
    "Severity",
    "Span",
    "UsageError",
    "__version__",
    "check",
    "check_document",
    "explain",
    "load_dictionary",
    "read",
    "render",
]


def __getattr__(name: str) -> object:
    """Import what needs numpy only when it is asked for."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value
