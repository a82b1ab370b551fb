"""The comparison with the source that the options name, as an input of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, provider
from imgcif_core.cif.document import Document
from imgcif_core.errors import InputError
from imgcif_core.model.axes import Axes
from imgcif_core.model.detector import Detector
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.compare import Comparison
    from imgcif_core.sources.description import Experiment


@provider("reference")
def reference_of(options: CheckOptions, document: Document) -> Experiment:
    """What the source of `--against` describes; `NotChecked` without one.

    A file that is its own source is held against its text header.
    """
    if options.against is None:
        raise NotChecked("no source to compare with (--against)")
    from pathlib import Path

    from imgcif_core.sources.any import read_source
    from imgcif_core.sources.description import Experiment

    if isinstance(options.against, Experiment):
        return options.against
    source = str(options.against)
    own = Path(document.source.path)
    if own.is_file() and Path(source).is_file() and own.samefile(source):
        source = f"minicbf:{source}"
    try:
        return read_source(source)
    except InputError as error:
        raise NotChecked(str(error)) from None


@provider("comparison")
def comparison_of(tables: Tables, axis_tree: Axes, detector: Detector, reference: Experiment) -> Comparison:
    """The block and the source side by side."""
    from imgcif_core.compare import Comparison
    from imgcif_core.sources.imgcif import describe

    try:
        return Comparison(describe(tables, tables.block.name), reference)
    except InputError as error:
        raise NotApplicable(str(error)) from None
