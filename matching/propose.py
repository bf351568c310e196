"""The one way in: needs and offers in, a plan out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import TypeVar

from matching.allocation import Allocation, Report, allocate
from matching.candidates import barred, refusals
from matching.columns import Ints, seconds
from matching.edges import Alternatives, Edges
from matching.export import sheet_of
from matching.fairness import fairness, names_of, rule_of
from matching.forecast import PastNeed, held_back
from matching.graph import Graph, graph_of
from matching.history import History
from matching.lastplan import LastPlan, Names, kept, last_of
from matching.model import (
    Catalogue,
    Need,
    Offer,
    PastAid,
    PendingAid,
    Plan,
    Policy,
    Refusal,
)
from matching.pool import Pool, pool
from matching.problem import Asked, problem_of
from matching.ranking import AdditiveModel
from matching.rules import Setting
from matching.scoring import Scored, best_pairs
from matching.shortfall import shortfalls

Item = TypeVar("Item", Need, Offer)


class Repeated(ValueError):
    """Two needs or two offers carry the same id; pass each once."""


def propose(
    needs: Sequence[Need],
    offers: Sequence[Offer],
    *,
    catalogue: Catalogue,
    policy: Policy,
    model: AdditiveModel,
    now: datetime,
    seed: int,
    past: Iterable[PastAid] = (),
    pending: Iterable[PendingAid] = (),
    shares: Mapping[str, int] | None = None,
    declined: frozenset[tuple[str, str]] = frozenset(),
    waiting: frozenset[tuple[str, str]] = frozenset(),
    recent: Iterable[PastNeed] = (),
    report: Report | None = None,
    last: LastPlan | None = None,
) -> Plan:
    """Which offer should go to which need, how much of it, and why the rest should not.

    Takes the open needs and free offers of one scope, in any order; quantities are what is still open and
    still free. `now` must carry a zone; calendar days (expiry) are days in China. `past` and `pending` are
    aid received and aid promised: they bar the same category for the same household (not for sites,
    institutions, groups and stations) and count to per-household limits. `shares`: for each town's code, and for each class of
    vulnerability, the part of what it asked for that was met so far, in thousandths; the less, the more its next unit is
    worth. `declined`: pairs (need id, offer id) that are not to be proposed again. `waiting`: pairs
    that are proposed already; to move one must gain `policy.stability_points` a unit, which the objective counts.
    `recent`: needs that were raised lately, open or not: what is likely to come, for which units are kept if the policy draws
    futures (`matching.forecast`).
    `report` is told what is begun, with a figure: "columns" (needs), "candidates" (the part of the search that is done, 0 to 1),
    "scores" (pairs kept), what `allocation.allocate` tells, "refusals" (needs). It may be called from any thread; what it raises
    ends the work. `last`: an earlier plan to go on from, of any board: only what has changed since moves, to a plan as good as a
    fresh one, which then depends on it as well; `Plan.last` is what the next one may go on from.

    1. The hard rules (`matching.rules`) bar pairs; a refusal counts the offers that one rule barred for a
       need. A need that is barred whole has one refusal: a code of `NEED_RULES`, `nothing_open` (quantity
       0) or `duplicate_open` (a household's second open need for the same lasting goods).
       `no_offer_of_category`: no offer of the category or a substitute exists.
    2. `model` scores each remaining pair. Each need keeps its best `policy.edges_per_need` pairs.
    3. All quantities are assigned at once so that the sum of score × quantity, and of what units are worth to towns and
       classes (`matching.shares`), is largest, never more than a need lacks, an offer has or a household may take.
       A need that is `whole` is met by one offer (and, where that can hand over only so much a day, within one span of days, see
       `matching.days`) or not at all; needs of one bundle all in full or not at all.
       Pairs with a score of 0 or less are never assigned. The certificate bounds every plan over the kept pairs.
       What fairness added to a pair is a contribution like the others; an edge's score is the exact sum of them.
    4. A need left short, though pairs exist, has the refusal `outranked` (an offer went to needs with a
       higher score there), `exhausted` (it went to others, or to this household's limit, without that) or
       `held_back` (the offers are kept for more urgent needs that are likely to come) or `score_too_low` (no pair scores above 0) or
       `too_few_at_once` (what is left is too little for a need that is `whole`) or `bundle_incomplete` (there would be something,
       but not for the rest of its bundle). `alternatives` holds, for each need, its best pairs that
       the plan does not use.

    The same input and seed give the same plan; the seed only decides between plans of equal score (see
    `allocation.allocate`). Raises `Repeated` for an id given twice, ValueError for a malformed area code or
    a time without a zone.
    """
    seconds(now)
    told: Report = report or (lambda *_: None)
    told("columns", len(needs))
    setting = Setting(catalogue, policy, History.of(past, pending), now, declined)
    base = pool(_once(needs), _once(offers), setting)
    out = barred(base.needs, setting)
    told("candidates", 0.0)
    best, tally = best_pairs(base, out, model, setting, shares or {}, partial(told, "candidates"))
    told("candidates", 1.0)
    told("scores", best.score.size)
    asked = problem_of(base, best, setting, waiting)
    able = graph_of(asked.problem)
    able = replace(
        able,
        held_back=asked.spans.kept(held_back(best, recent, seed)),
        shares=rule_of(base, catalogue, policy, shares or {}),
    )
    names = partial(_names, asked, able, base, catalogue)
    before = last_of(able, last, names()) if last is not None else None
    result = allocate(able, seed=seed, report=told, last=before)
    told("refusals", len(needs))
    best = best.fairer(result.bonus(able))
    quantity = asked.by_pair(able.spread(result.quantity, asked.spread.pair.size), best.score.size)
    short = shortfalls(base, best, quantity, able.least[: len(base.offers)])
    refused = refusals(base, setting, out, tally) + short
    return _plan(asked, able, names, best, result, quantity, refused, setting, shares or {})


def _names(asked: Asked, able: Graph, base: Pool, catalogue: Catalogue) -> Names:
    """What the solver's numbers stand for."""
    of = [base.offers[offer].id for offer in asked.spans.offer.tolist()]
    groups = names_of(base, catalogue, able.shares) if able.shares is not None else []
    return Names([need.id for need in base.needs], asked.spans.names(base.offers), of, groups)


def _once(items: Sequence[Item]) -> Sequence[Item]:
    ids = sorted(item.id for item in items)
    if twice := next((one for one, other in pairwise(ids) if one == other), ""):
        raise Repeated(f"the id {twice!r} occurs twice; pass each need and each offer once")
    return items


def _plan(
    asked: Asked,
    able: Graph,
    names: Callable[[], Names],
    best: Scored,
    result: Allocation,
    quantity: Ints,
    refused: Sequence[Refusal],
    setting: Setting,
    shares: Mapping[str, int],
) -> Plan:
    base, edges = best.pool, Edges(best.pool, best, setting)
    prices = asked.by_offer(result.offer_points, len(base.offers))
    return Plan(
        assignments=tuple(edges.assignment(pair, n) for pair, n in enumerate(quantity.tolist()) if n),
        alternatives=Alternatives(edges, quantity),
        refusals=tuple(sorted(refused, key=lambda refusal: refusal.need_id)),
        certificate=result.certificate,
        fairness=fairness(base, best, quantity, shares),
        prices={offer.id: price for offer, price in zip(base.offers, prices.tolist(), strict=True)},
        last=lambda: kept(able, result, names()),
        sheet=lambda: sheet_of(
            able,
            result,
            need_ids=[need.id for need in base.needs],
            offer_ids=asked.spans.names(base.offers),
            at=setting.now.isoformat(),
        ),
    )
