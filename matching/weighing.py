"""A need against some offers, judged and scored anew: for values that somebody asks about and that stand nowhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matching.candidates import kind_of
from matching.columns import Ints, need_columns, offer_columns, vulnerability_bits
from matching.fairness import before
from matching.features import need_points, offer_points
from matching.model import Need, Offer
from matching.pool import Pairs, Pool, sources
from matching.ranking import AdditiveModel
from matching.rules import PAIR_RULES, POSSIBLE, Barred, Setting
from matching.scoring import Scored
from matching.search import judge


@dataclass(frozen=True, slots=True)
class Balance:
    """What offers are weighed by: the rules, the model, and the shares that fairness looks at."""

    setting: Setting
    model: AdditiveModel
    shares: Mapping[str, int]

    def weigh(self, need: Need, offers: Sequence[Offer]) -> tuple[tuple[str, ...], Ints]:
        """For each offer, of whatever id, the rule that bars it ('' = none) and the score that it has or would have.

        The need isn't barred whole, and each offer is of its category or a substitute.
        """
        if not offers:
            return (), np.zeros(0, np.int64)
        codes = vulnerability_bits((), offers)
        columns = (
            need_columns([need], codes),
            offer_columns(offers, codes, self.setting.catalogue, self.setting.policy),
        )
        groups: dict[str, list[int]] = defaultdict(list)
        for place, offer in enumerate(offers):
            groups[offer.category].append(place)
        numbers = {code: np.array(some, dtype=np.int64) for code, some in groups.items()}
        base = Pool((need,), tuple(offers), *columns, numbers, self._barred(need, offers))
        return self._judged(base), self._scores(base)

    def _judged(self, base: Pool) -> tuple[str, ...]:
        wanted, found = self.setting.catalogue[base.needs[0].category], np.empty(len(base.offers), np.int32)
        for given, factor in sources(wanted, self.setting):
            if given.code in base.by_category:
                some = base.by_category[given.code].astype(np.int32)
                kind = kind_of(wanted, given, factor, self.setting)
                found[some] = judge(base.need_columns, 0, base.offer_columns, some, kind, base.barred)
        return tuple("" if rule == POSSIBLE else PAIR_RULES[rule] for rule in found.tolist())

    def _scores(self, base: Pool) -> Ints:
        setting, size = self.setting, len(base.offers)
        factor = np.zeros(size, np.int64)
        for given, worth in sources(setting.catalogue[base.needs[0].category], setting):
            factor[base.by_category.get(given.code, np.zeros(0, np.int64))] = worth
        pairs = Pairs(np.zeros(size, np.int64), np.arange(size), factor)
        alone = need_points(base.needs, setting, self.shares), offer_points(base.offer_columns, setting)
        bonus = before(base.needs, setting.policy, self.shares)
        some = Scored(pairs, np.zeros(size, np.int64), base, self.model, setting, *alone, bonus)
        return np.asarray(some.parts(np.arange(size)).parts.sum(axis=1), dtype=np.int64)

    def _barred(self, need: Need, offers: Sequence[Offer]) -> Barred:
        taken, declined = self.setting.history.taken, self.setting.declined
        spent = [
            place
            for place, offer in enumerate(offers)
            if offer.per_household_limit is not None
            and taken.get((offer.id, need.beneficiary_id), 0) >= offer.per_household_limit
        ]
        refused = [place for place, offer in enumerate(offers) if (need.id, offer.id) in declined]
        return Barred(np.array(spent, dtype=np.int64), np.array(refused, dtype=np.int64))
