"""Events on their way: exactly once for every subscriber, whatever fails."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import APIRouter

from shared import bus
from shared.bus import new_id
from shared.db import Connection, Database
from shared.errors import Unavailable
from shared.events import Envelope, NeedWithdrawn
from shared.service import EventHandler, Service, deliver


def withdrawn() -> NeedWithdrawn:
    return NeedWithdrawn(need_id=new_id(), area="445381100000", reason="solved")


async def publish(db: Database, *events: NeedWithdrawn) -> None:
    async with db.transaction("nuanlian_service") as conn:
        await bus.publish(conn, *events)


@pytest.fixture
async def only_matcher(db: Database) -> None:
    """One subscriber, so that a test sees its own deliveries alone."""
    await subscribe(db, "delivery", NeedWithdrawn.TYPE)


async def subscribe(db: Database, consumer: str, kind: str) -> None:
    await db.pool.execute("delete from bus.subscription")
    await db.pool.execute("insert into bus.subscription values ($1, $2)", kind, consumer)


def service(handler: EventHandler) -> Service:
    return Service("delivery", Path(), APIRouter(), on={NeedWithdrawn: handler})


async def test_a_publisher_that_fails_leaves_no_event(db: Database) -> None:
    async def fails() -> None:
        async with db.transaction("nuanlian_service") as conn:
            await bus.publish(conn, withdrawn())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert await db.pool.fetchval("select count(*) from bus.event") == 0


async def test_events_keep_their_order_and_carry_one_correlation(db: Database, only_matcher: None) -> None:
    events = [withdrawn() for _ in range(5)]
    mark = bus.cause.set(bus.Cause("intake", new_id()))
    await publish(db, *events)
    bus.cause.reset(mark)
    rows = await db.pool.fetch("select * from bus.event order by seq")
    assert [row["subject"] for row in rows] == [event.subject for event in events]
    assert len({row["correlation_id"] for row in rows}) == 1
    assert bus.envelope(rows[0]).event() == events[0]


async def test_a_delivery_is_done_once_however_often_it_is_sent(db: Database, only_matcher: None) -> None:
    seen: list[NeedWithdrawn] = []

    async def handler(conn: Connection, event: NeedWithdrawn) -> None:
        seen.append(event)

    await publish(db, withdrawn(), withdrawn())
    ids = [claimed.event_id for claimed in await bus.claim(db, ["delivery"])]
    await deliver(db, service(handler), ids)
    await deliver(db, service(handler), list(reversed(ids)))
    assert len(seen) == 2


async def test_one_poisonous_event_holds_up_no_other_and_is_quarantined(
    db: Database, only_matcher: None
) -> None:
    bad, good = withdrawn(), withdrawn()
    seen: list[NeedWithdrawn] = []

    async def handler(conn: Connection, event: NeedWithdrawn) -> None:
        if event == bad:
            raise ValueError("poison")
        seen.append(event)

    await publish(db, bad, good)
    ids = [claimed.event_id for claimed in await bus.claim(db, ["delivery"])]
    for _ in range(bus.FAILURES_ALLOWED):
        await deliver(db, service(handler), ids)
    assert seen == [good]
    rows = await db.pool.fetch("select error, quarantined_at from bus.delivery where done_at is null")
    assert [(row["error"], row["quarantined_at"] is not None) for row in rows] == [("ValueError", True)]


async def test_a_quarantined_delivery_can_be_replayed(db: Database, only_matcher: None) -> None:
    await publish(db, withdrawn())
    await db.pool.execute("update bus.delivery set quarantined_at = now(), failures = 8")
    assert await bus.claim(db, ["delivery"]) == []
    async with db.transaction(bus.SYSTEM) as conn:
        assert len(await bus.SQL.replay(conn, consumer="delivery")) == 1
    assert len(await bus.claim(db, ["delivery"])) == 1


async def test_what_a_dead_relay_held_comes_back(db: Database, only_matcher: None) -> None:
    await publish(db, withdrawn())
    assert len(await bus.claim(db, ["delivery"])) == 1
    assert await bus.claim(db, ["delivery"]) == []
    await bus.wake_all(db, ["delivery"])
    assert len(await bus.claim(db, ["delivery"])) == 1


async def test_the_ledger_gets_every_event_in_one_batch(db: Database) -> None:
    batches: list[Sequence[Envelope]] = []

    async def append(conn: Connection, envelopes: Sequence[Envelope]) -> None:
        batches.append(envelopes)

    await subscribe(db, "audit", "*")
    await publish(db, *[withdrawn() for _ in range(3)])
    ids: list[UUID] = [claimed.event_id for claimed in await bus.claim(db, ["audit"])]
    await deliver(db, Service("audit", Path(), APIRouter(), on_every=append), ids)
    assert [len(batch) for batch in batches] == [3]


async def test_a_database_that_is_away_is_unavailable_and_marks_nothing(
    db: Database, only_matcher: None
) -> None:
    await publish(db, withdrawn())
    ids = [claimed.event_id for claimed in await bus.claim(db, ["delivery"])]

    async def handler(conn: Connection, event: NeedWithdrawn) -> None:
        raise ConnectionResetError

    with pytest.raises(Unavailable):
        await deliver(db, service(handler), ids)
    assert await db.pool.fetchval("select failures from bus.delivery where done_at is null") == 0
