"""What prices prove: no plan is worth more than this, whoever found the prices. Exact, in numpy and whole numbers.

Weak duality. Let everybody pay: a unit its offer's price (or, if more, what it is worth kept back), a limit its own,
while each unit that counts to a fairness group is paid that group's price. What the needs, the stock, the limits and
the groups then gain at most, each for itself, adds up to no less than any plan is worth.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.plansheet import PlanSheet, Whole

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Progress = Callable[[int, int], None]

BLOCK = 1_000_000
"""Edges looked at together: memory stays the same however long the file is."""
ROOM = 2**62


def exact(values: Whole, wide: bool) -> NDArray[Any]:
    """As 64 bits, or as Python's unbounded numbers where 64 bits would overflow."""
    return values.astype(object) if wide else values.astype(np.int64)


def dot(one: Whole, other: Whole) -> int:
    """The exact sum of products."""
    wide = largest(one) * largest(other) * one.size >= ROOM
    return int(exact(one, wide) @ exact(other, wide)) if one.size else 0


def largest(values: Whole) -> int:
    """The largest magnitude."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))


def tally(size: int, at: Whole, units: Whole) -> Ints:
    """Units added up by number."""
    sums = np.zeros(size, np.int64)
    np.add.at(sums, at, units)
    return sums


def blocks(start: Whole) -> Iterator[tuple[int, int]]:
    """Spans of needs with about `BLOCK` edges each."""
    cuts = np.searchsorted(start, np.arange(BLOCK, int(start[-1]), BLOCK))
    ends = np.unique(np.concatenate([[0], cuts, [start.size - 1]])).tolist()
    yield from pairwise(ends)


def whole_part(numerators: Sequence[int], denominators: Sequence[int]) -> int:
    """The sum of fractions, rounded down: exact, over common denominators made pair by pair."""
    over: dict[int, int] = {}
    for numerator, denominator in zip(numerators, denominators, strict=True):
        over[denominator] = over.get(denominator, 0) + numerator
    total, rest = 0, []
    for denominator, numerator in over.items():
        total += numerator // denominator
        rest.append((numerator % denominator, denominator))
    while len(rest) > 1:
        pairs = zip(rest[::2], rest[1::2], strict=False)
        rest = [(a * d + c * b, b * d) for (a, b), (c, d) in pairs] + rest[len(rest) & ~1 :]
    return total + (rest[0][0] // rest[0][1] if rest else 0)


def utility(points: int, asked: int, before: int, units: int) -> int:
    """What `units` more are worth to a fairness group, in 1/asked milli-points."""
    return points * (units * (asked - before) - units * (units - 1) // 2)


def upper_bound(sheet: PlanSheet, progress: Progress) -> int:
    """The most that any plan over the sheet's edges is worth by its prices, in milli-points, rounded down."""
    price = _prices(sheet)
    stock = dot(sheet.offer_quantity, price) + dot(sheet.group_limit, sheet.group_price)
    over = sheet.asked.tolist()
    gains = _group_gains(sheet)
    return (stock + _needs_part(sheet, price, progress) + whole_part(gains, over)) // sheet.scale


def _prices(sheet: PlanSheet) -> NDArray[Any]:
    """What a unit of each offer costs in 1/scale milli-points: no less than keeping it back is worth."""
    wide = largest(sheet.held_back) * sheet.scale >= ROOM
    kept: NDArray[Any] = exact(sheet.held_back, wide) * sheet.scale
    price: NDArray[Any] = np.maximum(exact(sheet.offer_price, wide), kept)
    return price


def _group_gains(sheet: PlanSheet) -> list[int]:
    """What each fairness group gains at most at its price, in 1/(scale · asked) milli-points."""
    columns = (sheet.points, sheet.asked, sheet.met_before, sheet.open, sheet.share_price)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        _group_gain(points, asked, before, most, price, sheet.scale)
        for points, asked, before, most, price in rows
    ]


def _group_gain(points: int, asked: int, before: int, most: int, price: int, scale: int) -> int:
    # Each further unit is worth less; the best number is how many are worth more than they cost.
    paying = asked - before - price * asked // (points * scale) if points else 0
    units = min(max(0, paying), most)
    return utility(points, asked, before, units) * scale - price * asked * units


@dataclass(frozen=True, slots=True)
class _Bundles:
    """What each bundle gains when all its needs are met in full; whether they can be."""

    gain: NDArray[Any]
    possible: Flags


def _needs_part(sheet: PlanSheet, price: NDArray[Any], progress: Progress) -> int:
    """The needs' gains at most, in 1/scale milli-points."""
    reach = _reach(sheet, price)
    counted = largest(sheet.share_price) * sheet.member.size
    wide = max(reach * (int(sheet.need_quantity.sum(dtype=np.int64)) + 1), counted) >= ROOM
    number = int(sheet.bundle.max(initial=-1)) + 1
    bundles = _Bundles(np.zeros(number, object if wide else np.int64), np.ones(number, np.bool_))
    total = 0
    for first, last in blocks(sheet.start):
        total += _block(sheet, price, first, last, reach, wide, bundles)
        progress(last, sheet.need_quantity.size)
    return total + int(np.maximum(bundles.gain, 0)[bundles.possible].sum())


