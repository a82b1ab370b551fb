"""Entries of tar archives for tests."""

import io
import tarfile


def tar_entry(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = "") -> tuple:
    """A header and its data, as `tarfile.addfile` takes them."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, len(data)
    return info, io.BytesIO(data)
