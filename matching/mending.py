"""Make a plan of the auction obey its lots: what was split is completed or let go, and what that frees is given out again."""

from dataclasses import replace

import numpy as np

from matching.columns import Bools, Ints
from matching.compiled import compiled
from matching.graph import Graph
from matching.lots import Lots
from matching.market import PLENTY, Market, Small, market
from matching.phases import Phases
from matching.programme import solve_together

NO_LIMIT = 2**31 - 1


class Mender:
    """`parts`, `programme`: as the search has them; `lots`: at least one."""

    def __init__(self, graph: Graph, lots: Lots, parts: list[Small], programme: Bools, threads: int) -> None:
        self.graph, self.lots, self.parts, self.programme, self.threads = (
            graph,
            lots,
            parts,
            programme,
            threads,
        )
        self.inside = lots.inside(graph.need_quantity.size)
        self.whole = graph.whole if graph.whole.size else np.zeros_like(self.inside)

    def holds(self, units: Small) -> bool:
        """Whether a plan obeys the lots."""
        graph, lots = self.graph, self.lots
        return bool(all_whole(graph.start, lots.need, lots.first, self.whole, graph.need_quantity, units))

    def mended(self, m: Market, step: int, scale: int) -> Small:
        """Units of each edge: as in the market, but lots are met in full or not at all."""
        units = m.units.copy()
        make_whole(m, *self._limits(m), self.lots.need, self.lots.first, self.inside, units)
        fixed = np.where(np.repeat(self.inside, np.diff(self.graph.start)), units, 0)
        rest = self._rest(fixed)
        left = market(m.start, m.offer, m.score, m.most, m.least, rest.need_quantity, rest.offer_quantity)
        # An offer with nothing left costs more than anybody pays.
        left.price[:] = np.where(rest.offer_quantity > 0, m.price, PLENTY)
        left.floor[:] = m.floor
        with Phases(left, rest.need_quantity, self.parts, self.threads) as phases:
            phases.go_on(units - fixed, step)
        solve_together(rest, self.programme, left, scale)
        return left.units + fixed

    def _limits(self, m: Market) -> tuple[Small, Small, Bools, Small, Small]:
        graph = self.graph
        most = m.most if m.most.size else np.full(m.offer.size, NO_LIMIT, np.int32)
        group = graph.group if graph.group.size else np.full(m.offer.size, -1, np.int32)
        return (
            most,
            group,
            self.whole,
            graph.need_quantity,
            np.concatenate([graph.offer_quantity, graph.group_limit]),
        )

    def _rest(self, fixed: Small) -> Graph:
        """What is left to give to those who belong to no lot."""
        graph = self.graph
        used = np.bincount(graph.offer, weights=fixed, minlength=graph.offer_quantity.size)
        limit = graph.group_limit
        if graph.group.size:
            some = graph.group >= 0
            limit = limit - np.bincount(graph.group[some], weights=fixed[some], minlength=limit.size)
        return replace(
            graph,
            need_quantity=np.where(self.inside, 0, graph.need_quantity).astype(np.int32),
            offer_quantity=(graph.offer_quantity - used).astype(np.int32),
            group_limit=limit.astype(np.int32),
        )


