"""The one table of formats: images, archives, packings and texts, by the names and first bytes of files.

A new image format is one entry here and one reader of its pixels. Everything else asks this table: what a
name tells, what the first bytes tell, how many images a file holds, what the dictionary calls it, and what
people are asked.
"""

import re
from functools import lru_cache

from imgcif_core.records import dataclass

# As many first bytes as tell every format.
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Magic:
    """Bytes at one of some offsets from the start of a file.

    `blanks` allows blank lines before them; `holds` must stand among the first 64 bytes as well; `pixels`
    names a reader other than that of the format.
    """

    mark: bytes
    offsets: tuple[int, ...] = (0,)
    blanks: bool = False
    holds: bytes = b""
    pixels: str = ""

    def fits(self, head: bytes) -> bool:
        """True if the first bytes of a file are these."""
        if self.blanks:
            return head.lstrip(b"\r\n \t").startswith(self.mark)
        return self.holds in head[:64] and any(head.startswith(self.mark, offset) for offset in self.offsets)


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A format of image files.

    word : what _array_data_external_data.format calls it, in its case; empty where no word is in use.
    title : for people, with its article. suffixes : in lower case, with the dot; `numbered` ones may go
    on with digits, as .mar2300 does. magic : first bytes, the first format that fits counts.
    holds_many : one file may hold many images. in_dictionary : False for a word in use that no edition
    lists. version : whether files state their version themselves ("stated"), readers need it said
    ("needed"), or neither. shares_suffix : words of formats whose files bear these suffixes too.
    pixels : the reader of its pixels, a key of `imgcif_core.images.pixels.READERS`, after a colon what it
    is told, as the class of fabio that reads the format. kind : the reader of the description, a key of
    `imgcif_core.sources.any.KINDS`; empty where nothing reads it.
    """

    word: str
    title: str
    suffixes: tuple[str, ...]
    magic: tuple[Magic, ...]
    pixels: str
    numbered: tuple[str, ...] = ()
    holds_many: bool = False
    in_dictionary: bool = True
    version: str = ""
    shares_suffix: frozenset[str] = frozenset()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveFormat:
    """A kind of archive: its word in _array_data_external_data.archive_format, and the packing of a tar."""

    word: str
    title: str
    suffixes: tuple[str, ...]
    packing: str | None = None
    in_dictionary: bool = True


@dataclass(frozen=True, slots=True)
class Packing:
    """A packing of single files: its word in _array_data_external_data.file_compression, empty for none."""

    name: str
    word: str
    suffix: str
    magic: bytes


# The order counts where the first bytes of one format begin as those of another do.
IMAGES = (
    ImageFormat(
        "CBF",
        "a CBF",
        (".cbf",),
        (Magic(b"###CBF", blanks=True),),
        "cbf",
        version="stated",
        kind="imgcif",
    ),
    ImageFormat(
        "HDF5",
        "an HDF5 file",
        (".h5", ".hdf5", ".hdf", ".nxs", ".cxi"),
        # The first bytes stand behind a user block of 512 bytes or a power of two of them.
        (Magic(b"\x89HDF\r\n\x1a\n", (0, 512, 1024, 2048)),),
        "hdf5",
        holds_many=True,
        version="stated",
        kind="nxmx",
    ),
    ImageFormat(
        "SMV",
        "an SMV image",
        (".img",),
        (Magic(b"{", holds=b"HEADER_BYTES"),),
        "fabio:dtrekimage",
        version="needed",
        shares_suffix=frozenset({"MAR", "Bruker", "KCD"}),
        kind="smv",
    ),
    ImageFormat(
        "MAR",
        "a MAR image",
        (".mccd",),
        # Rayonix puts a header of its own behind that of TIFF; image plates begin with the number 1234.
        (
            Magic(b"MMX\0", (1028,)),
            Magic(b"\xd2\x04\0\0", pixels="fabio:mar345image"),
            Magic(b"\0\0\x04\xd2", pixels="fabio:mar345image"),
        ),
        "fabio:marccdimage",
        numbered=(".mar",),
        version="needed",
        kind="tiff",
    ),
    ImageFormat(
        "TIFF",
        "a TIFF image",
        (".tif", ".tiff"),
        (
            # The TIFF of a PILATUS has its directory at a place of its own.
            Magic(b"II*\0\x82\0", pixels="fabio:pilatusimage"),
            Magic(b"II*\0"),
            Magic(b"MM\0*"),
            Magic(b"II+\0"),
            Magic(b"MM\0+"),
        ),
        "fabio:tifimage",
        holds_many=True,
        shares_suffix=frozenset({"MAR", "Bruker"}),
        kind="tiff",
    ),
    ImageFormat(
        "Bruker",
        "a Bruker image",
        (".sfrm", ".gfrm"),
        (Magic(b"FORMAT :        86"), Magic(b"FORMAT :", pixels="fabio:bruker100image")),
        "fabio:brukerimage",
        version="needed",
    ),
    ImageFormat(
        "KCD",
        "a KappaCCD image",
        (".kcd",),
        (Magic(b"No", holds=b"Data"),),
        "fabio:kcdimage",
        in_dictionary=False,
        version="needed",
    ),
    ImageFormat("", "an R-AXIS image", (".osc",), (Magic(b"R-AXIS"), Magic(b"RAXIS")), "fabio:raxisimage"),
    ImageFormat("", "an Oxford Diffraction image", (), (Magic(b"OD SAPPHIRE"),), "fabio:oxdimage"),
    ImageFormat(
        "",
        "an EDF image",
        (".edf",),
        (Magic(b"{", holds=b"EDF_"), Magic(b"{", holds=b"HeaderID")),
        "fabio:edfimage",
    ),
)
ARCHIVES = (
    ArchiveFormat("TBZ", "a tar archive packed by bzip2", (".tar.bz2", ".tbz2", ".tbz"), "bz2"),
    ArchiveFormat("TGZ", "a tar archive packed by gzip", (".tar.gz", ".tgz"), "gz"),
    ArchiveFormat("ZIP", "a zip archive", (".zip",), "zip"),
    ArchiveFormat("TAR", "a tar archive", (".tar",), None, in_dictionary=False),
    ArchiveFormat("TXZ", "a tar archive packed by xz", (".tar.xz", ".txz"), "xz", in_dictionary=False),
)
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
PACKINGS = (
    Packing("gz", "GZ", ".gz", b"\x1f\x8b"),
    Packing("bz2", "BZ2", ".bz2", b"BZh"),
    Packing("xz", "", ".xz", b"\xfd7zXZ\0"),
)
# Files that are read as CIF text, and packings in which they are.
TEXT_SUFFIXES = (".cif", ".imgcif", ".cbf")
TEXT_PACKINGS = tuple(entry for entry in PACKINGS if entry.word)
# What else is sometimes taken for a text.
_STRANGERS = (
    *((magic, "a zip archive") for magic in ZIP_MAGIC),
    (b"\x89PNG", "a PNG image"),
    (b"%PDF", "a PDF document"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)


def image_format_of(head: bytes) -> ImageFormat | None:
    """The image format that the first bytes of a file tell; `HEAD_BYTES` of them are enough."""
    return _by_magic(head)[0]


def pixel_reader_of(head: bytes) -> str:
    """The reader of pixels that the first bytes of a file tell; empty where none is known."""
    entry, magic = _by_magic(head)
    return (magic.pixels if magic else "") or (entry.pixels if entry else "")


def fabio_readers() -> frozenset[str]:
    """The classes of fabio that the table names; none of them runs code of a file."""
    named = (pixels for entry in IMAGES for pixels in (entry.pixels, *(magic.pixels for magic in entry.magic)))
    return frozenset(text.removeprefix("fabio:") for text in named if text.startswith("fabio:"))


def _by_magic(head: bytes) -> tuple[ImageFormat | None, Magic | None]:
    """The format that first bytes fit, and which of its marks they bear."""
    fits = ((entry, magic) for entry in IMAGES for magic in entry.magic if magic.fits(head))
    return next(fits, (None, None))


def packing_of(head: bytes) -> str | None:
    """The packing that the first bytes of a file tell: gz, bz2, xz or None."""
    return next((entry.name for entry in PACKINGS if head.startswith(entry.magic)), None)


def is_zip(head: bytes) -> bool:
    """True if the first bytes are those of a zip archive."""
    return head.startswith(ZIP_MAGIC)


def stranger(head: bytes) -> str | None:
    """What a file is that is no text, in words with the article; None where it may be one."""
    found = image_format_of(head)
    if found is not None and found.word != "CBF":
        return found.title
    return next((title for magic, title in _STRANGERS if head.startswith(magic)), None)


def archive_suffix(name: str) -> str | None:
    """The archive format that the end of a file name tells."""
    folded = name.casefold()
    found = (entry.word for entry in ARCHIVES if folded.endswith(entry.suffixes))
    return next(found, None)


def compression_suffix(name: str) -> str | None:
    """The packing of a single file that the end of its name tells; None for archives."""
    return None if archive_suffix(name) else by_ending(ending_of(name))[1]


def format_suffix(name: str) -> str | None:
    """The image format that the end of a file name tells, packing set aside; None where several may bear it."""
    return by_ending(ending_of(name))[0]


def format_and_packing(name: str) -> tuple[str | None, str | None]:
    """Format and packing of an image file as the end of its name tells them, None for what it does not."""
    return by_ending(ending_of(name))


def image_of_name(name: str) -> ImageFormat | None:
    """The image format that the end of a name tells, whether or not the dictionary has a word for it."""
    return _image_of_ending(plain_ending(name))


def ending_of(name: str) -> str:
    """The ending of a file name in lower case, with that of a packing after it; empty without one."""
    base = name[name.rfind("/") + 1 :].casefold()
    stem, dot, last = base.rpartition(".")
    if not stem:
        return ""
    if f".{last}" not in _PACKED_SUFFIXES:
        return dot + last
    inner = stem.rpartition(".")
    return f".{inner[2]}.{last}" if inner[0] else f".{last}"


def plain_ending(name: str) -> str:
    """The ending of a file name in lower case, that of a packing set aside."""
    ending = ending_of(name)
    packed = next((suffix for suffix in _PACKED_SUFFIXES if ending.endswith(suffix)), "")
    return ending.removesuffix(packed)


@lru_cache(maxsize=256)
def by_ending(ending: str) -> tuple[str | None, str | None]:
    """Format and packing that go with an ending, as `ending_of` gives it."""
    packed = next((entry for entry in PACKINGS if ending.endswith(entry.suffix)), None)
    found = _image_of_ending(ending.removesuffix(packed.suffix) if packed else ending)
    return (found.word or None) if found else None, (packed.word or None) if packed else None


def _image_of_ending(ending: str) -> ImageFormat | None:
    """The format whose files have an ending."""
    bare = ending.rstrip("0123456789")
    return next((entry for entry in IMAGES if ending in entry.suffixes or bare in entry.numbered), None)


def image_words() -> tuple[str, ...]:
    """The words of image formats in the order of the table."""
    return tuple(entry.word for entry in IMAGES if entry.word)


def suffix_pattern() -> str:
    """A regular expression for one or more endings of image files and packings at the end of a name."""
    plain = [re.escape(suffix[1:]) for entry in IMAGES if entry.word for suffix in entry.suffixes]
    numbered = [re.escape(suffix[1:]) + "[0-9]*" for entry in IMAGES for suffix in entry.numbered]
    packed = [re.escape(entry.suffix[1:]) for entry in TEXT_PACKINGS]
    return rf"(?:\.(?:{'|'.join((*plain, *numbered, *packed))}))+\Z"


_PACKED_SUFFIXES = frozenset(entry.suffix for entry in PACKINGS)
# One file holds many images; the others hold one each.
MANY_IMAGES = frozenset(entry.word for entry in IMAGES if entry.word and entry.holds_many)
SINGLE_IMAGES = frozenset(entry.word for entry in IMAGES if entry.word and not entry.holds_many)
# Words in use that no edition of the dictionary lists.
ARCHIVE_GAPS = frozenset(entry.word for entry in ARCHIVES if not entry.in_dictionary)
BY_WORD = {entry.word: entry for entry in IMAGES if entry.word}