def _reach(sheet: PlanSheet, price: NDArray[Any]) -> int:
    """More than the magnitude of any margin."""
    shares = largest(sheet.share_price) * int(np.diff(sheet.member_start).max(initial=0))
    paid = largest(price) + largest(sheet.group_price)
    return largest(sheet.score) * sheet.scale + shares + paid + 1


def _block(
    sheet: PlanSheet, price: NDArray[Any], first: int, last: int, reach: int, wide: bool, bundles: _Bundles
) -> int:
    """The gains of the needs first … last that are in no bundle; those of the others go to `bundles`."""
    start = sheet.start[first : last + 1].astype(np.int64)
    quantity = sheet.need_quantity[first:last].astype(np.int64)
    bundle, must = sheet.bundle[first:last], sheet.whole[first:last]
    need = np.repeat(np.arange(last - first), np.diff(start))
    margin = _margins(sheet, price, first, last, need, wide)
    # A need of no bundle may stay empty; one of a bundle is filled even at a loss when the others gain more.
    margin = np.where((bundle < 0)[need], np.maximum(margin, 0), margin)
    room = np.minimum(_most(sheet, int(start[0]), int(start[-1])), quantity[need])
    gain, possible = _fill(start - start[0], need, margin, room, quantity, must, -reach)
    inside = bundle >= 0
    np.add.at(bundles.gain, bundle[inside], gain[inside])
    bundles.possible[bundle[inside & ~possible]] = False
    return int(gain[~inside].sum())


def _margins(
    sheet: PlanSheet, price: NDArray[Any], first: int, last: int, need: Ints, wide: bool
) -> NDArray[Any]:
    """What a unit over each edge gains: its score and its groups' prices, less what it costs."""
    edges = slice(int(sheet.start[first]), int(sheet.start[last]))
    margin = exact(sheet.score[edges], wide) * sheet.scale
    margin -= exact(price[sheet.offer[edges]], wide)
    if sheet.group.size:
        group = sheet.group[edges]
        limited = group >= 0
        margin[limited] -= exact(sheet.group_price[group[limited]], wide)
    if sheet.member.size:
        margin += _shares(sheet, first, last, wide)[need]
    return margin


def _shares(sheet: PlanSheet, first: int, last: int, wide: bool) -> NDArray[Any]:
    """The prices of each need's fairness groups together."""
    start = sheet.member_start[first : last + 1].astype(np.int64)
    each = exact(sheet.share_price[sheet.member[start[0] : start[-1]]], wide)
    sums = np.concatenate([np.zeros(1, each.dtype), np.cumsum(each)])
    together: NDArray[Any] = sums[start[1:] - start[0]] - sums[start[:-1] - start[0]]
    return together


def _most(sheet: PlanSheet, first: int, last: int) -> Ints:
    """What each edge can carry by its offer's stock and its limit."""
    most = sheet.offer_quantity[sheet.offer[first:last]].astype(np.int64)
    if sheet.group.size:
        group = sheet.group[first:last]
        limited = group >= 0
        most[limited] = np.minimum(most[limited], sheet.group_limit[group[limited]])
    return most


def _fill(
    start: Ints, need: Ints, margin: NDArray[Any], room: Ints, quantity: Ints, must: Flags, lowest: int
) -> tuple[NDArray[Any], Flags]:
    """What each need gains when it is filled by its best margins, and whether it can be filled at all.

    `must`: over one edge. `lowest` is below every margin.
    """
    enough = room == quantity[need]
    best = _best(start, margin, lowest)
    alone = _best(start, np.where(enough, margin, lowest), lowest)
    gain = np.where(alone > lowest, alone, 0) * quantity
    possible = (alone > lowest) | (quantity == 0)
    split = np.flatnonzero(~must & (alone < best))
    if split.size:
        gain[split], possible[split] = _split(split, need, margin, room, quantity)
    return gain, possible


def _best(start: Ints, margin: NDArray[Any], lowest: int) -> NDArray[Any]:
    """The best margin of each need; `lowest` for a need without edges."""
    best = np.full(start.size - 1, lowest, margin.dtype)
    some = np.flatnonzero(start[1:] > start[:-1])
    if some.size:
        best[some] = np.maximum.reduceat(margin, start[some])
    return best


def _split(
    needs: Ints, need: Ints, margin: NDArray[Any], room: Ints, quantity: Ints
) -> tuple[NDArray[Any], Flags]:
    """What `needs` gain that several edges fill, the best first, and whether there is room for all."""
    row = np.full(quantity.size, -1)
    row[needs] = np.arange(needs.size)
    at = np.flatnonzero(row[need] >= 0)
    at = at[np.argsort(-margin[at], kind="stable")]
    at = at[np.argsort(need[at], kind="stable")]
    owner, room = row[need[at]], room[at]
    begin = np.searchsorted(owner, np.arange(needs.size))
    before = np.cumsum(room) - room
    before -= before[begin][owner]
    units = np.clip(quantity[needs][owner] - before, 0, room)
    gain = np.add.reduceat(margin[at] * units, begin)
    return gain, np.add.reduceat(room, begin) >= quantity[needs]
