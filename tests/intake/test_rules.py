"""Decisions that need no database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

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


@given(
    st.sampled_from(["helped", "partly", "not_helped"]), st.sampled_from(get_args(Status)), st.integers(0, 3)
)
def test_only_one_way_leads_to_closing(outcome: str, status: str, waiting: int) -> None:
    assert closes(outcome, status, waiting, False) == (
        (outcome, status, waiting) == ("helped", "received", 0)
    )
    assert closes(outcome, status, waiting, True) == ((status, waiting) == ("received", 0))


def test_every_state_has_its_steps_and_its_name() -> None:
    assert set(LABELS["need_status"]) == set(get_args(Status))
    assert [next_steps(status) for status in get_args(Status)].count(()) == 2
