"""What a unit is worth kept for needs that are likely to come: the mean price of sampled futures.

After N. Ahani, P. Gölz, A. D. Procaccia, A. Teytelboym and A. C. Trapp, "Dynamic Placement in Refugee Resettlement"
(EC 2021): what comes is drawn from what came, each draw is planned as if it were known, and the prices say what a unit
would be missed for. In a plan over present and future together the present needs would set prices at their own scores
and so refuse themselves; priced is therefore the future, over what the present leaves it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from matching.allocation import allocate
from matching.candidates import barred
from matching.columns import Bools, Ints, seconds
from matching.features import DAY_S
from matching.graph import HIGHEST_SCORE, Graph, Problem, graph_of, worth
from matching.history import History
from matching.market import Small
from matching.model import BeneficiaryKind, Need, Point, Policy, Urgency
from matching.pool import pool
from matching.scoring import Scored, best_pairs

Edges = tuple[Ints, Ints, Ints]
"""Need, offer and score of each pair."""
MILLI = 1_000
STEPS = 2
"""How often the present is planned at the future's prices, and the future priced over what that leaves."""


@dataclass(frozen=True, slots=True)
class PastNeed:
    """A need as it was raised, still open or not: such needs are likely to come again. It names nobody."""

    category: str
    area: str
    point: Point | None
    quantity: int
    urgency: Urgency
    raised_at: datetime
    vulnerabilities: tuple[str, ...] = ()
    minor: bool = False
    beneficiary_kind: BeneficiaryKind = "household"


@dataclass(frozen=True, slots=True, eq=False)
class Futures:
    """`graph` holds every past need once for each span of days to come; `counts`: how often it comes, a row a sample."""

    graph: Graph
    counts: Ints
    seed: int

    def price(self, stock: Ints) -> Ints:
        """Milli-points that the last unit of each offer is worth to the samples on average, when there is so much of it."""
        total = np.zeros(stock.size, np.int64)
        for count in self.counts:
            total += allocate(self._one(count, stock), seed=self.seed).offer_points
        mean: Ints = total // len(self.counts)
        return mean

    def _one(self, count: Ints, stock: Ints) -> Graph:
        graph = self.graph
        times = np.zeros(graph.group_limit.size, np.int64)
        if times.size:
            limited = graph.group >= 0
            times[graph.group[limited]] = count[graph.need[limited]]
        return replace(
            graph,
            need_quantity=_small(graph.need_quantity * count),
            offer_quantity=_small(stock),
            group_limit=_small(graph.group_limit * times),
        )


def _small(units: Ints) -> Small:
    return np.minimum(units, HIGHEST_SCORE).astype(np.int32)


def held_back(best: Scored, recent: Iterable[PastNeed], seed: int) -> Ints:
    """Milli-points that a unit of each offer is worth kept: what the office set for its category or, if more, what the forecast says.

    Never so much that it refuses a present need of at least `policy.spared_urgency_points` of urgency, or its bundle: who is
    there in distress doesn't make room for who may come, even if that would score more.
    """
    policy = best.setting.policy
    points = [policy.hold_back_points.get(offer.category, 0) for offer in best.pool.offers]
    kept = np.maximum(MILLI * np.array(points, dtype=np.int64), worth_kept(best, recent, seed))
    spared = np.flatnonzero(_spared(best.pool.needs, policy)[best.pairs.need])
    np.minimum.at(kept, best.pairs.offer[spared], np.maximum(0, best.score[spared] - 1))
    return kept


def _spared(needs: Sequence[Need], policy: Policy) -> Bools:
    urgent = [policy.urgency_points.get(need.urgency, 0) >= policy.spared_urgency_points for need in needs]
    bundles = {need.bundle for need, so in zip(needs, urgent, strict=True) if so} - {""}
    return np.array(
        [so or need.bundle in bundles for need, so in zip(needs, urgent, strict=True)], dtype=np.bool_
    )


def worth_kept(best: Scored, recent: Iterable[PastNeed], seed: int) -> Ints:
    """Milli-points that a unit of each offer is worth kept for needs to come; 0 where none is likely to miss it.

    `best`: the pairs of the present needs. `recent`: needs that were raised, in any order; those of the last
    `policy.forecast_days` count. The same input and seed give the same prices.
    """
    policy = best.setting.policy
    past = sorted((need for need in recent if _counts(need, policy, best.setting.now)), key=_order)
    if not (past and best.pool.offers and policy.forecast_samples and policy.forecast_horizon_days):
        return np.zeros(len(best.pool.offers), np.int64)
    present = _graph(_edges(best), best.pool.need_columns.quantity, best)
    return _agreed(present, _futures(best, past, seed))


def _order(need: PastNeed) -> tuple[str, str, str]:
    return need.category, need.area, repr(need)


def _counts(need: PastNeed, policy: Policy, now: datetime) -> bool:
    age = seconds(now) - seconds(need.raised_at)
    return 0 <= age < policy.forecast_days * DAY_S and need.quantity > 0


