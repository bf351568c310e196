"""The edges seen from the offers' side, a batch of needs at a time."""

from typing import NamedTuple

import numpy as np

from matching.columns import Bools, Ints
from matching.compiled import compiled
from matching.market import Market, Small, adjacent


class Sides(NamedTuple):
    """Offer j has the edges edges[starts[j]] to edges[starts[j + 1]], each with its need in `owners`; written only where they
    are asked for."""

    starts: Ints
    edges: Small
    owners: Small


def sides_of(m: Market) -> Sides:
    """Room for the edges by offer; nothing is turned yet."""
    count, _ = adjacent(m.start, m.offer, m.wanting, m.room.size)
    starts = np.zeros(m.room.size + 1, np.int64)
    np.cumsum(count, out=starts[1:])
    return Sides(starts, np.empty(m.offer.size, np.int32), np.empty(m.offer.size, np.int32))


@compiled
def turn(m: Market, sides: Sides, needs: Small) -> None:
    """Write the edges of these needs under their offers."""
    filled = np.zeros(m.room.size, np.int32)
    for need in needs:
        for edge in range(m.start[need], m.start[need + 1]):
            offer = m.offer[edge]
            slot = sides.starts[offer] + filled[offer]
            sides.edges[slot] = edge
            sides.owners[slot] = need
            filled[offer] += 1


@compiled
def clear(m: Market, needs: Small, quantity: Small, ease: int) -> None:
    """Everything that these needs hold is free again, and each price sinks by `ease`, to the least at most."""
    start, offer, held, size, units, price = m.start, m.offer, m.held, m.size, m.units, m.price
    eased = np.zeros(price.size, np.bool_)
    for need in needs:
        m.wanting[need] = quantity[need]
        for edge in range(start[need], start[need + 1]):
            units[edge] = 0
            j = offer[edge]
            if not eased[j]:
                held[j], size[j], eased[j] = 0, 0, True
                price[j] = max(m.least[j], price[j] - ease)


@compiled
def unfilled(m: Market, needs: Small) -> Small:
    """Offers of these needs that have something free and yet cost more than their least."""
    seen: Bools = np.zeros(m.room.size, np.bool_)
    found = np.empty(m.room.size, np.int32)
    count = 0
    for need in needs:
        for edge in range(m.start[need], m.start[need + 1]):
            offer = m.offer[edge]
            if m.price[offer] > m.least[offer] and m.held[offer] < m.room[offer] and not seen[offer]:
                seen[offer] = True
                found[count] = offer
                count += 1
    return found[:count].copy()
