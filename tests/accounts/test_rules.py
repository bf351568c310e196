"""Roles that don't go together, waiting after wrong passwords, and where people are sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.rules import (
    DELAYS,
    DELAYS_ANYWHERE,
    clash,
    delay,
    first_screen,
    local_path,
    origin,
    random_password,
)


@given(st.integers(1, 10_000))
def test_the_wait_only_grows_and_never_passes_five_minutes(failures: int) -> None:
    assert 0 <= delay(failures) <= delay(failures + 1) <= 300


def test_the_first_slips_cost_nothing_and_then_it_doubles() -> None:
    assert [delay(n) for n in range(1, 7)] == [0, 0, 0, 2, 4, 8]
    assert delay(len(DELAYS) + 5) == 300


def test_tries_from_everywhere_cost_nothing_for_long_and_little_then() -> None:
    assert DELAYS_ANYWHERE[:50] == (0,) * 50
    assert list(DELAYS_ANYWHERE[50:]) == sorted(DELAYS_ANYWHERE[50:])
    assert (DELAYS_ANYWHERE[50], DELAYS_ANYWHERE[-1]) == (2, 10)


def test_one_line_is_one_address() -> None:
    assert origin("2001:db8:1:2::5") == origin("2001:db8:1:2:ffff::9") != origin("2001:db8:1:3::5")
    assert origin("203.0.113.7") == origin("::ffff:203.0.113.7") != origin("203.0.113.8")
    assert (origin("fe80::1%eth0"), origin("testclient"), origin("")) == ("fe80::/64", "testclient", "")


@pytest.mark.parametrize("role", ["worker", "charity", "coordinator", "auditor"])
def test_an_administrator_holds_no_other_role(role: str) -> None:
    assert clash(["admin"], role)
    assert clash([role], "admin")
    assert not clash([role, "worker"], "coordinator")


def test_an_administrator_may_serve_two_areas() -> None:
    assert not clash(["admin"], "admin")
    assert not clash([], "admin")


@pytest.mark.parametrize(
    ("roles", "path"),
    [
        (["worker"], "/intake/"),
        (["charity"], "/offers/"),
        (["coordinator"], "/coordination/"),
        (["auditor"], "/audit/"),
        (["admin"], "/accounts/people"),
        (["auditor", "worker"], "/intake/"),
        ([], "/accounts/me"),
    ],
)
def test_everybody_starts_at_their_work(roles: list[str], path: str) -> None:
    assert first_screen(roles) == path


@pytest.mark.parametrize("path", ["/intake/", "/audit/stories/1?x=2", "/"])
def test_a_path_of_ours_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "intake",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\r\nset-cookie: x",
        "/\t/evil.example",
    ],
)
def test_no_other_site_is_a_next_page(path: str | None) -> None:
    assert local_path(path) == "/accounts/home"


def test_random_passwords_are_long_plain_and_different() -> None:
    made = {random_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 19 and not set("0o1li") & set(password) for password in made)
