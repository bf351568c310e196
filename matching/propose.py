"""The one way in: needs and offers in, a plan out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

import numpy as np

from matching.allocation import Allocation, Report, allocate
from matching.candidates import barred, refusals
from matching.columns import Ints, seconds
from matching.edges import Alternatives, Edges
from matching.export import sheet_of
from matching.fairness import fairness, rule_of
from matching.graph import Graph, Problem, graph_of
from matching.history import History
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
from matching.pool import Pool, keys_of, pool
from matching.ranking import AdditiveModel
from matching.rules import Setting
from matching.scoring import Scored, best_pairs
from matching.shortfall import shortfalls

Item = TypeVar("Item", Need, Offer)
MILLI = 1_000


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
    report: Report | None = None,
) -> Plan:
    """Which offer should go to which need, how much of it, and why the rest should not.

    Takes the open needs and free offers of one scope, in any order; quantities are what is still open and
    still free. `now` must carry a zone; calendar days (expiry) are days in China. `past` and `pending` are
    aid received and aid promised: they bar the same category for the same household (not for sites,
    institutions, groups and stations) and count to per-household limits. `shares`: for each town's code, and for each class of
    vulnerability, the part of what it asked for that was met so far, in thousandths; the less, the more its next unit is
    worth. `declined`: pairs (need id, offer id) that are not to be proposed again. `waiting`: pairs
    that are proposed already; to move one must gain `policy.stability_points` a unit, which the objective counts.
    `report` is told what is begun, with a figure: "columns" (needs), "candidates" (the part of the search that is done, 0 to 1),
    "scores" (pairs kept), what `allocation.allocate` tells, "refusals" (needs). It may be called from any thread; what it raises
    ends the work.

    1. The hard rules (`matching.rules`) bar pairs; a refusal counts the offers that one rule barred for a
       need. A need that is barred whole has one refusal: a code of `NEED_RULES`, `nothing_open` (quantity
       0) or `duplicate_open` (a household's second open need for the same lasting goods).
       `no_offer_of_category`: no offer of the category or a substitute exists.
    2. `model` scores each remaining pair. Each need keeps its best `policy.edges_per_need` pairs.
    3. All quantities are assigned at once so that the sum of score × quantity, and of what units are worth to towns and
       classes (`matching.shares`), is largest, never more than a need lacks, an offer has or a household may take.
       Pairs with a score of 0 or less are never assigned. The certificate bounds every plan over the kept pairs.
       What fairness added to a pair is a contribution like the others; an edge's score is the exact sum of them.
    4. A need left short, though pairs exist, has the refusal `outranked` (an offer went to needs with a
       higher score there), `exhausted` (it went to others, or to this household's limit, without that) or
       `held_back` (the offers are kept for more urgent needs) or `score_too_low` (no pair scores above 0). `alternatives` holds, for each need, its best pairs that
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
    best, tally = best_pairs(base, out, model, setting, shares or {})
    told("candidates", 1.0)
    told("scores", best.score.size)
    able = graph_of(problem_of(base, best, setting, waiting))
    able = replace(
        able, held_back=held_back(base, policy), shares=rule_of(base, catalogue, policy, shares or {})
    )
    result = allocate(able, seed=seed, report=told)
    told("refusals", len(needs))
    best = best.fairer(result.bonus(able))
    quantity = able.spread(result.quantity, best.score.size)
    refused = refusals(base, setting, out, tally) + shortfalls(base, best, quantity, able.least)
    return _plan(base, able, best, result, quantity, refused, setting, shares or {})


def problem_of(
    base: Pool, best: Scored, setting: Setting, waiting: frozenset[tuple[str, str]] = frozenset()
) -> Problem:
    """The kept pairs with what each need lacks, each offer has, and each household may still take of a
    limited offer. A pair that waits on the board counts more: a board that changes at every round can't be worked off.
    """
    group, limits = _groups(base, best, setting)
    columns = (base.need_columns.quantity, base.offer_columns.quantity)
    stays = np.flatnonzero(
        np.isin(
            best.pairs.need * len(base.offers) + best.pairs.offer, keys_of(base.needs, base.offers, waiting)
        )
    )
    score = best.score.copy()
    score[stays] += np.where(score[stays] > 0, MILLI * setting.policy.stability_points, 0)
    return Problem(best.pairs.need, best.pairs.offer, score, group, *columns, limits)


def held_back(base: Pool, policy: Policy) -> Ints:
    """Milli-points that a unit of each offer is worth when it is kept for needs to come."""
    return np.array(
        [MILLI * policy.hold_back_points.get(offer.category, 0) for offer in base.offers], dtype=np.int64
    )


def _groups(base: Pool, best: Scored, setting: Setting) -> tuple[Ints, Ints]:
    numbers: dict[tuple[str, str], int] = {}
    limits: list[int] = []
    group = np.full(best.score.size, -1, dtype=np.int64)
    for edge in np.flatnonzero(
        base.offer_columns.limit[best.pairs.offer] < base.offer_columns.quantity[best.pairs.offer]
    ):
        offer, need = base.offers[best.pairs.offer[edge]], base.needs[best.pairs.need[edge]]
        key = (offer.id, need.beneficiary_id)
        if key not in numbers:
            numbers[key] = len(limits)
            limits.append((offer.per_household_limit or 0) - setting.history.taken.get(key, 0))
        group[edge] = numbers[key]
    return group, np.array(limits, dtype=np.int64)


def _once(items: Sequence[Item]) -> Sequence[Item]:
    ids = sorted(item.id for item in items)
    if twice := next((one for one, other in pairwise(ids) if one == other), ""):
        raise Repeated(f"the id {twice!r} occurs twice; pass each need and each offer once")
    return items


def _plan(
    base: Pool,
    able: Graph,
    best: Scored,
    result: Allocation,
    quantity: Ints,
    refused: Sequence[Refusal],
    setting: Setting,
    shares: Mapping[str, int],
) -> Plan:
    edges = Edges(base, best, setting)
    return Plan(
        assignments=tuple(edges.assignment(pair, n) for pair, n in enumerate(quantity.tolist()) if n),
        alternatives=Alternatives(edges, quantity),
        refusals=tuple(sorted(refused, key=lambda refusal: refusal.need_id)),
        certificate=result.certificate,
        fairness=fairness(base, best, quantity, shares),
        prices={
            offer.id: price for offer, price in zip(base.offers, result.offer_points.tolist(), strict=True)
        },
        sheet=lambda: sheet_of(
            able,
            result,
            need_ids=[need.id for need in base.needs],
            offer_ids=[offer.id for offer in base.offers],
            at=setting.now.isoformat(),
        ),
    )
