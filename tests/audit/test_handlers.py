"""The ledger's writer, the clock and the follow-ups, on the real database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.audit.app import SERVICE
from services.audit.rules import follow_up_id
from shared import events as ev
from shared.service import deliver
from tests.audit.facts import OTHER_TOWN, THEN, TOWN, Case, round_completed
from tests.house import House


async def rows(house: House, table: str, order: str) -> list[dict[str, Any]]:
    found = await house.db.pool.fetch(f"select * from audit.{table} order by {order}")
    return [dict(row) for row in found]


async def need(house: House, case: Case) -> dict[str, Any]:
    row = await house.db.pool.fetchrow("select * from audit.fulfilment where need_id = $1", case.need)
    assert row is not None
    return dict(row)


async def mark_overdue(house: House) -> None:
    async with house.db.transaction(SERVICE.system_role) as conn:
        await SERVICE.jobs["audit.mark_overdue"](conn, house.job("audit.mark_overdue"))


async def test_every_event_stands_once_and_in_a_gapless_chain(house: House) -> None:
    case = Case()
    await house.deliver_twice("audit", *case.whole())
    entries = await rows(house, "entry", "seq")
    assert [entry["seq"] for entry in entries] == list(range(1, 7))
    assert [entry["type"] for entry in entries] == [event.TYPE for event in case.whole()]
    assert entries[0]["prev_hash"] == bytes(32)
    assert [entry["prev_hash"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:-1]]


async def test_events_delivered_again_and_backwards_change_nothing(house: House) -> None:
    case = Case()
    ids = await house.publish(*case.whole())
    await house.deliver("audit", ids)
    tables = {
        "entry": "seq",
        "about": "id, seq",
        "fulfilment": "need_id",
        "follow_up": "id",
        "answer": "follow_up_id",
    }
    before = {table: await rows(house, table, order) for table, order in tables.items()}
    await house.db.pool.execute(
        "update bus.delivery set done_at = null where consumer = 'audit' and event_id = any ($1)", ids
    )
    for event_id in reversed(ids):
        await house.deliver("audit", [event_id])
    assert {table: await rows(house, table, order) for table, order in tables.items()} == before
    assert len(await house.events(ev.FollowUpDue)) == 1


async def test_order_does_not_matter_to_the_clock(house: House) -> None:
    forwards, backwards = Case(), Case()
    for case, step in ((forwards, 1), (backwards, -1)):
        changed = case.raised(ev.NeedChanged, version=2, quantity=3, urgency="critical", area=OTHER_TOWN)
        facts = [case.raised(), changed, case.approved(3), case.released(1), case.received(2, 1)]
        for event_id in (await house.publish(*facts))[::step]:
            await house.deliver("audit", [event_id])
    one, two = await need(house, forwards), await need(house, backwards)
    assert one | {"need_id": None} == two | {"need_id": None}
    assert (one["quantity"], one["urgency"], one["area"], one["version"]) == (3, "critical", OTHER_TOWN, 2)
    assert (one["promised"], one["received"], one["state"]) == (2, 2, "partly_met")


async def test_the_clock_in_one_batch_says_the_same_as_one_by_one(house: House) -> None:
    together, apart = Case(), Case()
    await house.deliver("audit", await house.publish(*together.whole()))
    for event_id in await house.publish(*apart.whole()):
        await house.deliver("audit", [event_id])
    kept = (
        "state",
        "promised",
        "received",
        "raised_at",
        "approved_at",
        "dispatched_at",
        "received_at",
        "category",
    )
    one, two = await need(house, together), await need(house, apart)
    assert {key: one[key] for key in kept} == {key: two[key] for key in kept}
    assert one["received_at"] - one["raised_at"] == timedelta(days=3)


async def test_the_state_of_a_need(house: House) -> None:
    case, states = Case(), []
    for event in case.whole()[1:]:
        await house.deliver("audit", await house.publish(event))
        states.append((await need(house, case))["state"])
    assert states == ["open", "open", "met", "met", "received"]


async def test_a_noted_a_withdrawn_and_a_closed_need(house: House) -> None:
    noted, withdrawn, closed = Case(), Case(), Case()
    await house.deliver_twice(
        "audit",
        noted.noted(),
        withdrawn.raised(),
        ev.NeedWithdrawn(need_id=withdrawn.need, area=TOWN, reason="solved"),
        *closed.whole(),
        closed.closed(follow_up_id(closed.delivery, "outcome")),
    )
    assert [(await need(house, case))["state"] for case in (noted, withdrawn, closed)] == [
        "noted",
        "withdrawn",
        "closed",
    ]


async def test_an_event_that_this_release_does_not_know_is_recorded(house: House) -> None:
    ids = await house.publish(*Case().whole()[:1])
    await house.db.pool.execute(
        "update bus.event set type = 'hazard.found.v9', data = data || '{\"depth\": 1.5}' where id = $1",
        ids[0],
    )
    await house.deliver("audit", ids)
    assert [entry["type"] for entry in await rows(house, "entry", "seq")] == ["hazard.found.v9"]


async def test_a_known_event_out_of_contract_is_recorded_all_the_same(house: House) -> None:
    ids = await house.publish(Case().raised())
    await house.db.pool.execute("update bus.event set data = data - 'quantity' where id = $1", ids[0])
    await house.deliver("audit", ids)
    assert len(await rows(house, "entry", "seq")) == 1
    assert await rows(house, "fulfilment", "need_id") == []


async def test_writers_at_once_make_one_chain(house: House) -> None:
    ids = await house.publish(*(event for _ in range(10) for event in Case().whole()))
    await asyncio.gather(*(deliver(house.db, SERVICE, ids[n::6]) for n in range(6)))
    entries = await rows(house, "entry", "seq")
    assert [entry["seq"] for entry in entries] == list(range(1, 61))
    assert [entry["prev_hash"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:-1]]


CHANGES = (
    "update audit.entry set content = ''",
    "delete from audit.entry",
    "truncate audit.entry cascade",
    "delete from audit.about",
)


async def test_the_ledger_refuses_changes_even_by_its_owner(house: House) -> None:
    await house.deliver("audit", await house.publish(*Case().whole()))
    for change in CHANGES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await house.db.pool.execute(change)


async def test_no_role_of_the_service_may_change_the_ledger(house: House) -> None:
    for role in ("nuanlian_audit", "nuanlian_audit_system"):
        async with house.db.transaction(role) as conn:
            for change in CHANGES:
                undo = conn.transaction()
                await undo.start()
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                    await conn.execute(change)
                await undo.rollback()


async def test_a_receipt_is_followed_up_once(house: House) -> None:
    case = Case(urgency="critical")
    await house.deliver_twice("audit", *case.whole())
    (due,) = [envelope.event() for envelope in await house.events(ev.FollowUpDue)]
    assert isinstance(due, ev.FollowUpDue)
    assert (due.kind, due.due_at, due.delivery_id, due.area) == (
        "outcome",
        THEN + timedelta(days=6),
        case.delivery,
        TOWN,
    )


async def test_what_is_published_names_the_receipt_as_its_cause(house: House) -> None:
    await house.deliver("audit", await house.publish(*Case().whole()))
    (receipt,), (due,) = await house.events(ev.DeliveryReceived), await house.events(ev.FollowUpDue)
    assert (due.causationid, due.correlationid) == (receipt.id, receipt.correlationid)


async def test_rewiring_is_checked_the_next_day_too(house: House) -> None:
    case = Case(category="HSE-WIRE", quantity=1)
    await house.deliver_twice("audit", case.received())
    due = {envelope.data["kind"]: envelope.data["due_at"] for envelope in await house.events(ev.FollowUpDue)}
    received = THEN + timedelta(days=3)
    assert {kind: datetime.fromisoformat(at) - received for kind, at in due.items()} == {
        "safety": timedelta(days=1),
        "outcome": timedelta(days=30),
    }


async def test_nothing_received_is_not_followed_up(house: House) -> None:
    await house.deliver_twice("audit", Case().received(0, short=2))
    assert await house.events(ev.FollowUpDue) == []


async def test_an_overdue_follow_up_is_published_once(house: House) -> None:
    late, answered, later = Case(), Case(), Case(urgency="low")
    await house.deliver("audit", await house.publish(late.received(), answered.received(), later.received()))
    await house.db.pool.execute(
        "update audit.follow_up set due_at = now() + interval '1 day' where delivery_id = $1", later.delivery
    )
    await house.deliver_twice("audit", answered.answered(follow_up_id(answered.delivery, "outcome")))
    await mark_overdue(house)
    await mark_overdue(house)
    (overdue,) = [envelope.event() for envelope in await house.events(ev.FollowUpOverdue)]
    assert isinstance(overdue, ev.FollowUpOverdue)
    assert overdue.follow_up_id == follow_up_id(late.delivery, "outcome")
    assert overdue.due_at < datetime.now(UTC)


async def test_an_answer_heard_before_its_receipt_counts(house: House) -> None:
    case = Case()
    await house.deliver("audit", await house.publish(case.answered(follow_up_id(case.delivery, "outcome"))))
    await house.deliver("audit", await house.publish(case.received()))
    await mark_overdue(house)
    assert await house.events(ev.FollowUpOverdue) == []


async def test_entries_are_seen_by_area_and_nobody_sees_any_without_a_session(house: House) -> None:
    await house.deliver(
        "audit", await house.publish(Case().visited(), Case(area=OTHER_TOWN).visited(), round_completed())
    )
    async with house.db.transaction("nuanlian_audit") as conn:
        for table in ("entry", "fulfilment", "follow_up", "answer"):
            assert await conn.fetchval(f"select count(*) from audit.{table}") == 0


async def test_the_settled_house_has_recorded_everything(house: House) -> None:
    case = Case()
    await house.publish(*case.whole())
    await house.settle()
    published = await house.db.pool.fetch("select id from bus.event")
    recorded = [entry["event_id"] for entry in await rows(house, "entry", "seq")]
    assert len(recorded) >= 7  # six, and the follow-up that the receipt asked for
    assert {row["id"] for row in published} == set(recorded)
