"""The possible pairs of a category, place by place: the best of each need, and a count of what is refused.

Needs stand at places (a town's point), so area and distance are looked at once a place and offer; only what is left
is looked at need by need. The work grows with needs × offers near them and with places × offers, never with
needs × offers.
"""

from typing import NamedTuple

import numpy as np

from matching.columns import Ints, NeedColumns, OfferColumns
from matching.compiled import compiled, inlined
from matching.features import fade, near
from matching.market import Small
from matching.rules import PAIR_RULES, POSSIBLE, Barred, Kind, by_category, by_pair, by_place, haversine_m
from matching.worth import AREA, CATEGORY, DISTANCE, QUANTITY, Worth, worth


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
def keep(best: Best, i: int, j: int, score: int) -> None:
    """Put an offer among the need's best, if it belongs there."""
    width, k = best.offer.shape[1], best.kept[i]
    if k == width and (best.score[i, k - 1], -best.offer[i, k - 1]) >= (score, -j):
        return
    if k < width:
        best.kept[i] = k + 1
    else:
        k -= 1
    while k > 0 and (best.score[i, k - 1], -best.offer[i, k - 1]) < (score, -j):
        best.score[i, k], best.offer[i, k] = best.score[i, k - 1], best.offer[i, k - 1]
        k -= 1
    best.score[i, k], best.offer[i, k] = score, j


@inlined
def refuse(tally: Tally, i: int, rule: int, count: int, example: int) -> None:
    """Count refused offers of a need."""
    tally.refused[i, rule] += count
    if tally.example[i, rule] < 0:
        tally.example[i, rule] = example


@compiled
def reach(
    needs: NeedColumns, i: int, offers: OfferColumns, some: Small, kind: Kind, w: Worth, points: Points, near_by: Small,
    base: Ints, counts: Ints, examples: Ints,
) -> int:  # fmt: skip
    """The offers that serve the place of need `i`, with the points that hang on place and offer; how many they are."""
    found = 0
    counts[:] = 0
    whole = by_category(kind)
    for j in some:
        rule = whole if whole != POSSIBLE else by_place(needs.area[i], needs.direction[i], offers, j)
        if rule != POSSIBLE:
            if counts[rule] == 0:
                examples[rule] = j
            counts[rule] += 1
            continue
        metres = haversine_m(needs.position[i], offers.position[j])
        near_by[found] = j
        base[found] = (
            points.offer[j]
            + worth(w, CATEGORY, kind.factor / 1000)
            + worth(w, AREA, near(needs.area[i], offers.origin[j]))
            + worth(w, DISTANCE, fade(metres, points.soft_m))
        )
        found += 1
    return found


@compiled
def search(
    order: Small, needs: NeedColumns, offers: OfferColumns, some: Small, kind: Kind, barred: Barred, w: Worth, points: Points,
    best: Best, tally: Tally,
) -> None:  # fmt: skip
    """Look at needs of one category (`order`: those of one place together) against the offers `some` of one."""
    near_by, base = np.empty(some.size, np.int32), np.empty(some.size, np.int64)
    counts, examples = np.zeros(len(PAIR_RULES), np.int64), np.zeros(len(PAIR_RULES), np.int64)
    found, last = 0, -1
    for i in order:
        if last < 0 or not same_place(needs, i, last):
            found = reach(needs, i, offers, some, kind, w, points, near_by, base, counts, examples)
        last = i
        tally.candidates[i] += some.size
        for rule in range(len(PAIR_RULES)):
            if counts[rule] > 0:
                refuse(tally, i, rule, counts[rule], examples[rule])
        for k in range(found):
            j = near_by[k]
            rule = by_pair(needs, i, offers, j, kind, barred)
            if rule != POSSIBLE:
                refuse(tally, i, rule, 1, j)
                continue
            part = worth(w, QUANTITY, min(1.0, offers.quantity[j] / needs.quantity[i]))
            keep(best, i, j, points.need[i] + base[k] + part)


@compiled
def judge(needs: NeedColumns, i: int, offers: OfferColumns, some: Small, kind: Kind, barred: Barred) -> Small:
    """For each of these offers the number of the first rule that bars it from the need, or `POSSIBLE`."""
    rules = np.full(some.size, POSSIBLE, np.int32)
    for k in range(some.size):
        j = some[k]
        rules[k] = by_category(kind)
        if rules[k] == POSSIBLE:
            rules[k] = by_place(needs.area[i], needs.direction[i], offers, j)
        if rules[k] == POSSIBLE:
            rules[k] = by_pair(needs, i, offers, j, kind, barred)
    return rules


@compiled
def same_place(needs: NeedColumns, one: int, other: int) -> bool:
    """Whether two needs stand in the same area at the same point."""
    here, there = needs.position[one], needs.position[other]
    same = here[0] == there[0] and here[1] == there[1]
    return bool(needs.area[one] == needs.area[other] and (same or (np.isnan(here[0]) and np.isnan(there[0]))))


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
