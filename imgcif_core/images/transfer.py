"""Undoing the transfer encodings of binary sections: text back to the bytes it stands for.

For words of octal, decimal or hexadecimal digits, the example of the dictionary reads `<` as lowest
octet first and `>` as highest first, while CBFlib writes and reads them the other way round. The digest
of the section decides; without one, the reading of CBFlib is taken, which wrote nearly all of them.
"""

import base64
import binascii
import hashlib
import re

import numpy as np

from imgcif_core.images.mime import IDENTITY_ENCODINGS, SectionHeader

_BLANKS = b" \t\r\n"
_LINE_HEAD = re.compile(rb"([HOD])(\d)([<>])", re.I)
_BASES = {b"H": 16, b"O": 8, b"D": 10}
_BOM_UTF8 = b"\xef\xbb\xbf"
_SHIFT_32K = 256
MAX_WORD = 32


class TransferError(Exception):
    """The text is not what its transfer encoding demands; the text of the exception says where."""


def decode_transfer(text: bytes, header: SectionHeader) -> bytes:
    """The bytes for which an encoded text stands.

    Raises
    ------
    TransferError
        If the text is malformed, or the encoding is not known.
    """
    encoding = header.transfer_encoding or "7BIT"
    text = _as_utf8(text, header.charset)
    if encoding == "BASE64":
        return _base64(text)
    if encoding == "QUOTED-PRINTABLE":
        return _quoted_printable(text)
    if encoding in ("X-BASE8", "X-BASE10", "X-BASE16"):
        words = _words(text, {"X-BASE8": b"O", "X-BASE10": b"D", "X-BASE16": b"H"}[encoding])
        return _joined(words, header.fields.get("content-md5", "").strip(" \"'"))
    if encoding == "X-BASE32K":
        return _base32k(text)
    if encoding in IDENTITY_ENCODINGS:
        return text.rstrip(_BLANKS)
    raise TransferError(f"transfer encoding {encoding} is not known")


def _base64(text: bytes) -> bytes:
    """Undo BASE64; blanks and line ends are free."""
    try:
        return binascii.a2b_base64(text.translate(None, _BLANKS), strict_mode=True)
    except binascii.Error as error:
        raise TransferError(f"BASE64 text is malformed: {str(error).lower()}") from None


def _quoted_printable(text: bytes) -> bytes:
    """Undo Quoted-Printable, in which each `=` begins a code of two digits or ends a line."""
    wrong = re.search(rb"=(?![0-9A-Fa-f]{2}|[ \t]*(?:\r\n|\n|\r|\Z))", text)
    if wrong:
        raise TransferError(f"Quoted-Printable text has a stray '=' at byte {wrong.start() + 1}")
    # All lines are wrapped, so that a line end that stands for itself is none of the data.
    return binascii.a2b_qp(re.sub(rb"(?<!=)(?:\r\n|\n|\r)\Z", b"", text))


def _words(text: bytes, expected: bytes) -> list[tuple[int, int, bytes]]:
    """Octal, decimal or hexadecimal words: value, number of octets, and the mark of their order."""
    found: list[tuple[int, int, bytes]] = []
    style: tuple[int, int, bytes] | None = None
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", text), 1):
        body = line.partition(b"#")[0].split()
        if not body:
            continue
        head = _LINE_HEAD.fullmatch(body[0])
        if head:
            if head[1].upper() != expected or not 1 <= int(head[2]) <= 8:
                raise TransferError(f"line {number} begins with {_shown(body[0])}, expected {_shown(expected)}4<")
            style = (_BASES[expected], int(head[2]), head[3])
            body = body[1:]
        if style is None:
            raise TransferError(f"line {number} has no mark such as {_shown(expected)}4< before its words")
        for word in body:
            if found and found[-1][1] < style[1]:
                raise TransferError(f"line {number} has words after a padded one")
            found.append(_word(word, style, number))
    return found


def _word(word: bytes, style: tuple[int, int, bytes], number: int) -> tuple[int, int, bytes]:
    """Value, number of octets and order of one word; `==` stands for each missing octet."""
    base, size, mark = style
    missing, digits = word.count(b"="), word.strip(b"=")
    octets = size - missing // 2
    if missing % 2 or octets < 1 or b"=" in digits:
        raise TransferError(f"line {number} has the word {_shown(word)}, not padded by '==' for each missing byte")
    try:
        value = int(digits, base)
    except ValueError:
        value = -1
    if not 0 <= value < 256**octets or len(digits) > MAX_WORD:
        raise TransferError(f"line {number} has the word {_shown(word)}, no number of {octets} bytes")
    return value, octets, mark


def _joined(words: list[tuple[int, int, bytes]], digest: str) -> bytes:
    """The octets of words, in the order that the digest confirms; see the head of this module."""
    for first_lowest in (b">", b"<"):
        data = b"".join(
            value.to_bytes(octets, "little" if mark == first_lowest else "big") for value, octets, mark in words
        )
        if not digest or base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode() == digest:
            return data
    return data


def _base32k(text: bytes) -> bytes:
    """Undo BASE32K: 15 bits a character; the trailing equals signs say how many bytes to drop."""
    try:
        plain = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TransferError(f"X-BASE32K text is not UTF-8 at byte {error.start + 1}") from None
    tail = plain.rstrip(" \t\r\n")
    drop = len(tail) - len(tail.rstrip("="))
    codes = np.array([ord(character) for character in plain if ord(character) > 127], dtype=np.int64) - _SHIFT_32K
    if len(codes) and (codes.min() < 0 or codes.max() > 0x7FFF):
        raise TransferError("X-BASE32K text has a character outside its range U+0100 to U+80FF")
    bits = (codes[:, None] >> np.arange(14, -1, -1)) & 1
    packed = np.packbits(bits.astype(np.uint8).ravel()[: 15 * len(codes) // 8 * 8]).tobytes()
    return packed[: len(packed) - drop] if drop else packed


def _as_utf8(text: bytes, charset: str) -> bytes:
    """The text in UTF-8, of which ASCII is a part; a byte order mark counts before the parameter."""
    if text.startswith(_BOM_UTF8):
        return text[3:]
    if text.rstrip(_BLANKS).endswith(_BOM_UTF8):
        # CBFlib goes back to UTF-8 by the mark of it.
        text = text.rstrip(_BLANKS)[:-3]
    if text.startswith((b"\xfe\xff", b"\xff\xfe")):
        charset = "utf-16"
    if not charset.startswith("utf-16"):
        return text
    try:
        return text.decode("utf-16-be" if charset == "utf-16" and text[:1] == b"\0" else charset).encode("utf-8")
    except (UnicodeDecodeError, LookupError):
        raise TransferError(f"the text is not in its character set {charset}") from None


def _shown(word: bytes) -> str:
    """A word for a message, cut where it is long."""
    shown = word[:24].decode("ascii", "replace")
    return shown if len(word) <= 24 else f"{shown}..."
