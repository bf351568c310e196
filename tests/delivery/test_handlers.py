"""From approval to receipt: every step once, by the right person, with its event."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from services.delivery.rules import delivery_id
from shared.access import Role, hash_token
from shared.bus import new_id
from shared.events import (
    CharityRegistered,
    DeliveryDelivered,
    DeliveryDispatched,
    DeliveryFailed,
    DeliveryReceived,
    DeliveryScheduled,
)
from tests.delivery.bringing import ADDRESS, CITY, COUNTY, OTHER_TOWN, TOWN, Scene, approved, scene
from tests.house import House


async def test_an_approval_told_twice_opens_one_delivery(house: House) -> None:
    approval = approved(new_id())
    await house.deliver_twice("delivery", approval)
    (told,) = await house.events(DeliveryScheduled)
    assert told.data["delivery_id"] == str(delivery_id(approval.commitment_id))
    assert told.data["scheduled_for"] is None
    assert await house.db.pool.fetchval("select count(*) from delivery.delivery") == 1


async def test_an_older_name_of_a_charity_changes_nothing(house: House) -> None:
    told: dict[str, Any] = {"charity_id": new_id(), "kind": "charity", "area": CITY}
    newer = CharityRegistered(name="新示例会", version=2, **told)
    await house.deliver_twice("delivery", newer, CharityRegistered(name="旧示例会", version=1, **told))
    assert await house.db.pool.fetchval("select name from delivery.charity") == "新示例会"


async def test_the_whole_way(house: House) -> None:
    it = await scene(house)
    agreed = await it.step(it.giver, "schedule", 1, scheduled_for="2035-05-02T09:00:00+08:00")
    assert agreed.json() == {"delivery_id": str(it.id), "status": "scheduled", "version": 2}
    assert (await it.step(it.giver, "dispatch", 2)).json()["status"] == "dispatched"
    assert (await it.step(it.giver, "deliver", 3)).json()["status"] == "delivered"
    received = await it.step(it.worker, "receive", 4, received=4)
    assert received.json() == {"delivery_id": str(it.id), "status": "received", "version": 5}
    first, second = await house.events(DeliveryScheduled)
    assert (first.aggregateversion, second.aggregateversion) == (1, 2)
    for kind, version in ((DeliveryDispatched, 3), (DeliveryDelivered, 4)):
        (told,) = await house.events(kind)
        assert told.aggregateversion == version
    (told,) = await house.events(DeliveryReceived)
    assert told.data["received"] == 4
    assert told.data["short"] == 0
    assert told.data["returned_to_offer"] is False
    assert told.data["confirmed_by"] == it.worker.headers["x-person-id"]
    assert told.data["commitment_id"] == str(it.approval.commitment_id)


@pytest.mark.parametrize("still_with_charity", [True, False])
async def test_a_short_receipt_names_the_reason(house: House, still_with_charity: bool) -> None:
    it = await scene(house)
    await it.sent()
    bare = await it.step(it.worker, "receive", 3, received=3)
    assert bare.status_code == 422
    assert bare.json()["errors"][0]["rule"] == "reason_needed"
    short = {"received": 3, "short_reason": "lost", "still_with_charity": still_with_charity}
    assert (await it.step(it.worker, "receive", 3, **short)).status_code == 200
    (told,) = await house.events(DeliveryReceived)
    assert (told.data["received"], told.data["short"], told.data["short_reason"]) == (3, 1, "lost")
    assert told.data["returned_to_offer"] is still_with_charity


async def test_nothing_received_is_a_failure(house: House) -> None:
    it = await scene(house)
    await it.sent()
    assert (await it.step(it.worker, "receive", 3, received=0)).status_code == 422
    nothing = {"received": 0, "short_reason": "not_sent", "still_with_charity": True}
    assert (await it.step(it.giver, "receive", 3, **nothing)).status_code == 403
    assert (await it.step(it.worker, "receive", 3, **nothing)).json()["status"] == "failed"
    (told,) = await house.events(DeliveryFailed)
    assert (told.data["quantity"], told.data["reason"], told.data["returned_to_offer"]) == (
        4,
        "not_sent",
        True,
    )
    assert await house.events(DeliveryReceived) == []


async def test_nothing_can_be_received_before_it_was_sent(house: House) -> None:
    it = await scene(house)
    nothing = await it.step(it.worker, "receive", 1, received=0, short_reason="not_sent")
    assert nothing.status_code == 409
    assert nothing.json()["state"] == "scheduled"
    assert (await it.step(it.worker, "receive", 1, received=4)).status_code == 409


async def test_a_worker_may_confirm_before_the_charity_says_delivered(house: House) -> None:
    it = await scene(house)
    await it.step(it.giver, "dispatch", 1)
    assert (await it.step(it.worker, "receive", 2, received=4)).json()["status"] == "received"
    late = await it.step(it.giver, "deliver", 2)
    assert late.status_code == 409
    assert (late.json()["state"], late.json()["version"]) == ("received", 3)


async def test_more_than_promised_cannot_arrive(house: House) -> None:
    it = await scene(house)
    await it.sent()
    for received in (5, -1, 1.5, "4", 10**18):
        assert (await it.step(it.worker, "receive", 3, received=received)).status_code == 422, received
    assert await house.events(DeliveryReceived) == []


@pytest.mark.parametrize("sent", [0, 1, 2])
async def test_a_failure_gives_everything_back_from_wherever_it_stands(house: House, sent: int) -> None:
    it = await scene(house)
    for number, step in enumerate(("dispatch", "deliver")[:sent], start=1):
        await it.step(it.giver, step, number)
    failed = await it.step(it.giver, "fail", sent + 1, reason="nobody_home", still_with_charity=True)
    assert failed.json()["status"] == "failed"
    (told,) = await house.events(DeliveryFailed)
    assert (told.data["quantity"], told.data["reason"], told.data["returned_to_offer"]) == (
        4,
        "nobody_home",
        True,
    )
    again = await it.step(it.giver, "fail", sent + 2, reason="other")
    assert again.status_code == 409


async def test_a_skipped_or_stale_step_loses_and_says_where_it_stands(house: House) -> None:
    it = await scene(house)
    skipped = await it.step(it.giver, "deliver", 1)
    assert (skipped.status_code, skipped.json()["state"], skipped.json()["version"]) == (409, "scheduled", 1)
    await it.step(it.giver, "dispatch", 1)
    stale = await it.step(it.giver, "deliver", 1)
    assert (stale.status_code, stale.json()["state"], stale.json()["version"]) == (409, "dispatched", 2)
    assert len(await house.events(DeliveryDispatched)) == 1


async def test_of_many_at_once_one_wins(house: House) -> None:
    it = await scene(house)
    await it.sent()
    answers = await asyncio.gather(
        *(it.step(it.worker, "receive", 3, received=n % 4 + 1, short_reason="lost") for n in range(12)),
        *(it.step(it.worker, "fail", 3, reason="refused") for _ in range(4)),
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 15
    assert len(await house.events(DeliveryReceived)) + len(await house.events(DeliveryFailed)) == 1


async def test_a_day_that_has_passed_cannot_be_agreed(house: House) -> None:
    it = await scene(house)
    past = await it.step(it.giver, "schedule", 1, scheduled_for="2020-05-02T09:00:00+08:00")
    assert past.json()["errors"][0]["rule"] == "past"
    assert (await it.step(it.giver, "schedule", 1, scheduled_for="2035-05-02T09:00:00")).status_code == 422


async def people(house: House, it: Scene) -> dict[str, tuple[Any, int, int]]:
    """Who: (client, status of a dispatch, status of a read)."""
    return {
        "its charity": (it.giver, 200, 200),
        "its town's worker": (it.worker, 200, 200),
        "its county's coordinator": (await house.person("coordinator", COUNTY), 200, 200),
        "an auditor": (await house.person("auditor", CITY), 403, 200),
        "an admin": (await house.person("admin", CITY), 403, 403),
        "another charity": (await house.person("charity", CITY, new_id()), 404, 404),
        "another town's worker": (await house.person("worker", OTHER_TOWN), 404, 404),
        "nobody": (house.anyone(), 401, 401),
    }


async def test_who_may_move_and_who_may_see(house: House) -> None:
    it = await scene(house)
    for name, (client, moves, reads) in (await people(house, it)).items():
        answer = await client.get(f"{ADDRESS}/{it.id}")
        assert answer.status_code == reads, name
        assert (await it.step(client, "dispatch", 1)).status_code == moves, name
        await house.db.pool.execute(
            "update delivery.delivery set status = 'scheduled', version = 1, dispatched_at = null"
        )


async def test_a_giver_never_confirms_its_own_help(house: House) -> None:
    it = await scene(house)
    await it.sent()
    assert (await it.step(it.giver, "receive", 3, received=4)).status_code == 403
    charity_id, person_id = it.approval.charity_id, it.worker.headers["x-person-id"]
    await house.db.pool.execute(
        "insert into access.role_grant (id, person_id, role, area, charity_id) values ($1, $2, 'charity', $3, $4)",
        new_id(), person_id, CITY, charity_id,
    )  # fmt: skip
    both = await it.step(it.worker, "receive", 3, received=4)
    assert both.status_code == 403, "a worker who is also of the charity"


async def test_an_auditor_who_is_a_worker_elsewhere_changes_nothing(house: House) -> None:
    it = await scene(house)
    auditor = await house.person("auditor", TOWN)
    await house.db.pool.execute(
        "insert into access.role_grant (id, person_id, role, area) values ($1, $2, 'worker', $3)",
        new_id(), auditor.headers["x-person-id"], OTHER_TOWN,
    )  # fmt: skip
    assert (await it.step(auditor, "dispatch", 1)).status_code == 403


async def by_raw_sql(house: House, client: httpx.AsyncClient, statement: str) -> str:
    """What a statement does in this person's session: its tag, or "refused"."""
    token = hash_token(client.headers["authorization"].removeprefix("Bearer "))
    try:
        async with house.db.transaction("nuanlian_delivery", token) as conn:
            done: str = await conn.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return "refused"
    return done


