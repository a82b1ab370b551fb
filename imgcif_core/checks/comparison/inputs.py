"""The comparison with the source that the options name, as an input of rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
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

    from imgcif_core.sources.description import Experiment
    from imgcif_core.sources.reference import read_reference

    if isinstance(options.against, Experiment):
        return options.against
    sources = [options.against] if isinstance(options.against, (str, Path)) else list(options.against)
    own = Path(document.source.path)
    is_own = len(sources) == 1 and own.is_file() and Path(sources[0]).is_file() and own.samefile(sources[0])
    try:
        return read_reference([f"minicbf:{sources[0]}"] if is_own else sources)
    except InputError as error:
        if is_own:
            raise NotChecked("the file is its own source, and has no text header to be held against") from None
        raise NotChecked(str(error)) from None


@provider("descriptions")
def descriptions_of(all_tables: Sequence[Tables], reference: Experiment) -> dict[str, Experiment]:
    """What each block that places a detector describes, by the name of the block."""
    from imgcif_core.sources.imgcif import describe

    found = {}
    for tables in all_tables:
        with suppress(InputError):
            found[tables.block.name] = describe(tables, tables.block.name)
    return found


@provider("comparison")
def comparison_of(
    document: Document,
    tables: Tables,
    axis_tree: Axes,
    detector: Detector,
    reference: Experiment,
    descriptions: Mapping[str, Experiment],
) -> Comparison:
    """The block and the part of the source that belongs to it, side by side."""
    from imgcif_core.compare import Comparison, share_of
    from imgcif_core.sources.reference import Sample

    described = descriptions.get(tables.block.name)
    if described is None:
        raise NotApplicable(f"block {tables.block.name} places no detector")
    share = share_of(tables.block.name, descriptions, reference)
    is_sample = isinstance(reference, Sample) or (bool(document.sections) and len(descriptions) == 1)
    return Comparison(described, share, is_sample=is_sample)
