"""The facts table that comes with the package."""

import json
from functools import lru_cache
from pathlib import Path

from imgcif_core.ddlm.model import Dictionary
from imgcif_core.memory import uncollected


@lru_cache(maxsize=1)
def load_bundled() -> Dictionary:
    """The official imgCIF dictionary with all that it imports, compiled to facts."""
    raw = (Path(__file__).parent / "data/facts.json").read_bytes()
    with uncollected():
        return Dictionary(json.loads(raw), origin="bundled")


@lru_cache(maxsize=1)
def load_attributes() -> Dictionary:
    """The DDLm reference dictionary: the attributes with which dictionaries define items."""
    raw = (Path(__file__).parent / "data/attributes.json").read_bytes()
    return Dictionary(json.loads(raw), origin="bundled")