def _agreed(present: Graph, futures: Futures) -> Ints:
    """Prices that fit what they leave: M. Frank and P. Wolfe, "An algorithm for quadratic programming", Naval Research
    Logistics Quarterly 3 (1956), on the worth of the present and of the mean future.

    Priced is the last unit that the present takes, or the first that it might.
    """
    stock = present.offer_quantity.astype(np.int64)
    price, used = np.zeros(stock.size, np.int64), np.zeros(stock.size)
    for step in range(1, STEPS + 1):
        plan = allocate(replace(present, held_back=price), seed=futures.seed)
        used += (worth(present, plan.quantity)[2] - used) / step
        price = futures.price(np.minimum(stock, stock + 1 - np.round(used).astype(np.int64)))
    return price


def _futures(best: Scored, past: Sequence[PastNeed], seed: int) -> Futures:
    spans = _spans(best.setting.policy.forecast_horizon_days)
    own = np.array([need.quantity for need in past], dtype=np.int64)
    to_come = [_to_come(best, past, timedelta(days=max(1, (first + last) / 2))) for first, last in spans]
    need = [numbers + place * own.size for place, (numbers, _, _) in enumerate(to_come)]
    offer, score = ([edges[column] for edges in to_come] for column in (1, 2))
    # Somebody else would take a unit of each offer for next to nothing: what has no rival has no price, even if it is the last.
    offers = np.arange(len(best.pool.offers))
    rival = (own.size * len(spans) + offers, offers, np.ones_like(offers))
    edges = [
        np.concatenate([*column, last]) for column, last in zip((need, offer, score), rival, strict=True)
    ]
    quantity = np.append(np.tile(own, len(spans)), np.ones_like(offers))
    drawn = _drawn(best, past, spans, seed)
    counts = np.hstack([drawn, np.ones((len(drawn), offers.size), np.int64)])
    return Futures(_graph((edges[0], edges[1], edges[2]), quantity, best), counts, seed)


def _spans(horizon: int) -> list[tuple[int, int]]:
    """The days to come in spans, each twice as long as the one before: its needs are looked at as if all came in its middle, and none
    before a day has passed.
    """
    ends = [0]
    while ends[-1] < horizon:
        ends.append(min(horizon, 2 * ends[-1] + 1))
    return list(pairwise(ends))


def _drawn(best: Scored, past: Sequence[PastNeed], spans: Sequence[tuple[int, int]], seed: int) -> Ints:
    """How often each past need comes in each span, a row a sample. A day to come is a past day drawn whole: what came
    together, after a storm say, comes together again.
    """
    policy, now = best.setting.policy, seconds(best.setting.now)
    day = np.array([int((now - seconds(need.raised_at)) // DAY_S) for need in past])
    even = np.full(policy.forecast_days, 1 / policy.forecast_days)
    rng = np.random.default_rng(seed)
    rows = [
        [rng.multinomial(last - first, even)[day] for first, last in spans]
        for _ in range(policy.forecast_samples)
    ]
    return np.array(rows, dtype=np.int64).reshape(policy.forecast_samples, -1)


def _to_come(best: Scored, past: Sequence[PastNeed], later: timedelta) -> Edges:
    """The pairs of these needs if each were raised so much later by somebody new, in the order of `past`."""
    setting = replace(
        best.setting, now=best.setting.now + later, history=History.of((), ()), declined=frozenset()
    )
    # The pool orders needs as `past` is ordered: the numbers stay.
    needs = [_need(need, f"{number:09}", setting.now) for number, need in enumerate(past)]
    base = pool(needs, best.pool.offers, setting)
    return _edges(best_pairs(base, barred(base.needs, setting), best.model, setting, {})[0])


def _need(past: PastNeed, name: str, moment: datetime) -> Need:
    return Need(
        id=name,
        beneficiary_id=name,
        area=past.area,
        point=past.point,
        category=past.category,
        quantity=past.quantity,
        urgency=past.urgency,
        needed_by=None,
        raised_at=moment,
        vulnerabilities=past.vulnerabilities,
        minor=past.minor,
        beneficiary_kind=past.beneficiary_kind,
    )


def _edges(found: Scored) -> Edges:
    return found.pairs.need, found.pairs.offer, found.score


def _graph(edges: Edges, quantity: Ints, best: Scored) -> Graph:
    """What may go where. A household's limit is that of each need apart: whoever comes is somebody new."""
    need, offer, score = edges
    columns = best.pool.offer_columns
    group, limit = np.full(need.size, -1, np.int64), columns.limit[offer]
    limited = np.flatnonzero(limit < quantity[need])
    group[limited] = np.arange(limited.size)
    return graph_of(
        Problem(
            need=need,
            offer=offer,
            score=score,
            group=group,
            need_quantity=quantity,
            offer_quantity=columns.quantity,
            group_limit=limit[limited],
        )
    )
