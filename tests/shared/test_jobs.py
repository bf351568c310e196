"""Jobs: one that waits is enough, one worker at a time, a stale worker writes nothing."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import APIRouter

from shared import jobs
from shared.bus import SQL, SYSTEM
from shared.db import Connection, Database
from shared.service import Job, JobHandler, Service


async def leave(db: Database, delay: float = 0.0) -> None:
    async with db.transaction(SYSTEM) as conn:
        await jobs.enqueue(conn, "matcher.round", "round", delay=delay)


def doing(handler: JobHandler) -> dict[str, Service]:
    return {"matcher.round": Service("delivery", Path(), APIRouter(), jobs={"matcher.round": handler})}


async def states(db: Database) -> list[str]:
    return [row["state"] for row in await db.pool.fetch("select state from bus.job order by created_at")]


async def test_jobs_of_one_key_that_wait_are_one_job(db: Database) -> None:
    await leave(db)
    await leave(db)
    assert await states(db) == ["queued"]


async def test_a_job_left_while_one_runs_waits_for_its_own_turn(db: Database) -> None:
    async def handler(conn: Connection, job: Job) -> None:
        await leave(db)

    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    await jobs.run_job(db, doing(handler), job_id)
    assert await states(db) == ["done", "queued"]


async def test_a_delayed_job_is_not_due_yet(db: Database) -> None:
    await leave(db, delay=60)
    assert await jobs.due(db, ["matcher.round"]) == []


async def test_a_job_sent_twice_runs_once(db: Database) -> None:
    ran: list[UUID] = []

    async def handler(conn: Connection, job: Job) -> None:
        ran.append(job.id)

    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    await jobs.run_job(db, doing(handler), job_id)
    await jobs.run_job(db, doing(handler), job_id)
    assert ran == [job_id]


async def test_a_worker_that_lost_its_lease_keeps_nothing(db: Database) -> None:
    async def slow(conn: Connection, job: Job) -> None:
        await SQL.add_job(conn, id=UUID(int=1), kind="matcher.effect", key="", payload={}, delay=0)
        async with db.transaction(SYSTEM) as other:  # another worker takes the job over meanwhile
            await other.execute("update bus.job set fence = fence + 1 where id = $1", job.id)

    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    await jobs.run_job(db, doing(slow), job_id)
    assert await db.pool.fetchval("select count(*) from bus.job where kind = 'matcher.effect'") == 0
    assert await states(db) == ["running"]


async def test_work_that_is_called_off_keeps_nothing_and_is_not_tried_again(db: Database) -> None:
    async def stopped(conn: Connection, job: Job) -> None:
        await SQL.add_job(conn, id=UUID(int=1), kind="matcher.effect", key="", payload={}, delay=0)
        async with job.beside() as other:  # what is written beside the work stays
            assert await other.fetchval("select current_user") == "nuanlian_delivery_system"
            await SQL.add_job(other, id=UUID(int=2), kind="matcher.trace", key="", payload={}, delay=60)
        raise jobs.CalledOff

    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    await jobs.run_job(db, doing(stopped), job_id)
    rows = await db.pool.fetch("select kind, state, error from bus.job order by kind")
    assert [tuple(row) for row in rows] == [
        ("matcher.round", "done", None),
        ("matcher.trace", "queued", None),
    ]


async def test_a_job_that_fails_is_tried_again_and_at_last_kept_as_failed(db: Database) -> None:
    async def broken(conn: Connection, job: Job) -> None:
        raise RuntimeError

    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    for _ in range(jobs.TRIES):
        await db.pool.execute(
            "update bus.job set lease_until = now() - interval '1 second' where lease_until is not null"
        )
        await jobs.run_job(db, doing(broken), job_id)
    row = await db.pool.fetchrow("select state, error, attempts from bus.job")
    assert tuple(row or ()) == ("failed", "RuntimeError", jobs.TRIES)


async def test_a_dead_workers_job_comes_back_when_its_lease_ends(db: Database) -> None:
    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    async with db.transaction(SYSTEM) as conn:
        await SQL.lease_job(conn, id=job_id, seconds=1)
    assert await jobs.due(db, ["matcher.round"]) == []
    await db.pool.execute(
        "update bus.job set lease_until = now() - interval '1 second', sent_at = now() - interval '2 seconds'"
    )
    assert await jobs.due(db, ["matcher.round"]) == [job_id]


async def test_a_job_does_not_start_before_those_who_left_it_have_committed(db: Database) -> None:
    async def nothing(conn: Connection, job: Job) -> None:
        """Only its start matters."""

    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    async with db.transaction(SYSTEM) as conn:
        await jobs.enqueue(conn, "matcher.round", "round")
        running = asyncio.create_task(jobs.run_job(db, doing(nothing), job_id))
        done, _ = await asyncio.wait([running], timeout=0.2)
        assert not done
    await running
    assert await states(db) == ["done"]


async def test_a_message_that_was_lost_twice_costs_time_but_no_job(db: Database) -> None:
    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    async with db.transaction(SYSTEM) as conn:
        await SQL.lease_job(conn, id=job_id, seconds=1)
    for ago in ("2 minutes", "1 minute"):  # the lease ran out long before the last message was sent
        await db.pool.execute(
            f"update bus.job set lease_until = now() - interval '3 minutes', sent_at = now() - interval '{ago}'"
        )
        assert await jobs.due(db, ["matcher.round"]) == [job_id]


async def test_long_work_keeps_its_lease(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 0.3)
    leases: list[bool] = []

    async def slow(conn: Connection, job: Job) -> None:
        for _ in range(4):
            await asyncio.sleep(0.25)
            leases.append(
                await db.pool.fetchval("select lease_until > now() from bus.job where id = $1", job.id)
            )

    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    await jobs.run_job(db, doing(slow), job_id)
    assert leases == [True] * 4
    assert await states(db) == ["done"]


async def test_a_killed_process_holds_up_no_job_of_the_next_one(db: Database) -> None:
    await leave(db)
    [job_id] = await jobs.due(db, ["matcher.round"])
    async with db.transaction(SYSTEM) as conn:
        await SQL.lease_job(conn, id=job_id, seconds=100)
    assert await jobs.due(db, ["matcher.round"]) == []
    await jobs.end_leases(db, ["matcher.round"])
    assert await jobs.due(db, ["matcher.round"]) == [job_id]