RECEIPTS = (
    "status = 'received', received_at = now(), received = quantity",
    "received = quantity",
    "received_at = now()",
    "short_reason = 'lost'",
)


@pytest.mark.parametrize("also_worker", [False, True])
async def test_the_database_itself_takes_no_receipt_from_the_giver(house: House, also_worker: bool) -> None:
    """The second line: raw SQL in the session of the charity's person, who may be the town's worker too."""
    it = await scene(house)
    await it.sent()
    if also_worker:
        await house.db.pool.execute(
            "insert into access.role_grant (id, person_id, role, area) values ($1, $2, 'worker', $3)",
            new_id(), it.giver.headers["x-person-id"], TOWN,
        )  # fmt: skip
    for receipt in (*RECEIPTS, f"area = '{OTHER_TOWN}'", "quantity = 1"):
        said = await by_raw_sql(house, it.giver, f"update delivery.delivery set {receipt}")
        assert said == "refused", receipt
    assert await by_raw_sql(house, it.giver, "delete from delivery.delivery") == "refused"
    assert (await it.step(it.worker, "receive", 3, received=3, short_reason="lost")).status_code == 200
    undone = "update delivery.delivery set status = 'delivered', received = null, received_at = null, short_reason = null"
    assert await by_raw_sql(house, it.giver, undone) == "UPDATE 0"


async def test_the_database_itself_lets_readers_only_read(house: House) -> None:
    it = await scene(house)
    touch = "update delivery.delivery set version = version + 1"
    people: tuple[tuple[Role, str, int], ...] = (
        ("auditor", CITY, 0),
        ("worker", OTHER_TOWN, 0),
        ("worker", TOWN, 1),
        ("coordinator", COUNTY, 1),
    )
    for role, area, changed in people:
        assert await by_raw_sql(house, await house.person(role, area), touch) == f"UPDATE {changed}", role
    assert await by_raw_sql(house, it.giver, touch) == "UPDATE 1"
