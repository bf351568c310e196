"""A plan worked out by hand, and how plain Python sees any small sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np

from matching.planfile import PlanSheet

FLAGS, NAMES, SINGLE = {"whole"}, {"need_ids", "offer_ids", "group_codes"}, {"scale", "objective", "upper_bound", "gap", "meta"}  # fmt: skip


def by_hand(**changes: Any) -> PlanSheet:
    """Four needs, two offers, two towns; every number of it is worked out in `test_verify`."""
    values: dict[str, Any] = {
        "start": [0, 2, 4, 5, 6],
        "offer": [0, 1, 0, 1, 0, 1],
        "score": [1_000, 900, 800, 700, 600, 500],
        "group": [-1, 0, -1, -1, -1, -1],
        "units": [2, 1, 0, 2, 0, 0],
        "need_quantity": [3, 2, 1, 1],
        "offer_quantity": [4, 3],
        "group_limit": [1],
        "held_back": [650, 0],
        "whole": [False, True, True, False],
        "bundle": [-1, -1, 0, 0],
        "member_start": [0, 1, 2, 3, 4],
        "member": [0, 0, 1, 1],
        "asked": [7, 4],
        "met_before": [2, 2],
        "open": [5, 2],
        "points": [1_000, 30],
        "offer_price": [0, 1_000],
        "group_price": [100],
        "share_price": [200, 30],
        "need_ids": ["N-1", "N-2", "N-3", "N-4"],
        "offer_ids": ["O-1", "O-2"],
        "group_codes": ["甲镇", "乙镇"],
        "scale": 2,
        "objective": 7_742,
        "upper_bound": 7_743,
        "gap": 1 / 7_742,
        "meta": '{"created": "2024-08-20", "seed": 7}',
    }
    return sheet(**(values | changes))


def sheet(**values: Any) -> PlanSheet:
    """A sheet of plain lists."""
    arrays = {name: value if name in SINGLE else array(name, value) for name, value in values.items()}
    return PlanSheet(**arrays)


def array(name: str, values: Any) -> Any:
    return np.array(values, np.bool_ if name in FLAGS else np.str_ if name in NAMES else np.int64)


def changed(sheet: PlanSheet, name: str, at: int, value: int) -> PlanSheet:
    """The sheet with another number at one place."""
    values = getattr(sheet, name).copy()
    values[at] = value
    return replace(sheet, **{name: values})


def edges_of(sheet: PlanSheet) -> list[list[int]]:
    """The edges of each need."""
    return [
        list(range(a, b)) for a, b in zip(sheet.start[:-1].tolist(), sheet.start[1:].tolist(), strict=True)
    ]


def members_of(sheet: PlanSheet) -> list[list[int]]:
    """The fairness groups of each need."""
    start = sheet.member_start.tolist()
    return [sheet.member[a:b].tolist() for a, b in pairwise(start)]


def broken(sheet: PlanSheet, units: tuple[int, ...]) -> set[str]:
    """The rules that these units break."""
    met = [sum(units[edge] for edge in edges) for edges in edges_of(sheet)]
    used = [sum(units[edge] > 0 for edge in edges) for edges in edges_of(sheet)]
    quantity, rules = sheet.need_quantity.tolist(), set()
    if any(got > most for got, most in zip(met, quantity, strict=True)):
        rules.add("need_over")
    if any(
        sum(u for u, o in zip(units, sheet.offer, strict=True) if o == n) > q
        for n, q in enumerate(sheet.offer_quantity)
    ):
        rules.add("offer_over")
    if any(
        sum(u for u, g in zip(units, sheet.group, strict=False) if g == n) > q
        for n, q in enumerate(sheet.group_limit)
    ):
        rules.add("limit_over")
    for need, must in enumerate(sheet.whole):
        if must and used[need] and (used[need] > 1 or met[need] != quantity[need]):
            rules.add("whole_split")
    for bundle in set(sheet.bundle.tolist()) - {-1}:
        inside = [need for need, number in enumerate(sheet.bundle) if number == bundle]
        if any(met[need] for need in inside) and any(met[need] != quantity[need] for need in inside):
            rules.add("bundle_part")
    return rules


def worth(sheet: PlanSheet, units: tuple[int, ...]) -> Fraction:
    """The exact objective."""
    total = Fraction(sum(s * u for s, u in zip(sheet.score.tolist(), units, strict=True)))
    for number, (kept, most) in enumerate(
        zip(sheet.held_back.tolist(), sheet.offer_quantity.tolist(), strict=True)
    ):
        total += kept * (most - sum(u for u, o in zip(units, sheet.offer, strict=True) if o == number))
    got = [0] * sheet.asked.size
    for groups, edges in zip(members_of(sheet), edges_of(sheet), strict=True):
        for group in groups:
            got[group] += sum(units[edge] for edge in edges)
    return total + sum(share_worth(sheet, group, given) for group, given in enumerate(got))


def share_worth(sheet: PlanSheet, group: int, given: int) -> Fraction:
    """Unit by unit, as the sheet's text says it."""
    asked, before = int(sheet.asked[group]), int(sheet.met_before[group])
    return sum(
        (int(sheet.points[group]) * Fraction(asked - before - n, asked) for n in range(given)), Fraction(0)
    )


