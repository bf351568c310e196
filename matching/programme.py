"""Parts in which one household's limit spans several needs, as a linear programme.

Both sides are laminar (a need's edges; an offer's edges and, inside them, one household's), so the constraint
matrix is totally unimodular and a vertex is whole (HiGHS' dual simplex). Where an offer is cut into spans of days, its
households' limits cross them, and a vertex may be broken: then whole numbers are asked for.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import csr_matrix

from matching.columns import Bools, Floats, Ints
from matching.graph import Graph
from matching.market import Market, Small

LARGE_EDGES = 20_000
"""A larger part with such limits is left to the auction, its household limits shared out beforehand."""
SMALL_EDGES = 1000
MILLI = 1_000
WHOLE = 1e-4


class NotSolved(RuntimeError):
    """The linear programme gave no optimum; keep the input and report it: a bounded one has one."""


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Rows that limit sums of edges: needs, then offers, then groups, by their numbers."""

    edges: Ints
    matrix: csr_matrix
    limits: Floats
    needs: Ints
    offers: Ints
    groups: Ints


def spanning(graph: Graph) -> Bools:
    """For each edge whether its household limit counts other edges too."""
    if graph.group.size == 0:
        return np.zeros(graph.offer.size, np.bool_)
    count = np.bincount(graph.group[graph.group >= 0], minlength=graph.group_limit.size)
    found: Bools = np.append(count > 1, False)[graph.group]
    return found


def together(graph: Graph, part: Small, exact: int) -> tuple[Bools, Bools]:
    """Which needs belong to a part for the linear programme, and which to a part whose limits have to be shared out.

    A small part goes there also when it asks for more than `exact` units (cash, say): more than an auction in whole
    numbers tells apart.
    """
    inside = part >= 0
    if not inside.any():
        return inside, inside
    size = int(part.max()) + 1
    edges = np.bincount(part[inside], weights=np.diff(graph.start)[inside], minlength=size)
    units = np.bincount(part[inside], weights=graph.need_quantity[inside], minlength=size)
    hit = np.zeros(size, np.bool_)
    if graph.group.size:
        hit[part[graph.need[spanning(graph)]]] = True
    small = (hit & (edges <= LARGE_EDGES)) | ((units > exact) & (edges <= SMALL_EDGES))
    return inside & small[part], inside & (hit & ~small)[part]


def shared_out(graph: Graph, most: Small, large: Bools) -> Small:
    """Limits of edges such that each household's sum stays within its own: the best edge takes first."""
    if not large.any():
        return most
    span = np.flatnonzero(spanning(graph) & large[graph.need])
    shared = most.copy()
    left = graph.group_limit.astype(np.int64)
    for edge in span[np.argsort(-graph.score[span], kind="stable")].tolist():
        group = graph.group[edge]
        shared[edge] = min(left[group], int(graph.need_quantity[graph.need[edge]]))
        left[group] -= shared[edge]
    return shared


def solve_together(graph: Graph, needs: Bools, m: Market, scale: int) -> Ints:
    """Write the optimum of these needs' parts into the market; the prices of the household limits."""
    prices = np.zeros(graph.group_limit.size, np.int64)
    if not needs.any():
        return prices
    edges = np.flatnonzero(needs[graph.need])
    programme = _programme(graph, edges)
    beyond = m.least[graph.offer[edges]] + m.floor[graph.need[edges]]
    value = (graph.score[edges] - beyond / scale) / MILLI
    answer = linprog(-value, A_ub=programme.matrix, b_ub=programme.limits, method="highs-ds")
    if answer.status != 0:
        raise NotSolved(f"{answer.message} ({programme.edges.size} edges)")
    m.units[programme.edges] = _in_whole(programme, value, answer.x).astype(np.int32)
    duals = np.rint(np.maximum(0, -answer.ineqlin.marginals) * MILLI).astype(np.int64) * scale
    _, offers, groups = np.split(duals, np.cumsum([programme.needs.size, programme.offers.size]))
    m.price[programme.offers] = m.least[programme.offers] + offers
    prices[programme.groups] = groups
    return prices


def _in_whole(programme: Programme, value: Floats, units: Floats) -> Floats:
    """The vertex if it is whole, else the best plan that is."""
    if np.abs(np.rint(units) - units).max() <= WHOLE:
        vertex: Floats = np.rint(units)
        return vertex
    limits = LinearConstraint(programme.matrix, ub=programme.limits)
    answer = milp(-value, constraints=limits, integrality=np.ones(value.size))
    if answer.x is None:
        raise NotSolved(f"{answer.message} ({programme.edges.size} edges)")
    whole: Floats = np.rint(answer.x)
    return whole


def _programme(graph: Graph, edges: Ints) -> Programme:
    group = graph.group[edges] if graph.group.size else np.full(edges.size, -1)
    sides = ((graph.need[edges], graph.need_quantity), (graph.offer[edges], graph.offer_quantity))
    rows, limits, numbers, height = [], [], [], 0
    columns = []
    for side, quantity in (*sides, (group, graph.group_limit)):
        inside = np.flatnonzero(side >= 0)
        chosen, row = np.unique(side[inside], return_inverse=True)
        rows.append(row + height)
        columns.append(inside)
        limits.append(quantity[chosen].astype(np.float64))
        numbers.append(chosen)
        height += chosen.size
    cells = (np.concatenate(rows), np.concatenate(columns))
    matrix = csr_matrix((np.ones(cells[0].size), cells), shape=(height, edges.size))
    return Programme(edges, matrix, np.concatenate(limits), *numbers)
