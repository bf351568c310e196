"""Why a need is left short although offers could serve it."""

import numpy as np

from matching.columns import Bools, Ints
from matching.model import Refusal
from matching.pool import Pool
from matching.scoring import Scored

OUTRANKED, EXHAUSTED, TOO_LOW = "outranked", "exhausted", "score_too_low"
HELD_BACK, TOO_FEW, INCOMPLETE = "held_back", "too_few_at_once", "bundle_incomplete"


def shortfalls(base: Pool, best: Scored, quantity: Ints, least: Ints) -> list[Refusal]:
    """One refusal for each need left short, counting the offers that went to others; the best of them is
    the example. `least`: milli-points that a unit of each offer is worth unused.
    """
    given = np.zeros(len(base.needs), dtype=np.int64)
    np.add.at(given, best.pairs.need, quantity)
    short = given < base.need_columns.quantity
    topmost = _topmost_served(base, best, quantity)
    edges = np.flatnonzero(short[best.pairs.need])
    outranked = topmost[best.pairs.offer] > best.score
    held = best.score <= least[best.pairs.offer]
    left = base.offer_columns.quantity.copy()
    np.subtract.at(left, best.pairs.offer, quantity)
    spare = (left[best.pairs.offer] > 0) & ~held
    return [_refusal(base, best, part, outranked, held, spare) for part in _by_need(best.pairs.need, edges)]


def _topmost_served(base: Pool, best: Scored, quantity: Ints) -> Ints:
    topmost = np.zeros(len(base.offers), dtype=np.int64)
    served = quantity > 0
    np.maximum.at(topmost, best.pairs.offer[served], best.score[served])
    return topmost


def _by_need(need: Ints, edges: Ints) -> list[Ints]:
    cuts = np.flatnonzero(np.diff(need[edges])) + 1
    return [part for part in np.split(edges, cuts) if part.size]


def _refusal(base: Pool, best: Scored, edges: Ints, outranked: Bools, held: Bools, spare: Bools) -> Refusal:
    need = base.needs[best.pairs.need[edges[0]]]
    positive = edges[best.score[edges] > best.bonus[best.pairs.need[edges]]]
    kept, beaten, free = positive[held[positive]], positive[outranked[positive]], positive[spare[positive]]
    rule, chosen = EXHAUSTED, positive
    if not positive.size:
        rule, chosen = TOO_LOW, edges
    elif kept.size == positive.size:
        rule, chosen = HELD_BACK, kept
    elif free.size and (need.whole or need.bundle):
        rule, chosen = INCOMPLETE if need.bundle else TOO_FEW, free
    elif beaten.size:
        rule, chosen = OUTRANKED, beaten
    example = chosen[np.argmax(best.score[chosen])]
    return Refusal(need.id, rule, chosen.size, base.offers[best.pairs.offer[example]].id)
