"""Offers that can hand over only so much a day, as spans of days: each span has its own units.

Units handed over early serve whoever waits longer too, so what is free fills the first spans first, and a plan over spans
is one that can be kept day by day. A need may use the spans that end by its date; one that has to come whole comes
from one span.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matching.columns import NEVER, Bools, Ints, day
from matching.model import Need, Offer
from matching.pool import Pool
from matching.rules import Setting

GOLDEN = (5**0.5 - 1) / 2
SPANS = (1, 3, 7, 14, 30)
"""Days from the first on after which a span ends; the last one has no end but the offer's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """What the solver takes for offers: all offers by their numbers, each limited one by its first span; then further spans.

    `offer`: the offer of each; `quantity`: units; `last`: the day on which it ends, 0 if that doesn't matter; `keeps`: whether the days
    after it have room for its units.
    """

    offer: Ints
    quantity: Ints
    last: Ints
    keeps: Bools

    def kept(self, points: Ints) -> Ints:
        """What a unit is worth kept, of each span, from `points` of each offer: nothing where it can't be handed over later."""
        return np.where(self.keeps, points[self.offer], 0)

    def names(self, offers: tuple[Offer, ...]) -> list[str]:
        """The offers' ids; the further spans of an offer, told apart by their number, after its own id."""
        found, seen = [], Counter[int]()
        for offer in self.offer.tolist():
            found.append(f"{offers[offer].id}/{seen[offer]}" if seen[offer] else offers[offer].id)
            seen[offer] += 1
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The pairs over spans: for each entry its `pair` and the `span` that stands for the offer."""

    pair: Ints
    span: Ints

    def gathered(self, units: Ints, pairs: int) -> Ints:
        """Units of each pair from units of each entry."""
        return np.bincount(self.pair, weights=units, minlength=pairs).astype(np.int64)


def spans_of(base: Pool, setting: Setting) -> Spans:
    """The spans of a round's offers."""
    size, today = len(base.offers), day(setting.now)
    table = np.zeros((size, 4), np.int64)
    table[:, 0], table[:, 1], table[:, 3] = np.arange(size), base.offer_columns.quantity, 1
    more: list[tuple[int, int, int, bool]] = []
    for number in _limited(base):
        table[number], *further = ((number, *span) for span in _spans(base, number, today))
        more += further
    offer, quantity, last, keeps = np.concatenate([table, np.array(more, dtype=np.int64).reshape(-1, 4)]).T
    return Spans(offer, quantity, last, keeps.astype(np.bool_))


def spread(base: Pool, need: Ints, offer: Ints, limited: Bools, spans: Spans) -> Spread:
    """Each pair once for every span that ends by its need's date; those that a household's limit binds (`limited`) for one of them
    only, dealt out by what the spans have: limits over several spans no price would prove.
    """
    due = np.array([_due(one) for one in base.needs], dtype=np.int64)
    size = len(base.offers)
    pair, span = np.arange(need.size), offer
    if spans.offer.size > size:
        order = np.argsort(spans.offer, kind="stable")
        first = np.searchsorted(spans.offer[order], np.arange(size + 1))
        count = np.diff(first)[offer]
        pair = np.repeat(pair, count)
        nth = np.arange(pair.size) - np.repeat(np.cumsum(count) - count, count)
        span = order[first[offer[pair]] + nth]
        timely = spans.last[span] <= due[need[pair]]
        pair, span = pair[timely], span[timely]
        dealt = _dealt(pair, spans.quantity[span]) | ~limited[pair]
        pair, span = pair[dealt], span[dealt]
    return Spread(pair, span)


def _dealt(pair: Ints, units: Ints) -> Bools:
    """One entry of each pair: as often the one or the other as their units say, in turn (multiples of the golden ratio)."""
    total = np.cumsum(units)
    first = np.searchsorted(pair, pair)
    before, until = (total - units)[first], total[np.searchsorted(pair, pair, side="right") - 1]
    wanted = before + np.floor(pair * GOLDEN % 1 * np.maximum(1, until - before)).astype(np.int64)
    chosen = np.searchsorted(total, wanted, side="right")
    found: Bools = np.arange(pair.size) == np.maximum(first, np.minimum(chosen, pair.size - 1))
    return found


def _limited(base: Pool) -> Iterator[int]:
    """The offers that can't hand over all that they have on one day."""
    for number, offer in enumerate(base.offers):
        if offer.per_day_limit is not None and offer.per_day_limit < offer.quantity + offer.booked:
            yield number


def _spans(base: Pool, number: int, today: int) -> list[tuple[int, int, bool]]:
    """(units, last day, whether later days have room for them) of an offer's spans."""
    offer, columns = base.offers[number], base.offer_columns
    first = max(today, int(columns.start_day[number]))
    closes = NEVER if offer.available_until is None else day(offer.available_until)
    end = min(closes, int(columns.expires[number] - columns.margin[number]))
    room = _by(offer, end - first + 1)
    found, given = [], 0
    for last in (*(min(first + days - 1, end) for days in SPANS), end):
        units = min(offer.quantity, _by(offer, last - first + 1))
        found.append((units - given, last, last == end or room - offer.quantity >= units - given))
        given = units
    return found


def _by(offer: Offer, days: int) -> int:
    """How much can be handed over in so many days beside what is promised."""
    assert offer.per_day_limit is not None
    return max(0, offer.per_day_limit * max(0, days) - offer.booked)


def _due(need: Need) -> int:
    return NEVER if need.needed_by is None else day(need.needed_by)
