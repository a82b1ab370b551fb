"""The facts table that comes with the package."""

import json
from functools import lru_cache
from importlib import resources

from imgcif_core.ddlm.model import Dictionary


@lru_cache(maxsize=1)
def load_bundled() -> Dictionary:
    """The official imgCIF dictionary with all that it imports, compiled to facts."""
    raw = resources.files("imgcif_core.ddlm").joinpath("data/facts.json").read_bytes()
    return Dictionary(json.loads(raw), origin="bundled")


@lru_cache(maxsize=1)
def load_attributes() -> Dictionary:
    """The DDLm reference dictionary: the attributes with which dictionaries define items."""
    raw = resources.files("imgcif_core.ddlm").joinpath("data/attributes.json").read_bytes()
    return Dictionary(json.loads(raw), origin="bundled")
