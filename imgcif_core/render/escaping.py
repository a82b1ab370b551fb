"""Texts that are safe inside a page: controls visible, markup escaped, length limited."""

from html import escape

from imgcif_core.render.excerpt import clipped

LONGEST = 4000


def text(value: str, limit: int = LONGEST) -> str:
    """Text safe inside an element and inside a quoted attribute."""
    return escape(clipped(value, limit))


def bidi_safe(value: str, limit: int = LONGEST) -> str:
    """A value of a file inside a sentence of ours: its writing direction stays its own."""
    return f"<bdi>{text(value, limit)}</bdi>"
