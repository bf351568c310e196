"""All quantities at once: the assignment with the largest sum of score × quantity, proved by exact integer
prices.

Both sides are laminar (a need's pairs; an offer's pairs and, inside them, one household's), so the
constraint matrix is totally unimodular and a vertex of the linear programme is integral (from the dual
simplex, or for a large programme from the interior point's crossover). The dual prices, rounded to whole
milli-points, are repaired to feasibility in exact integers: every such price vector bounds the optimum,
whatever the solver did.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from matching.columns import Floats, Ints
from matching.model import Certificate

METHODS = ("highs-ds", "highs-ipm")
LARGE_EDGES = 40_000
MILLI = 1_000
BATCH_EDGES = 4_000
WHOLE = 1e-4


class NotSolved(RuntimeError):
    """The solver gave no optimum; the message is its own. Keep the input and report it: a bounded programme
    has one.
    """


class NotWhole(RuntimeError):
    """The solver's optimum is no whole, feasible plan. Check that every household limit lies inside one
    offer.
    """


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Possible pairs as numbers, in any fixed order.

    `need`, `offer`, `score`, `group`: one entry a pair; `group` is a per-household limit that the pair
    counts to, or -1. All pairs of a group share one offer. `need_quantity`, `offer_quantity`,
    `group_limit`: units, by number.
    """

    need: Ints
    offer: Ints
    score: Ints
    group: Ints
    need_quantity: Ints
    offer_quantity: Ints
    group_limit: Ints

    def part(self, edges: Ints) -> "Graph":
        """The same numbers with some of the pairs."""
        chosen = {name: getattr(self, name)[edges] for name in ("need", "offer", "score", "group")}
        return replace(self, **chosen)


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """`quantity` of each pair; `offer_price`, `group_price`: milli-points a unit, between what one
    more would add and one less would cost."""

    quantity: Ints
    offer_price: Ints
    group_price: Ints
    certificate: Certificate


def allocate(graph: Graph, *, seed: int) -> Allocation:
    """The optimal plan over `graph`, with its certificate. The same graph and seed give the same plan.

    Between plans of equal score the one with the largest sum of tie weights is taken: a number in [0, 1)
    for each pair, drawn in the order of the pairs from `numpy.random.default_rng(seed)`, and too small
    together to outweigh one milli-point; in a component of many thousand units that is less than the solver
    can tell. Raises `NotSolved` or `NotWhole` if the solver fails; neither is expected.
    """
    useful = np.flatnonzero(graph.score > 0)
    ties = np.random.default_rng(seed).random(graph.score.size)
    quantity = np.zeros(graph.score.size, dtype=np.int64)
    offer_price = np.zeros(graph.offer_quantity.size, dtype=np.int64)
    group_price = np.zeros(graph.group_limit.size, dtype=np.int64)
    for edges in _batches(graph, useful):
        part = graph.part(edges)
        units, prices, limits = _solve(part, ties[edges])
        quantity[edges] = units
        offer_price += prices
        group_price += limits
    _check(graph, quantity)
    return Allocation(
        quantity, offer_price, group_price, _certify(graph, quantity, offer_price, group_price, seed)
    )


def upper_bound(graph: Graph, offer_price: Ints, group_price: Ints) -> int:
    """A bound on every plan from any prices ≥ 0, exact: each need pays its best margin for each unit, or
    nothing.
    """
    margin = graph.score - offer_price[graph.offer]
    limited = graph.group >= 0
    margin[limited] -= group_price[graph.group[limited]]
    need_price = np.zeros(graph.need_quantity.size, dtype=np.int64)
    np.maximum.at(need_price, graph.need, margin)
    sides = (
        (need_price, graph.need_quantity),
        (offer_price, graph.offer_quantity),
        (group_price, graph.group_limit),
    )
    return sum(int(np.dot(price, np.maximum(units, 0))) for price, units in sides)


def _batches(graph: Graph, edges: Ints) -> list[Ints]:
    # Whole components go together until a batch is worth a call: small programmes are quicker, calls cost.
    if edges.size == 0:
        return []
    component = _components(graph, edges)
    order = np.argsort(component, kind="stable")
    ends = np.flatnonzero(np.diff(component[order], append=component.max() + 1)) + 1
    cuts = [0]
    for before, end in pairwise([0, *ends.tolist()]):
        if end - cuts[-1] > BATCH_EDGES and before > cuts[-1]:
            cuts.append(before)
    return [np.sort(edges[order[start:end]]) for start, end in pairwise([*cuts, edges.size])]


