"""The decisions about an offer, by themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.offers import rules
from services.offers.schemas import OfferTerms
from shared import tables
from shared.errors import RuleBroken

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


def test_what_the_government_does_is_never_donatable() -> None:
    for code, category in tables.categories().items():
        if category.safety_class == "SR":
            with pytest.raises(RuleBroken, match="由政府办理"):
                rules.donatable(code)
        else:
            assert rules.donatable(code) == code


@given(st.integers(-400, 400))
def test_goods_must_outlast_today(days: int) -> None:
    expires_on = NOW.date() + timedelta(days=days)
    assert bool(rules.stale(expires_on, None, NOW)) == (days <= 0)
    assert bool(rules.stale(None, NOW + timedelta(days=days), NOW)) == (days <= 0)


@given(st.lists(st.sampled_from(["445381100000", "445381101000", "445302000000"]), max_size=4), st.randoms())
def test_the_same_terms_in_another_order_have_the_same_hash(areas: list[str], chance: object) -> None:
    assert hasattr(chance, "shuffle")
    shuffled = [*areas, *areas]
    chance.shuffle(shuffled)
    first, second = (
        OfferTerms(category="APP-FAN", quantity=1, origin_area="445381100000", service_areas=tuple(some))
        for some in (areas, shuffled)
    )
    assert first.stored()["content_hash"] == second.stored()["content_hash"]


def test_a_moment_has_one_hash_in_every_zone() -> None:
    told = {"category": "APP-FAN", "quantity": 1, "origin_area": "445381100000"}
    here = OfferTerms.model_validate(told | {"available_from": "2026-05-01T08:00:00+08:00"})
    there = OfferTerms.model_validate(told | {"available_from": "2026-05-01T00:00:00Z"})
    assert here.stored() == there.stored()


def test_a_county_stands_for_its_towns() -> None:
    assert rules.county_of("445381100000") == "445381000000"
    assert rules.county_of("445300000000") == "445300000000"


def test_only_licensed_work_without_its_licence_warns() -> None:
    assert rules.warnings("APP-FAN", ()) == ()
    assert rules.warnings("APP-CEILFAN", ("低压电工作业证",)) == ()
    assert [fault.rule for fault in rules.warnings("APP-CEILFAN", ("护士执业证",))] == ["licence_missing"]


def test_a_window_may_be_one_moment_but_not_backwards() -> None:
    rules.in_order(NOW, NOW)
    rules.in_order(None, NOW)
    with pytest.raises(RuleBroken):
        rules.in_order(NOW, NOW - timedelta(seconds=1))


def test_expiry_is_a_day() -> None:
    assert rules.stale(date(2026, 5, 2), None, NOW) == ()
