"""Detectors by name, as data: size of the image, pixels, modules and gaps, sensors."""

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from imgcif_core.records import dataclass, field


@dataclass(frozen=True, slots=True)
class KnownDetector:
    """What makers tell of a detector; immutable.

    sizes : pixels along fast and slow, all that go by the name; pixel : mm along fast and slow; module,
    gap : pixels of one module and between two of them, None where it is one piece; `turned` says that
    it is mounted either way, `is_module` that the size is that of one module of many; sensors : mm of
    thickness by material.
    """

    name: str
    names: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    pixel: tuple[float, float]
    module: tuple[int, int] | None = None
    gap: tuple[int, int] | None = None
    turned: bool = False
    is_module: bool = False
    sensors: dict[str, list[float]] = field(default_factory=dict)

    def gaps(self, size: tuple[int, int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Half-open ranges of pixels without a sensor along fast and slow, none for another size."""
        if self.module is None or self.gap is None:
            return [], []
        found: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for ranges, length, module, gap in zip(found, size, self.module, self.gap, strict=True):
            count, rest = divmod(length + gap, module + gap)
            if rest:
                return [], []
            ranges += [(n * (module + gap) - gap, n * (module + gap)) for n in range(1, count)]
        return found


@lru_cache(maxsize=1)
def known_detectors() -> tuple[KnownDetector, ...]:
    """All detectors of the table, in its order."""
    text = (Path(__file__).parent / "data" / "detectors.toml").read_text(encoding="utf-8")
    return tuple(_build(entry) for entry in tomllib.loads(text)["detector"])


def _build(entry: dict[str, Any]) -> KnownDetector:
    """One detector from its table."""
    module, gap = entry.get("module"), entry.get("gap")
    return KnownDetector(
        entry["name"],
        tuple(entry["names"]),
        tuple((fast, slow) for fast, slow in entry["sizes"]),
        (entry["pixel"][0], entry["pixel"][1]),
        (module[0], module[1]) if module else None,
        (gap[0], gap[1]) if gap else None,
        entry.get("turned", False),
        entry.get("is_module", False),
        entry.get("sensors", {}),
    )


def detector_named(*texts: str | None) -> KnownDetector | None:
    """The first detector of the table that one of some texts names: make, description and the like."""
    for text in texts:
        words = f" {re.sub(r'[^A-Z0-9]+', ' ', (text or '').upper()).strip()} "
        for detector in known_detectors():
            if any(f" {name} " in words for name in detector.names):
                return detector
    return None
