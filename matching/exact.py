"""Small problems whole, as a mixed-integer programme: where the groups of fairness cross, prices alone may leave a gap.

A group's utility is a column for each step, each worth less than the one before; the steps are fine where the last answer lay, and the
programme is solved again until it lies there still. The prices of the relaxed programme go into the
certificate like any others: they need no trust (`graph.upper_bound`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_matrix, csr_matrix

from matching.columns import Bools, Floats, Ints
from matching.graph import Graph, worth
from matching.lots import Lots
from matching.market import Small
from matching.proof import Prices
from matching.shares import Shares, nobody

MOST_EDGES, NODES, TIMES = 4_000, 1_000, 4
MOST_LOT_EDGES = 12_000
"""With lots, and the prices of fairness as they are: HiGHS takes a second or two."""
LOT_GAP = 2e-5
FINE = 1_024
MILLI = 1_000
NEAR = 6
_FAR = np.unique(np.rint(1.2 ** np.arange(120)).astype(np.int64))
AWAY = np.concatenate([-_FAR[::-1], np.zeros(1, np.int64), _FAR])
"""Where steps are cut, in units from the centre: every unit nearby, a fifth wider each farther on."""


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """The columns are edges, units of groups, and lots (met or not); the rows of `matrix` needs, offers, household limits and
    groups, those of `alike` the members of lots. `size`: units that an edge carries when its column is 1.
    """

    value: Floats
    matrix: csr_matrix
    limits: Floats
    alike: csr_matrix
    most: Floats
    size: Ints
    integer: Bools


def fits(graph: Graph, lots: int) -> bool:
    """Whether a problem that prices alone may leave a gap in is small enough to be solved whole."""
    return (graph.shares is not None or lots > 0) and 0 < graph.score.size <= MOST_EDGES


def solve(graph: Graph, lots: Lots, units: Small) -> tuple[Small, Prices] | None:
    """The units of the best plan that HiGHS finds, beginning at `units`, and the prices of the relaxed programme; None if it
    finds none.
    """
    shares = graph.shares or nobody(graph.need_quantity.size)
    for _ in range(TIMES):
        centre = shares.given(worth(graph, units)[1])
        found = _solved(
            graph, _programme(graph, shares, lots, np.zeros(graph.need_quantity.size), centre), lots, 0
        )
        if found is None:
            return None
        units, (offer, limit, share) = found
        if (np.abs(shares.given(worth(graph, units)[1]) - centre) <= NEAR).all():
            break
    return units, Prices(offer, limit, share[: 0 if graph.shares is None else None], FINE)


def solve_lots(graph: Graph, lots: Lots, share: Ints, scale: int) -> tuple[Small, Prices] | None:
    """The same with prices of fairness that stay as they are (`share`, in 1/scale milli-points): a larger problem."""
    bonus = graph.shares.bonus(share) / scale if graph.shares else np.zeros(graph.need_quantity.size)
    found = _solved(
        graph, _programme(graph, nobody(bonus.size), lots, bonus, np.zeros(0, np.int64)), lots, LOT_GAP
    )
    if found is None:
        return None
    units, (offer, limit, _) = found
    return units, Prices(offer, limit, share * FINE // scale, FINE)


def _solved(graph: Graph, programme: Exact, lots: Lots, gap: float) -> tuple[Small, list[Ints]] | None:
    rules = [LinearConstraint(programme.matrix, ub=programme.limits)]
    rules += [LinearConstraint(programme.alike, lb=0, ub=0)] if lots.size else []
    whole = milp(
        -programme.value,
        constraints=rules,
        bounds=Bounds(0, programme.most),
        integrality=programme.integer,
        options={"node_limit": NODES, "mip_rel_gap": gap},
    )
    relaxed = linprog(
        -programme.value,
        A_ub=programme.matrix,
        b_ub=programme.limits,
        A_eq=programme.alike if lots.size else None,
        b_eq=np.zeros(lots.need.size) if lots.size else None,
        bounds=np.column_stack([np.zeros(programme.most.size), programme.most]),
        method="highs-ds",
    )
    if whole.x is None or relaxed.status != 0:
        return None
    units = np.rint(whole.x[: graph.score.size]).astype(np.int64) * programme.size
    return units.astype(np.int32), _prices(graph, relaxed.ineqlin.marginals)


def _prices(graph: Graph, marginals: Floats) -> list[Ints]:
    """Of offers, limits and groups."""
    duals = np.rint(np.maximum(0, -marginals) * MILLI * FINE).astype(np.int64)
    cuts = np.cumsum([graph.need_quantity.size, graph.offer_quantity.size, graph.group_limit.size])
    _, offers, limits, groups = np.split(duals, cuts)
    return [offers + graph.least * FINE, limits, groups]


def _programme(graph: Graph, shares: Shares, lots: Lots, bonus: Floats, centre: Ints) -> Exact:
    edges, size = graph.score.size, _size(graph)
    group, units, value = _steps(shares, centre)
    limits = (graph.need_quantity, graph.offer_quantity, graph.group_limit, np.zeros(shares.open.size))
    tops = np.cumsum([0, *(limit.size for limit in limits)])
    rows, columns, signs = (
        np.concatenate(part) for part in zip(*_cells(graph, shares, tops, group, size), strict=True)
    )
    width = edges + group.size + lots.size
    own = (graph.score + bonus[graph.need] - graph.least[graph.offer]) / MILLI
    integer = np.ones(width, np.bool_)
    integer[edges : edges + group.size] = False
    return Exact(
        value=np.concatenate([own * size, value, np.zeros(lots.size)]),
        matrix=coo_matrix((signs, (rows, columns)), shape=(int(tops[-1]), width)).tocsr(),
        limits=np.concatenate(limits).astype(np.float64),
        alike=_alike(graph, lots, size, width),
        most=np.concatenate([np.full(edges, np.inf), units, np.ones(lots.size)]),
        size=size,
        integer=integer,
    )


def _size(graph: Graph) -> Ints:
    """What one choice of each edge carries: all that an indivisible need asks for, else a unit."""
    if not graph.whole.size:
        return np.ones(graph.score.size, np.int64)
    return np.where(graph.whole, np.maximum(1, graph.need_quantity), 1)[graph.need].astype(np.int64)


def _alike(graph: Graph, lots: Lots, size: Ints, width: int) -> csr_matrix:
    """A row for each member of a lot: what its edges carry less what it asks for, if the lot is met, is 0."""
    row = np.full(graph.need_quantity.size, -1)
    row[lots.need] = np.arange(lots.need.size)
    at = np.flatnonzero(row[graph.need] >= 0)
    lot = width - lots.size + np.repeat(np.arange(lots.size), np.diff(lots.first))
    cells = (
        np.concatenate([row[graph.need][at], np.arange(lots.need.size)]),
        np.concatenate([at, lot]),
    )
    values = np.concatenate([size[at], -graph.need_quantity[lots.need]]).astype(np.float64)
    return coo_matrix((values, cells), shape=(lots.need.size, width)).tocsr()


def _cells(
    graph: Graph, shares: Shares, tops: Ints, group: Ints, size: Ints
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Row, column and weight of everything that counts: edges to needs, offers, limits and groups, units to groups."""
    edges = graph.score.size
    members = (shares.member[graph.need, kind] for kind in range(shares.member.shape[1]))
    limits = graph.group if graph.group.size else np.full(edges, -1)
    sides = [(graph.need, tops[0], 1.0), (graph.offer, tops[1], 1.0), (limits, tops[2], 1.0)]
    for row, top, sign in [*sides, *((member, tops[3], -1.0) for member in members)]:
        inside = np.flatnonzero(row >= 0)
        yield top + row[inside].astype(np.int64), inside, (sign * size[inside]).astype(np.float64)
    yield tops[3] + group, edges + np.arange(group.size), np.ones(group.size)


def _steps(shares: Shares, centre: Ints) -> tuple[Ints, Ints, Floats]:
    """For each step of a group's utility: the group, how many units it is wide, and what each of them is worth on average, in
    points. Steps are one unit wide about the `centre`, and wider the farther away; only the plan is found by them, not its worth or
    its bound.
    """
    cuts = [
        np.unique(np.clip(middle + AWAY, 0, most))
        for middle, most in zip(centre.tolist(), shares.open.tolist(), strict=True)
    ]
    group = np.repeat(np.arange(shares.open.size), [some.size - 1 for some in cuts])
    begin = np.concatenate([some[:-1] for some in cuts]) if cuts else np.zeros(0, np.int64)
    units = np.concatenate([np.diff(some) for some in cuts]) if cuts else begin
    middle = shares.open[group] - begin - (units - 1) / 2
    return group, units, shares.points[group] * middle / shares.asked[group] / MILLI
