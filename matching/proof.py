"""What prices prove: no plan over a graph is worth more than this. Weak duality, in whole numbers."""

from typing import NamedTuple

import numpy as np

from matching.columns import Bools, Ints
from matching.compiled import compiled
from matching.graph import Graph, most_of
from matching.market import Small

LOWEST = 2**62
"""No margin is so far below 0."""


@compiled
def best_fill(margin: Ints, most: Small, quantity: int, least: int) -> tuple[int, int]:
    """What a need gains at most from edges with these margins, each within its limit and worth more than `least`; and how
    much is left.
    """
    left, total = quantity, 0
    for edge in np.argsort(-margin):
        if left == 0 or margin[edge] <= least:
            break
        units = min(left, most[edge])
        total += margin[edge] * units
        left -= units
    return total, left


@compiled
def gains(
    start: Ints, offer: Small, score: Small, group: Small, most: Small, quantity: Small, bonus: Ints, price: Ints,
    group_price: Ints, scale: int, whole: Bools, bundle: Small,
) -> int:  # fmt: skip
    """The sum over needs, or bundles of needs, of what each could gain at most at these prices."""
    total = 0
    together = np.zeros(bundle.max() + 1 if bundle.size > 0 else 0, np.int64)
    for need in range(quantity.size):
        first, last = start[need], start[need + 1]
        margin = np.empty(last - first, np.int64)
        for k in range(last - first):
            edge = first + k
            margin[k] = np.int64(score[edge]) * scale + bonus[need] - price[offer[edge]]
            if group.size > 0 and group[edge] >= 0:
                margin[k] -= group_price[group[edge]]
        inside = bundle.size > 0 and bundle[need] >= 0
        least = -LOWEST if inside else 0
        if most.size > 0 and not (whole.size > 0 and whole[need]):
            gain, left = best_fill(margin, most[first:last], quantity[need], least)
        else:
            gain, left = 0, quantity[need]
            if margin.size > 0 and margin.max() > least:
                gain, left = margin.max() * quantity[need], 0
        if not inside:
            total += gain
        elif left == 0 and together[bundle[need]] > -LOWEST:
            together[bundle[need]] += gain
        else:
            together[bundle[need]] = -LOWEST
    return int(total + np.maximum(0, together).sum())


class Prices(NamedTuple):
    """What proves a bound: of offers, household limits and fairness groups, all ≥ 0, in 1/scale milli-points."""

    offer: Ints
    limit: Ints
    share: Ints
    scale: int = 1


def upper_bound(graph: Graph, prices: Prices) -> int:
    """A bound on every plan from any prices, in milli-points, exact: weak duality."""
    price = np.maximum(prices.offer, graph.least * prices.scale)
    paid = int(price @ graph.offer_quantity.astype(np.int64))
    limits = int(prices.limit @ graph.group_limit.astype(np.int64)) if prices.limit.size else 0
    bonus, fair = np.zeros(graph.need_quantity.size, np.int64), 0
    if graph.shares is not None:
        bonus, fair = graph.shares.bonus(prices.share), graph.shares.bound(prices.share, prices.scale)
    kept = gains(
        graph.start, graph.offer, graph.score, graph.group, most_of(graph), graph.need_quantity, bonus, price,
        prices.limit, prices.scale, graph.whole, graph.bundle,
    )  # fmt: skip
    return (int(kept) + paid + limits + fair) // prices.scale
