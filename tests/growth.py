"""Texts of any size, each of one repetition: what a search from the start for each of them would make quadratic."""

from collections.abc import Callable

_BOUNDARY = b"--CIF-BINARY-FORMAT-SECTION--"
_CBF = b"###CBF: VERSION 1.5\ndata_x\n"
_CBF_LOOP = _CBF + b"loop_\n_array_data.data\n"
_CIF2 = b"#\\#CIF_2.0\ndata_x\n"
Maker = Callable[[int], bytes]


def same(head: bytes, part: bytes, tail: bytes = b"") -> Maker:
    """One part again and again."""
    return lambda size: head + part * max(1, (size - len(head) - len(tail)) // len(part)) + tail


def counted(head: bytes, part: str, tail: bytes = b"") -> Maker:
    """A part that counts: `{n}` is its number, `{m}` that of the next one."""

    def make(size: int) -> bytes:
        each = len(part.format(n=size // 10, m=size // 10))
        rows = (part.format(n=number, m=number + 1) for number in range(max(1, (size - len(head)) // each)))
        return head + "".join(rows).encode() + tail

    return make


def table(category: str, items: str, row: str) -> Maker:
    """A table of many rows."""
    names = "".join(f"_{category}.{item}\n" for item in items.split())
    return counted(_CIF2 + b"loop_\n" + names.encode(), row)


def frames(name: str, number: str = "{n}") -> Maker:
    """Frames of one scan, and their images, which write the ids and the numbers in another way."""

    def make(size: int) -> bytes:
        rows = range(max(1, size // 30))
        scan = "loop_\n_diffrn_scan_frame.frame_id\n_diffrn_scan_frame.scan_id\n_diffrn_scan_frame.frame_number\n"
        scan += "".join(f"{name} s {number}\n".format(n=row) for row in rows)
        data = "loop_\n_diffrn_data_frame.id\n_diffrn_data_frame.array_id\n_diffrn_data_frame.binary_id\n"
        data += "".join(f"frame{row} a {row}\n" for row in rows)
        return _CIF2 + scan.encode() + data.encode()

    return make


def placed(size: int) -> bytes:
    """Scans of two frames, each at a position of the detector and with a collection of its own."""
    axis = "loop_\n_axis.id\n_axis.type\n_axis.equipment\n_axis.vector[1]\n_axis.vector[2]\n_axis.vector[3]\n"
    text = axis + "d translation detector 0 0 -1\n"
    # In a small text so many that pairs of scans would outweigh all else.
    rows = range(max(1, size // 2 if size < 10_000 else size // 40))
    for names, row in (
        ("_diffrn_scan.id\n_diffrn_scan.frames", "s{n} 2"),
        ("_diffrn_scan_axis.scan_id\n_diffrn_scan_axis.axis_id\n_diffrn_scan_axis.displacement_start", "s{n} d {n}"),
        ("_diffrn_scan_collection.scan_id\n_diffrn_scan_collection.type", "s{n} stills"),
    ):
        text += f"loop_\n{names}\n" + "".join(row.format(n=number) + "\n" for number in rows)
    return _CIF2 + text.encode()


KINDS: dict[str, Maker] = {
    "one name": same(b"data_x\n", b"_axis.id a\n"),
    "one name in loops": same(b"data_x\n", b"loop_\n_axis.id\na\n"),
    "many names": counted(b"data_x\n", "_axis.a{n} 1\n"),
    "many categories": counted(b"data_x\n", "_category{n}.a 1\n"),
    "loops of one item": counted(b"data_x\n", "loop_\n_axis.a{n}\n1\n"),
    "names of a loop": counted(b"data_x\nloop_\n", "_axis.a{n}\n", b"1\n"),
    "one block": same(b"", b"data_x\n_axis.id a\n"),
    "empty blocks": counted(b"", "data_x{n}\n"),
    "blocks that lead to each other": counted(
        b"", "data_x{n}\n_audit_dataset.id d\n_diffrn_scan.id s{n}\n_diffrn_scan_frame.scan_id s{m}\n"
    ),
    "one save frame": same(b"data_x\n", b"save_a\n_axis.id a\nsave_\n"),
    "open save frames": counted(b"data_x\n", "save_a{n}\n_axis.id a\n"),
    "open sections": same(_CBF, b"_array_data.data\n;\n" + _BOUNDARY + b"\n"),
    "open sections in a loop": same(_CBF_LOOP, b";\n" + _BOUNDARY + b"\n;\n"),
    "closed sections": same(
        _CBF_LOOP, b";\n" + _BOUNDARY + b"\nX-Binary-Size: 4\n\n\x0c\x1a\x04\xd50123\n" + _BOUNDARY + b"--\n;\n"
    ),
    "sections that end and never begin": same(
        _CBF_LOOP + b";\n" + _BOUNDARY + b"\n\n\x0c\x1a\x04\xd5", b"\n" + _BOUNDARY + b"--\n;\n"
    ),
    "a list": same(_CIF2 + b"_a.b [", b"1 'a b' ", b"]\n"),
    "a list of lists": same(_CIF2 + b"_a.b [", b"[1 'a']\n", b"]\n"),
    "open lists": same(_CIF2, b"_a.b [ 1\n"),
    "a table": counted(_CIF2 + b"_a.b {", "'k{n}':{n} ", b"}\n"),
    "open quotes": same(_CIF2, b"_axis.id 'a\n"),
    "open triple quotes": same(_CIF2, b"_a.b '''x\n"),
    "values that stick in one line": same(b"data_x\n", b"_a.b'c d' "),
    "misspelt loops": same(b"data_x\n", b"lop_\n_a.b\n1\n"),
    "loops with a value too many": same(b"data_x\n", b"loop_\n_axis.id\n_axis.type\na b c\n"),
    "comments that tell of a preview": same(b"data_x\n_a.b 'c'\n", b"# ... 5 more rows\n"),
    "quoted values": counted(_CIF2 + b"loop_\n_diffrn_scan_frame.frame_id\n_a.b\n", "'f {n}' \"x {n}\"\n"),
    "frames of arrays that nothing describes": table("diffrn_data_frame", "id array_id binary_id", "f{n} a{n} {n}\n"),
    "a chain of axes": table("axis", "id type depends_on", "a{n} rotation a{m}\n"),
    "one axis": table("axis", "id type equipment", "a rotation goniometer\n"),
    "one frame": table("diffrn_scan_frame", "frame_id scan_id frame_number", "f s 1\n"),
    "scans": table("diffrn_scan", "id frames frame_id_start frame_id_end", "s{n} 1 f{n} f{m}\n"),
    "wrong numbers": table("axis", "id vector[1]", "a{n} x{n}\n"),
    "scans at positions of the detector": placed,
    "ids in another case": frames("Frame{n}"),
    "numbers in quotes": frames("frame{n}", "' {n}'"),
    "links of all servers": table("array_data_external_data", "id format uri", "e{n} CBF https://h{n}.org/a.cbf\n"),
}
