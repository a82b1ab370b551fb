"""What the rules about external data ask for: the joined rows, and the bytes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from imgcif_core.checks.options import CheckOptions
from imgcif_core.checks.registry import NotApplicable, NotChecked, provider
from imgcif_core.cif.document import Source
from imgcif_core.images.bytes import ByteSource
from imgcif_core.images.local import Address, LocalData
from imgcif_core.limits import Budget
from imgcif_core.model.external import ExternalData, build_external
from imgcif_core.model.shapes import Shapes
from imgcif_core.model.uris import parse_uri
from imgcif_core.tables import Tables

if TYPE_CHECKING:
    from imgcif_core.net.evidence import Evidence
    from imgcif_core.net.network import Network

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


@provider("network")
def network(options: CheckOptions, all_tables: list[Tables]) -> Network | None:
    """The network of this run, None where it is not to be used."""
    if options.online is None:
        return None
    from imgcif_core.net.links import links_of_all
    from imgcif_core.net.network import Network

    links: dict[str, Any] = {}

    def expected(uri: str) -> tuple[str, ...]:
        """The members that the tables expect in an archive."""
        if not links:
            links.update(links_of_all(all_tables))
        return links[uri].members if uri in links else ()

    return Network(options.online, expected=expected)


@provider("any_evidence")
def any_evidence(network: Network | None, all_tables: list[Tables]) -> Evidence | None:
    """What the links of the file lead to, as records and servers tell; None without a network."""
    if network is None:
        return None
    from imgcif_core.net.evidence import gather
    from imgcif_core.net.links import dois_of, links_of_all

    return gather(network, links_of_all(all_tables).values(), dois_of(all_tables))


@provider("evidence")
def evidence(any_evidence: Evidence | None) -> Evidence:
    """What the links of the file lead to; `NotChecked` without a network."""
    if any_evidence is None:
        raise NotChecked("offline: no link was followed")
    return any_evidence


@provider("local_data")
def local_data(
    options: CheckOptions, source: Source, network: Network | None, any_evidence: Evidence | None, budget: Budget
) -> LocalData:
    """The bytes of external data: on this machine, and over the network where that is asked for.

    Records are asked first, for they tell sizes that need not be asked of servers.
    """
    return LocalData(
        base=source.folder,
        local=options.local,
        maps=options.maps,
        follow=options.follow,
        limits=options.limits,
        resolvers=(network.resolve,) if network is not None else (),
        budget=budget,
    )


def may_lie_here(external: ExternalData, local: LocalData) -> bool:
    """True if any image file can be on this machine; told without a look at every row."""
    if local.has_stand_ins:
        return True
    uris = external.uris
    return uris is not None and any(text and parse_uri(text).is_relative for text in uris.coarse.texts)


def no_copy(local: LocalData) -> NotChecked:
    """Why external data were not looked at: what is not on this machine is asked for with `--online` alone."""
    if local.is_offline:
        return NotChecked("offline, and no local copy of the external data")
    return NotChecked("no local copy of the external data, and no address that is asked over the network")


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
