"""Light sources by name, as data."""

import re
import tomllib
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def facilities() -> dict[str, tuple[str, ...]]:
    """The names of the common listing, each with other names in use."""
    text = (Path(__file__).parent / "data/facilities.toml").read_text(encoding="utf-8")
    return {name: tuple(others) for name, others in tomllib.loads(text)["names"].items()}


def facility_named(text: str) -> str | None:
    """The listed name of a facility, by that name or another one in use; None where it is not known."""
    return _by_plain_name().get(_plain(text))


@lru_cache(maxsize=1)
def _by_plain_name() -> dict[str, str]:
    """Listed names by all names, without case and punctuation."""
    return {_plain(other): name for name, others in facilities().items() for other in (name, *others)}


def _plain(text: str) -> str:
    """A name without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", text.casefold())
