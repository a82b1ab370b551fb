"""Numbers as exports write them: twelve digits, no noise, no minus before zero."""

import re
from collections.abc import Iterable

import numpy as np

from imgcif_core.sources.description import ImageFiles

_DIGITS = 12


def tidy(value: float) -> float:
    """A number of twelve digits; less than 1e-12 is nothing."""
    rounded = float(f"{float(value):.{_DIGITS}g}")
    return 0.0 if abs(rounded) < 1e-12 else rounded


def tidy_list(values: Iterable[float]) -> list[float]:
    """Several numbers."""
    return [tidy(value) for value in values]


def text(values: Iterable[float], digits: int = 10) -> str:
    """Numbers with blanks between, without an exponent."""
    return " ".join(plain(value, digits) for value in values)


def plain(value: float, digits: int = 10) -> str:
    """A number with a fixed number of decimals, trailing zeros cut but one."""
    written = f"{tidy(value):.{digits}f}".rstrip("0")
    return written + "0" if written.endswith(".") else written


def numbered(images: ImageFiles) -> tuple[str, int, int, str] | None:
    """Head, first number, width of the number and tail of files numbered one after the other; else None.

    One file a frame: `img_0017.cbf`, `img_0018.cbf` give (`img_`, 17, 4, `.cbf`).
    """
    if len(images.files) != len(images) or not np.array_equal(images.file, np.arange(len(images))):
        return None
    if (images.frame != 1).any():
        return None
    name = images.files[0].rpartition("/")[2]
    folder = images.files[0][: len(images.files[0]) - len(name)]
    for match in reversed(list(re.finditer(r"\d+", name))):
        head, tail = folder + name[: match.start()], name[match.end() :]
        first, width = int(match[0]), len(match[0])
        expected = tuple(f"{head}{number:0{width}d}{tail}" for number in range(first, first + len(images)))
        if expected == images.files:
            return head, first, width, tail
    return None


def in_one_file(images: ImageFiles) -> bool:
    """True if all frames lie in one file, one after the other."""
    return len(images.files) == 1 and bool((np.diff(images.frame) == 1).all())
