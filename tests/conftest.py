"""Lets tests import `shared`, the helper beside them, and gives generated cases the time they need."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from imgcif_core.checks import registry

sys.path.insert(0, str(Path(__file__).parent))

# A busy machine is no fault of the code under test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rules that a test registers are gone after it."""
    registry.load_rules()
    fresh = registry._Registry(dict(registry._REGISTRY.rules), dict(registry._REGISTRY.providers))
    monkeypatch.setattr(registry, "_REGISTRY", fresh)
    registry.load_rules.cache_clear()
    yield
    registry.load_rules.cache_clear()
