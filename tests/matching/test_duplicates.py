"""Needs told twice are found, and only those."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from matching.duplicates import Told, duplicates

DAY = date(2024, 8, 20)
ONE = Told("a", "h1", "445381100000", "APP-FAN", 1, "家里风扇坏了,天热睡不着,想要一台落地扇", DAY)
OTHER = replace(ONE, id="b", text="风扇又坏了,麻烦给一台", day=DAY + timedelta(days=9))

needs = st.lists(
    st.builds(
        Told,
        st.integers(0, 50).map(str),
        st.sampled_from(["", "h1", "h2"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["", "APP-FAN", "FUR-BED"]),
        st.sampled_from([None, 1, 2]),
        st.sampled_from(["风扇坏了", "家里的风扇坏了", "床板断了,睡地上", ""]),
        st.integers(0, 40).map(lambda days: DAY + timedelta(days=days)),
    ),
    max_size=8,
    unique_by=lambda need: need.id,
)


def test_one_household_one_category_within_a_month_is_told_twice() -> None:
    (found,) = duplicates([ONE, OTHER])
    assert (found.one, found.other, found.why) == ("a", "b", "same_household")


def test_a_later_need_or_another_category_of_the_household_is_its_own() -> None:
    assert duplicates([ONE, replace(OTHER, day=DAY + timedelta(days=60))]) == []
    assert duplicates([ONE, replace(OTHER, category="FUR-BED")]) == []


def test_near_identical_words_in_one_area_are_found_across_households() -> None:
    near = replace(ONE, id="b", beneficiary="h2", text=ONE.text + "。")
    (found,) = duplicates([ONE, near])
    assert found.why == "same_words"
    assert duplicates([ONE, replace(near, area="445321115000")]) == []


def test_the_same_words_of_one_household_are_surest_and_other_amounts_less_sure() -> None:
    same = replace(ONE, id="b")
    assert duplicates([ONE, same])[0].score == 1
    assert duplicates([ONE, replace(OTHER, quantity=3)])[0].score < duplicates([ONE, OTHER])[0].score


@given(needs, st.randoms())
def test_the_order_of_the_needs_changes_nothing(told: list[Told], draw: Random) -> None:
    shuffled = list(told)
    draw.shuffle(shuffled)
    assert duplicates(shuffled) == duplicates(told)


@given(needs)
def test_pairs_are_symmetric_and_no_need_is_its_own_duplicate(told: list[Told]) -> None:
    swapped = {d.one: d.other for d in duplicates(reversed(told))}
    assert all(one < other for one, other in swapped.items())
    for found in duplicates(told):
        pair = [need for need in told if need.id in (found.one, found.other)]
        assert duplicates(pair) == duplicates(pair[::-1]) == [found]


@given(needs)
def test_those_of_one_need_are_the_ones_among_all(told: list[Told]) -> None:
    for need in told:
        assert duplicates(told, of=need.id) == [d for d in duplicates(told) if need.id in (d.one, d.other)]
