"""Work left for later. The row in Postgres is the truth: its lease runs by the database's clock, its fence refuses a stale worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from shared.access import SQL as ANSWERS
from shared.bus import SQL, SYSTEM, Cause, cause, new_id
from shared.db import Connection, Database, Listener, pause, want_wake
from shared.errors import Unavailable
from shared.service import Job, Service

LEASE_SECONDS = 15
TRIES = 6
PRUNE_SECONDS = 3600
SendJobs = Callable[[Sequence[UUID]], Awaitable[None]]
log = structlog.get_logger()


class LeaseLost(Exception):
    """Another worker took the job over while this one was slow: nothing of this run is kept."""


class CalledOff(Exception):
    """Somebody called the work off: nothing of it is kept, and it is not tried again."""


async def enqueue(
    conn: Connection, kind: str, key: str = "", payload: dict[str, Any] | None = None, delay: float = 0.0
) -> None:
    """Leave a job in the transaction `conn` is in, to start `delay` seconds later; one that waits already with this kind and key is enough."""
    await SQL.add_job(conn, id=new_id(), kind=kind, key=key, payload=payload or {}, delay=delay)
    want_wake()


def kinds(services: Sequence[Service]) -> dict[str, Service]:
    """Which service does which kind of job."""
    return {kind: service for service in services for kind in service.jobs}


async def run_job(db: Database, by_kind: Mapping[str, Service], job_id: UUID) -> None:
    """Run one job if nobody else holds it: its effects and its end are one transaction, refused when the lease was lost."""
    async with db.transaction(SYSTEM) as conn:
        row = await SQL.lease_job(conn, id=job_id, seconds=LEASE_SECONDS)
    if row is None:
        return
    service = by_kind[row["kind"]]
    beside = partial(db.transaction, service.system_role)
    job = Job(row["id"], row["kind"], row["key"], row["payload"], row["fence"], row["attempts"], beside)
    mark = cause.set(Cause(service.name, new_id()))
    keeping = asyncio.create_task(_keep(db, job))
    try:
        await _work(db, service, job)
    except Unavailable:
        raise
    except Exception as error:
        log.error("job.failed", kind=job.kind, job=str(job.id), exc_info=error)
        async with db.transaction(SYSTEM) as conn:
            await SQL.fail_job(conn, id=job.id, fence=job.fence, error=type(error).__name__, most=TRIES)
    finally:
        keeping.cancel()
        cause.reset(mark)


async def _work(db: Database, service: Service, job: Job) -> None:
    try:
        async with db.transaction(service.system_role) as conn:
            await service.jobs[job.kind](conn, job)
            if not await SQL.finish_job(conn, id=job.id, fence=job.fence):
                raise LeaseLost(job.kind)
    except CalledOff:
        log.info("job.called_off", kind=job.kind, job=str(job.id))
        async with db.transaction(SYSTEM) as conn:
            await SQL.finish_job(conn, id=job.id, fence=job.fence)


async def _keep(db: Database, job: Job) -> None:
    """Renew the lease of a job under way, so that long work keeps it and a dead worker's comes back within seconds."""
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        with suppress(Unavailable):
            async with db.transaction(SYSTEM) as conn:
                await SQL.renew_lease(conn, id=job.id, fence=job.fence, seconds=LEASE_SECONDS)


async def end_leases(db: Database, names: Sequence[str]) -> None:
    """Free what an earlier process of the embedded mode held when it was killed: there is no other worker."""
    async with db.transaction(SYSTEM) as conn:
        await SQL.end_leases(conn, kinds=list(names))


async def due(db: Database, names: Sequence[str], most: int = 20) -> list[UUID]:
    """Jobs that are ready and not on their way to a worker yet."""
    async with db.transaction(SYSTEM) as conn:
        return [row["id"] for row in await SQL.due_jobs(conn, kinds=list(names), most=most)]


async def prune(db: Database) -> None:
    """Forget finished jobs and the answers of keys after a week. Events and deliveries stay: they can be replayed."""
    async with db.transaction(SYSTEM) as conn:
        await SQL.prune(conn)
        await ANSWERS.prune_answers(conn)


async def relay_jobs(
    db: Database, listener: Listener, names: Sequence[str], send: SendJobs, sweep: float = 1.0
) -> None:
    """Send ready jobs to whoever runs them, for ever: at every wake-up and every `sweep` seconds."""
    woken, pruned = listener.subscribe(), 0.0
    while True:
        try:
            if time.monotonic() - pruned > PRUNE_SECONDS:
                await prune(db)
                pruned = time.monotonic()
            ready = await due(db, names)
            if ready:
                await send(ready)
                continue
        except Unavailable:
            await asyncio.sleep(0.5)
        except Exception:
            log.exception("jobs.send_failed")
            await asyncio.sleep(0.5)
        await pause(woken, sweep)


def local_jobs(db: Database, services: Sequence[Service]) -> SendJobs:
    """Run jobs inside the process: what the embedded mode puts in Celery's place."""
    by_kind = kinds(services)

    async def send(ids: Sequence[UUID]) -> None:
        for job_id in ids:
            await run_job(db, by_kind, job_id)

    return send


async def tick(db: Database, kind: str) -> None:
    """Leave a timer's job."""
    async with db.transaction(SYSTEM) as conn:
        await enqueue(conn, kind, "timer")


async def local_timers(db: Database, services: Sequence[Service]) -> None:
    """Leave every timer's job at its interval: what the embedded mode puts in beat's place."""

    async def repeat(kind: str, seconds: float) -> None:
        while True:
            try:
                await tick(db, kind)
            except Unavailable:
                log.warning("timer.database_away", kind=kind)
            await asyncio.sleep(seconds)

    async with asyncio.TaskGroup() as group:
        for service in services:
            for kind, seconds in service.timers.items():
                group.create_task(repeat(kind, seconds))
