"""From raw data and experiment descriptions to imgCIF files in which the checker finds no error.

`create` does all of it; `Wishes` and `Links` hold what a person asks for, `Creation` what came of it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgcif_core.create.links import Links
    from imgcif_core.create.loop import Creation, Wishes, create
    from imgcif_core.create.questions import Question

_LAZY = {
    "Creation": "imgcif_core.create.loop",
    "Links": "imgcif_core.create.links",
    "Question": "imgcif_core.create.questions",
    "Wishes": "imgcif_core.create.loop",
    "create": "imgcif_core.create.loop",
}

__all__ = ["Creation", "Links", "Question", "Wishes", "create"]


def __getattr__(name: str) -> object:
    """Import what needs numpy only when it is asked for."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(module), name)
