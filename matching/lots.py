"""Lots: needs that are met in full or not at all. A bundle is one lot, an indivisible need of several units another.

Prices see every need apart. So that the members of a lot want the same, what one would gain is carried over to those that
would lose: the prices of their being met alike (a Lagrangian of "all in equal parts").
"""

from dataclasses import dataclass

import numpy as np

from matching.columns import Bools, Ints
from matching.compiled import compiled
from matching.graph import Graph
from matching.market import Market, Small


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """Lot i has the needs need[first[i]] to need[first[i + 1]]."""

    need: Small
    first: Ints

    @property
    def size(self) -> int:
        """How many there are."""
        return self.first.size - 1

    def inside(self, needs: int) -> Bools:
        """Which of so many needs belong to a lot."""
        found = np.zeros(needs, np.bool_)
        found[self.need] = True
        return found


def lots_of(graph: Graph) -> Lots:
    """The lots of those that ask for something and have an edge."""
    alive = (graph.need_quantity > 0) & (np.diff(graph.start) > 0)
    bundle = graph.bundle if graph.bundle.size else np.full(alive.size, -1, np.int32)
    whole = graph.whole if graph.whole.size else np.zeros(alive.size, np.bool_)
    bundled = np.flatnonzero(alive & (bundle >= 0))
    alone = np.flatnonzero(alive & (bundle < 0) & whole & (graph.need_quantity > 1))
    bundled = bundled[np.argsort(bundle[bundled], kind="stable")]
    starts = np.flatnonzero(np.diff(bundle[bundled], prepend=-1))
    first = np.concatenate([starts, bundled.size + np.arange(alone.size + 1)])
    return Lots(np.concatenate([bundled, alone]).astype(np.int32), first.astype(np.int64))


class Alike:
    """`shift`: what a unit of each need is given (or gives) so that its lot gains or loses as one, in the market's units."""

    def __init__(self, lots: Lots, needs: int) -> None:
        self.lots, self.shift = lots, np.zeros(needs, np.int64)

    def move(self, m: Market, quantity: Small, bonus: Ints) -> int:
        """Even out what the members gain at the present prices; how far the most moved."""
        before = self.shift[self.lots.need].copy()
        even_out(m, self.lots.need, self.lots.first, quantity, bonus, self.shift)
        return int(np.abs(self.shift[self.lots.need] - before).max(initial=0))


@compiled
def even_out(m: Market, need: Small, first: Ints, quantity: Small, bonus: Ints, shift: Ints) -> None:
    """Write the shifts with which every member of a lot gains the same a unit at these prices; those of a lot sum to about 0."""
    start, offer, score, price = m.start, m.offer, m.score, m.price
    gain = np.zeros(need.size, np.int64)
    for lot in range(first.size - 1):
        total, units = 0, 0
        for k in range(first[lot], first[lot + 1]):
            i = need[k]
            best = score[start[i]] - price[offer[start[i]]]
            for edge in range(start[i] + 1, start[i + 1]):
                best = max(best, score[edge] - price[offer[edge]])
            gain[k] = best + bonus[i]
            total += gain[k] * quantity[i]
            units += quantity[i]
        for k in range(first[lot], first[lot + 1]):
            shift[need[k]] = total // units - gain[k]
