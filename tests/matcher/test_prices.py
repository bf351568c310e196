"""Rounds that go on from the last: what a change does not reach stays, and nothing of old prices does harm."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from services.matcher import rules
from services.matcher.app import SERVICE
from services.matcher.handlers import SQL
from services.matcher.loading import Scope, load
from services.matcher.prices import last_plan
from services.matcher.rounds import plan_of
from shared.bus import new_id
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import pending, plan, rows, run

RICE = "FOD-RICE"
CLASSES = ("DIBAO", "ORPHAN", "ELD_ALONE", "VETERAN")


def crowd(size: int, each: int) -> list[Any]:
    """Rice asked for by two towns and four classes, and eight offers of so much each."""
    needs = [
        facts.need(
            category=RICE, quantity=1 + n % 3, area=(facts.LUOJING, facts.RONGGUI)[n % 2],
            vulnerabilities=(CLASSES[n % 4],), urgency=("low", "normal", "high")[n % 3],
        )
        for n in range(size)
    ]  # fmt: skip
    return needs + [facts.offer(category=RICE, quantity=each) for _ in range(8)]


async def resumed(house: House) -> list[bool]:
    return [
        row["resumed"] for row in await rows(house, "select resumed from matcher.round order by started_at")
    ]


async def prices(house: House) -> dict[str, dict[str, int]]:
    found = await rows(house, "select family, offers from matcher.last_prices")
    return {row["family"]: row["offers"] for row in found}


async def scope_of(house: House, category: str = RICE) -> tuple[Scope, Any, Any]:
    async with house.db.transaction(SERVICE.system_role) as conn:
        now = await SQL.clock(conn)
        scope = await load(conn, rules.component([category]), now)
        return scope, now, await last_plan(conn, scope)


async def test_a_late_need_leaves_the_others_proposals_alone(house: House) -> None:
    before = await plan(house, *crowd(200, 60))
    assert sum(before.values()) == 399
    ids = await _ids(house)
    late = facts.need(category=RICE, quantity=1, vulnerabilities=("ORPHAN",), urgency="critical")
    after = await plan(house, late)
    assert _given(after) == _given(before) | {str(late.need_id): 1}
    assert len(ids - await _ids(house)) <= 2
    assert await resumed(house) == [False, True]


async def _ids(house: House) -> set[Any]:
    return {
        row["id"] for row in await rows(house, "select id from matcher.proposal where status = 'pending'")
    }


def _given(board: dict[tuple[str, str], int]) -> dict[str, int]:
    units: Counter[str] = Counter()
    for (need, _), quantity in board.items():
        units[need] += quantity
    return dict(units)


async def test_where_there_is_too_little_the_plan_is_as_good_as_a_fresh_one(house: House) -> None:
    await plan(house, *crowd(80, 10))
    late = facts.need(category=RICE, quantity=1, vulnerabilities=("ORPHAN",), urgency="critical")
    assert str(late.need_id) in {need for need, _ in await plan(house, late)}
    assert await resumed(house) == [False, True]
    scope, now, last = await scope_of(house)
    fresh, again = plan_of(scope, now), plan_of(scope, now, last=last)
    assert again.certificate.gap <= 1e-4
    assert abs(again.certificate.objective / fresh.certificate.objective - 1) <= 1e-4


async def test_prices_are_those_of_the_offers_that_are_left(house: House) -> None:
    first, second = facts.offer(quantity=1), facts.offer(quantity=1)
    await plan(house, *(facts.need() for _ in range(4)), first, second)
    assert (await prices(house))["APP-CEILFAN"].keys() == {str(first.offer_id), str(second.offer_id)}
    await plan(house, facts.offer_withdrawn(first))
    assert (await prices(house))["APP-CEILFAN"].keys() == {str(second.offer_id)}
    await plan(house, facts.offer(quantity=50))
    assert (await prices(house)) == {"APP-CEILFAN": {}}


async def test_the_board_and_its_prices_are_what_a_round_goes_on_from(house: House) -> None:
    need, offer = facts.need(), facts.offer(quantity=1)
    board = await plan(house, need, offer, facts.need(urgency="low"))
    _, _, last = await scope_of(house, "APP-FAN")
    assert last is not None and last.units == board
    assert last.offers.keys() == {str(offer.offer_id)} and last.offers[str(offer.offer_id)] > 0
    assert {family for _, family in last.groups} <= {"APP-CEILFAN"}


async def test_a_family_that_was_never_planned_is_planned_afresh(house: House) -> None:
    await plan(house, facts.need(), facts.offer())
    assert (await scope_of(house))[2] is None
    both = {"category": "FOD-RICE", "bundle_id": new_id()}
    await plan(
        house, facts.need(**both), facts.need(**(both | {"category": "APP-FAN"})), facts.offer(category=RICE)
    )
    assert await resumed(house) == [False, False]
    await plan(house, facts.need(quantity=1, category=RICE))
    assert await resumed(house) == [False, False, True]


async def test_another_policy_or_model_begins_afresh(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await plan(house, facts.need(), facts.offer(quantity=50))
    scope, _, last = await scope_of(house, "APP-FAN")
    assert last is not None
    other = replace(scope.champion, model=replace(scope.champion.model, name="another"))
    async with house.db.transaction(SERVICE.system_role) as conn:
        assert await last_plan(conn, replace(scope, champion=other)) is None
    changed = replace(rules.policy(), fairness_points=3)
    monkeypatch.setattr(rules, "policy", lambda: changed)
    await plan(house, facts.need())
    assert await resumed(house) == [False, False]
    await plan(house, facts.need())
    assert await resumed(house) == [False, False, True]


async def test_who_asks_for_everything_gets_it_planned_afresh(house: House) -> None:
    await plan(house, facts.need(), facts.offer(quantity=50))
    await house.db.pool.execute("update matcher.last_prices set offers = '{\"gone\": 7}'")
    client = await house.person("coordinator", facts.COUNTY)
    for dry, kept in ((True, {"gone": 7}), (False, {})):
        asked = await client.post(
            "/api/matcher/v1/rounds", json={"dry_run": dry}, headers={"idempotency-key": str(dry)}
        )
        await run(house)
        shown = (await client.get(f"/api/matcher/v1/rounds/{asked.json()['round_id']}")).json()
        assert (shown["state"], shown["resumed"]) == ("done", False)
        assert (await prices(house))["APP-CEILFAN"] == kept
    await plan(house, facts.need())
    (latest, *_) = (await client.get("/api/matcher/v1/rounds")).json()["items"]
    assert latest["resumed"] and "接着做" in (await client.get(f"/matcher/rounds/{latest['round_id']}")).text


async def test_prices_of_another_board_do_no_harm(house: House) -> None:
    await plan(house, *crowd(24, 3))
    board = await pending(house)
    foreign = dict.fromkeys(("gone", *(offer for _, offer in board)), 2**29 - 1)
    async with house.db.transaction(SERVICE.system_role) as conn:
        await conn.execute("update matcher.last_prices set offers = $1, scale = 1", foreign)
    await plan(house, facts.need(category=RICE, vulnerabilities=("ORPHAN",), urgency="critical"))
    assert (await resumed(house))[-1]
    scope, now, last = await scope_of(house)
    fresh, again = plan_of(scope, now).certificate, plan_of(scope, now, last=last).certificate
    assert abs(again.objective - fresh.objective) <= 1e-4 * fresh.objective
