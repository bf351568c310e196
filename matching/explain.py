"""Everything about one need: which offers could serve it, best first, and by which rule each of the others
is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from matching.candidates import barred, kind_of
from matching.columns import seconds
from matching.edges import edges_of
from matching.fairness import before
from matching.history import History
from matching.model import Catalogue, Edge, Need, Offer, PastAid, PendingAid, Policy
from matching.pool import Pool, pool, sources
from matching.ranking import AdditiveModel
from matching.rules import PAIR_RULES, POSSIBLE, Setting
from matching.scoring import best_pairs
from matching.search import judge


@dataclass(frozen=True, slots=True)
class Explanation:
    """`edges`: possible offers, best first. `refused`: (offer id, rule) of the others. `barred`: the rule
    that bars the need whole, or ''.
    """

    edges: tuple[Edge, ...]
    refused: tuple[tuple[str, str], ...]
    barred: str


def explain(
    need: Need,
    offers: Sequence[Offer],
    *,
    catalogue: Catalogue,
    policy: Policy,
    model: AdditiveModel,
    now: datetime,
    past: Iterable[PastAid] = (),
    pending: Iterable[PendingAid] = (),
    shares: Mapping[str, int] | None = None,
    declined: frozenset[tuple[str, str]] = frozenset(),
) -> Explanation:
    """Judge one need against `offers` by the rules and the model that `propose` uses; offers of categories
    that can't serve it are left out.

    Raises ValueError for a malformed area code or a time without a zone.
    """
    seconds(now)
    wide = replace(policy, edges_per_need=max(1, len(offers)))
    setting = Setting(catalogue, wide, History.of(past, pending), now, declined)
    base = pool([need], offers, setting)
    whole = barred(base.needs, setting).get(0, "")
    if whole:
        return Explanation((), (), whole)
    best, _ = best_pairs(base, {}, model, setting, shares or {})
    best = best.fairer(before(base.needs, policy, shares or {}))
    edges = edges_of(base, best, np.arange(best.score.size), setting)
    refused = sorted(_refused(base, setting))
    return Explanation(tuple(edges), tuple(refused), "")


def _refused(base: Pool, setting: Setting) -> Iterator[tuple[str, str]]:
    """Offers of the category and its substitutes that the need can't have, each with its rule."""
    wanted = setting.catalogue[base.needs[0].category]
    for given, factor in sources(wanted, setting):
        some = base.by_category.get(given.code, np.zeros(0, np.int64)).astype(np.int32)
        kind = kind_of(wanted, given, factor, setting)
        rules = judge(base.need_columns, 0, base.offer_columns, some, kind, base.barred)
        for number in np.flatnonzero(rules != POSSIBLE).tolist():
            yield base.offers[some[number]].id, PAIR_RULES[rules[number]]
