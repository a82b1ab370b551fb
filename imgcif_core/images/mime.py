"""What the MIME header of a binary section says, as typed values."""

import re
from collections.abc import Mapping

import numpy as np

from imgcif_core.cif.document import BinarySection
from imgcif_core.records import cached_property, dataclass

BINARY = "BINARY"
IDENTITY_ENCODINGS = frozenset({"7BIT", "8BIT"})
TRANSFER_ENCODINGS = frozenset(
    {BINARY, "BASE64", "QUOTED-PRINTABLE", "X-BASE8", "X-BASE10", "X-BASE16", "X-BASE32K", *IDENTITY_ENCODINGS}
)
COMPRESSIONS = {
    "packed": "packed",
    "packed_v2": "packed_v2",
    "canonical": "canonical",
    "byte_offset": "byte_offset",
    "nibble_offset": "nibble_offset",
    "background_offset_delta": "background_offset_delta",
    "none": "none",
}
PACKED_FLAGS = ("uncorrelated_sections", "flat")
DEFAULT_ELEMENT_TYPE = "unsigned 32-bit integer"
SIZE_FIELDS = ("x-binary-size-fastest-dimension", "x-binary-size-second-dimension", "x-binary-size-third-dimension")
NUMBER_FIELDS = ("x-binary-size", "x-binary-number-of-elements", *SIZE_FIELDS, "x-binary-size-padding")
MAX_DIGITS = 18
LINE_ENDS = (b"\r\n", b"\n", b"\r")
_TYPE = re.compile(r"(signed|unsigned)\s+(\d+)-bit\s+(integer|real|complex)(?:\s+ieee)?", re.I)
_WIDTHS = {"integer": (1, 8, 16, 32, 64), "real": (32, 64), "complex": (32, 64)}


@dataclass(frozen=True, slots=True)
class ElementType:
    """The type of one array element, as `_array_structure.encoding_type` phrases it.

    `bits` is the width of one number: a complex element of 32 bits has two of them.
    """

    kind: str
    bits: int
    is_signed: bool
    text: str

    @property
    def bytes_per_element(self) -> float:
        """Bytes of one element when uncompressed; an eighth for packed bits."""
        return self.bits / 8 * (2 if self.kind == "complex" else 1)

    def dtype(self, byte_order: str = "little_endian") -> np.dtype:
        """The numpy type of the elements; bits are read as bytes."""
        order = ">" if byte_order == "big_endian" else "<"
        if self.kind == "complex":
            return np.dtype(f"{order}c{self.bits // 4}")
        if self.kind == "real":
            return np.dtype(f"{order}f{self.bits // 8}")
        return np.dtype(f"{order}{'i' if self.is_signed else 'u'}{max(self.bits, 8) // 8}")

    @property
    def largest(self) -> float:
        """The greatest value that an element can hold."""
        if self.kind != "integer":
            return float(np.finfo(self.dtype()).max)
        return 2.0 ** (self.bits - 1 if self.is_signed else self.bits) - 1


def element_type(text: str | None) -> ElementType | None:
    """The type that a phrase such as `signed 32-bit integer` names, None where it names none."""
    match = _TYPE.fullmatch(" ".join((text or "").strip(" \"'").split()))
    if match is None:
        return None
    kind, bits = match[3].lower(), int(match[2])
    if bits not in _WIDTHS[kind]:
        return None
    return ElementType(kind, bits, match[1].lower() == "signed", " ".join(match[0].split()))


@dataclass(frozen=True)
class SectionHeader:
    """The fields of one MIME header, read on demand; None stands for what is absent or unreadable."""

    fields: Mapping[str, str]

    def number(self, name: str) -> int | None:
        """A field that holds a whole number."""
        text = self.fields.get(name, "").strip(" \"'")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None

    @cached_property
    def transfer_encoding(self) -> str | None:
        """The transfer encoding in capitals, without its parameters."""
        text = self.fields.get("content-transfer-encoding")
        return text.partition(";")[0].strip(" \"'").upper() if text is not None else None

    @cached_property
    def charset(self) -> str:
        """The character set in which the encoded data are presented; that of the file unless given."""
        match = re.search(r"charset\s*=\s*[\"']?([\w-]+)", self.fields.get("content-transfer-encoding", ""), re.I)
        return match[1].lower() if match else "utf-8"

    @cached_property
    def conversions(self) -> str | None:
        """The text of the parameter `conversions` of the content type."""
        match = re.search(r"conversions\s*=\s*(?:\"([^\"]*)\"?|'([^']*)'?|([^;]*))", self._content_type, re.I)
        return next(group for group in match.groups() if group is not None).strip() if match else None

    @property
    def _content_type(self) -> str:
        return self.fields.get("content-type", "")

    @property
    def is_array(self) -> bool:
        """True unless the content type names something else than octets: a photograph, a text."""
        kind = self._content_type.partition(";")[0].strip().lower()
        return kind in ("", "application/octet-stream")

    @cached_property
    def _words(self) -> list[str]:
        """The words of the conversions: lower case, with underscores."""
        return (self.conversions or "").lower().replace("-", "_").replace(",", " ").split()

    @cached_property
    def compression(self) -> str | None:
        """The compression as `_array_structure.compression_type` names it; None for an unknown token."""
        if not self._words:
            return "none"
        return COMPRESSIONS.get(re.sub(r"\A(?:x_)?cbf_", "", self._words[0]))

    @cached_property
    def flags(self) -> frozenset[str]:
        """The flags that modify packed compression."""
        return frozenset(word for word in self._words[1:] if word in PACKED_FLAGS)

    @cached_property
    def size(self) -> int | None:
        """The number of bytes of the data, compressed and without padding."""
        return self.number("x-binary-size")

    @cached_property
    def padding(self) -> int:
        """The number of bytes between the data and the closing boundary."""
        return self.number("x-binary-size-padding") or 0

    @cached_property
    def element_type(self) -> ElementType | None:
        """The stated type of the elements."""
        return element_type(self.fields.get("x-binary-element-type"))

    @cached_property
    def byte_order(self) -> str | None:
        """The stated byte order in lower case."""
        text = self.fields.get("x-binary-element-byte-order")
        return text.strip(" \"'").lower() if text else None

    @cached_property
    def dimensions(self) -> tuple[int, ...]:
        """The stated dimensions, fastest first; shorter where the slower ones are not given."""
        found: list[int] = []
        for name in SIZE_FIELDS:
            number = self.number(name)
            if number is None:
                break
            found.append(number)
        return tuple(found)

    @cached_property
    def elements(self) -> int | None:
        """The stated number of elements."""
        return self.number("x-binary-number-of-elements")

    def unreadable_numbers(self) -> list[str]:
        """The numeric fields that are given and hold no whole number."""
        return [name for name in NUMBER_FIELDS if name in self.fields and self.number(name) is None]


def read_header(section: BinarySection) -> SectionHeader:
    """The typed header of a section."""
    return SectionHeader(section.headers)


def data_range(data: bytes, section: BinarySection, header: SectionHeader) -> tuple[int, int]:
    """The byte range of raw data: as long as stated, else all without padding and line end."""
    start, end = section.payload_start, section.payload_end
    if header.size is not None:
        return start, min(end, start + header.size)
    for mark in LINE_ENDS:
        if data.endswith(mark, start, end):
            end -= len(mark)
            break
    return start, max(start, end - header.padding)
