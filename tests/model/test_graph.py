"""Cycles in links."""

from hypothesis import given
from hypothesis import strategies as st

from imgcif_core.model.graph import cycles


def test_a_chain_has_no_cycle() -> None:
    assert cycles([(-1,), (0,), (1,)]) == []


def test_a_node_that_points_to_itself_is_a_cycle() -> None:
    assert cycles([(0,), (0,)]) == [[0]]


def test_only_the_nodes_of_the_cycle_are_named() -> None:
    # 3 leads into the cycle 0 -> 1 -> 2 -> 0 and is not part of it.
    assert cycles([(1,), (2,), (0,), (0,)]) == [[0, 1, 2]]


def test_a_path_between_two_cycles_is_in_neither() -> None:
    # 0 <-> 1, 2 leads from the second to the first, 3 <-> 4.
    assert cycles([(1,), (0,), (0, -1), (4, 2), (3,)]) == [[0, 1], [3, 4]]


def test_very_long_cycles_need_no_recursion() -> None:
    size = 50_000
    assert cycles([((node + 1) % size,) for node in range(size)]) == [list(range(size))]


@given(st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 9)), min_size=1, max_size=10))
def test_a_node_is_named_exactly_when_it_reaches_itself(links: list[tuple[int, int]]) -> None:
    links = [tuple(target if target < len(links) else -1 for target in targets) for targets in links]
    reached = [{target for target in targets if target >= 0} for targets in links]
    for _ in links:
        reached = [found.union(*(reached[node] for node in found)) for found in reached]
    expected = {node for node, found in enumerate(reached) if node in found}
    groups = cycles(links)
    assert {node for group in groups for node in group} == expected
    assert all(node in reached[other] for group in groups for node in group for other in group)
