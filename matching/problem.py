"""The kept pairs as the solver is asked about them: what each need lacks, each offer has in each span of days, each household may
still take, and what belongs together.
"""

from dataclasses import dataclass

import numpy as np

from matching.columns import NEVER, Bools, Ints
from matching.days import Spans, Spread, spans_of, spread
from matching.graph import Problem
from matching.pool import Pool, keys_of
from matching.rules import Setting
from matching.scoring import Scored

MILLI = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """`problem` has an entry for each pair and span of days; `spread` tells which pair, `spans` of which offer."""

    problem: Problem
    spread: Spread
    spans: Spans

    def by_pair(self, units: Ints, pairs: int) -> Ints:
        """Units of each pair from units of each entry."""
        return self.spread.gathered(units, pairs)

    def by_offer(self, price: Ints, offers: int) -> Ints:
        """The price of each offer: the highest of its spans, where days are what is scarce."""
        found = np.zeros(offers, np.int64)
        np.maximum.at(found, self.spans.offer, price)
        return found


def problem_of(
    base: Pool, best: Scored, setting: Setting, waiting: frozenset[tuple[str, str]] = frozenset()
) -> Asked:
    """What the solver is asked. A pair that waits on the board counts more: a board that changes at every round can't be worked
    off.
    """
    pairs, spans = best.pairs, spans_of(base, setting)
    group, limits = _groups(base, best, setting)
    entries = spread(base, pairs.need, pairs.offer, group >= 0, spans)
    score, place = _steadied(base, best, setting, waiting), entries.pair
    problem = Problem(
        pairs.need[place], entries.span, score[place], group[place], base.need_columns.quantity, spans.quantity, limits,
        base.need_columns.whole, _bundles(base),
    )  # fmt: skip
    return Asked(problem, entries, spans)


def _steadied(base: Pool, best: Scored, setting: Setting, waiting: frozenset[tuple[str, str]]) -> Ints:
    keys = best.pairs.need * len(base.offers) + best.pairs.offer
    stays: Bools = np.isin(keys, keys_of(base.needs, base.offers, waiting)) & (best.score > 0)
    return best.score + np.where(stays, MILLI * setting.policy.stability_points, 0)


def _bundles(base: Pool) -> Ints:
    """A number for each bundle, -1 for needs in none; nothing where there is no bundle at all."""
    numbers = {name: place for place, name in enumerate(sorted({need.bundle for need in base.needs} - {""}))}
    if not numbers:
        return np.zeros(0, np.int64)
    return np.array([numbers.get(need.bundle, -1) for need in base.needs], dtype=np.int64)


def _groups(base: Pool, best: Scored, setting: Setting) -> tuple[Ints, Ints]:
    numbers: dict[tuple[str, str], int] = {}
    limits: list[int] = []
    group = np.full(best.score.size, -1, dtype=np.int64)
    # A limit above what is left of the offer binds only who has had some of it.
    had = {offer for offer, _ in setting.history.taken}
    binds = np.array([offer.id in had for offer in base.offers], dtype=np.bool_)
    binds |= base.offer_columns.limit < base.offer_columns.quantity
    binds &= base.offer_columns.limit < NEVER
    for edge in np.flatnonzero(binds[best.pairs.offer]):
        offer, need = base.offers[best.pairs.offer[edge]], base.needs[best.pairs.need[edge]]
        key = (offer.id, need.beneficiary_id)
        if key not in numbers:
            numbers[key] = len(limits)
            limits.append((offer.per_household_limit or 0) - setting.history.taken.get(key, 0))
        group[edge] = numbers[key]
    return _binding(group, base.need_columns.quantity[best.pairs.need], np.array(limits, dtype=np.int64))


def _binding(group: Ints, asked: Ints, limits: Ints) -> tuple[Ints, Ints]:
    """Without the limits that nobody can reach: a household that asks for less of an offer than it may take has none."""
    inside = np.flatnonzero(group >= 0)
    total = np.bincount(group[inside], weights=np.maximum(0, asked[inside]), minlength=limits.size)
    binds = total > limits
    number = np.append(np.where(binds, np.cumsum(binds) - 1, -1), -1)
    return number[group], limits[binds]
