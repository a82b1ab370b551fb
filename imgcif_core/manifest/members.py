"""The members that a table names in an archive: which are there, with their sizes, and which nobody saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import LocalData
from imgcif_core.images.members import Listing, plain_name
from imgcif_core.manifest.copies import measured
from imgcif_core.net.links import Link
from imgcif_core.net.network import Network


def members_of(link: Link, copies: LocalData, network: Network | None, *, reads: bool, is_here: bool) -> dict[str, Any]:
    """Members by the copy of an archive, else by its server.

    `seen` with sizes, `missing`, and `unseen` with the reason; `by_place` counts those of a tar archive whose
    place alone is known. Members of an unpacked folder have digests where `reads` is set.
    """
    told: dict[str, Any] = {"from": "copy" if is_here else "server", "seen": [], "missing": [], "unseen": []}
    if not is_here and network is None:
        return told | {"unseen": list(link.members), "because": "the archive was not opened"}
    try:
        archive = copies.archive(link.uri) if is_here else _remote(network, link)
        listing = archive.listing()
    except BytesError as fault:
        return told | {"unseen": list(link.members), "because": str(fault)}
    _sort(link, listing, told)
    if listing.fault is not None:
        told["because"] = str(listing.fault)
    predicted = getattr(archive, "predicted", 0)
    if predicted:
        told["by_place"] = predicted
    if is_here and reads:
        _add_digests(link, copies, told)
    return told


def _remote(network: Network | None, link: Link) -> Any:
    """The archive on its server."""
    from imgcif_core.images.limits import Limits

    source = network.resolve(link.uri) if network is not None else None
    if source is None:
        raise BytesError("refused", "members of this kind of address are not asked for")
    return source.open_archive(Limits())


def _sort(link: Link, listing: Listing, told: dict[str, Any]) -> None:
    """Put each member that the table names where it belongs."""
    for name in link.members:
        member = listing.find(name)
        if member is None:
            told["missing" if listing.is_complete else "unseen"].append(name)
        elif member.kind != "file" or member.size == 0:
            # A folder, a link or an empty file is no image.
            told["missing"].append(name)
        else:
            told["seen"].append({"name": name, "size": member.size})


def _add_digests(link: Link, copies: LocalData, told: dict[str, Any]) -> None:
    """Digests of the members of an unpacked folder; those of an archive are told by the digest of the archive."""
    place = copies.stand_in(link.uri)
    if not isinstance(place, Path) or not place.is_dir():
        return
    for entry in told["seen"]:
        # The list of a folder holds plain files below it alone.
        path = place / plain_name(entry["name"])
        try:
            entry["digests"] = measured(path, set())[1]
        except BytesError as fault:
            entry["because"] = str(fault)
