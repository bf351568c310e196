"""The possible pairs of a category, place by place: the best of each need, and a count of what is refused.

Needs stand at places (a town's point), so area and distance are looked at once a place and offer; what is left is
looked at need by need, the most promising first, until nothing can be better than what is kept. The work grows with
needs and with places × offers, never with needs × offers. What is refused is counted as far as a need looks: all of
its category if it keeps fewer offers than it may, else those that would have ranked among the kept.
"""

from typing import NamedTuple

import numpy as np

from matching.columns import Floats, Ints, NeedColumns, OfferColumns
from matching.compiled import compiled, inlined
from matching.features import fade, near
from matching.market import Small
from matching.rules import AREA as OUT_OF_AREA
from matching.rules import FETCH as TOO_FAR_TO_FETCH
from matching.rules import (
    PAIR_RULES,
    POSSIBLE,
    Barred,
    Kind,
    among,
    by_category,
    by_history,
    by_person,
    by_time,
    haversine_m,
)
from matching.rules import RADIUS as OUT_OF_RADIUS
from matching.worth import AREA, CATEGORY, DISTANCE, QUANTITY, Worth, highest, worth

HANDFUL = 32


class Best(NamedTuple):
    """Each need's best offers so far, best first (of equals the smaller number); `kept` of them."""

    offer: Small
    score: Small
    kept: Small


class Tally(NamedTuple):
    """For each need: offers looked at, and for each pair rule how many it refused and one of them (-1 = none)."""

    candidates: Small
    refused: Small
    example: Small


class Points(NamedTuple):
    """Milli-points that hang on the need alone and on the offer alone, the model's base among them."""

    need: Ints
    offer: Ints
    soft_m: float


def new_best(needs: int, width: int) -> Best:
    """Nothing found yet."""
    return Best(
        np.zeros((needs, width), np.int32), np.zeros((needs, width), np.int32), np.zeros(needs, np.int32)
    )


def new_tally(needs: int) -> Tally:
    """A tally of nothing yet."""
    shape = (needs, len(PAIR_RULES))
    return Tally(np.zeros(needs, np.int32), np.zeros(shape, np.int32), np.full(shape, -1, np.int32))


@inlined
def keep(offers: Small, scores: Small, kept: int, j: int, score: int) -> int:
    """Put an offer among a need's `kept` best, if it belongs there; how many are kept then."""
    k = kept
    if kept == offers.size:
        k -= 1
        if score < scores[k] or (score == scores[k] and j > offers[k]):
            return kept
    while k > 0 and (scores[k - 1] < score or (scores[k - 1] == score and offers[k - 1] > j)):
        scores[k], offers[k] = scores[k - 1], offers[k - 1]
        k -= 1
    scores[k], offers[k] = score, j
    return min(kept + 1, offers.size)


@inlined
def same_place(area: Ints, position: Floats, one: int, other: int) -> bool:
    """Whether two needs stand in the same area at the same point."""
    same = position[one, 0] == position[other, 0] and position[one, 1] == position[other, 1]
    unknown = np.isnan(position[one, 0]) and np.isnan(position[other, 0])
    return bool(area[one] == area[other] and (same or unknown))


@compiled
def place_rules(area: int, here: Floats, offers: OfferColumns, some: Small, kind: Kind) -> Small:
    """For each of these offers what bars it from a place: its category; the areas that it serves; farther than it goes, or
    than a household should have to go to fetch goods itself (a point that is not known is not too far).
    """
    first, last, there, nearest, fetched = (
        offers.first,
        offers.last,
        offers.direction,
        offers.nearest,
        offers.fetched,
    )
    rules = np.full(some.size, by_category(kind), np.int32)
    for k in range(some.size if by_category(kind) == POSSIBLE else 0):
        j = some[k]
        served = False
        for span in range(first.shape[1]):
            served = served or first[j, span] <= area <= last[j, span]
        if not served:
            rules[k] = OUT_OF_AREA
            continue
        cosine = here[0] * there[j, 0] + here[1] * there[j, 1] + here[2] * there[j, 2]
        if cosine < nearest[j]:
            rules[k] = OUT_OF_RADIUS
        elif cosine < fetched[j]:
            rules[k] = TOO_FAR_TO_FETCH
    return rules


@compiled
def place_points(
    area: int, here: Floats, offers: OfferColumns, near_by: Small, kind: Kind, w: Worth, points: Points
) -> Ints:
    """What hangs on the place and the offer alone."""
    origin, position, alone = offers.origin, offers.position, points.offer
    base = np.empty(near_by.size, np.int64)
    for k in range(near_by.size):
        j = near_by[k]
        metres = haversine_m(here[0], here[1], position[j, 0], position[j, 1])
        way = worth(w, AREA, near(area, origin[j])) + worth(w, DISTANCE, fade(metres, points.soft_m))
        base[k] = alone[j] + worth(w, CATEGORY, kind.factor / 1000) + way
    return base


