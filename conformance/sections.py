"""Binary sections of made images, for the files of the cases; standard library only.

A section is told by `id`, `array` (1), `lead` (further values of its row, a line end by default), `image`,
`compression` (byte_offset or none), `encoding` (BINARY or BASE64), `order`, `hex` (the data as they are),
`padding`, `header` (fields to change, null removes one), `cut` (bytes taken from the end of the data) and
`flip` (number of the byte whose lowest bit is turned after the digest was made).

An image is told by `size` [fast, slow], `seed`, `level` (counts near the centre), `centre` [fast, slow],
`stop` (radius of the shadow of a beam stop), `fill` (one value for all pixels), `set` (rectangles
[fast, slow, width, height, value]) and `type`. Its counts fall off with the distance from the centre.
"""

import base64
import hashlib
import random
import struct

MAGIC = b"\x0c\x1a\x04\xd5"
BOUNDARY = b"--CIF-BINARY-FORMAT-SECTION--"
TYPES = {
    "unsigned 8-bit integer": "B",
    "signed 16-bit integer": "h",
    "unsigned 16-bit integer": "H",
    "signed 32-bit integer": "i",
    "unsigned 32-bit integer": "I",
    "signed 32-bit real IEEE": "f",
}
CONVERSIONS = {"none": "", "byte_offset": ';\n     conversions="x-CBF_BYTE_OFFSET"'}


def pixels(image: dict) -> list[int]:
    """The values of an image, fast direction first."""
    fast, slow = image["size"]
    values = [image["fill"]] * (fast * slow) if "fill" in image else scattered(image, fast, slow)
    for left, top, width, height, value in image.get("set", []):
        for row in range(top, top + height):
            values[row * fast + left : row * fast + left + width] = [value] * width
    return values


def scattered(image: dict, fast: int, slow: int) -> list[int]:
    """Counts that fall off from the centre, with the noise of counting and the shadow of a beam stop."""
    source = random.Random(image.get("seed", 1))
    centre_fast, centre_slow = image.get("centre", [(fast - 1) / 2, (slow - 1) / 2])
    level, stop = image.get("level", 200), image.get("stop", 0)
    values = []
    for row in range(slow):
        for column in range(fast):
            square = (column - centre_fast) ** 2 + (row - centre_slow) ** 2
            mean = 1.0 if square < stop * stop else level / (1.0 + square / 400.0)
            values.append(max(0, round(source.gauss(mean, mean**0.5))))
    return values


def byte_offset(values: list[int]) -> bytes:
    """Differences of one byte, or of two, four or eight after an escape."""
    packed, last = bytearray(), 0
    for value in values:
        step, last = value - last, value
        if -128 < step < 128:
            packed += struct.pack("<b", step)
        elif -0x8000 < step < 0x8000:
            packed += struct.pack("<Bh", 0x80, step)
        elif -0x80000000 < step < 0x80000000:
            packed += struct.pack("<BHi", 0x80, 0x8000, step)
        else:
            packed += struct.pack("<BHIq", 0x80, 0x8000, 0x80000000, step)
    return bytes(packed)


def payload(section: dict) -> tuple[bytes, int]:
    """The data of a section, and the number of elements."""
    if "hex" in section:
        data = bytes.fromhex(section["hex"])
        return data, len(data)
    image = section["image"]
    values = pixels(image)
    if section.get("compression", "byte_offset") == "byte_offset":
        data = byte_offset(values)
    else:
        order = ">" if section.get("order") == "BIG_ENDIAN" else "<"
        data = struct.pack(f"{order}{len(values)}{TYPES[element_type(section)]}", *values)
    return data[: len(data) - section.get("cut", 0)], len(values)


def element_type(section: dict) -> str:
    """The type of the elements."""
    return section.get("image", {}).get("type", "signed 32-bit integer")


def write(section: dict) -> bytes:
    """A row of the data table with its binary section."""
    data, elements = payload(section)
    fields = {
        "Content-Type": "application/octet-stream" + CONVERSIONS[section.get("compression", "byte_offset")],
        "Content-Transfer-Encoding": section.get("encoding", "BINARY"),
        "X-Binary-Size": len(data),
        "X-Binary-ID": section.get("id", 1),
        "X-Binary-Element-Type": f'"{element_type(section)}"',
        "X-Binary-Element-Byte-Order": section.get("order", "LITTLE_ENDIAN"),
        "Content-MD5": base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
        "X-Binary-Number-of-Elements": elements,
    }
    if "image" in section:
        fields["X-Binary-Size-Fastest-Dimension"], fields["X-Binary-Size-Second-Dimension"] = section["image"]["size"]
    if section.get("padding"):
        fields["X-Binary-Size-Padding"] = section["padding"]
    fields.update(section.get("header", {}))
    if "flip" in section:
        data = bytearray(data)
        data[section["flip"]] ^= 1
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    row = f" {section.get('array', 1)} {section.get('id', 1)}{section.get('lead', chr(10))}"
    head = row + "\n".join([";", BOUNDARY.decode(), *lines, "", ""])
    body = MAGIC + bytes(data) + b"\0" * section.get("padding", 0)
    if section.get("encoding", "BINARY") == "BASE64":
        body = base64.encodebytes(bytes(data)).rstrip(b"\n")
    return head.encode("ascii") + body + b"\n" + BOUNDARY + b"--\n;\n"
