"""Offers that hand over so much a day, indivisible needs and bundles, through the whole engine."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.columns import day
from matching.model import Need, Offer, Plan, Policy
from matching.verify import verify
from tests.matching.build import NOW, need, offer, plan, rules_of
from tests.matching.build import given as units_of


def tutor(name: str = "o1", **changes: object) -> Offer:
    values: dict[str, object] = {"category": "TUTOR", "vetted": True, "quantity": 60, "per_day_limit": 4}
    return offer(name, **(values | changes))


def pupil(name: str, days: int | None, quantity: int = 4, **changes: object) -> Need:
    due = None if days is None else NOW + timedelta(days=days)
    return need(name, category="TUTOR", quantity=quantity, needed_by=due, **changes)


def proved(result: Plan) -> Plan:
    assert result.sheet is not None
    assert verify(result.sheet()).holds
    return result


def test_no_more_is_promised_by_a_date_than_days_allow() -> None:
    # Today and tomorrow: eight hours. The span that ends tomorrow or before is one day long.
    result = proved(plan([pupil("a", 0), pupil("b", 0), pupil("later", 20)], [tutor()]))
    assert Counter(units_of(result).values()) == {4: 2}
    assert ("later", "o1") in units_of(result)


def test_what_was_promised_before_takes_the_first_days() -> None:
    asked = [pupil("today", 0), pupil("week", 8, quantity=28)]
    assert units_of(plan(asked, [tutor(booked=0)])) == {("today", "o1"): 4, ("week", "o1"): 24}
    assert units_of(plan(asked, [tutor(booked=8)])) == {("week", "o1"): 20}


def test_a_limit_that_never_binds_changes_nothing() -> None:
    asked = [pupil("a", 0), pupil("b", 3)]
    free = plan(asked, [tutor(per_day_limit=None)])
    assert units_of(plan(asked, [tutor(per_day_limit=60)])) == units_of(free)
    assert plan(asked, [tutor(per_day_limit=60)]).certificate == free.certificate


def test_an_offer_hands_over_until_it_closes() -> None:
    closing = tutor(available_until=NOW + timedelta(days=4))
    assert units_of(plan([pupil("a", None, quantity=60)], [closing])) == {("a", "o1"): 20}
    fresh = offer(category="RICE", quantity=50, per_day_limit=5, expires_on=(NOW + timedelta(days=6)).date())
    assert units_of(plan([need(category="RICE", quantity=50)], [fresh])) == {
        ("n1", "o1"): 20
    }  # three days' margin


@given(
    st.lists(st.tuples(st.sampled_from([None, 0, 1, 2, 5, 9, 13, 29, 60]), st.integers(1, 30)), min_size=1, max_size=8),
    st.integers(1, 9), st.integers(0, 30), st.integers(1, 120),
    st.sampled_from([None, 0, 3, 20]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_every_plan_can_be_kept_day_by_day(
    asked: list[tuple[int | None, int]], a_day: int, booked: int, stock: int, closes: int | None
) -> None:
    needs = [pupil(f"n{n}", days, units) for n, (days, units) in enumerate(asked)]
    until = None if closes is None else NOW + timedelta(days=closes)
    result = proved(
        plan(needs, [tutor(quantity=stock, per_day_limit=a_day, booked=booked, available_until=until)])
    )
    due = {one.id: one.needed_by for one in needs}
    by_day: Counter[int] = Counter()
    for (name, _), units in units_of(result).items():
        last = min(
            (day(moment) - day(NOW) for moment in (due[name], until) if moment is not None), default=10_000
        )
        by_day[last] += units
    for last in by_day:  # earliest date first: what is due by a day fits into the days until then
        assert booked + sum(n for d, n in by_day.items() if d <= last) <= max(booked, a_day * (last + 1))


def test_days_that_pass_keep_nothing_for_later() -> None:
    strict = Policy(hold_back_points={"TUTOR": 500})
    asked = [pupil("a", None, 90)]
    assert units_of(plan(asked, [tutor(quantity=90)], policy=strict)) == {}  # other days will do
    closing = tutor(quantity=90, available_until=NOW + timedelta(days=19))
    assert units_of(plan(asked, [closing], policy=strict)) == {
        ("a", "o1"): 56
    }  # what the first 14 days can carry


def test_household_limits_hold_over_all_spans() -> None:
    home = [
        pupil(f"n{n}", due, 6, beneficiary_id="home", beneficiary_kind="institution")
        for n, due in enumerate((2, 6, 40))
    ]
    result = proved(plan(home, [tutor(per_household_limit=7)]))
    assert sum(units_of(result).values()) == 7


def test_one_offer_meets_an_indivisible_need_or_none() -> None:
    few, many = offer("few", quantity=2), offer("many", quantity=3, origin_area="445381101000")
    assert units_of(proved(plan([need(quantity=3, whole=True)], [few, many]))) == {("n1", "many"): 3}
    assert units_of(plan([need(quantity=3)], [few, replace(many, quantity=1)])) == {
        ("n1", "few"): 2,
        ("n1", "many"): 1,
    }
    refused = plan([need(quantity=3, whole=True)], [few, replace(many, quantity=1)])
    assert units_of(refused) == {}
    assert rules_of(refused) == {"too_few_at_once": 2}


def test_an_indivisible_need_counts_what_its_household_may_still_take() -> None:
    limited = offer(quantity=9, per_household_limit=2)
    assert rules_of(plan([need(quantity=3, whole=True)], [limited])) == {"too_few_at_once": 1}


def test_a_bundle_is_met_whole_or_not_at_all() -> None:
    bed, rice = need("bed", bundle="b"), need("rice", category="RICE", bundle="b")
    fan, sack = offer("fan", quantity=1), offer("sack", category="RICE", quantity=1)
    assert units_of(proved(plan([bed, rice], [fan, sack]))) == {("bed", "fan"): 1, ("rice", "sack"): 1}
    alone = plan([bed, rice], [sack])
    assert units_of(alone) == {}
    assert rules_of(alone, "bed") == {"no_offer_of_category": 0}
    assert rules_of(alone, "rice") == {"bundle_incomplete": 1}


@pytest.mark.parametrize("consent", [True, False])
def test_a_member_that_nobody_may_serve_leaves_its_bundle_incomplete(consent: bool) -> None:
    bed, rice = need("bed", bundle="b", consent=consent), need("rice", category="RICE", bundle="b")
    result = plan([bed, rice], [offer("fan"), offer("sack", category="RICE")])
    assert len(units_of(result)) == (2 if consent else 0)
    assert rules_of(result, "rice") == ({} if consent else {"bundle_incomplete": 1})


def ids(result: Plan) -> list[str]:
    assert result.sheet is not None
    return [str(name) for name in result.sheet().offer_ids]


def test_the_spans_of_an_offer_are_named_after_it_whatever_other_offers_there_are() -> None:
    names = [ids(plan([pupil("a", 9)], some)) for some in ([tutor()], [tutor("o0"), tutor()])]
    own = [[name for name in found if name.partition("/")[0] == "o1"] for found in names]
    assert own[0] == own[1] and own[0][:2] == ["o1", "o1/1"]