def plans(sheet: PlanSheet) -> Iterator[tuple[int, ...]]:
    """Every feasible plan."""
    most = [
        range(min(int(sheet.need_quantity[need]), int(sheet.offer_quantity[sheet.offer[edge]])) + 1)
        for need, edges in enumerate(edges_of(sheet))
        for edge in edges
    ]
    return (units for units in product(*most) if not broken(sheet, units))


def optimum(sheet: PlanSheet) -> tuple[Fraction, tuple[int, ...]]:
    """The best plan and its worth, by looking at all of them."""
    return max((worth(sheet, units), units) for units in plans(sheet))


def bound(sheet: PlanSheet) -> Fraction:
    """What the sheet's prices prove, with every maximum taken by looking at all choices."""
    price = [
        max(Fraction(p, sheet.scale), Fraction(kept))
        for p, kept in zip(sheet.offer_price.tolist(), sheet.held_back.tolist(), strict=True)
    ]
    limit = [Fraction(p, sheet.scale) for p in sheet.group_price.tolist()]
    share = [Fraction(p, sheet.scale) for p in sheet.share_price.tolist()]
    total = sum((p * q for p, q in zip(price, sheet.offer_quantity.tolist(), strict=True)), Fraction(0))
    total += sum(p * q for p, q in zip(limit, sheet.group_limit.tolist(), strict=True))
    for group, p in enumerate(share):
        total += max(share_worth(sheet, group, n) - p * n for n in range(int(sheet.open[group]) + 1))
    bundles: dict[int, Fraction | None] = {}
    for need, edges in enumerate(edges_of(sheet)):
        paid = sum((share[group] for group in members_of(sheet)[need]), Fraction(0))
        margins = [
            paid
            + int(sheet.score[e])
            - price[sheet.offer[e]]
            - (limit[g] if (g := _limit(sheet, e)) >= 0 else 0)
            for e in edges
        ]
        gains = [
            sum((m * u for m, u in zip(margins, units, strict=True)), Fraction(0))
            for units in _fills(sheet, need, edges)
        ]
        number = int(sheet.bundle[need])
        if number < 0:
            total += max([Fraction(0), *gains])
        else:
            before = bundles.get(number, Fraction(0))
            bundles[number] = before + max(gains) if gains and before is not None else None
    full = [gain for gain in bundles.values() if gain is not None]
    return Fraction(total + sum(max(Fraction(0), gain) for gain in full))


def _limit(sheet: PlanSheet, edge: int) -> int:
    return int(sheet.group[edge]) if sheet.group.size else -1


def _fills(sheet: PlanSheet, need: int, edges: list[int]) -> Iterator[tuple[int, ...]]:
    """What the need may get: anything, or all of it where it is whole or in a bundle."""
    quantity = int(sheet.need_quantity[need])
    most = [
        min(
            quantity,
            int(sheet.offer_quantity[sheet.offer[e]]),
            int(sheet.group_limit[g]) if (g := _limit(sheet, e)) >= 0 else quantity,
        )
        for e in edges
    ]
    for units in product(*(range(m + 1) for m in most)):
        full = sum(units) == quantity
        whole = not sheet.whole[need] or sum(u > 0 for u in units) <= 1
        if sum(units) <= quantity and whole and (full or not (sheet.whole[need] or sheet.bundle[need] >= 0)):
            yield units
