"""Score the possible pairs and keep each need's best; the parts of a score are put together for those looked at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from matching.candidates import look
from matching.columns import Floats, Ints
from matching.compiled import compiled
from matching.features import NAMES, NeedPoints, OfferPoints, matrix, need_points, offer_points
from matching.pool import Pairs, Pool, sources
from matching.ranking import AdditiveModel
from matching.rules import Kind, Setting
from matching.search import Best, Points, Tally, edges_of, new_best, new_tally, search
from matching.worth import Worth, worth, worth_of

NEED_TERMS = tuple(NAMES.index(name) for name in ("vulnerability", "urgency", "waiting", "due"))
FAIRNESS = NAMES.index("fairness")
OFFER_TERMS = tuple(NAMES.index(name) for name in ("expiry", "designation", "condition", "delivery"))


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """(pairs, 1 + features) contributions that sum to the scores; `metres`: nan if unknown."""

    parts: Ints
    metres: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The kept pairs in order of need, best first, with what their scores are made of when asked.

    `bonus`: milli-points of each need's fairness, part of `score`. It is the office's rule, not the model's: 0 until the
    optimisation has found it.
    """

    pairs: Pairs
    score: Ints
    pool: Pool
    model: AdditiveModel
    setting: Setting
    points: NeedPoints
    offered: OfferPoints
    bonus: Ints

    def fairer(self, bonus: Ints) -> "Scored":
        """The same pairs with this fairness on top; a need's order stays."""
        return replace(self, bonus=bonus, score=self.score + (bonus - self.bonus)[self.pairs.need])

    def parts(self, index: Ints) -> Parts:
        """What the scores of these pairs are made of."""
        some = Pairs(self.pairs.need[index], self.pairs.offer[index], self.pairs.factor[index])
        table, metres = matrix(
            self.pool.need_columns, self.pool.offer_columns, some, self.points, self.offered, self.setting
        )
        parts = heights(worth_of(self.model), np.arange(len(NAMES)), table)
        parts = np.column_stack([np.full(len(table), self.model.intercept), parts])
        parts[:, 1 + FAIRNESS] = self.bonus[some.need]
        return Parts(parts, metres)


def best_pairs(
    pool: Pool, out: Mapping[int, str], model: AdditiveModel, setting: Setting, shares: Mapping[str, int],
    done: Callable[[float], None] = lambda part: None,
) -> tuple[Scored, Tally]:  # fmt: skip
    """Each need's `policy.edges_per_need` best pairs, fairness aside; of equal ones those with the smaller numbers. `done` is told
    how far the search is (`candidates.look`).
    """
    alone = need_points(pool.needs, setting, shares), offer_points(pool.offer_columns, setting)
    best, tally = look(pool, setting, out, terms(model, *alone, setting), worth_of(model), done)
    return _scored(pool, best, model, setting, *alone), tally


def best_of_one(
    pool: Pool, kinds: Mapping[str, Kind], model: AdditiveModel, setting: Setting, shares: Mapping[str, int]
) -> Scored:
    """The same for a pool of one need; `kinds`: each offered category against its own. It asks no other thread: to wake
    one up takes longer than the search.
    """
    alone = need_points(pool.needs, setting, shares), offer_points(pool.offer_columns, setting)
    points, w = terms(model, *alone, setting), worth_of(model)
    best, tally, columns = (
        new_best(1, setting.policy.edges_per_need),
        new_tally(1),
        (pool.need_columns, pool.offer_columns),
    )
    for code, numbers in pool.by_category.items():
        some = numbers.astype(np.int32)
        search(np.zeros(1, np.int32), *columns, some, kinds[code], pool.barred, w, points, best, tally)
    return _scored(pool, best, model, setting, *alone)


def _scored(
    pool: Pool, best: Best, model: AdditiveModel, setting: Setting, points: NeedPoints, offered: OfferPoints
) -> Scored:
    start, offer, score = edges_of(best)
    need = np.repeat(np.arange(start.size - 1), np.diff(start))
    given = offer.astype(np.int64)
    pairs = Pairs(need, given, _factors(pool, need, given, setting))
    none = np.zeros(len(pool.needs), np.int64)
    return Scored(pairs, score.astype(np.int64), pool, model, setting, points, offered, none)


def terms(model: AdditiveModel, points: NeedPoints, offered: OfferPoints, setting: Setting) -> Points:
    """What the need alone and the offer alone are worth."""
    w = worth_of(model)
    of_need = heights(w, np.array(NEED_TERMS), np.ascontiguousarray(points.table[:, NEED_TERMS]))
    of_offer = heights(w, np.array(OFFER_TERMS), offered.table)
    soft_m = float(setting.policy.soft_distance_m)
    return Points(model.intercept + of_need.sum(axis=1), of_offer.sum(axis=1), soft_m)


@compiled
def heights(w: Worth, features: Ints, table: Floats) -> Ints:
    """(rows, features) whole milli-points of values of these features, a column each."""
    found = np.empty(table.shape, np.int64)
    for row in range(table.shape[0]):
        for column in range(table.shape[1]):
            found[row, column] = worth(w, features[column], table[row, column])
    return found


def _factors(pool: Pool, need: Ints, offer: Ints, setting: Setting) -> Ints:
    """What one of the offered category counts for the wanted one, in thousandths."""
    codes = sorted({need.category for need in pool.needs} | set(pool.by_category))
    number = {code: place for place, code in enumerate(codes)}
    table = np.full((len(codes), len(codes)), 1000, dtype=np.int64)
    for code in {item.category for item in pool.needs} & set(setting.catalogue):
        for given, factor in sources(setting.catalogue[code], setting):
            if given.code in number:
                table[number[code], number[given.code]] = factor
    wanted = np.array([number[item.category] for item in pool.needs], dtype=np.int64)
    given_by = np.zeros(len(pool.offers), np.int64)
    for code, numbers in pool.by_category.items():
        given_by[numbers] = number[code]
    return table[wanted[need], given_by[offer]]
