"""An auction over sparse edges: needs bid for offers, free offers bid for needs.

D. P. Bertsekas and D. A. Castañon, "A forward/reverse auction algorithm for asymmetric assignment problems",
Computational Optimization and Applications 1 (1992): prices at which nobody gains more than ε by a change.
Each unit then costs the optimum at most ε, so prices bound the optimum whatever the order of the bids.
"""

import numpy as np

from matching.columns import Ints
from matching.compiled import compiled, inlined
from matching.market import PLENTY, Market, Small, add, find, remove


@inlined
def limit(most: Small, held: Small, edge: int, units: int) -> int:
    """How much of `units` the edge may still take."""
    return units if most.size == 0 else min(units, most[edge] - held[edge])


@inlined
def two_best(
    first: int, last: int, floor: int, offer: Small, score: Small, price: Small, most: Small, units: Small
) -> tuple[int, int, int]:
    """A need's best edge at these prices (-1: none is worth having), its margin and the second one, not below the floor."""
    best, one, two = -1, floor, floor
    for edge in range(first, last):
        if score[edge] <= two:
            break
        if most.size > 0 and most[edge] <= units[edge]:
            continue
        margin = score[edge] - price[offer[edge]]
        if margin > one:
            best, one, two = edge, margin, one
        elif margin > two:
            two = margin
    return best, one, two


@compiled
def forward(m: Market, needs: Small, step: int, budget: int) -> int:
    """Let these needs bid until none that wants something finds an edge worth having, or until there were so many bids; their
    number. What is held can be handed over at any time.

    First come, first served: a need that is outbid waits at the end. (The other order is far slower.)
    """
    start, offer, score, most, floor, _, room, held, price, wanting, units, tops, size, bids = m
    ring = np.empty(needs.size + 1, np.int32)
    ring[: needs.size] = needs
    head, waiting, count = 0, needs.size, 0
    while waiting > 0 and count < budget:
        need = ring[head]
        head = head + 1 if head + 1 < ring.size else 0
        waiting -= 1
        edge, _, second = two_best(
            start[need], start[need + 1], floor[need], offer, score, price, most, units
        )
        if edge < 0 or wanting[need] == 0:
            continue
        count += 1
        j = offer[edge]
        more = min(limit(most, units, edge, wanting[need]), room[j])
        had = units[edge] > 0
        wanting[need] -= more
        units[edge] += more
        held[j] += more
        top = tops[j]
        size[j] = add(bids, top, size[j], score[edge] - second + step, edge, need, units[edge], had)
        while held[j] > room[j]:
            loser = bids[top].need
            lost = min(held[j] - room[j], bids[top].units)
            units[bids[top].edge] -= lost
            held[j] -= lost
            bids[top].units -= lost
            if bids[top].units == 0:
                size[j] = remove(bids, top, size[j], 0)
            if wanting[loser] == 0 and loser != need:
                tail = head + waiting
                ring[tail if tail < ring.size else tail - ring.size] = loser
                waiting += 1
            wanting[loser] += lost
        if held[j] == room[j]:
            price[j] = max(price[j], bids[top].bid)
        if wanting[need] > 0:
            tail = head + waiting
            ring[tail if tail < ring.size else tail - ring.size] = need
            waiting += 1
    return count


@inlined
def worst_held(
    first: int, last: int, other_than: int, wants: int, offer: Small, score: Small, price: Small, units: Small
) -> tuple[int, int]:
    """A need's least profitable edge in use (-2: no other) and its margin; -1 and less than any when it still wants
    something.
    """
    if wants > 0:
        return -1, -PLENTY
    worst, least = -2, 2**31 - 1
    for edge in range(first, last):
        if units[edge] > 0 and edge != other_than:
            margin = score[edge] - price[offer[edge]]
            if margin < least:
                worst, least = edge, margin
    return worst, least


