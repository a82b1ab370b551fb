"""Processor time of the spot test on three frames of 4 million pixels: `python tests/benchmarks/spots.py`.

Finding is held against summing the squares about each pixel once, which every finder of spots does.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "spots"))

import numpy as np
from ratios import spent
from simulate import Content, Crystal, Instrument, image_of, mistaken, reflections, stated, sweep

from imgcif_core.images.measure import Levels
from imgcif_core.spots.finder import box_sum, find_spots
from imgcif_core.spots.verdict import judge

SIDE = 2048
AIM = 5.0
INSTRUMENT = Instrument(size=(SIDE, SIDE), centre=(1020.0, 1030.0), pixel=0.075, distance=130.0, two_theta=8.0)
Given = TypeVar("Given")


def timed(work: Callable[[], Given]) -> tuple[Given, float]:
    """What a call gives, and its processor seconds."""
    start = spent()
    given = work()
    return given, spent() - start


def main() -> None:
    """Print the times, with the aim beside them."""
    frames, crystal = sweep((0.0, 45.0, 90.0)), Crystal()
    spots, finding, summing = [], 0.0, 0.0
    for seed, frame in enumerate(frames):
        pixels = reflections(crystal, INSTRUMENT, frame, 1.0, 1.7)[0]
        image = image_of(pixels, INSTRUMENT.size, INSTRUMENT.centre, Content(), seed)
        found, time = timed(partial(find_spots, image, Levels(np.nan, np.nan, np.nan)))
        _, bare = timed(partial(box_sum, image.astype(np.float32)))
        spots.append([np.stack([found.fast, found.slow], axis=1)])
        finding, summing = finding + time, summing + bare
    count = sum(len(frame[0]) for frame in spots)
    print(f"finding {count} spots: {finding:.2f} s, {finding / summing:.1f} x one sum about each pixel")
    for name in ("as written", "axis omega reversed", "beam centre off"):
        instrument = INSTRUMENT if name == "as written" else mistaken(INSTRUMENT, name)
        test, time = timed(partial(judge, stated(instrument, frames, spots)))
        print(
            f"{name}: {test.verdict}, judging {time:.2f} s, in all {finding + time:.2f} s (aim {AIM:g} s)", flush=True
        )


if __name__ == "__main__":
    main()
