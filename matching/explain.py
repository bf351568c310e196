"""Everything about one need: which offers could serve it, best first, and by which rule each of the others
is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from matching.candidates import Pairs, Pool, barred, block_of, judge, pool, sources
from matching.columns import seconds
from matching.edges import edges_of
from matching.history import History
from matching.model import Catalogue, Edge, Need, Offer, PastAid, PendingAid, Policy
from matching.ranking import AdditiveModel
from matching.rules import PAIR_RULES, Setting
from matching.scoring import best_pairs


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
    base = pool([need], sorted(offers, key=lambda offer: offer.id), setting)
    whole = barred(base.needs, setting).get(0, "")
    if whole:
        return Explanation((), (), whole)
    found = list(_judged(base, setting))
    best = best_pairs(base, [pairs for pairs, _ in found], model, setting, shares or {})
    edges = sorted(edges_of(base, best, setting), key=lambda edge: (-edge.score, edge.offer_id))
    refused = sorted(pair for _, some in found for pair in some)
    return Explanation(tuple(edges), tuple(refused), "")


def _judged(base: Pool, setting: Setting) -> Iterator[tuple[Pairs, list[tuple[str, str]]]]:
    """For each category that may serve: the possible pairs, and the refused offers with the rule."""
    wanted = setting.catalogue[base.needs[0].category]
    first = np.zeros(1, dtype=np.int64)
    for given, factor in sources(wanted, setting):
        if given.code not in base.by_category:
            continue
        offers = base.by_category[given.code]
        verdict = judge(block_of(base, setting, first, offers, (wanted, given)))[0]
        able = offers[verdict < 0]
        pairs = Pairs(np.zeros_like(able), able, np.full(able.size, factor, dtype=np.int64))
        barred_offers = np.flatnonzero(verdict >= 0).tolist()
        yield pairs, [(base.offers[offers[n]].id, PAIR_RULES[verdict[n]][0]) for n in barred_offers]
