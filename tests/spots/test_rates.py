"""How often mistakes are named and right geometry is doubted, on request: the table is printed with -s."""

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rates import SETUPS, Setup, outcome
from simulate import Noise

pytestmark = pytest.mark.slow
SEEDS = range(200, 220)


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_right_geometry_is_not_doubted(setup: Setup) -> None:
    said = Counter(outcome(setup, None, 17, Noise(), seed) for seed in SEEDS)
    print(setup.name, dict(said))
    assert said["misnamed"] == said["another reading fits better"] == 0


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_mistakes_that_can_be_told_are_named(setup: Setup) -> None:
    total: Counter[str] = Counter()
    for mistake in setup.mistakes:
        said = Counter(word for seed in SEEDS if (word := outcome(setup, mistake, 17, Noise(), seed)))
        print(setup.name, mistake, dict(said))
        total += said
    assert total["named"] >= 0.95 * total.total()
