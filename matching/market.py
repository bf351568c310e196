"""The state of an auction: who holds how much of what, at which price. All numbers, for compiled loops."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.columns import Ints
from matching.compiled import compiled, inlined

Small = NDArray[np.int32]
PLENTY = 2**30
"""More than any quantity: an offer that all its needs together can't fill."""


class Market(NamedTuple):
    """Edges by need, best first, and what is held.

    `start`, `offer`, `score`, `most`: need i has the edges start[i] to start[i + 1]; `most` limits an edge
    (empty = no limits). `room`: what an offer can hold. `held`, `price`: of each offer; `wanting`: units
    that a need still seeks; `units`: of each edge. `top`, `size`: an offer's heap of bids (lowest first) in
    `bid`, `bid_edge`, `bid_need`, `bid_units`.
    """

    start: Ints
    offer: Small
    score: Small
    most: Small
    room: Small
    held: Small
    price: Small
    wanting: Small
    units: Small
    top: Ints
    size: Small
    bid: Small
    bid_edge: Small
    bid_need: Small
    bid_units: Small


@compiled
def adjacent(start: Ints, offer: Small, quantity: Small, offers: int) -> tuple[Ints, Ints]:
    """For each offer how many edges it has, and how many units its needs want together."""
    edges, wanted = np.zeros(offers, np.int64), np.zeros(offers, np.int64)
    for need in range(quantity.size):
        for edge in range(start[need], start[need + 1]):
            edges[offer[edge]] += 1
            wanted[offer[edge]] += quantity[need]
    return edges, wanted


def market(
    start: Ints, offer: Small, score: Small, most: Small, quantity: Small, capacity: Small, price: Small
) -> Market:
    """Nothing held yet, at these prices. An offer that can never be filled has room without end."""
    edges, wanted = adjacent(start, offer, quantity, capacity.size)
    top = np.zeros(capacity.size + 1, np.int64)
    np.cumsum(np.minimum(edges, np.minimum(capacity, wanted)) + 1, out=top[1:])
    heap = int(top[-1])
    room = np.where(capacity >= wanted, PLENTY, capacity).astype(np.int32)
    return Market(
        start, offer, score, most, room,
        held=np.zeros(capacity.size, np.int32), price=price, wanting=quantity.copy(),
        units=np.zeros(offer.size, np.int32), top=top, size=np.zeros(capacity.size, np.int32),
        bid=np.empty(heap, np.int32), bid_edge=np.empty(heap, np.int32), bid_need=np.empty(heap, np.int32),
        bid_units=np.empty(heap, np.int32),
    )  # fmt: skip


@inlined
def place(m: Market, slot: int, bid: int, edge: int, need: int, units: int) -> None:
    """Write one bid into its place in the heap."""
    m.bid[slot] = bid
    m.bid_edge[slot] = edge
    m.bid_need[slot] = need
    m.bid_units[slot] = units


@inlined
def move(m: Market, to: int, source: int) -> None:
    """Copy a bid from one place to another."""
    place(m, to, m.bid[source], m.bid_edge[source], m.bid_need[source], m.bid_units[source])


@inlined
def sink(m: Market, offer: int, k: int, bid: int, edge: int, need: int, units: int) -> None:
    """Put a bid where it belongs at or below place `k`."""
    top, size = m.top[offer], m.size[offer]
    while True:
        child = 2 * k + 1
        if child >= size:
            break
        if child + 1 < size and m.bid[top + child + 1] < m.bid[top + child]:
            child += 1
        if m.bid[top + child] >= bid:
            break
        move(m, top + k, top + child)
        k = child
    place(m, top + k, bid, edge, need, units)


@inlined
def rise(m: Market, offer: int, k: int, bid: int, edge: int, need: int, units: int) -> None:
    """Put a bid where it belongs at or above place `k`."""
    top = m.top[offer]
    while k > 0:
        parent = (k - 1) >> 1
        if m.bid[top + parent] <= bid:
            break
        move(m, top + k, top + parent)
        k = parent
    place(m, top + k, bid, edge, need, units)


@inlined
def find(m: Market, offer: int, edge: int) -> int:
    """The place of an edge's bid in its offer's heap, or -1."""
    if m.units[edge] > 0:
        for k in range(m.size[offer]):
            if m.bid_edge[m.top[offer] + k] == edge:
                return k
    return -1


@inlined
def remove(m: Market, offer: int, k: int) -> None:
    """Take the bid at place `k` out of the heap."""
    top = m.top[offer]
    m.size[offer] -= 1
    last = top + m.size[offer]
    if k == m.size[offer]:
        return
    bid, edge, need, units = m.bid[last], m.bid_edge[last], m.bid_need[last], m.bid_units[last]
    if k > 0 and bid < m.bid[top + ((k - 1) >> 1)]:
        rise(m, offer, k, bid, edge, need, units)
    else:
        sink(m, offer, k, bid, edge, need, units)


@inlined
def take(m: Market, edge: int, need: int, bid: int, units: int) -> None:
    """The need takes `units` by this edge, at a bid up to which it would stay; all its units there stay for it."""
    offer = m.offer[edge]
    k = find(m, offer, edge)
    m.units[edge] += units
    m.held[offer] += units
    if k < 0:
        m.size[offer] += 1
        rise(m, offer, m.size[offer] - 1, bid, edge, need, units)
    elif bid >= m.bid[m.top[offer] + k]:
        sink(m, offer, k, bid, edge, need, m.units[edge])
    else:
        rise(m, offer, k, bid, edge, need, m.units[edge])


@inlined
def give_up(m: Market, offer: int, k: int, units: int) -> int:
    """Units of the bid at place `k` are free again; the need that held them."""
    slot = m.top[offer] + k
    need = m.bid_need[slot]
    m.units[m.bid_edge[slot]] -= units
    m.held[offer] -= units
    m.bid_units[slot] -= units
    if m.bid_units[slot] == 0:
        remove(m, offer, k)
    return int(need)
