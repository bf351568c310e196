"""All quantities at once: the assignment that is worth most, within a proved gap.

Independent parts go to an auction, several at a time on several threads; a small part in which one household's
limit spans several needs goes to a linear programme. Fairness groups have prices too: what a further unit is worth to
a town or a class. All prices together bound every plan by weak duality, so the certificate does not depend on
how the plan was found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from os import cpu_count

import numpy as np

from matching.bargain import Bargain
from matching.columns import Ints
from matching.exact import MOST_LOT_EDGES, fits, solve, solve_lots
from matching.graph import Graph, Worth, most_of, worth
from matching.lots import Alike, lots_of
from matching.market import Small, market
from matching.mending import Mender
from matching.model import Certificate
from matching.parts import batches, components
from matching.phases import EASE, Phases, increments
from matching.programme import shared_out, solve_together, together
from matching.proof import Prices, upper_bound
from matching.resume import Last, fits_graph

GAP = 1e-4
"""The gap that a plan is brought to, as a part of the objective; parts of some thousand units are exact."""
COARSER = 8
FINEST = 2**29
BATCH_EDGES = 250_000
ROUNDS = 16
"""How often prices are looked for at the finest bids."""
LESS, PATIENCE = 0.8, 3
"""With lots, prices are looked for as long as the gap gets so much smaller within so many rounds."""
EXACT_GAP = 1e-5
"""A small problem whose gap is larger is solved whole."""
ROUGH = 1 / 256
"""How finely a small problem is bid for, as a part of the mean score: what is solved whole only needs somewhere to begin."""
MOVED = 4
"""How many increments the prices of offers may be off after those of fairness have moved."""

Report = Callable[[str, float], None]


class NotWhole(RuntimeError):
    """A plan that is not feasible; the message says what it exceeds. Keep the input and report it."""


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """`quantity` of each edge of the graph, what it is worth, and the prices that prove how good it is."""

    quantity: Small
    worth: Worth
    prices: Prices
    certificate: Certificate

    @property
    def offer_points(self) -> Ints:
        """Prices of offers in whole milli-points."""
        return (self.prices.offer + self.prices.scale // 2) // self.prices.scale

    def bonus(self, graph: Graph) -> Ints:
        """What a unit of each need was worth to its town and class, in whole milli-points."""
        if graph.shares is None:
            return np.zeros(graph.need_quantity.size, np.int64)
        return graph.shares.bonus(self.prices.share // self.prices.scale)


def allocate(
    graph: Graph,
    *,
    seed: int,
    gap: float = GAP,
    threads: int = 0,
    report: Report | None = None,
    last: Last | None = None,
) -> Allocation:
    """The plan over `graph` that no other beats by more than `gap` of its objective, with its certificate.

    The same graph and seed give the same plan, whatever the number of threads (0 = one a core). `seed` decides
    between plans of equal score as far as whole numbers leave room: in parts of many thousand units equals are taken
    as they come. The gap may stay larger where household limits had to be shared out beforehand, where a group of
    few units would have to be split for its fairness price to fit, or where lots leave units over that no price proves to be
    of no use. `report` is told what is done and the gap so far;
    what it raises ends the work. `last`: an earlier plan to go on from, in the graph's numbers: only what a change reaches
    bids again, to the same gap; then the plan depends on it as well. Raises `NotWhole` if the solver fails, which is not expected.
    """
    search = _Search(graph, seed, threads or cpu_count() or 1, report or (lambda *_: None))
    with search.phases:
        return search.found(gap, last)


class _Search:
    """The state of one allocation: the best plan and the best prices so far."""

    def __init__(self, graph: Graph, seed: int, threads: int, report: Report) -> None:
        self.graph, self.seed, self.report = graph, seed, report
        part = components(graph.start, graph.offer, graph.offer_quantity.size)
        exact = FINEST // (2 * _highest(graph) + 2) - 1
        self.programme, large = together(graph, part, exact)
        apart = np.where(self.programme, -1, part)
        self.units = _largest(graph, apart)
        self.scale = _scale(graph, self.units)
        least = (graph.least * self.scale).astype(np.int32)
        self.state = market(
            graph.start, graph.offer, _with_ties(graph, seed, self.scale, self.units),
            shared_out(graph, most_of(graph), large), least, graph.need_quantity, graph.offer_quantity,
        )  # fmt: skip
        parts, lots = batches(graph.start, apart, BATCH_EDGES), lots_of(graph)
        self.phases = Phases(self.state, graph.need_quantity, parts, threads)
        self.mender = Mender(graph, lots, parts, self.programme, threads) if lots.size else None
        self.alike = Alike(lots, graph.need_quantity.size)
        self.small = fits(graph, lots.size)
        self.mean = float(graph.score.mean()) if graph.score.size else 1.0
        self.fair = Bargain(graph.shares, self.scale) if graph.shares is not None else None
        self.limit_price = np.zeros(graph.group_limit.size, np.int64)
        self.method = "auction"
        self.plan: tuple[Worth, Small] | None = None
        self.proof: tuple[int, Prices] | None = None

    def found(self, gap: float, last: Last | None) -> Allocation:
        """Coarse bids first, each phase at the prices of the one before; then fine ones until the gap is small."""
        if self.small:
            if found := self._solved(gap, last):
                return found
            self._forget()
            last = None
        step = 1 if self.scale > 2 * (self.units + 1) else max(1, round(5 * gap * self.mean * self.scale))
        before, resumed = self._begun(step, last)
        return self._refined(gap, step, before, resumed)

    def _solved(self, gap: float, last: Last | None) -> Allocation | None:
        """A small problem, bid for roughly and then solved whole; None where HiGHS found nothing."""
        step = max(1, round(ROUGH * self.mean * self.scale))
        before, resumed = self._begun(step, last)
        if not resumed:
            self._phase(step, before, last=True)
        self._note(step)
        if self._gap() > min(gap, EXACT_GAP):
            assert self.plan is not None
            answer = solve(self.graph, self.alike.lots, self.plan[1])
            if answer is None:
                return None
            self._whole(answer)
        self.report("gap", self._gap())
        return self._allocation()

    def _begun(self, step: int, last: Last | None) -> tuple[int, bool]:
        """Coarse bids until those of `step` are next, or the last plan if it can be gone on from: the step before, and whether it
        was.
        """
        if last is not None and fits_graph(self.graph, last):
            if self._start_from(last, step):
                return MOVED * step, True
            self._forget()
        before = moved = 0
        for coarse in increments(step, self.mean * self.scale, COARSER)[:-1]:
            self._phase(coarse, max(before, moved // EASE))
            moved = self._bargain()
            before = coarse
        return max(before, self._prepare(step, moved)), False

    def _prepare(self, step: int, moved: int) -> int:
        """After prices of fairness have `moved`, let those of offers follow in coarse steps: in fine ones they would creep. The
        last step.
        """
        before = max(MOVED * step, moved // EASE)
        for coarse in increments(step, moved, COARSER)[:-1]:
            self._phase(coarse, before)
            before = coarse
        return before

    def _start_from(self, last: Last, step: int) -> bool:
        """Take over the prices of an earlier plan, and of its units what fits them; False if too much has changed."""
        scale = last.prices.scale
        price = np.clip(last.prices.offer * self.scale // scale, self.state.least, FINEST)
        self.state.price[:] = price
        if self.fair is not None:
            self.fair.price = last.prices.share * self.scale // scale
        self.alike.move(self.state, self.graph.need_quantity, self._bonus())
        self._set_floors()
        if not self.phases.go_on(last.units, step):
            return False
        self.limit_price = solve_together(self.graph, self.programme, self.state, self.scale)
        return True

    def _forget(self) -> None:
        """Everything costs its least again."""
        self.state.price[:] = self.state.least
        self.alike.shift[:] = 0
        if self.fair is not None:
            self.fair = Bargain(self.fair.shares, self.scale)

    def _refined(self, gap: float, step: int, before: int, resumed: bool) -> Allocation:
        shown, gaps, fine = np.inf, list[float](), False
        for number in range(ROUNDS):
            if number > 0 or not resumed:
                self._phase(step, before, last=True)
            unfair = self._note(step)
            now = self._gap()
            self.report("gap", now)
            gaps.append(now)
            if now <= gap:
                break
            if self.mender is not None and now > LESS * min(gaps[:-PATIENCE], default=np.inf):
                if step == 1 or fine:
                    break
                before, step, fine, gaps = step, max(1, step // COARSER), True, []
            elif unfair > now / 4 or self.mender is not None:
                before = self._prepare(step, self._bargain())
            elif step > 1 and now < shown / 2:
                before, step, shown = step, max(1, step // COARSER), now
            else:
                break
        if self.mender is not None and self._gap() > gap and self.graph.score.size <= MOST_LOT_EDGES:
            share = self.fair.price if self.fair is not None else np.zeros(0, np.int64)
            if answer := solve_lots(self.graph, self.alike.lots, share, self.scale):
                self._whole(answer)
        return self._allocation()

    def _whole(self, answer: tuple[Small, Prices]) -> None:
        """Take what is better of the plan and the prices that a problem solved whole has."""
        self.method = "programme"
        self._keep(*answer)

    def _phase(self, step: int, before: int, last: bool = False) -> None:
        """Everybody bids at the present prices of fairness."""
        if self.plan is not None and self.plan[1] is self.state.units:
            self.plan = self.plan[0], self.state.units.copy()  # the best so far: the bids write over it
        self._set_floors()
        self.phases.run(step, before)
        self.report("bids", step)
        if last:
            self.limit_price = solve_together(self.graph, self.programme, self.state, self.scale)

    def _set_floors(self) -> None:
        self.state.floor[:] = np.clip(-(self._bonus() + self.alike.shift), -FINEST, FINEST)

    def _bonus(self) -> Ints:
        """What a unit of each need is worth to its town and class at the present prices of fairness."""
        if self.fair is None:
            return np.zeros(self.graph.need_quantity.size, np.int64)
        return self.fair.shares.bonus(self.fair.price)

    def _bargain(self) -> int:
        """Move the prices of fairness and even out the lots; how far that went."""
        moved = self.fair.move(worth(self.graph, self.state.units)[1]) if self.fair is not None else 0
        return max(moved, self.alike.move(self.state, self.graph.need_quantity, self._bonus()))

    def _note(self, step: int) -> float:
        """Keep the plan and the prices if they are the best yet; the part of the objective that the prices of fairness miss."""
        share = self.fair.price if self.fair is not None else np.zeros(0, np.int64)
        prices = Prices(self.state.price.astype(np.int64), self.limit_price, share, self.scale)
        units = self.state.units
        if self.mender is not None:
            self.state.floor[:] = -self._bonus()
            units = self.mender.mended(self.state, step, self.scale)
        found, met = self._keep(units, prices)
        return self.fair.missed(met) / max(1, found.objective) if self.fair is not None else 0.0

    def _keep(self, units: Small, prices: Prices) -> tuple[Worth, Ints]:
        found, met, used = worth(self.graph, units)
        _check(self.graph, units, met, used)
        if self.mender is not None and not self.mender.holds(units):
            raise NotWhole("the plan splits what is to be met in full or not at all")
        if self.plan is None or found.objective > self.plan[0].objective:
            self.plan = found, units
        top = upper_bound(self.graph, prices)
        if self.proof is None or top < self.proof[0]:
            self.proof = top, prices
        return found, met

    def _gap(self) -> float:
        assert self.plan is not None and self.proof is not None
        objective = self.plan[0].objective
        return (self.proof[0] - objective) / max(1, objective)

    def _allocation(self) -> Allocation:
        assert self.plan is not None and self.proof is not None
        (value, units), (top, prices) = self.plan, self.proof
        graph = self.graph
        certificate = Certificate(
            objective=value.objective,
            upper_bound=top,
            gap=self._gap(),
            method=self.method,
            seed=self.seed,
            needs=graph.need_quantity.size,
            offers=graph.offer_quantity.size,
            edges=graph.score.size,
        )
        return Allocation(units, value, prices, certificate)


def _highest(graph: Graph) -> int:
    """The most that a unit may be worth anywhere, fairness included, in milli-points."""
    bonus = 0
    if graph.shares is not None and graph.shares.points.size:
        bonus = graph.shares.member.shape[1] * int(graph.shares.points.max())
    return max(int(graph.score.max(initial=1)) + bonus, int(graph.least.max(initial=0)))


def _largest(graph: Graph, part: Small) -> int:
    """The units that the largest part asks for."""
    inside = part >= 0
    if not inside.any():
        return 0
    return int(np.bincount(part[inside], weights=graph.need_quantity[inside]).max())


def _scale(graph: Graph, units: int) -> int:
    """How finely a milli-point is divided: finely enough for an exact answer where whole numbers allow it."""
    room = FINEST // (_highest(graph) + 1)
    return min(room, 64 * (units + 1)) if room > 2 * (units + 1) else 1


def _with_ties(graph: Graph, seed: int, scale: int, units: int) -> Small:
    """Scores in 1/scale milli-points, with less than half a milli-point drawn for each unit among equals."""
    if scale == 1:
        return graph.score
    room = max(1, scale // (2 * (units + 1)))
    drawn = np.random.default_rng(seed).integers(0, room, graph.score.size, dtype=np.int32)
    return graph.score * np.int32(scale) + drawn


def _check(graph: Graph, units: Small, met: Ints, used: Ints) -> None:
    if (used > graph.offer_quantity).any() or (met > graph.need_quantity).any() or units.min(initial=0) < 0:
        raise NotWhole("the plan gives more than an offer has or a need lacks")
    if graph.group.size:
        inside = graph.group >= 0
        taken = np.bincount(graph.group[inside], weights=units[inside], minlength=graph.group_limit.size)
        if (taken > graph.group_limit).any():
            raise NotWhole("the plan gives a household more than its limit")
