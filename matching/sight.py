"""What one need sees of the standing offers: those that no rule bars, ranked, and by which rule the others are refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from matching.columns import Floats, NeedColumns, joined, rows
from matching.compiled import compiled
from matching.edges import edges_of
from matching.fairness import before
from matching.market import Small
from matching.model import Edge, Need, Offer
from matching.pool import Pool
from matching.ranking import AdditiveModel
from matching.rules import PAIR_RULES, POSSIBLE, Barred, Kind, Setting, haversine_m
from matching.scoring import best_of_one
from matching.search import judge
from matching.shelf import Shelf

UNKNOWN = -2.0
"""Below the cosine of any angle: an offer whose point is not known is the farthest."""


@dataclass(frozen=True, slots=True)
class Refused:
    """`count` offers that `rule` refused. `nearest`: the id of the one nearest to the need, of equally near ones the first by
    category, area and id; `metres` between them, None if a point is not known.
    """

    rule: str
    count: int
    nearest: str
    metres: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A shelf as a need sees it.

    `kind`: the need's category against its own. `rules`: the number of the rule that bars each offer, in the shelf's order, or
    `POSSIBLE`. `possible`: the rows of those that none bars. By rule: `counts`, and the row (-1 = none) and the cosine of the
    `nearest` refused.
    """

    shelf: Shelf
    kind: Kind
    rules: Small
    possible: Small
    counts: Small
    nearest: Small
    cosine: Floats

    @classmethod
    def of(cls, shelf: Shelf, columns: NeedColumns, kind: Kind, barred: Barred) -> "Sight":
        """Judge every offer of the shelf for the one need in `columns`; `barred` by its rows."""
        rules = judge(columns, 0, shelf.columns, shelf.rows, kind, barred)
        counted = tally(rules, shelf.rows, columns.direction[0], shelf.columns.direction)
        return cls(shelf, kind, rules, shelf.rows[rules == POSSIBLE], *counted)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A need and the shelves of its category and substitutes, in order of their codes."""

    need: Need
    columns: NeedColumns
    sights: Sequence[Sight]
    setting: Setting

    def edges(self, model: AdditiveModel, shares: Mapping[str, int]) -> tuple[Edge, ...]:
        """The `policy.edges_per_need` best offers, best first, with scores and reasons."""
        if not self.possible():
            return ()
        base, kinds = self._pool(), {sight.shelf.code: sight.kind for sight in self.sights}
        best = best_of_one(base, kinds, model, self.setting, shares)
        best = best.fairer(before(base.needs, self.setting.policy, shares))
        return tuple(edges_of(base, best, np.arange(best.score.size), self.setting))

    def possible(self) -> int:
        """How many offers no rule bars."""
        return sum(sight.possible.size for sight in self.sights)

    def refused(self) -> Iterator[tuple[str, str]]:
        """(offer id, rule) of every offer that a rule bars."""
        for sight in self.sights:
            ranks = np.flatnonzero(sight.rules != POSSIBLE)
            pairs = zip(sight.shelf.rows[ranks].tolist(), sight.rules[ranks].tolist(), strict=True)
            yield from ((sight.shelf.offers[row].id, PAIR_RULES[rule]) for row, rule in pairs)

    def counted(self) -> Iterator[Refused]:
        """The same by rule, in the order of the rules."""
        for rule in range(len(PAIR_RULES)):
            seen = [sight for sight in self.sights if sight.counts[rule]]
            if seen:
                first = max(seen, key=lambda sight: float(sight.cosine[rule]))
                offer = first.shelf.offers[first.nearest[rule]]
                count = sum(int(sight.counts[rule]) for sight in seen)
                yield Refused(PAIR_RULES[rule], count, offer.id, _metres(self.need, offer))

    def _pool(self) -> Pool:
        """The need and its possible offers, in order of category, area and id."""
        left = [(sight.shelf, sight.possible) for sight in self.sights]
        ends = np.cumsum([some.size for _, some in left]).tolist()
        offers = chain.from_iterable(map(shelf.offers.__getitem__, some.tolist()) for shelf, some in left)
        return Pool(
            (self.need,),
            tuple(offers),
            self.columns,
            joined([rows(shelf.columns, some) for shelf, some in left]),
            {s.code: np.arange(end - some.size, end) for (s, some), end in zip(left, ends, strict=True)},
            Barred(np.zeros(0, np.int64), np.zeros(0, np.int64)),
        )


@compiled
def tally(rules: Small, some: Small, here: Floats, direction: Floats) -> tuple[Small, Small, Floats]:
    """For each rule how many of the offers `some` it refused, and the row and the cosine of the nearest."""
    counts, nearest = np.zeros(len(PAIR_RULES), np.int32), np.full(len(PAIR_RULES), -1, np.int32)
    best = np.full(len(PAIR_RULES), np.nan)
    for k in range(rules.size):
        rule, j = rules[k], some[k]
        if rule == POSSIBLE:
            continue
        counts[rule] += 1
        cosine = here[0] * direction[j, 0] + here[1] * direction[j, 1] + here[2] * direction[j, 2]
        if np.isnan(cosine):
            cosine = UNKNOWN
        if nearest[rule] < 0 or cosine > best[rule]:
            nearest[rule], best[rule] = j, cosine
    return counts, nearest, best


def _metres(need: Need, offer: Offer) -> float | None:
    if need.point is None or offer.point is None:
        return None
    return haversine_m(*need.point, *offer.point)
