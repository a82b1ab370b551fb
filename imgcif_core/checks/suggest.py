"""Near misses: the name or value that was most likely meant."""

from collections.abc import Iterable

MAX_CANDIDATES = 2000


def nearest(text: str, candidates: Iterable[str], cutoff: float = 0.75) -> str | None:
    """The candidate that is most like a text, compared without case; None where none is near."""
    from difflib import get_close_matches

    pool: dict[str, str] = {}
    for candidate in candidates:
        pool.setdefault(candidate.lower(), candidate)
        if len(pool) >= MAX_CANDIDATES:
            break
    found = get_close_matches(text.lower()[:200], pool, 1, cutoff)
    return pool[found[0]] if found else None


def did_you_mean(text: str, candidates: Iterable[str], cutoff: float = 0.6) -> str | None:
    """A remedy that names the nearest candidate, None where none is near."""
    found = nearest(text, candidates, cutoff)
    return f"did you mean {found}" if found and found != text else None