@compiled
def pair_rules(
    i: int, needs: NeedColumns, offers: OfferColumns, some: Small, kind: Kind, barred: Barred
) -> Small:
    """For each of these offers what bars it from the need although the place is served."""
    needed_by, minor, holds = needs.needed_by[i], needs.minor[i], needs.holds[i]
    start, end, start_day, expires, margin = (
        offers.start,
        offers.end,
        offers.start_day,
        offers.expires,
        offers.margin,
    )
    wants, licensed, vetted, limit, quantity = (
        offers.wants,
        offers.licensed,
        offers.vetted,
        offers.limit,
        offers.quantity,
    )
    spent, declined = barred.spent, barred.declined
    at_once = needs.quantity[i] if needs.whole[i] else 0
    rules = np.empty(some.size, np.int32)
    for k in range(some.size):
        j = some[k]
        rule = by_time(end[j], start[j], start_day[j], margin[j], expires[j], needed_by, kind)
        if rule == POSSIBLE:
            rule = by_person(wants[j], holds, licensed[j], kind.service, minor, vetted[j])
        if rule == POSSIBLE:
            key = i * quantity.size + j
            rule = by_history(limit[j], quantity[j], among(spent, key), among(declined, key), at_once)
        rules[k] = rule
    return rules


@compiled
def count(refused: Small, example: Small, some: Small, rules: Small) -> None:
    """Add refused offers to the counts by rule, with one of them."""
    for k in range(some.size):
        rule = rules[k]
        if rule != POSSIBLE:
            refused[rule] += 1
            if example[rule] < 0:
                example[rule] = some[k]


@inlined
def add(tally: Tally, i: int, counts: Small, examples: Small) -> None:
    """Add what a place refuses to a need's tally."""
    refused, example = tally.refused[i], tally.example[i]
    for rule in range(counts.size):
        if counts[rule] > 0:
            refused[rule] += counts[rule]
            if example[rule] < 0:
                example[rule] = examples[rule]


@compiled
def choose(
    i: int, needs: NeedColumns, offers: OfferColumns, near_by: Small, base: Ints, kind: Kind, barred: Barred, w: Worth,
    points: Points, best: Best, tally: Tally,
) -> None:  # fmt: skip
    """Look at a place's offers, most promising first, a handful at a time, until none can be better than what is kept."""
    own, scores, kept = best.offer[i], best.score[i], best.kept[i]
    left, wanted, most = offers.quantity, needs.quantity[i], points.need[i] + highest(w, QUANTITY)
    for begin in range(0, near_by.size, HANDFUL):
        if kept == own.size and scores[kept - 1] > most + base[begin]:
            break
        some = near_by[begin : begin + HANDFUL]
        rules = pair_rules(i, needs, offers, some, kind, barred)
        count(tally.refused[i], tally.example[i], some, rules)
        for k in range(some.size):
            if rules[k] == POSSIBLE:
                part = worth(w, QUANTITY, min(1.0, left[some[k]] / wanted))
                kept = keep(own, scores, kept, some[k], points.need[i] + base[begin + k] + part)
    best.kept[i] = kept


@compiled
def search(
    order: Small, needs: NeedColumns, offers: OfferColumns, some: Small, kind: Kind, barred: Barred, w: Worth, points: Points,
    best: Best, tally: Tally,
) -> None:  # fmt: skip
    """Look at needs of one category (`order`: those of one place together) against the offers `some` of one."""
    area, position, last = needs.area, needs.position, -1
    near_by, base = np.empty(0, np.int32), np.empty(0, np.int64)
    counts, examples = np.zeros(len(PAIR_RULES), np.int32), np.zeros(len(PAIR_RULES), np.int32)
    for i in order:
        if last < 0 or not same_place(area, position, i, last):
            rules = place_rules(area[i], needs.direction[i], offers, some, kind)
            near_by = some[rules == POSSIBLE]
            base = place_points(area[i], position[i], offers, near_by, kind, w, points)
            ranked = np.argsort(-base, kind="mergesort")
            near_by, base = near_by[ranked], base[ranked]
            counts[:] = 0
            examples[:] = -1
            count(counts, examples, some, rules)
        last = i
        tally.candidates[i] += some.size
        add(tally, i, counts, examples)
        choose(i, needs, offers, near_by, base, kind, barred, w, points, best, tally)


@compiled
def judge(needs: NeedColumns, i: int, offers: OfferColumns, some: Small, kind: Kind, barred: Barred) -> Small:
    """For each of these offers the number of the first rule that bars it from the need, or `POSSIBLE`."""
    rules = place_rules(needs.area[i], needs.direction[i], offers, some, kind)
    here = np.flatnonzero(rules == POSSIBLE)
    rules[here] = pair_rules(i, needs, offers, some[here], kind, barred)
    return rules


def by_place_order(needs: NeedColumns, some: Small) -> Small:
    """These needs with those of one place together."""
    place = needs.position[some]
    return some[np.lexsort((some, place[:, 1], place[:, 0], needs.area[some]))]


def edges_of(best: Best) -> tuple[Ints, Small, Small]:
    """Start of each need's edges, their offers and scores, best first."""
    start = np.zeros(best.kept.size + 1, np.int64)
    np.cumsum(best.kept, out=start[1:])
    inside = np.arange(best.offer.shape[1]) < best.kept[:, None]
    return start, best.offer[inside], best.score[inside]