@compiled
def two_takers(m: Market, edges: Small, owners: Small, least: int) -> tuple[int, int, int, int]:
    """Who would pay most for a free unit of an offer: the place of its edge (-1: nobody pays the least), the edge that
    it would give up for it (-1: none), its payment, and the second highest payment."""
    start, offer, score, most, floor, _, _, _, price, wanting, units, _, _, _ = m
    best, source, one, two = -1, -1, least, least
    for k in range(edges.size):
        edge, need = edges[k], owners[k]
        if score[edge] - floor[need] <= two or limit(most, units, edge, 1) <= 0:
            continue
        worst, margin = worst_held(
            start[need], start[need + 1], edge, wanting[need], offer, score, price, units
        )
        if worst == -2:
            continue
        pays = score[edge] - max(floor[need], margin)
        if pays > one:
            best, source, one, two = k, worst, pays, one
        elif pays > two:
            two = pays
    return best, source, one, two


@compiled
def fill(m: Market, j: int, edges: Small, owners: Small, step: int) -> int:
    """Give one free part of offer `j` to whoever gains most, at the price of the second; the offer that lost it, -1 if none
    did, or -2 when nobody wants it even for the least."""
    least = m.least[j]
    best, source, one, two = two_takers(m, edges, owners, least)
    if best < 0 or one <= least + step:
        m.price[j] = least
        return -2
    need, edge, loser = owners[best], edges[best], -1
    more = limit(m.most, m.units, edge, m.room[j] - m.held[j])
    before = m.price[j]
    m.price[j] = max(least, min(before, two - step))
    if source < 0:
        more = min(more, m.wanting[need])
        m.wanting[need] -= more
    else:
        loser = m.offer[source]
        more = min(more, m.units[source])
        give_up(m, loser, source, more)
    had = m.units[edge] > 0
    m.units[edge] += more
    m.held[j] += more
    m.size[j] = add(
        m.bids, m.top[j], m.size[j], most_worth(m, need, edge, step), edge, need, m.units[edge], had
    )
    m.price[j] = max(m.price[j], min(before, pays_more(m, need, edge) - step))
    return int(loser)


@compiled
def give_up(m: Market, j: int, edge: int, units: int) -> None:
    """Units of offer `j` that this edge held are free again."""
    k = find(m.bids, m.top[j], m.size[j], edge)
    m.units[edge] -= units
    m.held[j] -= units
    m.bids[m.top[j] + k].units -= units
    if m.units[edge] == 0:
        m.size[j] = remove(m.bids, m.top[j], m.size[j], k)


@compiled
def pays_more(m: Market, need: int, edge: int) -> int:
    """What the need would pay for one unit more by this edge; 0 if it can't have one."""
    worst, margin = worst_held(
        m.start[need], m.start[need + 1], edge, m.wanting[need], m.offer, m.score, m.price, m.units
    )
    if worst == -2 or limit(m.most, m.units, edge, 1) <= 0:
        return 0
    return int(m.score[edge] - max(m.floor[need], margin))


@compiled
def most_worth(m: Market, need: int, edge: int, step: int) -> int:
    """The price up to which the need would stay with this edge."""
    best, one, two = two_best(
        m.start[need], m.start[need + 1], m.floor[need], m.offer, m.score, m.price, m.most, m.units
    )
    other = two if best == edge else one
    return int(max(m.price[m.offer[edge]], m.score[edge] - other + step))


@compiled
def reverse(m: Market, free: Small, starts: Ints, edges: Small, owners: Small, step: int, budget: int) -> int:
    """Let offers with something free and a price look for takers, until every such offer costs its least, or until there were so
    many moves; their number.
    """
    room, held, price, least = m.room, m.held, m.price, m.least
    queue = np.empty(room.size + 1, np.int32)
    waits = np.zeros(room.size, np.bool_)
    queue[: free.size] = free
    waits[free] = True
    head, waiting, moves = 0, free.size, 0
    while waiting > 0:
        j = queue[head]
        head = head + 1 if head + 1 < queue.size else 0
        waiting -= 1
        waits[j] = False
        mine, theirs = edges[starts[j] : starts[j + 1]], owners[starts[j] : starts[j + 1]]
        while held[j] < room[j] and price[j] > least[j] and moves < budget:
            loser = fill(m, j, mine, theirs, step)
            moves += 1
            if loser >= 0 and price[loser] > least[loser] and not waits[loser]:
                waits[loser] = True
                queue[(head + waiting) % queue.size] = loser
                waiting += 1
    return moves
