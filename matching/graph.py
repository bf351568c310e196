"""What an allocation is asked about: edges by need with their scores, quantities, and limits."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from matching.columns import Bools, Ints
from matching.compiled import compiled
from matching.market import Small
from matching.shares import Shares

HIGHEST_SCORE = 2**28
"""Scores and quantities above this don't fit the solver's whole numbers."""


class TooLarge(ValueError):
    """A score or a quantity is above 268,435,455; use a larger unit."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Need i has the edges start[i] to start[i + 1], best score first.

    `offer`, `score` (milli-points, above 0), `group`: one entry an edge; `group` is a per-household limit that
    the edge counts to, or -1 (empty = no limits at all). All edges of a group share one offer, or spans of one.
    `need_quantity`, `offer_quantity`, `group_limit`: units, by number. `order`: where each edge stood in what
    the graph was made of. `held_back`: milli-points that a unit of an offer is worth when it is kept for later
    (empty = nothing). `shares`: the rule of fairness, if any. `whole`: needs that one offer meets in full, or none; `bundle`: needs
    of one number are met all in full, or none is (-1 = in no bundle; both empty = there are none).
    """

    start: Ints
    offer: Small
    score: Small
    group: Small
    need_quantity: Small
    offer_quantity: Small
    group_limit: Small
    order: Ints
    held_back: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    shares: Shares | None = None
    whole: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    bundle: Small = field(default_factory=lambda: np.zeros(0, np.int32))

    @property
    def least(self) -> Ints:
        """What a unit of each offer is worth unused, in milli-points."""
        return self.held_back if self.held_back.size else np.zeros(self.offer_quantity.size, np.int64)

    @property
    def need(self) -> Ints:
        """The need of each edge."""
        return np.repeat(np.arange(self.start.size - 1), np.diff(self.start))

    def spread(self, units: Small, pairs: int) -> Ints:
        """Units of each edge at the places that the pairs had."""
        full = np.zeros(pairs, np.int64)
        full[self.order] = units
        return full


class Problem(NamedTuple):
    """Possible pairs in any order, one entry each; quantities and limits by number; `whole` and `bundle` as `Graph` has them."""

    need: Ints
    offer: Ints
    score: Ints
    group: Ints
    need_quantity: Ints
    offer_quantity: Ints
    group_limit: Ints
    whole: Bools = np.zeros(0, np.bool_)
    bundle: Ints = np.zeros(0, np.int64)


def graph_of(pairs: Problem) -> Graph:
    """The pairs that can carry anything, sorted. Raises `TooLarge`."""
    for values in (pairs.score, pairs.need_quantity, pairs.offer_quantity, pairs.group_limit):
        if values.size and values.max() >= HIGHEST_SCORE:
            raise TooLarge(TooLarge.__doc__)
    useful = (
        (pairs.score > 0) & (pairs.need_quantity[pairs.need] > 0) & (pairs.offer_quantity[pairs.offer] > 0)
    )
    limited = np.flatnonzero(pairs.group >= 0)
    useful[limited] &= pairs.group_limit[pairs.group[limited]] > 0
    if pairs.whole.size or pairs.bundle.size:
        useful &= can_be_whole(pairs, useful)
    order = np.flatnonzero(useful)
    order = order[np.lexsort((order, pairs.offer[order], -pairs.score[order], pairs.need[order]))]
    start = np.zeros(pairs.need_quantity.size + 1, np.int64)
    np.cumsum(np.bincount(pairs.need[order], minlength=pairs.need_quantity.size), out=start[1:])
    group = pairs.group[order] if limited.size else np.zeros(0, np.int64)
    needs, offers, limits = (
        _small(np.maximum(0, units))
        for units in (pairs.need_quantity, pairs.offer_quantity, pairs.group_limit)
    )
    return Graph(
        start,
        _small(pairs.offer[order]),
        _small(pairs.score[order]),
        _small(group),
        needs,
        offers,
        limits,
        order,
        whole=pairs.whole,
        bundle=_small(pairs.bundle),
    )


def can_be_whole(pairs: Problem, useful: Bools) -> Bools:
    """Without the pairs that give a need too little at once, and those of bundles that can't be completed."""
    room = pairs.offer_quantity[pairs.offer]
    limited = np.flatnonzero(pairs.group >= 0)
    room[limited] = np.minimum(room[limited], pairs.group_limit[pairs.group[limited]])
    asked = pairs.need_quantity
    found = useful & ~(
        np.append(pairs.whole, np.zeros(asked.size, np.bool_))[pairs.need] & (room < asked[pairs.need])
    )
    if pairs.bundle.size:
        reach = np.bincount(pairs.need[found], weights=room[found], minlength=asked.size)
        lost = pairs.bundle[(pairs.bundle >= 0) & (reach < asked)]
        found &= ~np.isin(pairs.bundle, lost)[pairs.need]
    return found


def _small(values: Ints) -> Small:
    return values.astype(np.int32)


def most_of(graph: Graph) -> Small:
    """What each edge may carry by its own household limit; empty where there is none."""
    if graph.group.size == 0:
        return np.zeros(0, np.int32)
    limited = graph.group >= 0
    return np.where(limited, graph.group_limit[graph.group], HIGHEST_SCORE).astype(np.int32)


class Worth(NamedTuple):
    """What a plan is worth, in milli-points: the scores of what is given, what is kept for later, and fairness."""

    scored: int
    kept: int
    fair: int

    @property
    def objective(self) -> int:
        """All of it."""
        return sum(self)


def worth(graph: Graph, units: Small) -> tuple[Worth, Ints, Ints]:
    """A plan's worth, what each need gets and what each offer gives."""
    scored, met, used = count(graph.start, graph.offer, graph.score, units, graph.offer_quantity.size)
    kept = int(graph.held_back @ (graph.offer_quantity - used)) if graph.held_back.size else 0
    fair = graph.shares.worth(graph.shares.given(met)) if graph.shares is not None else 0
    return Worth(int(scored), kept, fair), met, used


@compiled
def count(start: Ints, offer: Small, score: Small, units: Small, offers: int) -> tuple[int, Ints, Ints]:
    """The score of a plan, what each need gets and what each offer gives."""
    objective = 0
    met, used = np.zeros(start.size - 1, np.int64), np.zeros(offers, np.int64)
    for need in range(start.size - 1):
        for edge in range(start[need], start[need + 1]):
            objective += np.int64(score[edge]) * units[edge]
            met[need] += units[edge]
            used[offer[edge]] += units[edge]
    return objective, met, used
