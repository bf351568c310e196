"""Going on from an earlier plan by names: as good as a fresh one whatever changed, and quiet where nothing did."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as given_that
from hypothesis import settings
from hypothesis import strategies as st

from matching.graph import Graph, Problem, graph_of
from matching.lastplan import LastPlan, Names, last_of
from matching.model import Need, Offer, Plan
from tests.matching.build import FAR, NEAR, OTHER_TOWN, TOWN, given, need, offer, plan
from tests.matching.test_propose import markets

GAP = 1e-5
Market = tuple[list[Need], list[Offer]]


def last(result: Plan) -> LastPlan:
    assert result.last is not None
    return result.last()


def as_good(again: Plan, fresh: Plan) -> bool:
    one, other = again.certificate, fresh.certificate
    # What must be met whole may leave a gap that no price closes, for a fresh plan as well.
    close = abs(one.objective - other.objective) <= GAP * max(1, other.objective)
    return close and one.gap <= max(GAP, other.gap + GAP)


@st.composite
def changed(draw: st.DrawFn) -> tuple[Market, Market]:
    """A market, and what has become of it: some gone, some altered, some new."""
    (needs, offers), (more_needs, more_offers) = draw(markets()), draw(markets())
    kept = [
        replace(
            one, quantity=draw(st.integers(1, 4)), urgency=draw(st.sampled_from(["low", "critical"])),
            whole=draw(st.booleans()), bundle=draw(st.sampled_from(["", "", "", "b"])),
        )
        for one in needs
        if draw(st.integers(0, 4))
    ]  # fmt: skip
    left = [
        replace(one, quantity=draw(st.integers(0, 6)), per_day_limit=draw(st.sampled_from([None, None, 1])))
        for one in offers
        if draw(st.integers(0, 4))
    ]
    new = [replace(one, id=f"late-{one.id}") for one in more_needs[:3]]
    given_later = [replace(one, id=f"late-{one.id}") for one in more_offers[:3]]
    return (needs, offers), (kept + new, left + given_later)


@given_that(changed())
@settings(max_examples=120, deadline=None)
def test_whatever_changed_the_plan_is_as_good_as_a_fresh_one(boards: tuple[Market, Market]) -> None:
    before, after = boards
    assert as_good(plan(*after, last=last(plan(*before))), plan(*after))


@given_that(markets())
@settings(max_examples=80, deadline=None)
def test_nothing_moves_when_nothing_changed(market: Market) -> None:
    before = plan(*market)
    again = plan(*market, last=last(before))
    assert given(again) == given(before)
    assert again.certificate.objective == before.certificate.objective


@given_that(markets(), st.data())
@settings(max_examples=80, deadline=None)
def test_a_stale_or_foreign_plan_does_no_harm(market: Market, data: st.DataObject) -> None:
    number = st.integers(-(2**70), 2**70) | st.integers(-5, 2**31)
    name = st.sampled_from(["n0", "n1", "o0", "o1", "o2", TOWN, "DIBAO", "FAN", "RICE", "gone"])
    foreign = LastPlan(
        data.draw(st.dictionaries(st.tuples(name, name), number)),
        data.draw(st.dictionaries(name, number)),
        data.draw(st.dictionaries(st.tuples(name, name), number)),
        data.draw(st.integers(1, 2**70)),
    )
    assert as_good(plan(*market, last=foreign), plan(*market))


def crowd(size: int, offers: int) -> tuple[list[Need], list[Offer]]:
    """One family, more asked for than there is."""
    dice = np.random.default_rng(7)
    held = ("DIBAO", "ORPHAN", "ELD_ALONE", "VETERAN", "GENERAL")
    needs = [
        need(
            f"n{n}", area=(TOWN, OTHER_TOWN)[n % 2], quantity=int(dice.integers(1, 4)), category="RICE",
            vulnerabilities=(held[int(dice.integers(5))],), urgency=("low", "normal", "high")[int(dice.integers(3))],
            point=(111.5 + float(dice.random()) / 5, 22.7),
        )
        for n in range(size)
    ]  # fmt: skip
    given_ = [
        offer(
            f"o{n}", category="RICE", quantity=int(dice.integers(1, 2 + size // offers)),
            point=(NEAR, FAR)[n % 2], origin_area=(TOWN, OTHER_TOWN)[n % 2], service_areas=("445300000000",),
        )
        for n in range(offers)
    ]  # fmt: skip
    return needs, given_


def test_in_a_crowd_a_new_need_moves_few_and_the_gap_is_kept() -> None:
    needs, offers = crowd(2_000, 150)
    before = plan(needs, offers)
    assert given(plan(needs, offers, last=last(before))) == given(before)
    late = [
        *needs,
        need("late", category="RICE", urgency="critical", quantity=2, vulnerabilities=("ORPHAN",)),
    ]
    after, fresh = plan(late, offers, last=last(before)), plan(late, offers)
    assert after.certificate.gap <= 1e-4
    assert abs(after.certificate.objective / fresh.certificate.objective - 1) <= 2e-4
    moved = given(before).items() ^ given(after).items()
    assert {need_id for (need_id, _), _ in moved} > {"late"}
    assert len(moved) <= 40 < len(given(before).items() ^ given(fresh).items())


def test_without_an_earlier_plan_all_is_as_it_was() -> None:
    needs, offers = crowd(60, 8)
    assert plan(needs, offers) == plan(needs, offers, last=None)


def test_a_plan_remembers_only_prices_above_the_least() -> None:
    needs = [need("n1"), need("n2", vulnerabilities=("ORPHAN",))]
    scarce, plenty = offer("o1", quantity=1), offer("o2", category="RICE", quantity=50)
    kept = last(plan([*needs, need("n3", category="RICE")], [scarce, plenty]))
    assert kept.units == {("n2", "o1"): 1, ("n3", "o2"): 1}
    assert kept.offers.keys() == {"o1"}
    assert {code for code, _ in kept.groups} <= {TOWN, "ORPHAN", "DIBAO"}
    assert {family for _, family in kept.groups} <= {"CEILFAN", "RICE", "FAN"}


def test_a_scale_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="milli-point"):
        LastPlan(scale=0)


def sliced() -> tuple[Graph, Names]:
    """Two needs; an offer in two parts of 3 and 5 units, and another offer."""
    rows = [[0, 0, 0, 1], [0, 1, 2, 1], [9, 8, 7, 6], [-1, -1, -1, -1], [6, 4], [3, 5, 2], []]
    need, of, score, group, lacks, has, limits = (np.array(row, dtype=np.int64) for row in rows)
    graph = graph_of(Problem(need, of, score, group, lacks, has, limits))
    return graph, Names(["n0", "n1"], ["o0", "o0/1", "o1"], ["o0", "o0", "o1"])


def test_units_of_a_pair_fill_the_parts_of_its_offer_in_turn() -> None:
    graph, names = sliced()
    kept = LastPlan({("n0", "o0"): 4, ("n0", "o1"): 1, ("n1", "o0"): 2, ("n1", "o1"): 9, ("gone", "o0"): 5})
    assert last_of(graph, kept, names).units.tolist() == [3, 1, 1, 2]


def test_prices_go_by_the_names_of_parts_and_unknown_ones_cost_the_least() -> None:
    graph, names = sliced()
    held = replace(graph, held_back=np.array([1, 2, 3]))
    kept = LastPlan(offers={"o0": 40, "o0/1": 5, "gone": 7}, scale=10)
    prices = last_of(held, kept, names).prices
    assert (prices.offer.tolist(), prices.scale) == ([40, 20, 30], 10)
