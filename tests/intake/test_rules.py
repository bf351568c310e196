"""Decisions that need no database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules import (
    CHILD_CODES,
    Status,
    closes,
    concerns_minor,
    eighteenth_birthday,
    next_steps,
    union,
)
from shared import tables
from shared.labels import LABELS


@given(st.dates(date(1890, 1, 1), date(2100, 1, 1)))
def test_a_person_is_a_minor_until_the_eighteenth_birthday(born: date) -> None:
    until = eighteenth_birthday(born)
    assert until is not None
    assert (until.year - born.year, until.month, until.day) in {
        (18, born.month, born.day),
        (18, 3, 1) if (born.month, born.day) == (2, 29) else (18, born.month, born.day),
    }
    assert timedelta(days=18 * 365) < until - born < timedelta(days=18 * 367)


def test_nobody_knows_the_birthday_of_one_without_a_birth_date() -> None:
    assert eighteenth_birthday(None) is None


def test_the_codes_of_children_exist() -> None:
    assert set(tables.vulnerabilities()) >= CHILD_CODES


def test_a_child_is_known_by_birth_date_or_by_category() -> None:
    assert concerns_minor(True, [])
    assert concerns_minor(False, ["DIBAO", "LEFTCHILD"])
    assert not concerns_minor(False, ["DIBAO", "ELD_ALONE"])


@given(st.lists(st.sampled_from(["B", "A", "C"])))
def test_codes_together_stand_once_in_one_order(codes: list[str]) -> None:
    assert union(codes) == union(reversed(codes)) == tuple(sorted(set(codes)))


@pytest.mark.parametrize("outcome", ["helped", "partly", "not_helped"])
def test_a_need_is_over_when_it_helped_or_the_next_is_raised(outcome: str) -> None:
    assert closes(outcome, raised=False) == (outcome == "helped")
    assert closes(outcome, raised=True)


def test_every_state_has_its_steps_and_its_name() -> None:
    assert set(LABELS["need_status"]) == set(get_args(Status))
    assert [next_steps(status) for status in get_args(Status)].count(()) == 2
