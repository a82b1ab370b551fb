"""Validation reply forms: what authors answer to alerts, read from a CIF and written into it."""

import re
from collections.abc import Mapping

from imgcif_core.cif.document import Document
from imgcif_core.findings import Reply
from imgcif_core.tables import Tables

_NAME = re.compile(r"_vrf_(?P<code>[A-Za-z]{3}\d{3})(?:_(?P<block>.+))?\Z", re.IGNORECASE)
_FORM = re.compile(
    r"\s*PROBLEM:\s*(?P<problem>.*?)\s*(?:RESPONSE:\s*(?P<response>.*?))?\s*\Z", re.IGNORECASE | re.DOTALL
)
Key = tuple[str, str]


def read_replies(tables: Tables) -> dict[Key, Reply]:
    """The replies of a block by rule and case-folded block; the block itself where a form names none."""
    found: dict[Key, Reply] = {}
    for column in tables.unknown:
        name = _NAME.match(column.name)
        if name is None or not len(column):
            continue
        form = _FORM.match(column.text(0))
        problem, response = (form["problem"], form["response"]) if form else ("", column.text(0))
        block = name["block"] or tables.block.name
        found[name["code"].upper(), block.casefold()] = Reply(_folded(problem), _folded(response or ""))
    return found


def with_replies(document: Document, replies: Mapping[Key, Reply]) -> bytes:
    """The bytes of a document with reply forms added at the ends of their blocks.

    Parameters
    ----------
    replies :
        Replies by rule and name of the block; those of blocks that the document does not hold are left out.
    """
    data = document.source.data
    line_end = b"\r\n" if b"\r\n" in data[:4096] else b"\n"
    ends = [block.start for block in document.blocks[1:]] + [len(data)]
    for block, end in reversed(list(zip(document.blocks, ends, strict=True))):
        known = {name.lower() for name in block.columns}
        forms = [
            _form(f"_vrf_{code}_{block.name}", reply)
            for (code, name), reply in replies.items()
            if name.casefold() == block.name.casefold() and f"_vrf_{code}_{block.name}".lower() not in known
        ]
        if forms:
            text = "\n".join(["", *forms]).encode("utf-8").replace(b"\n", line_end)
            lead = b"" if data[:end].endswith((b"\n", b"\r")) else line_end
            data = data[:end] + lead + text + data[end:]
    return data


def _form(name: str, reply: Reply) -> str:
    """One reply form; a line that would end the text field is set in."""
    body = f"PROBLEM: {reply.problem}\nRESPONSE: {reply.response}".replace("\n;", "\n ;")
    return f"{name}\n;\n{body}\n;\n"


def _folded(text: str) -> str:
    """Text with its white space folded."""
    return " ".join(text.split())
