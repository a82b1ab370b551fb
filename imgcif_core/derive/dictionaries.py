"""Dictionaries with the methods that belong to them: their own, and those written here for imgCIF."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from imgcif_core.ddlm.bundled import load_bundled
from imgcif_core.ddlm.methods import Methods
from imgcif_core.ddlm.model import Dictionary

IMGCIF = "CIF_IMG"
OWN = Path(__file__).parent.parent / "ddlm/data/imgcif_methods.dic"


def dictionary_for(paths: Sequence[str], search: Sequence[str], *, lenient: bool = False) -> Dictionary:
    """The dictionaries in some files, or the bundled one, with the methods for imgCIF where they apply.

    Raises
    ------
    InputError
        If a file cannot be read or is no DDLm dictionary.
    """
    if not paths:
        return with_own_methods(load_bundled())
    from imgcif_core.ddlm.compile import load_dictionary

    folders = [Path(folder) for folder in search]
    return with_own_methods(load_dictionary([Path(path) for path in paths], folders, is_lenient=lenient))


def with_own_methods(dictionary: Dictionary) -> Dictionary:
    """A dictionary with the methods for imgCIF beside its own, if it defines the items of imgCIF."""
    if all(source.title != IMGCIF for source in dictionary.sources):
        return dictionary
    return Dictionary(dictionary.facts, dictionary.origin, dictionary.methods.joined(own_methods()))


@lru_cache(maxsize=1)
def own_methods() -> Methods:
    """The methods for imgCIF that come with the package."""
    from imgcif_core.ddlm.collect import collect_methods
    from imgcif_core.ddlm.load import Loader

    loader = Loader([])
    file = loader.file(OWN)
    return collect_methods({frame.id.lower(): [frame] for frame in file.frames.values()})
