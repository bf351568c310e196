"""Events on their way: published in the producer's transaction, delivered once to every service that subscribed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import structlog
from uuid6 import uuid7

from shared.db import Connection, Database, Listener, pause, queries, want_wake
from shared.errors import Unavailable
from shared.events import Envelope, Event

SQL = queries(Path(__file__).parent, "bus.sql")
SYSTEM = "nuanlian_engine"
FAILURES_ALLOWED = 8
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cause:
    """What the code under way answers to: a request or an event. Everything it publishes carries the same correlation."""

    source: str
    correlation_id: UUID
    causation_id: UUID | None = None


cause: ContextVar[Cause] = ContextVar("cause")


def new_id() -> UUID:
    """A time-ordered id (RFC 9562 version 7)."""
    return UUID(int=uuid7().int)


async def publish(conn: Connection, *events: Event) -> None:
    """Store `events` with a delivery row for each subscriber, in the transaction that `conn` is in; wakes the relay after its commit."""
    if not events:
        return
    because = cause.get(Cause("nuanlian", new_id()))
    rows = [
        {
            "n": n,
            "id": str(new_id()),
            "source": f"/nuanlian/{because.source}",
            "type": event.TYPE,
            "subject": event.subject,
            "correlation_id": str(because.correlation_id),
            "causation_id": str(because.causation_id) if because.causation_id else None,
            "version": event.version,
            "data": event.model_dump(mode="json"),
        }
        for n, event in enumerate(events)
    ]
    await SQL.publish(conn, events=rows)
    want_wake()


def envelope(row: asyncpg.Record) -> Envelope:
    """A stored event as the CloudEvent it is."""
    return Envelope(
        id=row["id"],
        source=row["source"],
        type=row["type"],
        time=row["time"],
        subject=row["subject"],
        correlationid=row["correlation_id"],
        causationid=row["causation_id"],
        aggregateversion=row["version"],
        data=row["data"],
    )


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that the relay has taken for sending."""

    consumer: str
    event_id: UUID


Send = Callable[[Sequence[Claimed]], Awaitable[None]]


async def claim(db: Database, consumers: Sequence[str], most: int = 200) -> list[Claimed]:
    """Take up to `most` waiting deliveries; each comes back by itself later unless its consumer marks it done."""
    async with db.transaction(SYSTEM) as conn:
        rows = await SQL.claim(conn, consumers=list(consumers), most=most)
    return [Claimed(row["consumer"], row["event_id"]) for row in sorted(rows, key=lambda row: row["seq"])]


async def relay(
    db: Database, listener: Listener, consumers: Sequence[str], send: Send, sweep: float = 1.0
) -> None:
    """Send what waits for `consumers`, for ever: at every wake-up, and every `sweep` seconds in case one was lost."""
    woken, unsure = listener.subscribe(), True
    while True:
        try:
            if (
                unsure
            ):  # what an earlier process, or a send that failed, had in its hands is sent again at once
                await wake_all(db, consumers)
                unsure = False
            batch = await claim(db, consumers)
            if batch:
                unsure = True
                await send(batch)
                unsure = False
                continue
        except Unavailable:
            await asyncio.sleep(0.5)
        except Exception:
            log.exception("relay.send_failed", consumers=list(consumers))
            await asyncio.sleep(0.5)
        await pause(woken, sweep)


async def wake_all(db: Database, consumers: Sequence[str]) -> None:
    """Make everything undone due at once."""
    async with db.transaction(SYSTEM) as conn:
        await SQL.wake_all(conn, consumers=list(consumers))


async def note_failure(db: Database, consumer: str, event_id: UUID, error: BaseException) -> None:
    """Count a failed delivery; the last allowed failure quarantines it. Only the error's kind is kept: its text may hold data."""
    async with db.transaction(SYSTEM) as conn:
        quarantined = await SQL.note_failure(
            conn, consumer=consumer, event_id=event_id, error=type(error).__name__, most=FAILURES_ALLOWED
        )
    report = log.error if quarantined else log.warning
    report(
        "delivery.quarantined" if quarantined else "delivery.failed",
        consumer=consumer,
        event_id=str(event_id),
        exc_info=error,
    )
