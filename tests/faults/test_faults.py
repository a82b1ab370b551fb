"""Planted faults are found, named and told once; legal variants are not refused; two faults are two."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from measure import beyond, is_named, of_pair, pairs, said_of
from planting import FAULTS, VARIANTS, Planted

from imgcif_core import Severity
from imgcif_core.checks.registry import load_rules

MOST_FINDINGS = 2
SHARE_OF_PAIRS = 28


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_and_named_once_or_twice(fault: Planted) -> None:
    if fault.rule and fault.rule not in load_rules():
        pytest.skip(f"there is no rule {fault.rule}")
    said = said_of(fault)
    assert any(is_named(found, fault.named) for found in said), [found.message for found in said]
    assert len(said) <= MOST_FINDINGS, [found.message for found in said]


def test_faults_are_told_once_on_the_whole() -> None:
    counts = [len(said_of(fault)) for fault in FAULTS]
    assert sum(counts) <= 1.2 * len(counts)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_legal_variant_is_not_refused(variant: Planted) -> None:
    errors = [found.message for found in said_of(variant) if found.severity is Severity.ERROR]
    assert errors == [], variant.why


def test_of_two_faults_both_are_named() -> None:
    held = 0
    for first, second in pairs():
        said = of_pair(first, second)
        held += all(any(is_named(found, fault.named) for found in said) for fault in (first, second))
    assert held >= SHARE_OF_PAIRS


def test_a_sound_base_says_nothing_beyond_itself() -> None:
    for fault in FAULTS[:1]:
        assert beyond(Planted("none", fault.base, ()).text(), fault.base) == []