@compiled
def make_whole(
    m: Market, most: Small, group: Small, whole: Bools, quantity: Small, stock: Small, need: Small, first: Ints, inside: Bools,
    units: Small,
) -> None:  # fmt: skip
    """Let go lots that are split, then complete those that gain at these prices, the most a unit first. Who belongs to no lot
    is to give way: what offers no longer have for them they lose when they go on (`resume`). `stock`: of offers, then of household limits.
    """
    start, offer, offers = m.start, m.offer, m.room.size
    free, soft = stock.astype(np.int64), np.zeros(offers, np.int64)
    for i in range(start.size - 1):
        for edge in range(start[i], start[i + 1]):
            take(free, offer, group, offers, edge, units[edge])
            if not inside[i]:
                soft[offer[edge]] += units[edge]
    broken = np.empty(first.size - 1, np.int64)
    gain = np.empty(first.size - 1, np.float64)
    count = 0
    for lot in range(first.size - 1):
        some = need[first[lot] : first[lot + 1]]
        if is_whole(start, some, whole, quantity, units):
            continue
        for i in some:
            for edge in range(start[i], start[i + 1]):
                take(free, offer, group, offers, edge, -units[edge])
                units[edge] = 0
        broken[count], gain[count] = lot, a_unit(m, some, quantity)
        count += 1
    for k in np.argsort(-gain[:count], kind="mergesort"):
        lot = broken[k]
        complete(m, most, group, whole, quantity, need[first[lot] : first[lot + 1]], free, soft, units)


@compiled
def all_whole(start: Ints, need: Small, first: Ints, whole: Bools, quantity: Small, units: Small) -> bool:
    """Whether every lot gets all that it asks for, or nothing."""
    for lot in range(first.size - 1):
        if not is_whole(start, need[first[lot] : first[lot + 1]], whole, quantity, units):
            return False
    return True


@compiled
def take(free: Ints, offer: Small, group: Small, offers: int, edge: int, units: int) -> None:
    """Units of an edge leave its offer's stock and its household's limit."""
    free[offer[edge]] -= units
    if group[edge] >= 0:
        free[offers + group[edge]] -= units


@compiled
def is_whole(start: Ints, some: Small, whole: Bools, quantity: Small, units: Small) -> bool:
    """Whether a lot gets all that it asks for, or nothing."""
    met, any_ = True, False
    for i in some:
        total, used = 0, 0
        for edge in range(start[i], start[i + 1]):
            total += units[edge]
            used += units[edge] > 0
        any_ = any_ or total > 0
        met = met and total == quantity[i] and (used == 1 or not whole[i])
    return met or not any_


@compiled
def a_unit(m: Market, some: Small, quantity: Small) -> float:
    """What a lot gains a unit at these prices."""
    start, offer, score, price, floor = m.start, m.offer, m.score, m.price, m.floor
    total, asked = 0.0, 0
    for i in some:
        best = -(2.0**62)
        for edge in range(start[i], start[i + 1]):
            best = max(best, float(score[edge] - price[offer[edge]]))
        total += (best - floor[i]) * quantity[i]
        asked += quantity[i]
    return total / asked


@compiled
def complete(
    m: Market,
    most: Small,
    group: Small,
    whole: Bools,
    quantity: Small,
    some: Small,
    free: Ints,
    soft: Ints,
    units: Small,
) -> None:
    """Give a lot all that it asks for if there is room and it gains by it; else leave it empty."""
    start, offer, score, price, floor, least = m.start, m.offer, m.score, m.price, m.floor, m.least
    offers, gain, done = price.size, 0, True
    for i in some:
        edges = np.arange(start[i], start[i + 1])
        margin = np.empty(edges.size, np.int64)
        for k in range(edges.size):
            margin[k] = score[edges[k]] - price[offer[edges[k]]]
        left = quantity[i]
        for k in np.argsort(-margin, kind="mergesort"):
            edge, j = edges[k], offer[edges[k]]
            room = min(np.int64(most[edge]), free[j] + soft[j])
            if group[edge] >= 0:
                room = min(room, free[offers + group[edge]])
            if room <= 0 or left == 0 or (whole[i] and room < left):
                continue
            more = min(room, left)
            unpaid = min(more, max(0, free[j]))
            gain += more * (score[edge] - floor[i]) - unpaid * least[j] - (more - unpaid) * price[j]
            take(free, offer, group, offers, edge, more)
            units[edge] += more
            left -= more
        done = done and left == 0
    if done and gain > 0:
        return
    for i in some:
        for edge in range(start[i], start[i + 1]):
            take(free, offer, group, offers, edge, -units[edge])
            units[edge] = 0