def _components(graph: Graph, edges: Ints) -> Ints:
    size = graph.need_quantity.size + graph.offer_quantity.size
    ends = (graph.need[edges], graph.offer[edges] + graph.need_quantity.size)
    links = coo_matrix((np.ones(edges.size, dtype=np.int8), ends), shape=(size, size))
    labels = connected_components(links, directed=False)[1]
    return np.asarray(labels[graph.need[edges]], dtype=np.int64)


def _solve(part: Graph, ties: Floats) -> tuple[Ints, Ints, Ints]:
    """Units of each pair, prices of all offers and of all groups."""
    sides = (
        (part.need, part.need_quantity),
        (part.offer, part.offer_quantity),
        (part.group, part.group_limit),
    )
    matrix, limits, numbers = _constraints(sides)
    units, duals = _vertex((part.score + _tie_weights(part, ties)) / MILLI, matrix, limits)
    prices = np.maximum(0, np.rint(duals * MILLI)).astype(np.int64)
    _, offers, groups = np.split(prices, np.cumsum([chosen.size for chosen in numbers])[:-1])
    return (
        units,
        _spread(offers, numbers[1], part.offer_quantity),
        _spread(groups, numbers[2], part.group_limit),
    )


def _vertex(value: Floats, matrix: csr_matrix, limits: Floats) -> tuple[Ints, Floats]:
    """An optimal whole solution and the price of each row."""
    method = METHODS[value.size > LARGE_EDGES]
    answer = linprog(-value, A_ub=matrix, b_ub=limits, method=method)
    if answer.status != 0:
        raise NotSolved(f"{answer.message} ({value.size} pairs, {method})")
    units = np.rint(answer.x)
    if np.abs(units - answer.x).max() > WHOLE:
        raise NotWhole(NotWhole.__doc__)
    return units.astype(np.int64), np.asarray(-answer.ineqlin.marginals)


def _constraints(sides: tuple[tuple[Ints, Ints], ...]) -> tuple[csr_matrix, Floats, list[Ints]]:
    rows, columns, limits, numbers, height = [], [], [], [], 0
    for side, quantity in sides:
        inside = np.flatnonzero(side >= 0)
        chosen, row = np.unique(side[inside], return_inverse=True)
        rows.append(row + height)
        columns.append(inside)
        limits.append(np.maximum(0, quantity[chosen]).astype(np.float64))
        numbers.append(chosen)
        height += chosen.size
    cells = (np.concatenate(rows), np.concatenate(columns))
    matrix = csr_matrix((np.ones(cells[0].size), cells), shape=(height, sides[0][0].size))
    return matrix, np.concatenate(limits), numbers


def _tie_weights(part: Graph, ties: Floats) -> Floats:
    """Ties scaled so that a whole component's plan, and its prices, move by less than half a milli-point."""
    component = _components(part, np.arange(part.score.size))
    kinds, which = np.unique(component, return_inverse=True)
    units, rows = np.zeros(kinds.size), np.zeros(kinds.size)
    needs, first = np.unique(part.need, return_index=True)
    np.add.at(units, which[first], part.need_quantity[needs])
    for side in (part.need, part.offer, part.group):
        np.add.at(rows, which[np.unique(side, return_index=True)[1]], 1)
    return np.asarray(ties * (0.5 / (1 + np.maximum(units, rows)))[which])


def _spread(values: Ints, numbers: Ints, like: Ints) -> Ints:
    full = np.zeros_like(like)
    full[numbers] = values
    return full


def _check(graph: Graph, quantity: Ints) -> None:
    sides = (
        (graph.need, graph.need_quantity),
        (graph.offer, graph.offer_quantity),
        (graph.group, graph.group_limit),
    )
    for side, limit in sides:
        inside = side >= 0
        used = np.zeros_like(limit)
        np.add.at(used, side[inside], quantity[inside])
        if (used > np.maximum(limit, 0)).any() or (quantity < 0).any():
            raise NotWhole(NotWhole.__doc__)


def _certify(graph: Graph, quantity: Ints, offer_price: Ints, group_price: Ints, seed: int) -> Certificate:
    objective = int(np.dot(graph.score, quantity))
    bound = upper_bound(graph, offer_price, group_price)
    return Certificate(
        objective=objective,
        upper_bound=bound,
        gap=(bound - objective) / max(1, objective),
        method="highs",
        seed=seed,
        needs=graph.need_quantity.size,
        offers=graph.offer_quantity.size,
        edges=graph.score.size,
    )
