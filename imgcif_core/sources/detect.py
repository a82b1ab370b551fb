"""What kind of source a file is, told from its first bytes; a name decides only where these are silent."""

from collections.abc import Sequence
from pathlib import Path

from imgcif_core.errors import InputError
from imgcif_core.formats import IMAGES, image_format_of
from imgcif_core.images.limits import Reach
from imgcif_core.records import dataclass
from imgcif_core.sources.minicbf import header_text, read_head

_BINARY = b"--CIF-BINARY-FORMAT-SECTION--"
# Kinds whose description is a text or a file of its own; those of the other formats lie in each image.
_DESCRIPTIONS = ("imgcif", "nxmx")
SINGLE_IMAGES = ("minicbf", *(entry.kind for entry in IMAGES if entry.kind and entry.kind not in _DESCRIPTIONS))
_SHOWN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Detected:
    """An input, its kind (a key of `any.KINDS`), and whether it is one image, of which many make a scan."""

    path: str
    kind: str
    is_single_image: bool


def detect(path: str | Path) -> Detected:
    """The kind of an input, its first bytes read once.

    Raises
    ------
    InputError
        If the file cannot be read, or no reader knows it.
    """
    head = read_head(path)
    kind = _kind(head, path)
    is_image = kind in SINGLE_IMAGES or (kind == "imgcif" and _BINARY in head)
    return Detected(str(path), kind, is_image)


def kind_of(path: str | Path) -> str:
    """The kind of an input; `InputError` where it cannot be read or no reader knows it."""
    return detect(path).kind


def _kind(head: bytes, path: str | Path) -> str:
    """The kind that the first bytes tell."""
    from imgcif_core.sources.expt import is_detector, is_expt
    from imgcif_core.sources.psana import is_psana
    from imgcif_core.sources.xds import is_xds

    if not head:
        raise InputError(f"{path}: is empty")
    found = image_format_of(head)
    if found is not None and found.kind in SINGLE_IMAGES:
        return found.kind
    if Path(path).suffix.lower() == ".geom" or _looks_like_geom(head):
        return "geom"
    if found is not None and found.kind == "nxmx":
        from imgcif_core.sources.isolated import call

        return str(call("kind", path))
    if is_expt(head):
        return "expt"
    if is_detector(head):
        return "detector"
    if is_xds(head, Path(path).name):
        return "xds"
    lower = head.lower()
    if b"_axis." in lower:
        return "imgcif"
    if header_text(head) is not None:
        return "minicbf"
    if b"data_" in lower:
        return "imgcif"
    if is_psana(head):
        return "psana"
    raise InputError(f"{path}: {_seen(head)}, which none of the readers knows{_way_through_dxtbx(path)}")


def _looks_like_geom(head: bytes) -> bool:
    """True for text in which panels get min_fs, as CrystFEL has them."""
    return b"/min_fs" in head and b"data_" not in head and b"\0" not in head[:4096]


def _seen(head: bytes) -> str:
    """The first bytes in words."""
    shown = "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in head[:_SHOWN_BYTES])
    return f"begins with {shown!r}".replace("\\\\", "\\")


def _way_through_dxtbx(path: str | Path) -> str:
    """How dxtbx is asked, where there is one: never without being told to, as its readers may run what they read."""
    from imgcif_core.sources.dxtbx import find_python

    if find_python() is None:
        return ""
    return f"; dxtbx may know it (dxtbx:{Path(path).name}, for files that you trust: its readers can run code)"


def refuse_links(path: str, found: Sequence[Path], reach: Reach) -> None:
    """Refuse links among the files of a directory that lead out of it, and of all folders that may be entered."""
    if reach.is_following:
        return
    allowed = [Path(folder).resolve() for folder in (path, *reach.folders)]
    for entry in found:
        if entry.is_symlink() and not any(entry.resolve().is_relative_to(folder) for folder in allowed):
            raise InputError(
                f"{entry}: is a link that leads out of the directory, which is not followed; --local DIR allows the "
                "folder that it leads to, --follow any, --exclude PATTERN leaves it out"
            )
