"""How much is read from files that somebody else made, each limit with its reason."""

from dataclasses import dataclass
from typing import Any

from imgcif_core.errors import ImgcifError

MIB = 1 << 20
GIB = 1 << 30
# One image: the largest detectors have 18 million pixels, image plates and stitched films some more.
MAX_PIXELS = 64 * MIB


class BytesError(ImgcifError):
    """Bytes that cannot be had; `kind` says why, the text says it in one line.

    Kinds: `missing` (no such file or member), `damaged`, `limit` (a limit was reached), `unsafe`
    (a name or link that leads outside), `changed` (while it was read) and `unsupported`.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Reach:
    """Where links within files may lead: below some folders, or anywhere if they are to be followed."""

    folders: tuple[str, ...] = ()
    is_following: bool = False

    def request(self, path: str) -> dict[str, Any]:
        """What the process that reads HDF5 is told of a file; stand-ins are added as links name them."""
        return {"path": path, "stand_ins": {}, "folders": list(self.folders), "follow": self.is_following}


OWN_FOLDER = Reach()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of work on one archive or packed file; sizes in bytes."""

    # The largest single-crystal collections hold some 100,000 images.
    members: int = 1_000_000
    # A listing of a packed archive reads all of it: a day's work of a fast detector.
    expanded_bytes: int = 1 << 40
    # One member: a stack of some thousand images of 16 Mpixel.
    member_bytes: int = 16 * GIB
    # Gzip cannot do better than 1,032 to 1; a blank image, packed twice, does.
    ratio: int = 2000
    # Small files reach high ratios without harm.
    free_bytes: int = 256 * MIB
    # Long names and extended headers of tar archives, the directory of zip archives.
    header_bytes: int = 1 * MIB
    directory_bytes: int = 256 * MIB
    # Memory of an xz decoder: its strongest preset needs 65 MiB.
    decoder_bytes: int = 256 * MIB

    def allowed(self, packed: int, most: int) -> int:
        """The number of bytes that `packed` bytes may expand to."""
        return min(most, max(self.free_bytes, self.ratio * packed))
