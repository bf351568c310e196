"""Go on from an earlier plan: what still fits its prices stays, and only the rest bids."""

from typing import NamedTuple

import numpy as np

from matching.auction import limit, most_worth, two_best
from matching.compiled import compiled
from matching.graph import Graph
from matching.market import Market, Small, add
from matching.proof import Prices

SLACK = 2


class Last(NamedTuple):
    """An earlier plan in the numbers of the present graph: `units` of each edge, and prices of offers and groups."""

    units: Small
    prices: Prices


def fits_graph(graph: Graph, last: Last) -> bool:
    """Whether the earlier plan speaks of as many edges, offers and groups."""
    groups = graph.shares.open.size if graph.shares is not None else 0
    sizes = (last.units.size, last.prices.offer.size, last.prices.share.size)
    return sizes == (graph.score.size, graph.offer_quantity.size, groups)


@compiled
def resume(m: Market, needs: Small, last: Small, quantity: Small, step: int) -> Small:
    """Hold again what these needs held `last`, as far as it is nearly the best at the present prices (`SLACK` steps, which the
    last bids may have left); those that still want something and gain by more than that.
    """
    start, offer, score, most, floor, _, room, held, price, wanting, units, tops, size, bids = m
    waiting = np.empty(needs.size, np.int32)
    count = 0
    for need in needs:
        first, end = start[need], start[need + 1]
        wanting[need] = quantity[need]
        _, one, _ = two_best(first, end, floor[need], offer, score, price, most, units)
        for edge in range(first, end):
            j = offer[edge]
            more = min(limit(most, units, edge, min(last[edge], wanting[need])), room[j] - held[j])
            if more > 0 and score[edge] - price[j] >= one - SLACK * step:
                wanting[need] -= more
                units[edge] += more
                held[j] += more
                bid = most_worth(m, need, edge, step)
                size[j] = add(bids, tops[j], size[j], bid, edge, need, units[edge], False)
        if wanting[need] > 0 and one > floor[need] + SLACK * step:
            waiting[count] = need
            count += 1
    return waiting[:count].copy()
