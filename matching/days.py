"""Offers that can hand over only so much a day, as spans of days: each span has its own units.

Units handed over early serve whoever waits longer too, so what is free fills the first spans first, and a plan over spans
is one that can be kept day by day. A need may use the spans that end by its date; one that has to come whole comes
from one span.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matching.columns import NEVER, Ints, day
from matching.model import Need, Offer
from matching.pool import Pool
from matching.rules import Setting

SPANS = (1, 3, 7, 14, 30)
"""Days from the first on after which a span ends; the last one has no end but the offer's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """What the solver takes for offers: all offers by their numbers, each limited one by its first span; then further spans.

    `offer`: the offer of each; `quantity`: units; `last`: the day on which it ends, 0 if that doesn't matter.
    """

    offer: Ints
    quantity: Ints
    last: Ints

    def names(self, offers: tuple[Offer, ...]) -> list[str]:
        """The offers' ids, the spans of one told apart by their number."""
        return [
            offers[offer].id if place < len(offers) else f"{offers[offer].id}/{place - len(offers) + 1}"
            for place, offer in enumerate(self.offer.tolist())
        ]


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
    offer, quantity, last = np.arange(size), base.offer_columns.quantity.copy(), np.zeros(size, np.int64)
    more: list[tuple[int, int, int]] = []
    for number in _limited(base):
        (units, end), *further = _spans(base, number, today)
        quantity[number], last[number] = units, end
        more += [(number, units, end) for units, end in further]
    table = np.array(more, dtype=np.int64).reshape(-1, 3)
    return Spans(*(np.concatenate(pair) for pair in zip((offer, quantity, last), table.T, strict=True)))


def spread(base: Pool, need: Ints, offer: Ints, spans: Spans) -> Spread:
    """Each pair once for every span that ends by its need's date."""
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
    return Spread(pair, span)


def _limited(base: Pool) -> Iterator[int]:
    """The offers that can't hand over all that they have on one day."""
    for number, offer in enumerate(base.offers):
        if offer.per_day_limit is not None and offer.per_day_limit < offer.quantity + offer.booked:
            yield number


def _spans(base: Pool, number: int, today: int) -> list[tuple[int, int]]:
    """(units, last day) of an offer's spans."""
    offer, columns = base.offers[number], base.offer_columns
    first = max(today, int(columns.start_day[number]))
    closes = NEVER if offer.available_until is None else day(offer.available_until)
    end = min(closes, int(columns.expires[number] - columns.margin[number]))
    found, given = [], 0
    for days in SPANS:
        last = min(first + days - 1, end)
        units = _by(offer, last - first + 1)
        found.append((units - given, last))
        given = units
    return [*found, (_by(offer, end - first + 1) - given, end)]


def _by(offer: Offer, days: int) -> int:
    """How much of what is free can be handed over in so many days."""
    assert offer.per_day_limit is not None
    return min(offer.quantity, max(0, offer.per_day_limit * max(0, days) - offer.booked))


def _due(need: Need) -> int:
    return NEVER if need.needed_by is None else day(need.needed_by)
