"""How much is read from files that somebody else made, each limit with its reason."""

from typing import Any

from imgcif_core.errors import ImgcifError
from imgcif_core.limits import DEFAULT_LIMITS, GIB, MIB, Limits
from imgcif_core.records import dataclass

__all__ = ["DEFAULT_LIMITS", "GIB", "MIB", "OWN_FOLDER", "BytesError", "Limits", "Reach"]

# One image: the largest detectors have 18 million pixels, image plates and stitched films some more.
MAX_PIXELS = 64 * MIB
# Two 32-bit images of 16,000 x 16,000 pixels; larger ones are no single frames.
MAX_IMAGE_BYTES = 2 * GIB

# What says nothing of the bytes themselves.
_OF_SERVERS = frozenset({"gone", "login", "page", "contradiction", "changed"})
_UNASKED = frozenset({"refused", "unreached", "budget"})


class BytesError(ImgcifError):
    """Bytes that cannot be had; `kind` says why, the text says it in one line.

    Kinds: `missing` (no such file or member), `damaged`, `limit` (a limit was reached), `unsafe`
    (a name or link that leads outside), `changed` (while it was read) and `unsupported`. Of servers:
    `gone`, `login` (only after one), `page` (for people, in place of the file), `contradiction` (headers and
    bytes do not belong together), and three that say nothing of the file: `refused` (an address that is not
    asked), `unreached` (no answer, or none that helps) and `budget` (more than may be read or computed).
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind

    @property
    def is_unasked(self) -> bool:
        """True if nothing was learnt of the bytes: nobody was asked, or nobody answered."""
        return self.kind in _UNASKED

    @property
    def is_of_server(self) -> bool:
        """True if a server is why there are no bytes; the rule about links tells it."""
        return self.kind in _UNASKED or self.kind in _OF_SERVERS


def refuse_large(size: int, most: int, what: str) -> None:
    """Raise for an image that takes more memory than one may; nothing is said of the image itself."""
    if size > most:
        text = f"{what} takes {size // MIB} MiB, more than the {most // MIB} MiB that one may take"
        raise BytesError("budget", f"{text}; --limit memory=SIZE allows more")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where links within files may lead: below some folders, or anywhere if they are to be followed."""

    folders: tuple[str, ...] = ()
    is_following: bool = False

    def request(self, path: str) -> dict[str, Any]:
        """What the process that reads HDF5 is told of a file; stand-ins are added as links name them."""
        return {"path": path, "stand_ins": {}, "folders": list(self.folders), "follow": self.is_following}


OWN_FOLDER = Reach()
