"""A need that is withdrawn, or a household that takes its consent back: what has not left yet stays with the charity."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.delivery import handlers
from services.delivery.app import SERVICE
from shared.events import (
    CommitmentReleased,
    DeliveryFailed,
    NeedChanged,
    NeedWithdrawn,
)
from tests.delivery.bringing import TOWN, approved, scene
from tests.house import House
from tests.matcher import facts


def withdrawn(need_id: UUID) -> NeedWithdrawn:
    return NeedWithdrawn(need_id=need_id, area=TOWN, reason="solved", version=2)


def changed(need_id: UUID, consent: bool, version: int) -> NeedChanged:
    told: dict[str, Any] = facts.need().model_dump() | {
        "need_id": need_id,
        "consent": consent,
        "version": version,
    }
    return NeedChanged.model_validate(told)


async def statuses(house: House) -> list[str]:
    return [row["status"] for row in await house.db.pool.fetch("select status from delivery.delivery")]


@pytest.mark.parametrize("off", [withdrawn, lambda need_id: changed(need_id, False, 2)])
@pytest.mark.parametrize("late", [False, True])
async def test_what_has_not_left_is_called_off_once_in_any_order(house: House, off: Any, late: bool) -> None:
    approval = approved(facts.offer().charity_id)
    events = [off(approval.need_id), approval] if late else [approval, off(approval.need_id)]
    await house.deliver_twice("delivery", *events)
    assert await statuses(house) == ["failed"]
    (failed,) = await house.events(DeliveryFailed)
    assert (failed.data["reason"], failed.data["returned_to_offer"]) == ("need_withdrawn", True)


async def test_an_approval_and_a_withdrawal_at_once_leave_nothing_to_bring(house: House) -> None:
    approval = approved(facts.offer().charity_id)

    async def withdraw() -> None:
        async with house.db.transaction(SERVICE.system_role) as conn:
            await handlers.end_need(conn, withdrawn(approval.need_id))

    async with house.db.transaction(SERVICE.system_role) as conn:
        await handlers.open_delivery(conn, approval)
        other = asyncio.create_task(withdraw())
        await asyncio.wait({other}, timeout=0.5)
    await other
    assert await statuses(house) == ["failed"]


async def test_what_is_on_its_way_still_comes(house: House) -> None:
    place = await scene(house)
    assert (await place.step(place.giver, "dispatch", 1)).status_code == 200
    await house.deliver_twice("delivery", withdrawn(place.approval.need_id))
    assert await statuses(house) == ["dispatched"]


async def test_consent_that_is_given_again_lets_the_next_delivery_go(house: House) -> None:
    approval = approved(facts.offer().charity_id)
    await house.deliver_twice(
        "delivery", changed(approval.need_id, False, 2), changed(approval.need_id, True, 3), approval
    )
    assert await statuses(house) == ["scheduled"]


async def test_the_promise_ends_everywhere(house: House) -> None:
    need, offer = facts.need(quantity=2), facts.offer(quantity=5)
    await house.publish(need, offer)
    await house.settle()
    coordinator = await house.person("coordinator")
    board = (await coordinator.get("/api/coordination/v1/proposals")).json()["items"]
    answer = await coordinator.post(
        f"/api/coordination/v1/proposals/{board[0]['proposal_id']}/approve", json={}
    )
    assert answer.json()["offer_left"] == 3
    await house.settle()
    await house.publish(NeedWithdrawn(need_id=need.need_id, area=need.area, reason="solved", version=2))
    await house.settle()
    assert len(await house.events(CommitmentReleased)) == 1
    for table in ("coordination.offer", "matcher.offer"):
        column = "committed" if table.startswith("coordination") else "promised"
        assert (
            await house.db.pool.fetchval(f"select {column} from {table} where id = $1", offer.offer_id) == 0
        )
