"""Facts about the world that rules compare with, read from the data beside them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=8)
def facts(name: str) -> Mapping[str, Any]:
    """The table `name` of the bundled facts; each says where its numbers come from."""
    import tomllib

    text = (Path(__file__).parent / "data" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
