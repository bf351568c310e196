"""An auction over sparse edges: needs bid for offers, free offers bid for needs.

D. P. Bertsekas and D. A. Castañon, "A forward/reverse auction algorithm for asymmetric assignment problems",
Computational Optimization and Applications 1 (1992): prices at which nobody gains more than ε by a change.
Each unit then costs the optimum at most ε, so prices bound the optimum whatever the order of the bids.
"""

import numpy as np

from matching.columns import Ints
from matching.compiled import compiled, inlined
from matching.market import Market, Small, find, give_up, take


@inlined
def limit(m: Market, edge: int, units: int) -> int:
    """How much of `units` the edge may still take."""
    if m.most.size == 0:
        return units
    return int(min(units, m.most[edge] - m.units[edge]))


@inlined
def two_best(m: Market, need: int) -> tuple[int, int, int]:
    """The need's best edge at these prices (-1: none is worth having), its margin and the second one, not below 0."""
    best, first, second = -1, 0, 0
    for edge in range(m.start[need], m.start[need + 1]):
        score = m.score[edge]
        if score <= second:
            break
        if m.most.size > 0 and m.most[edge] <= m.units[edge]:
            continue
        margin = score - m.price[m.offer[edge]]
        if margin > first:
            best, first, second = edge, margin, first
        elif margin > second:
            second = margin
    return best, first, second


@compiled
def forward(m: Market, needs: Small, step: int) -> int:
    """Let these needs bid until none that wants something finds an edge worth having; the number of bids.

    First come, first served: a need that is outbid waits at the end. (The other order is far slower.)
    """
    ring = np.empty(needs.size + 1, np.int32)
    ring[: needs.size] = needs
    head, waiting, bids = 0, needs.size, 0
    while waiting > 0:
        need = ring[head]
        head = head + 1 if head + 1 < ring.size else 0
        waiting -= 1
        edge, _, second = two_best(m, need)
        if edge < 0 or m.wanting[need] == 0:
            continue
        bids += 1
        offer = m.offer[edge]
        units = min(limit(m, edge, m.wanting[need]), m.room[offer])
        m.wanting[need] -= units
        take(m, edge, need, m.score[edge] - second + step, units)
        while m.held[offer] > m.room[offer]:
            over = m.held[offer] - m.room[offer]
            lost = min(over, m.bid_units[m.top[offer]])
            loser = give_up(m, offer, 0, lost)
            if m.wanting[loser] == 0 and loser != need:
                ring[(head + waiting) % ring.size] = loser
                waiting += 1
            m.wanting[loser] += lost
        if m.held[offer] == m.room[offer]:
            m.price[offer] = max(m.price[offer], m.bid[m.top[offer]])
        if m.wanting[need] > 0:
            ring[(head + waiting) % ring.size] = need
            waiting += 1
    return bids


@inlined
def worst_held(m: Market, need: int, other_than: int) -> tuple[int, int]:
    """The need's least profitable edge in use, and its margin; -1 and 0 when it still wants something."""
    if m.wanting[need] > 0:
        return -1, 0
    worst, least = -2, 2**31 - 1
    for edge in range(m.start[need], m.start[need + 1]):
        if m.units[edge] > 0 and edge != other_than:
            margin = m.score[edge] - m.price[m.offer[edge]]
            if margin < least:
                worst, least = edge, margin
    return worst, least


@inlined
def two_takers(m: Market, edges: Small, owners: Small) -> tuple[int, int, int, int]:
    """Who would pay most for a free unit of an offer: the place of its edge (-1: nobody), the edge that it would
    give up for it (-1: none), its payment, and the second highest payment."""
    best, source, first, second = -1, -1, 0, 0
    for k in range(edges.size):
        edge, need = edges[k], owners[k]
        if m.score[edge] <= second or limit(m, edge, 1) <= 0:
            continue
        worst, margin = worst_held(m, need, edge)
        if worst == -2:
            continue
        pays = m.score[edge] - max(0, margin)
        if pays > first:
            best, source, first, second = k, worst, pays, first
        elif pays > second:
            second = pays
    return best, source, first, second


@compiled
def fill(m: Market, offer: int, edges: Small, owners: Small, step: int) -> int:
    """Give one free part of an offer to whoever gains most, at the price of the second; the offer that lost it, -1 if none
    did, or -2 when nobody wants it even as a gift."""
    best, source, first, second = two_takers(m, edges, owners)
    if best < 0 or first <= step:
        m.price[offer] = 0
        return -2
    need, edge, loser = owners[best], edges[best], -1
    units = limit(m, edge, m.room[offer] - m.held[offer])
    before = m.price[offer]
    m.price[offer] = max(0, min(before, second - step))
    if source < 0:
        units = min(units, m.wanting[need])
        m.wanting[need] -= units
    else:
        loser = m.offer[source]
        units = min(units, m.units[source])
        give_up(m, loser, find(m, loser, source), units)
    take(m, edge, need, most_worth(m, need, edge, step), units)
    m.price[offer] = max(m.price[offer], min(before, pays_more(m, need, edge) - step))
    return int(loser)


@compiled
def pays_more(m: Market, need: int, edge: int) -> int:
    """What the need would pay for one unit more by this edge; 0 if it can't have one."""
    worst, margin = worst_held(m, need, edge)
    if worst == -2 or limit(m, edge, 1) <= 0:
        return 0
    return int(m.score[edge] - max(0, margin))


@compiled
def most_worth(m: Market, need: int, edge: int, step: int) -> int:
    """The price up to which the need would stay with this edge."""
    best, first, second = two_best(m, need)
    other = second if best == edge else first
    return int(max(m.price[m.offer[edge]], m.score[edge] - other + step))


@compiled
def reverse(m: Market, free: Small, starts: Ints, edges: Small, owners: Small, step: int) -> int:
    """Let offers with something free and a price look for takers, until every such offer costs nothing; the number of moves."""
    queue = np.empty(m.room.size + 1, np.int32)
    waits = np.zeros(m.room.size, np.bool_)
    queue[: free.size] = free
    waits[free] = True
    head, waiting, moves = 0, free.size, 0
    while waiting > 0:
        offer = queue[head]
        head = head + 1 if head + 1 < queue.size else 0
        waiting -= 1
        waits[offer] = False
        near = slice(starts[offer], starts[offer + 1])
        while m.held[offer] < m.room[offer] and m.price[offer] > 0:
            loser = fill(m, offer, edges[near], owners[near], step)
            moves += 1
            if loser >= 0 and m.price[loser] > 0 and not waits[loser]:
                waits[loser] = True
                queue[(head + waiting) % queue.size] = loser
                waiting += 1
    return moves
