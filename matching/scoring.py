"""Score the possible pairs and keep each need's best."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from matching.candidates import Pairs, Pool
from matching.columns import Floats, Ints
from matching.features import NAMES, NeedPoints, matrix, need_points
from matching.ranking import AdditiveModel
from matching.rules import Setting


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Pairs in order of need and offer; `parts`: (pairs, 1 + features) contributions; `metres`: nan if
    unknown.
    """

    pairs: Pairs
    score: Ints
    parts: Ints
    metres: Floats

    def take(self, index: Ints) -> "Scored":
        """Some of the pairs, in the order of `index`."""
        pairs = Pairs(self.pairs.need[index], self.pairs.offer[index], self.pairs.factor[index])
        return Scored(pairs, self.score[index], self.parts[index], self.metres[index])


def best_pairs(
    pool: Pool, found: Iterable[Pairs], model: AdditiveModel, setting: Setting, shares: Mapping[str, int]
) -> Scored:
    """Each need's `policy.edges_per_need` best pairs; of equal ones the offers with the smaller ids."""
    points = need_points(pool.needs, setting, shares)
    width = setting.policy.edges_per_need
    kept = [_best(_score(pool, pairs, model, points, setting), width) for pairs in found if pairs.need.size]
    best = _best(_join(kept), width)
    return best.take(np.lexsort((best.pairs.offer, best.pairs.need)))


def _score(pool: Pool, pairs: Pairs, model: AdditiveModel, points: NeedPoints, setting: Setting) -> Scored:
    features, metres = matrix(pool, pairs, points, setting)
    parts = model.contributions(features)
    return Scored(pairs, parts.sum(axis=1), parts, metres)


def _best(scored: Scored, width: int) -> Scored:
    order = np.lexsort((scored.pairs.offer, -scored.score, scored.pairs.need))
    need = scored.pairs.need[order]
    starts = np.flatnonzero(np.diff(need, prepend=-1))
    rank = np.arange(need.size) - np.repeat(starts, np.diff(starts, append=need.size))
    return scored.take(order[rank < width])


def _join(parts: list[Scored]) -> Scored:
    none = np.zeros(0, dtype=np.int64)
    empty = Scored(Pairs(none, none, none), none, np.zeros((0, 1 + len(NAMES)), np.int64), np.zeros(0))
    every = [empty, *parts]
    pairs = Pairs(
        np.concatenate([s.pairs.need for s in every]),
        np.concatenate([s.pairs.offer for s in every]),
        np.concatenate([s.pairs.factor for s in every]),
    )
    return Scored(
        pairs,
        np.concatenate([s.score for s in every]),
        np.concatenate([s.parts for s in every]),
        np.concatenate([s.metres for s in every]),
    )
