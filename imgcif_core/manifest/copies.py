"""Copies of linked files on this machine: their size and digests, held against what the archive says."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

from imgcif_core.findings import LinkVerdict
from imgcif_core.images.limits import BytesError
from imgcif_core.images.local import LocalData
from imgcif_core.net.links import Link
from imgcif_core.net.tape import now

_PIECE = 1 << 20
_ALGORITHMS = frozenset({"md5", "sha1", "sha256", "sha512"})


def copy_of(link: Link, copies: LocalData, verdict: LinkVerdict | None, *, reads: bool) -> dict[str, Any] | None:
    """What the copy of a linked file is, None where there is none.

    `reads` is False for its size alone. A digest of the repository is computed of the copy, too.
    """
    try:
        place = copies.found(link.uri)
    except BytesError as fault:
        return {"verdict": "not checked", "because": str(fault), "date": now()}
    if not isinstance(place, Path):
        return None
    told: dict[str, Any] = {"path": str(place), "date": now()}
    if place.is_dir():
        return {"verdict": "confirmed", "because": "a folder on this machine"} | told
    expected = verdict.digest if verdict is not None and verdict.digest else ""
    try:
        size, digests = measured(place, {expected.partition(":")[0]} if reads else None)
    except BytesError as fault:
        return {"verdict": "not checked", "because": str(fault)} | told
    told |= {"size": size} | ({"digests": digests} if digests else {})
    contradiction = _contradiction(size, digests, verdict)
    if contradiction:
        return {"verdict": "contradicted", "because": contradiction} | told
    agrees = f"a copy on this machine, with the {expected.partition(':')[0]} that its record has"
    return {"verdict": "confirmed", "because": agrees if expected in digests else "a copy on this machine"} | told


def _contradiction(size: int, digests: list[str], verdict: LinkVerdict | None) -> str:
    """Why a copy is not the file of the archive; empty where nothing says so."""
    if size == 0:
        return "the copy is empty (0 bytes)"
    if verdict is None or verdict.state != "confirmed":
        return ""
    if verdict.size is not None and verdict.size != size:
        return f"the copy has {size} bytes, the file of the archive {verdict.size}"
    algorithm = (verdict.digest or "").partition(":")[0]
    own = next((digest for digest in digests if digest.startswith(f"{algorithm}:")), None)
    if own is not None and own != verdict.digest:
        return f"the copy has {own}, the file of the archive {verdict.digest}"
    return ""


def measured(path: Path, more: set[str] | None) -> tuple[int, list[str]]:
    """Size and digests (SHA-256 and some more) of a file; no digest where `more` is None.

    Raises
    ------
    BytesError
        If it is no plain file, cannot be read, or changes while it is.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as stream:
            before = os.fstat(stream.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise BytesError("unsafe", f"{path.name} is no plain file")
            if more is None:
                return before.st_size, []
            sums = {
                name: hashlib.new(name, usedforsecurity=False) for name in sorted({"sha256"} | (more & _ALGORITHMS))
            }
            while piece := stream.read(_PIECE):
                for digest in sums.values():
                    digest.update(piece)
            after = os.fstat(stream.fileno())
    except OSError as error:
        raise BytesError("damaged", f"{path.name} cannot be read ({error.strerror or error})") from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise BytesError("changed", f"{path.name} changed while it was read")
    return after.st_size, [f"{name}:{digest.hexdigest()}" for name, digest in sums.items()]


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to does not hold."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
