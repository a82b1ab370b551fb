"""How often the spot test names each mistake and how often it doubts right geometry: run for a table.

python tests/spots/rates.py [SEEDS [SPOTS [RIGHT]]]: seeds for each mistake, spots on three frames (several by commas),
seeds for right geometry.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from simulate import Crystal, Frame, Instrument, Noise, mistaken, spots_of, stated, sweep

from imgcif_core.spots.geometry import WRITTEN
from imgcif_core.spots.search import grouped
from imgcif_core.spots.verdict import BETTER, judge

KAPPA = (("omega", (1.0, 0.0, 0.0)), ("kappa", (0.6428, 0.0, 0.766)), ("phi", (1.0, 0.0, 0.0)))
CELLS = (
    (38.0, 52.0, 61.0, 90.0, 90.0, 90.0),
    (78.0, 78.0, 37.0, 90.0, 90.0, 90.0),
    (31.0, 44.0, 35.0, 90.0, 104.0, 90.0),
)
CENTRE = "beam centre off"


@dataclass(frozen=True)
class Setup:
    """An instrument with the frames that are taken on it, and the mistakes that its statement may hold."""

    name: str
    instrument: Instrument
    frames: list[Frame]
    mistakes: tuple[str, ...]


_PLANE = ("fast reversed", "slow reversed", "fast and slow swapped")
SETUPS = (
    Setup("one scan", Instrument(), sweep((0.0, 45.0, 90.0)), ("axis omega reversed", *_PLANE, CENTRE)),
    Setup(
        "two-theta",
        Instrument(two_theta=12.0, two_theta_axis=(0.0, 1.0, 0.0)),
        sweep((0.0, 45.0, 90.0)),
        ("axis omega reversed", "two-theta reversed", "handedness", *_PLANE, CENTRE),
    ),
    Setup(
        "kappa, two scans",
        Instrument(axes=KAPPA),
        sweep((10.0, 70.0), kappa=40.0, phi=20.0) + sweep((0.0, 60.0), axis="phi", omega=30.0, kappa=-60.0, scan="2"),
        ("axis omega reversed", "axis kappa reversed", "axis phi reversed", "handedness", *_PLANE, CENTRE),
    ),
    Setup(
        "four panels",
        Instrument(panels=((0, 0, 240, 200), (247, 0, 240, 200), (0, 207, 240, 200), (247, 207, 240, 200))),
        sweep((0.0, 40.0, 80.0)),
        ("axis omega reversed", *_PLANE, CENTRE),
    ),
)


def outcome(setup: Setup, mistake: str | None, spots: int, noise: Noise, seed: int) -> str | None:
    """What is said about one statement; None where spots of these frames cannot tell the mistake."""
    found = _spots(setup.name, spots, noise, seed)
    instrument, frames = setup.instrument, setup.frames
    if mistake == CENTRE:
        centre = np.array(instrument.centre) + _offset(seed)
        instrument = replace(instrument, centre=(float(centre[0]), float(centre[1])))
    elif mistake == "handedness":
        instrument = _handed(instrument)
    elif mistake is not None:
        instrument = mistaken(instrument, mistake)
    sample = stated(instrument, frames, found)
    if mistake not in (None, CENTRE) and any(_is_of(mistake, reading.name) for reading in grouped(sample)[0]):
        return None
    test = judge(sample)
    if mistake is None or test.verdict != BETTER:
        return test.verdict
    names = [name for entry in test.rivals for name in entry.names]
    right = any(_is_of(mistake, name) for name in names) and WRITTEN not in names
    if mistake == CENTRE and right:
        entry = next(entry for entry in test.rivals if CENTRE in entry.names)
        right = bool(np.hypot(*(entry.fit.shift - _offset(seed))) < 3.0)
    return "named" if right else "misnamed"


@lru_cache(maxsize=1000)
def _spots(name: str, spots: int, noise: Noise, seed: int) -> list:
    """The spots of a crystal on an instrument; the same for every mistake in its statement."""
    setup = next(entry for entry in SETUPS if entry.name == name)
    crystal = Crystal(CELLS[seed % len(CELLS)], seed)
    return spots_of(crystal, setup.instrument, setup.frames, replace(noise, per_frame=spots, seed=seed))


def _offset(seed: int) -> np.ndarray:
    """Pixels by which somebody states the beam centre wrongly: 10 to 35 in some direction."""
    source = np.random.default_rng([seed, 99])
    angle, length = source.uniform(0, 2 * np.pi), source.uniform(10, 35)
    return length * np.array([np.cos(angle), np.sin(angle)])


def _handed(instrument: Instrument) -> Instrument:
    """All rotations the other way."""
    axes = tuple((name, tuple(-np.array(vector))) for name, vector in instrument.axes)
    return replace(instrument, axes=axes, two_theta=-instrument.two_theta)


def _is_of(mistake: str, name: str) -> bool:
    """True if a reading undoes a mistake."""
    if mistake == "handedness":
        return name.startswith(("handedness", "all goniometer axes"))
    return name == mistake


def counted(
    setups: Iterable[Setup], seeds: range, right: range, spots: int, noise: Noise
) -> Iterator[tuple[str, str | None, Counter[str]]]:
    """Setup, mistake or None, and what was said how often."""
    for setup in setups:
        for mistake in (None, *setup.mistakes):
            tried = right if mistake is None else seeds
            said = Counter(word for seed in tried if (word := outcome(setup, mistake, spots, noise, seed)) is not None)
            yield setup.name, mistake, said


def main() -> None:
    """Print what was said, then the share named and the number doubted."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    counts = [int(text) for text in sys.argv[2].split(",")] if len(sys.argv) > 2 else [50]
    right = range(int(sys.argv[3])) if len(sys.argv) > 3 else seeds
    for count in counts:
        for noise in (Noise(), Noise(pixels=0.6, foreign=0.3)):
            print(f"-- {count} spots on three frames, {noise.pixels} px, {noise.foreign:.0%} foreign", flush=True)
            totals: dict[str, Counter[str]] = {"right": Counter(), "mistakes": Counter(), CENTRE: Counter()}
            for name, mistake, said in counted(SETUPS, seeds, right, round(count / 3), noise):
                shown = ", ".join(f"{word} {times}" for word, times in said.most_common()) or "cannot be told"
                print(f"{name:18s} {mistake or WRITTEN:24s} {said.total():3d}: {shown}", flush=True)
                totals["right" if mistake is None else mistake if mistake == CENTRE else "mistakes"] += said
            for kind, said in totals.items():
                print(f"   {kind}: {dict(said)} of {said.total()}", flush=True)


if __name__ == "__main__":
    main()
