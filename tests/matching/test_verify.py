"""The checker against plans worked out by hand, against plain Python on random ones, and against every kind of lie."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import duality
from matching.duality import whole_part
from matching.planfile import PlanSheet
from matching.plansheet import FAR, MOST, SHOWN
from matching.verify import RULES, Share, Verdict, verify
from tests.matching.sheets import bound, broken, by_hand, changed, optimum, sheet, worth

FEASIBLE = {"need_over", "offer_over", "limit_over", "whole_split", "bundle_part"}


def rules(verdict: Verdict) -> set[str]:
    return {fault.rule for fault in verdict.faults}


def test_a_plan_worked_out_by_hand() -> None:
    """Worth. Edges: 2·1000 + 1·900 + 2·700 = 4300. Offer 1 keeps 2 of its 4 units at 650: 1300. Town 1 asked for 7,
    got 2 before and 5 now: 1000·(5·(7 − 2) − 5·4/2)/7 = 15000/7 = 2142.86. Town 2 gets nothing. Together 7742.86.

    Bound. A unit of offer 1 costs 650 (kept back it is worth that), of offer 2 500, of the limit 50; towns pay 100 and
    15 a unit. Stock 4·650 + 3·500 + 1·50 = 4150. Town 1 gains most with 5 units, 2142.86 − 500; town 2 with none, since
    its first unit is worth 30·2/4 = 15. Need 1 gains 1000 + 100 − 650 = 450 over offer 1 and 900 + 100 − 500 − 50 = 450
    over offer 2: 3·450 = 1350. Need 2 gains 2·max(800 + 100 − 650, 700 + 100 − 500) = 600. The bundle would gain
    (600 + 15 − 650) + (500 + 15 − 500) < 0, so 0. Together 4150 + 1642.86 + 1350 + 600 = 7742.86: the plan is the best.
    """
    verdict = verify(by_hand())
    assert verdict == Verdict(
        needs=4, offers=2, edges=6, units=5, objective=7_742, upper_bound=7_742, groups=2,
        lowest_before=Share("#0 甲镇", 2 / 7, 1.0), lowest_after=Share("#1 乙镇", 0.5, 0.5), faults=(),
    )  # fmt: skip
    assert verdict.holds
    assert optimum(by_hand())[0] == bound(by_hand()) == Fraction(54_200, 7)


LIES: list[tuple[str, Any, set[str]]] = [
    ("a unit added", lambda s: changed(s, "units", 0, 3), {"need_over", "objective", "over_bound"}),
    ("an offer gives more than it has", lambda s: changed(s, "offer_quantity", 1, 2), {"offer_over", "over_bound"}),
    ("a limit exceeded", lambda s: changed(changed(s, "units", 0, 1), "units", 1, 2), {"limit_over", "offer_over", "objective", "over_bound"}),
    ("a whole need split", lambda s: changed(changed(s, "units", 2, 1), "units", 3, 1), {"whole_split", "objective"}),
    ("a whole need met in part", lambda s: changed(s, "units", 3, 1), {"whole_split", "objective"}),
    ("half a bundle", lambda s: changed(s, "units", 4, 1), {"bundle_part", "objective"}),
    ("objective + 1000", lambda s: replace(s, objective=8_742), {"objective", "gap"}),
    ("objective + 1, gap to match", lambda s: replace(s, objective=7_743, gap=0.0), {"objective"}),
    ("objective − 1, gap to match", lambda s: replace(s, objective=7_741, gap=2 / 7_741), {"objective"}),
    ("bound lowered", lambda s: replace(s, objective=7_742, upper_bound=7_741, gap=-1 / 7_742), {"upper_bound"}),
    ("gap understated", lambda s: replace(s, gap=0.0), {"gap"}),
    ("gap a little off", lambda s: replace(s, gap=s.gap + 1e-11), {"gap"}),
    ("price negative", lambda s: changed(s, "offer_price", 1, -1), {"below"}),
    ("price lowered", lambda s: changed(s, "offer_price", 1, 0), {"upper_bound"}),
    ("price raised", lambda s: changed(s, "offer_price", 1, 2_000), {"upper_bound"}),
    ("limit's price raised", lambda s: changed(s, "group_price", 0, 900), {"upper_bound"}),
    ("limit's price lowered below offer's", lambda s: changed(changed(s, "group_price", 0, 0), "group_limit", 0, 2), {"upper_bound"}),
    ("town's price changed", lambda s: changed(s, "share_price", 0, 400), {"upper_bound"}),
    ("town's price gone", lambda s: changed(s, "share_price", 1, 10**6), {"upper_bound"}),
    ("score raised afterwards", lambda s: changed(s, "score", 0, 1_001), {"objective", "upper_bound"}),
    ("score of an edge not taken raised", lambda s: changed(s, "score", 2, 2_000), {"upper_bound"}),
    ("kept back for less", lambda s: changed(s, "held_back", 0, 600), {"objective"}),
    ("points changed", lambda s: changed(s, "points", 0, 2_000), {"objective", "upper_bound"}),
    ("less was asked for", lambda s: changed(s, "asked", 0, 6), {"asked_short", "objective"}),
    ("fewer are open", lambda s: changed(s, "open", 0, 4), {"open_short", "over_bound"}),
    ("more was met before", lambda s: changed(s, "met_before", 0, 3), {"asked_short", "objective"}),
    ("a need of another town", lambda s: changed(s, "member", 1, 1), {"open_short", "objective"}),
    ("a scale for cheaper prices", lambda s: replace(s, scale=4), {"upper_bound"}),
    ("a need lacks more", lambda s: changed(s, "need_quantity", 0, 4), {"open_short", "upper_bound"}),
    ("a need no longer whole", lambda s: changed(s, "bundle", 3, -1), {"upper_bound"}),
    ("far more than there is", lambda s: changed(s, "units", 0, 900), {"need_over", "offer_over", "objective"}),
]  # fmt: skip


@pytest.mark.parametrize(("lie", "found"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_every_lie_is_found(lie: Any, found: set[str]) -> None:
    assert rules(verify(lie(by_hand()))) == found


def test_every_rule_is_broken_by_some_lie() -> None:
    assert set(RULES) <= set().union(*(found for _, _, found in LIES))


def test_a_fault_names_the_thing_and_its_numbers() -> None:
    lines = [line for fault in verify(changed(by_hand(), "units", 0, 3)).faults for line in fault.lines]
    assert lines == [
        "need #0 N-1 gets 4 units, more than the 3 that it lacks",
        "the objective is said to be 7742 milli-points; the plan is worth 8092",
        "the plan is worth 8092 milli-points, more than the prices allow any plan: 7742",
    ]


def test_only_the_first_places_are_named_and_all_are_counted() -> None:
    needs = 3 * SHOWN
    many = plain(needs, units=[2] * needs)
    fault = verify(many).faults[0]
    assert (fault.rule, fault.count, len(fault.places)) == ("need_over", needs, SHOWN)
    assert fault.places[-1]["need"] == f"#{SHOWN - 1}"


def plain(needs: int, **changes: Any) -> PlanSheet:
    """`needs` needs of one unit, one offer, nothing special."""
    values: dict[str, Any] = {
        "start": range(needs + 1), "offer": [0] * needs, "score": [1_000] * needs, "group": [], "units": [1] * needs,
        "need_quantity": [1] * needs, "offer_quantity": [needs], "group_limit": [], "held_back": [0],
        "whole": [False] * needs, "bundle": [-1] * needs, "member_start": [0] * (needs + 1), "member": [], "asked": [],
        "met_before": [], "open": [], "points": [], "offer_price": [0], "group_price": [], "share_price": [],
        "need_ids": [], "offer_ids": [], "group_codes": [], "scale": 1, "objective": 1_000 * needs,
        "upper_bound": 1_000 * needs, "gap": 0.0, "meta": "{}",
    }  # fmt: skip
    return sheet(**(values | changes))


def test_nothing_at_all_is_a_plan() -> None:
    verdict = verify(plain(0, offer_quantity=[], held_back=[], offer_price=[]))
    assert verdict.holds
    assert (verdict.lowest_before, verdict.lowest_after) == (None, None)


def test_needs_without_edges_gain_nothing() -> None:
    assert verify(plain(3, start=[0, 0, 3, 3], need_quantity=[5, 3, 5])).upper_bound == 3_000


def test_a_bundle_that_can_not_be_filled_gains_nothing() -> None:
    bundled = plain(
        2, start=[0, 2, 2], bundle=[0, 0], units=[0, 0], need_quantity=[2, 1], objective=0, upper_bound=0
    )
    assert verify(bundled).holds
    assert verify(replace(bundled, need_quantity=np.array([2, 0]))).upper_bound == 2_000


def test_several_needs_are_filled_over_several_offers() -> None:
    """Each takes 2 units at 9, 1 at 5 and 1 of 2 at 4: no offer has enough for it."""
    three = plain(
        3, start=[0, 3, 6, 9], offer=[0, 1, 2] * 3, score=[4, 9, 5] * 3, units=[0] * 9, need_quantity=[4] * 3,
        offer_quantity=[2, 2, 1], held_back=[0] * 3, offer_price=[0] * 3,
    )  # fmt: skip
    assert verify(three).upper_bound == bound(three) == 3 * (2 * 9 + 5 + 4)


def test_the_largest_numbers_do_not_overflow() -> None:
    huge = plain(3, score=[MOST] * 3, units=[MOST] * 3, need_quantity=[MOST] * 3, offer_quantity=[MOST])
    assert (verify(huge).objective, verify(huge).upper_bound) == (3 * MOST**2, 3 * MOST**2)
    kept = replace(huge, held_back=np.array([MOST]), scale=FAR, offer_price=np.array([FAR]))
    assert (verify(kept).objective, verify(kept).upper_bound) == (MOST**2, MOST**2)


def test_progress_goes_from_need_to_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duality, "BLOCK", 2)
    heard: list[tuple[int, int]] = []
    verify(plain(5), lambda done, needs: heard.append((done, needs)))
    assert heard == [(2, 5), (4, 5), (5, 5)]


@st.composite
def small(draw: st.DrawFn) -> PlanSheet:
    """Any small sheet with any prices, and units that often are no plan."""

    def numbers(size: int, least: int, most: int) -> list[int]:
        return draw(st.lists(st.integers(least, most), min_size=size, max_size=size))

    needs, offers = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    degree = numbers(needs, 0, draw(st.integers(0, 3)))
    edges, limits, groups = sum(degree), draw(st.integers(0, 2)), draw(st.integers(0, 2))
    need_quantity = numbers(needs, 0, 3)
    members = [
        draw(st.lists(st.integers(0, groups - 1), unique=True, max_size=2)) if groups else []
        for _ in range(needs)
    ]
    wanted = [sum(q for q, m in zip(need_quantity, members, strict=True) if g in m) for g in range(groups)]
    opened = [w + extra for w, extra in zip(wanted, numbers(groups, 0, 2), strict=True)]
    before = numbers(groups, 0, 4)
    asked = [o + b + extra for o, b, extra in zip(opened, before, numbers(groups, 1, 3), strict=True)]
    return sheet(
        start=np.cumsum([0, *degree]), offer=numbers(edges, 0, offers - 1), score=numbers(edges, 1, 1_000),
        group=numbers(edges, -1, limits - 1) if limits else [], units=numbers(edges, 0, 2),
        need_quantity=need_quantity, offer_quantity=numbers(offers, 0, 4), group_limit=numbers(limits, 0, 3),
        held_back=numbers(offers, 0, 300), whole=draw(st.lists(st.booleans(), min_size=needs, max_size=needs)),
        bundle=numbers(needs, -1, min(1, needs - 1)), member_start=np.cumsum([0, *map(len, members)]),
        member=[group for groups in members for group in groups], asked=asked, met_before=before, open=opened,
        points=numbers(groups, 0, 1_000), offer_price=numbers(offers, 0, 2_000), group_price=numbers(limits, 0, 1_000),
        share_price=numbers(groups, 0, 1_000), need_ids=[], offer_ids=[], group_codes=[], scale=draw(st.integers(1, 3)),
        objective=0, upper_bound=0, gap=0.0, meta="{}",
    )  # fmt: skip


@given(small())
@settings(deadline=None)
def test_any_prices_bound_the_best_plan(some: PlanSheet) -> None:
    best, units = optimum(some)
    proved = bound(some)
    assert proved >= best
    objective, top = floor(best), ceil(proved)
    honest = replace(
        some, units=np.array(units, np.int64), objective=objective, upper_bound=top, gap=(top - objective) / max(1, objective)
    )  # fmt: skip
    verdict = verify(honest)
    assert verdict.faults == ()
    assert (verdict.objective, verdict.upper_bound) == (objective, floor(proved))


@given(small())
@settings(deadline=None)
def test_what_is_no_plan_is_seen_as_plain_python_sees_it(some: PlanSheet) -> None:
    units = tuple(some.units.tolist())
    verdict = verify(some)
    assert rules(verdict) & FEASIBLE == broken(some, units)
    assert verdict.objective == floor(worth(some, units))


@given(small(), st.integers(1, 3))
@settings(deadline=None)
def test_blocks_and_unbounded_numbers_change_nothing(some: PlanSheet, block: int) -> None:
    once = verify(some)
    finer = 2**50
    prices = {name: getattr(some, name) * finer for name in ("offer_price", "group_price", "share_price")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duality, "BLOCK", block)
        assert verify(some) == once
        assert verify(replace(some, scale=some.scale * finer, **prices)) == once


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 10**6))))
def test_fractions_add_up_exactly(parts: list[tuple[int, int]]) -> None:
    found = whole_part([n for n, _ in parts], [d for _, d in parts])
    assert found == floor(sum((Fraction(n, d) for n, d in parts), Fraction(0)))


def test_the_checker_loads_nothing_of_the_solver() -> None:
    seen = "import sys, matching.verify; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", seen], capture_output=True, text=True, check=True
    ).stdout.split()
    ours = {name for name in loaded if name.startswith("matching.")}
    assert ours <= {"matching.verify", "matching.duality", "matching.plansheet", "matching.planfile"}
    assert not {"numba", "scipy", "sklearn", "ortools"} & set(loaded)
