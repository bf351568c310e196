"""Small problems whole, as a mixed-integer programme: where the groups of fairness cross, prices alone may leave a gap.

A group's utility is a column for each step, each worth less than the one before. The prices of the relaxed programme go into the
certificate like any others: they need no trust (`graph.upper_bound`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_matrix, csr_matrix

from matching.columns import Floats, Ints
from matching.graph import Graph, Prices
from matching.market import Small
from matching.shares import Shares

MOST_EDGES, MOST_STEPS, NODES = 4_000, 80_000, 1_000
MOST_CELLS = 32_000_000
"""Edges × steps: what HiGHS solves in about a second. Few edges may have fine steps, many only coarse ones."""
FINE = 1_024
MILLI = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """The columns are edges, then units of groups; the rows needs, offers, household limits, groups."""

    value: Floats
    matrix: csr_matrix
    limits: Floats
    most: Floats


def fits(graph: Graph) -> bool:
    """Whether a problem is small enough to be solved whole."""
    return graph.shares is not None and graph.score.size <= MOST_EDGES


def solve(graph: Graph) -> tuple[Small, Prices] | None:
    """The units of the best plan that HiGHS finds and the prices of the relaxed programme; None if it finds none."""
    shares = graph.shares
    assert shares is not None
    programme = _programme(graph, shares)
    edges = graph.score.size
    whole = milp(
        -programme.value,
        constraints=LinearConstraint(programme.matrix, ub=programme.limits),
        bounds=Bounds(0, programme.most),
        integrality=np.arange(programme.value.size) < edges,
        options={"node_limit": NODES, "mip_rel_gap": 0},
    )
    relaxed = linprog(
        -programme.value,
        A_ub=programme.matrix,
        b_ub=programme.limits,
        bounds=np.column_stack([np.zeros(programme.most.size), programme.most]),
        method="highs-ds",
    )
    if whole.x is None or relaxed.status != 0:
        return None
    return np.rint(whole.x[:edges]).astype(np.int32), _prices(graph, relaxed.ineqlin.marginals)


def _prices(graph: Graph, marginals: Floats) -> Prices:
    duals = np.rint(np.maximum(0, -marginals) * MILLI * FINE).astype(np.int64)
    cuts = np.cumsum([graph.need_quantity.size, graph.offer_quantity.size, graph.group_limit.size])
    _, offers, limits, groups = np.split(duals, cuts)
    return Prices(offers + graph.least * FINE, limits, groups, FINE)


def _programme(graph: Graph, shares: Shares) -> Exact:
    edges = graph.score.size
    group, units, value = _steps(shares, min(MOST_STEPS, MOST_CELLS // max(1, edges)))
    limits = (graph.need_quantity, graph.offer_quantity, graph.group_limit, np.zeros(shares.open.size))
    tops = np.cumsum([0, *(limit.size for limit in limits)])
    rows, columns, signs = (
        np.concatenate(part) for part in zip(*_cells(graph, shares, tops, group), strict=True)
    )
    shape = (int(tops[-1]), edges + group.size)
    own = (graph.score - graph.least[graph.offer]) / MILLI
    return Exact(
        np.concatenate([own, value]),
        coo_matrix((signs, (rows, columns)), shape=shape).tocsr(),
        np.concatenate(limits).astype(np.float64),
        np.concatenate([np.full(edges, np.inf), units]),
    )


def _cells(graph: Graph, shares: Shares, tops: Ints, group: Ints) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Row, column and sign of everything that counts: edges to needs, offers, limits and groups, units to groups."""
    edges = graph.score.size
    members = (shares.member[graph.need, kind] for kind in range(shares.member.shape[1]))
    limits = graph.group if graph.group.size else np.full(edges, -1)
    sides = [(graph.need, tops[0], 1.0), (graph.offer, tops[1], 1.0), (limits, tops[2], 1.0)]
    for row, top, sign in [*sides, *((member, tops[3], -1.0) for member in members)]:
        inside = np.flatnonzero(row >= 0)
        yield top + row[inside].astype(np.int64), inside, np.full(inside.size, sign)
    yield tops[3] + group, edges + np.arange(group.size), np.ones(group.size)


def _steps(shares: Shares, most: int) -> tuple[Ints, Ints, Floats]:
    """For each step of a group's utility: the group, how many units it is wide, and what each of them is worth on average, in
    points, about `most` steps in all. Groups of many units get wider ones; only the plan is found by them, not its worth or its bound.
    """
    width = np.maximum(1, -(-shares.open // max(1, most // max(1, shares.open.size))))
    count = -(-shares.open // width)
    group = np.repeat(np.arange(shares.open.size), count)
    nth = np.arange(group.size) - (np.cumsum(count) - count)[group]
    begin = nth * width[group]
    units = np.minimum(width[group], shares.open[group] - begin)
    middle = shares.open[group] - begin - (units - 1) / 2
    worth = shares.points[group] * middle / shares.asked[group]
    return group, units, worth / MILLI
