"""From raw data and experiment descriptions to imgCIF files in which the checker finds no error.

`create` does all of it, `Session` step by step; `Wishes` and `Links` hold what a person asks for,
`Creation` what came of it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgcif_core.create.blocks import Origins
    from imgcif_core.create.links import Links
    from imgcif_core.create.loop import Creation, built_and_checked, create
    from imgcif_core.create.questions import Question, Refused
    from imgcif_core.create.session import LinkedScan, Session
    from imgcif_core.create.wishes import Wishes

_LAZY = {
    "Creation": "loop",
    "LinkedScan": "session",
    "Links": "links",
    "Origins": "blocks",
    "Question": "questions",
    "Refused": "questions",
    "Session": "session",
    "Wishes": "wishes",
    "built_and_checked": "loop",
    "create": "loop",
}

__all__ = [
    "Creation",
    "LinkedScan",
    "Links",
    "Origins",
    "Question",
    "Refused",
    "Session",
    "Wishes",
    "built_and_checked",
    "create",
]


def __getattr__(name: str) -> object:
    """Import what needs numpy only when it is asked for."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"imgcif_core.create.{module}"), name)
