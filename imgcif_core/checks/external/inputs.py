"""What the rules about external data ask for: the joined rows, and the bytes on this machine."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, Problem, provider
from imgcif_core.cif.document import Source
from imgcif_core.images.bytes import ByteSource
from imgcif_core.images.local import Address, LocalData
from imgcif_core.model.external import ExternalData, build_external
from imgcif_core.model.shapes import Shapes
from imgcif_core.model.uris import parse_uri
from imgcif_core.tables import Table, Tables

MAX_PLACES = 6
Key = TypeVar("Key")


@provider("any_external")
def any_external(tables: Tables) -> ExternalData:
    """The external data of a block, even if there are none."""
    return build_external(tables)


@provider("external")
def external(any_external: ExternalData) -> ExternalData:
    """The external data of a block that has some."""
    if not len(any_external):
        raise NotApplicable("no external data")
    return any_external


@provider("local_data")
def local_data(options: CheckOptions, source: Source) -> LocalData:
    """The bytes of external data on this machine."""
    return LocalData(
        base=source.folder, local=options.local, maps=options.maps, follow=options.follow, limits=options.limits
    )


def may_lie_here(external: ExternalData, local: LocalData) -> bool:
    """True if any image file can be on this machine; told without a look at every row."""
    if local.has_stand_ins:
        return True
    uris = external.uris
    return uris is not None and any(text and parse_uri(text).is_relative for text in uris.coarse.texts)


def address_of(external: ExternalData, row: int) -> Address | None:
    """Where the image file of a row is, None if it names none."""
    image = external.image(row)
    if image.uri is None:
        return None
    return Address(image.uri, image.archive_format, image.archive_path)


def open_external(external: ExternalData, local: LocalData, row: int) -> ByteSource:
    """The bytes of the image file that a row of external data leads to.

    Raises
    ------
    BytesError
        If they are not on this machine, or cannot be read.
    """
    from imgcif_core.images.limits import BytesError

    address = address_of(external, row)
    if address is None:
        raise BytesError("missing", "no uri is given")
    return local.open(address)


def problem_at(table: Table, where: np.ndarray, item: str, /, **more: Any) -> Problem:
    """One problem for all of some rows."""
    places = [table.at(int(row), item) for row in where[:MAX_PLACES]]
    return Problem(places[0], count=len(where), more=places[1:], **more)


def rows_by(shapes: Shapes, judge: Callable[[str], Key | None]) -> Iterator[tuple[Key, np.ndarray]]:
    """Rows by what a judge says of their texts, in the order of the first rows; None is left out."""
    shapes = shapes.coarse
    found: dict[Key, list[int]] = {}
    for shape, text in enumerate(shapes.texts):
        key = judge(text) if text is not None else None
        if key is not None:
            found.setdefault(key, []).append(shape)
    for key, members in found.items():
        if len(members) == len(shapes.first):
            yield key, np.arange(len(shapes.inverse))
        else:
            yield key, np.flatnonzero(np.isin(shapes.inverse, members))


def counted(rows: np.ndarray, noun: str = "row") -> str:
    """A number of rows with its noun."""
    return f"1 {noun}" if len(rows) == 1 else f"{len(rows)} {noun}s"
