"""Independent parts of a problem: needs and offers that no chain of edges connects can be solved apart."""

from itertools import pairwise

import numpy as np

from matching.columns import Ints
from matching.compiled import compiled
from matching.market import Small


@compiled
def root(parent: Small, node: int) -> int:
    """The head of a node's part, with the way to it halved."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@compiled
def components(start: Ints, offer: Small, offers: int) -> Small:
    """For each need the number of an offer that stands for its part; -1 for a need without an edge."""
    parent = np.arange(offers).astype(np.int32)
    needs = start.size - 1
    for need in range(needs):
        for edge in range(start[need] + 1, start[need + 1]):
            one, other = root(parent, offer[edge - 1]), root(parent, offer[edge])
            parent[max(one, other)] = min(one, other)
    part = np.full(needs, -1, np.int32)
    for need in range(needs):
        if start[need] < start[need + 1]:
            part[need] = root(parent, offer[start[need]])
    return part


def batches(start: Ints, part: Small, most: int) -> list[Small]:
    """Numbers of needs, whole parts together, up to `most` edges a batch where parts allow it; largest first."""
    order = np.argsort(part, kind="stable")
    order = order[part[order] >= 0]
    if order.size == 0:
        return []
    edges = np.cumsum((start[1:] - start[:-1])[order])
    last = np.flatnonzero(np.diff(part[order], append=np.int32(-1)))
    cuts, done = [0], 0
    for end in last.tolist():
        if edges[end] - done >= most:
            cuts.append(end + 1)
            done = int(edges[end])
    if cuts[-1] != order.size:
        cuts.append(order.size)
    found = [order[one:other].astype(np.int32) for one, other in pairwise(cuts)]
    return sorted(found, key=lambda needs: -int((start[needs + 1] - start[needs]).sum()))
