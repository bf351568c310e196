"""The state of an auction: who holds how much of what, at which price. All numbers, for compiled loops."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.columns import Ints
from matching.compiled import compiled, inlined

Small = NDArray[np.int32]
Bids = Any
PLENTY = 2**30
"""More than any quantity: an offer that all its needs together can't fill."""


BID = np.dtype([("bid", np.int32), ("edge", np.int32), ("need", np.int32), ("units", np.int32)])


class Market(NamedTuple):
    """Edges by need, best first, and what is held.

    `start`, `offer`, `score`, `most`: need i has the edges start[i] to start[i + 1]; `most` limits an edge
    (empty = no limits). `floor`: the margin, never above 0, from which a need takes part; `least`: the price, never below
    0, from which an offer does. `room`: what an offer can hold. `held`, `price`: of each offer; `wanting`: units that a need
    still seeks; `units`: of each edge. `bids`: each offer's heap, lowest first, from `top` on, `size` long.

    Compiled loops take the arrays out once: each look through the tuple would count a reference.
    """

    start: Ints
    offer: Small
    score: Small
    most: Small
    floor: Small
    least: Small
    room: Small
    held: Small
    price: Small
    wanting: Small
    units: Small
    top: Ints
    size: Small
    bids: Bids


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
    start: Ints, offer: Small, score: Small, most: Small, least: Small, quantity: Small, capacity: Small
) -> Market:
    """Nothing held yet, and everything costs its least. An offer that can never be filled has room without end."""
    edges, wanted = adjacent(start, offer, quantity, capacity.size)
    top = np.zeros(capacity.size + 1, np.int64)
    np.cumsum(np.minimum(edges, np.minimum(capacity, wanted)) + 1, out=top[1:])
    heap = int(top[-1])
    room = np.where(capacity >= wanted, PLENTY, capacity).astype(np.int32)
    return Market(
        start, offer, score, most, np.zeros(quantity.size, np.int32), least, room,
        held=np.zeros(capacity.size, np.int32), price=least.copy(), wanting=quantity.copy(),
        units=np.zeros(offer.size, np.int32), top=top, size=np.zeros(capacity.size, np.int32),
        bids=np.empty(heap, BID),
    )  # fmt: skip


@inlined
def place(bids: Bids, slot: int, bid: int, edge: int, need: int, units: int) -> None:
    """Write one bid into its place in the heap."""
    bids[slot].bid = bid
    bids[slot].edge = edge
    bids[slot].need = need
    bids[slot].units = units


@compiled
def sink(bids: Bids, top: int, size: int, k: int, bid: int, edge: int, need: int, units: int) -> None:
    """Put a bid where it belongs at or below place `k`."""
    while True:
        child = 2 * k + 1
        if child >= size:
            break
        if child + 1 < size and bids[top + child + 1].bid < bids[top + child].bid:
            child += 1
        if bids[top + child].bid >= bid:
            break
        bids[top + k] = bids[top + child]
        k = child
    place(bids, top + k, bid, edge, need, units)


@compiled
def rise(bids: Bids, top: int, k: int, bid: int, edge: int, need: int, units: int) -> None:
    """Put a bid where it belongs at or above place `k`."""
    while k > 0:
        parent = (k - 1) >> 1
        if bids[top + parent].bid <= bid:
            break
        bids[top + k] = bids[top + parent]
        k = parent
    place(bids, top + k, bid, edge, need, units)


@compiled
def find(bids: Bids, top: int, size: int, edge: int) -> int:
    """The place of an edge's bid in a heap, or -1."""
    for k in range(size):
        if bids[top + k].edge == edge:
            return k
    return -1


@compiled
def remove(bids: Bids, top: int, size: int, k: int) -> int:
    """Take the bid at place `k` out of the heap; its new size."""
    size -= 1
    last = bids[top + size]
    bid, edge, need, units = last.bid, last.edge, last.need, last.units
    if k == size:
        return size
    if k > 0 and bid < bids[top + ((k - 1) >> 1)].bid:
        rise(bids, top, k, bid, edge, need, units)
    else:
        sink(bids, top, size, k, bid, edge, need, units)
    return size


@compiled
def add(bids: Bids, top: int, size: int, bid: int, edge: int, need: int, units: int, more: bool) -> int:
    """Write a bid for `units` in all into the heap, in place of the edge's earlier one if it has `more` than this; the
    heap's new size.
    """
    k = find(bids, top, size, edge) if more else -1
    if k < 0:
        rise(bids, top, size, bid, edge, need, units)
        return size + 1
    if bid >= bids[top + k].bid:
        sink(bids, top, size, k, bid, edge, need, units)
    else:
        rise(bids, top, k, bid, edge, need, units)
    return size
