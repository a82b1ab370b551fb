"""Cycles in the links between rows."""

from collections.abc import Sequence


def cycles(links: Sequence[Sequence[int]]) -> list[list[int]]:
    """Groups of nodes that can be reached from each other, self-links among them, in node order.

    `links` holds for each node the nodes to which it points; negative ones are none. Tarjan's
    algorithm for strongly connected components, without recursion so that long chains are no limit.
    """
    order = [-1] * len(links)
    low = [0] * len(links)
    waiting: list[int] = []
    is_waiting = [False] * len(links)
    found: list[list[int]] = []
    count = 0
    for start in range(len(links)):
        if order[start] >= 0:
            continue
        work = [(start, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                order[node] = low[node] = count
                count += 1
                waiting.append(node)
                is_waiting[node] = True
            if position < len(links[node]):
                work.append((node, position + 1))
                target = links[node][position]
                if target >= 0 and order[target] < 0:
                    work.append((target, 0))
                elif target >= 0 and is_waiting[target]:
                    low[node] = min(low[node], order[target])
                continue
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == order[node]:
                group = _group_of(node, waiting, is_waiting)
                if len(group) > 1 or node in links[node]:
                    found.append(group)
    return sorted(found)


def _group_of(node: int, waiting: list[int], is_waiting: list[bool]) -> list[int]:
    """Take one finished group off the stack, in node order."""
    group = []
    while True:
        member = waiting.pop()
        is_waiting[member] = False
        group.append(member)
        if member == node:
            return sorted(group)
