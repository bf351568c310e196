"""All quantities at once: the assignment with the largest sum of score × quantity, within a proved gap.

Independent parts go to an auction, several at a time on several threads; a small part in which one household's
limit spans several needs goes to a linear programme. The prices of either bound every plan by weak duality,
so the certificate does not depend on how the plan was found.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import cpu_count

import numpy as np

from matching.auction import forward, reverse
from matching.columns import Ints
from matching.graph import Graph, count, most_of, upper_bound
from matching.market import Market, Small, market
from matching.model import Certificate
from matching.parts import batches, components
from matching.programme import shared_out, solve_together, together
from matching.sides import Sides, clear, sides_of, turn, unfilled

GAP = 1e-4
"""The gap that a plan is brought to, as a part of the objective; parts of some thousand units are exact."""
COARSER = 8
FINEST = 2**29
BATCH_EDGES = 250_000


class NotWhole(RuntimeError):
    """A plan that is not feasible; the message says what it exceeds. Keep the input and report it."""


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """`quantity` of each edge of the graph; `offer_price`, `group_price`: what a unit is worth, in 1/scale
    milli-points."""

    quantity: Small
    offer_price: Ints
    group_price: Ints
    scale: int
    certificate: Certificate

    @property
    def offer_points(self) -> Ints:
        """Prices in whole milli-points."""
        return (self.offer_price + self.scale // 2) // self.scale


def allocate(graph: Graph, *, seed: int, gap: float = GAP, threads: int = 0) -> Allocation:
    """The plan over `graph` that no other beats by more than `gap` of its objective, with its certificate.

    The same graph and seed give the same plan, whatever the number of threads (0 = one a core). `seed` decides
    between plans of equal score as far as whole numbers leave room: in parts of many thousand units equals are taken
    as they come. The gap may stay larger where household limits had to be shared out beforehand. Raises `NotWhole` if
    the solver fails, which is not expected.
    """
    part = components(graph.start, graph.offer, graph.offer_quantity.size)
    programme, large = together(graph, part, FINEST // (2 * int(graph.score.max(initial=1)) + 2) - 1)
    units = _largest(graph, np.where(programme, -1, part))
    scale = _scale(graph, units)
    state = market(
        graph.start, graph.offer, _with_ties(graph, seed, scale, units), shared_out(graph, most_of(graph), large),
        graph.need_quantity, graph.offer_quantity,
    )  # fmt: skip
    apart = batches(graph.start, np.where(programme, -1, part), BATCH_EDGES)
    work = partial(_hold, state, graph.need_quantity, apart, threads or cpu_count() or 1)
    group_price = solve_together(graph, programme, state, scale)
    steps, before = _steps(graph, scale, gap, units), np.inf
    while True:
        work(steps)
        found = _proved(graph, state, group_price, scale, seed)
        if found.certificate.gap <= gap or steps[-1] == 1 or found.certificate.gap > before / 2:
            return found
        steps, before = [max(1, steps[-1] // COARSER)], found.certificate.gap


def _largest(graph: Graph, part: Small) -> int:
    """The units that the largest part asks for."""
    inside = part >= 0
    if not inside.any():
        return 0
    return int(np.bincount(part[inside], weights=graph.need_quantity[inside]).max())


def _scale(graph: Graph, units: int) -> int:
    """How finely a milli-point is divided: finely enough for an exact answer where whole numbers allow it."""
    room = FINEST // (int(graph.score.max(initial=1)) + 1)
    return min(room, 64 * (units + 1)) if room > 2 * (units + 1) else 1


def _with_ties(graph: Graph, seed: int, scale: int, units: int) -> Small:
    """Scores in 1/scale milli-points, with less than half a milli-point drawn for each unit among equals."""
    if scale == 1:
        return graph.score
    room = max(1, scale // (2 * (units + 1)))
    drawn = np.random.default_rng(seed).integers(0, room, graph.score.size, dtype=np.int32)
    return graph.score * np.int32(scale) + drawn


def _steps(graph: Graph, scale: int, gap: float, units: int) -> list[int]:
    """Bid increments, coarse to fine: each phase starts at the prices of the one before."""
    mean = float(graph.score.mean()) if graph.score.size else 1.0
    finest = 1 if scale > 2 * (units + 1) else max(1, round(5 * gap * mean * scale))
    steps = [finest]
    while steps[-1] * COARSER**2 < mean * scale:
        steps.append(steps[-1] * COARSER)
    return steps[::-1]


def _hold(state: Market, quantity: Small, parts: Sequence[Small], threads: int, steps: Sequence[int]) -> None:
    sides = sides_of(state)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda needs: settle(state, quantity, sides, needs, steps), parts))


def settle(state: Market, quantity: Small, sides: Sides, needs: Small, steps: Sequence[int]) -> None:
    """Run the auction over whole parts: one phase for each bid increment, the last one decides."""
    turned = False
    for step in steps:
        clear(state, needs, quantity)
        forward(state, needs, step)
        free = unfilled(state, needs)
        if free.size:
            if not turned:
                turn(state, sides, needs)
            turned = True
            reverse(state, free, sides.starts, sides.edges, sides.owners, step)


def _proved(graph: Graph, state: Market, group_price: Ints, scale: int, seed: int) -> Allocation:
    counted = count(graph.start, graph.offer, graph.score, state.units, graph.offer_quantity.size)
    _check(graph, state.units, *counted[1:])
    objective, price = int(counted[0]), state.price.astype(np.int64)
    top = upper_bound(graph, price, group_price, scale)
    certificate = Certificate(
        objective=objective,
        upper_bound=top,
        gap=(top - objective) / max(1, objective),
        method="auction",
        seed=seed,
        needs=graph.need_quantity.size,
        offers=graph.offer_quantity.size,
        edges=graph.score.size,
    )
    return Allocation(state.units, price, group_price, scale, certificate)


def _check(graph: Graph, units: Small, met: Ints, used: Ints) -> None:
    if (used > graph.offer_quantity).any() or (met > graph.need_quantity).any() or units.min(initial=0) < 0:
        raise NotWhole("the plan gives more than an offer has or a need lacks")
    if graph.group.size:
        inside = graph.group >= 0
        taken = np.bincount(graph.group[inside], weights=units[inside], minlength=graph.group_limit.size)
        if (taken > graph.group_limit).any():
            raise NotWhole("the plan gives a household more than its limit")
