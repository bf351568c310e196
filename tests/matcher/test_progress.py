"""Rounds that take long: others see how far they are, and may stop them; what is stopped or dies leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from matching.model import Plan
from matching.propose import propose
from services.matcher import progress, rounds
from services.matcher.app import SERVICE
from shared import jobs
from shared.access import Role
from shared.bus import SQL as BUS
from shared.bus import SYSTEM, new_id
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import pending, plan, rows, run, tell

ROUNDS = "/api/matcher/v1/rounds"


class Slow:
    """The engine, taking its time: it reports, again and again, until it may go on."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self.stage: tuple[str, float] = ("candidates", 0.25)
        self.ended: BaseException | None = None

    def __call__(self, *args: Any, report: Callable[[str, float], None], **more: Any) -> Plan:
        try:
            while not self.go.wait(0.01):
                report(*self.stage)
                self.begun.set()
            return propose(*args, report=report, **more)
        except BaseException as error:
            self.ended = error
            raise


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    made = Slow()
    monkeypatch.setattr(rounds, "propose", made)
    monkeypatch.setattr(progress, "TICK", 0.05)
    monkeypatch.setattr(progress, "SHOWN_AFTER", 0.2)
    yield made
    made.go.set()


@asynccontextmanager
async def under_way(house: House, slow: Slow) -> AsyncIterator[asyncio.Task[int]]:
    """The jobs that wait, being run; entered once the engine plans."""
    task = asyncio.create_task(run(house))
    try:
        await asyncio.to_thread(slow.begun.wait, 20)
        yield task
    finally:
        slow.go.set()
        await task


async def asked(client: httpx.AsyncClient, **body: Any) -> str:
    answer = await client.post(ROUNDS, json=body, headers={"idempotency-key": str(new_id())})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["round_id"])


async def state_of(client: httpx.AsyncClient, round_id: str) -> str:
    return str((await client.get(f"{ROUNDS}/{round_id}")).json()["state"])


async def cancel(client: httpx.AsyncClient, round_id: str) -> tuple[int, str]:
    answer = await client.post(f"{ROUNDS}/{round_id}/cancel")
    return answer.status_code, answer.json().get("state", "")


async def seen(client: httpx.AsyncClient, stage: str) -> dict[str, Any]:
    """The one round under way, as soon as it is at this stage."""
    for _ in range(200):
        found = (await client.get(f"{ROUNDS}/running")).json()["items"]
        if [one for one in found if one["stage"] == stage]:
            return dict(found[0])
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_a_round_tells_others_how_far_it_is(house: House, slow: Slow) -> None:
    await tell(house, facts.need(), facts.offer())
    client = await house.person("coordinator", facts.COUNTY)
    await house.db.pool.execute("delete from bus.job")
    round_id = await asked(client)
    assert await state_of(client, round_id) == "queued"
    async with under_way(house, slow):
        found = await seen(client, "candidates")
        assert (found["round_id"], found["asked"], found["value"]) == (round_id, True, 0.25)
        assert found["said"] == "正在寻找可行配对"
        slow.stage = ("bids", 512.0)
        assert (await seen(client, "bids"))["value"] is None
        shown = (await client.get(f"{ROUNDS}/{round_id}")).json()
        assert (shown["state"], shown["progress"]["stage"]) == ("running", "bids")
        (listed,) = (await client.get(ROUNDS)).json()["items"]
        assert listed["progress"]["stage"] == "bids"
    shown = (await client.get(f"{ROUNDS}/{round_id}")).json()
    assert (shown["state"], shown["progress"], shown["made"]) == ("done", None, 1)
    assert (await client.get(f"{ROUNDS}/running")).json() == {"items": []}
    assert await rows(house, "select round_id from matcher.running") == []


async def test_what_is_cancelled_in_the_queue_never_begins(house: House, slow: Slow) -> None:
    await tell(house, facts.need(), facts.offer())
    await house.db.pool.execute("delete from bus.job")
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await asked(client)
    assert await cancel(client, round_id) == (200, "cancelled")
    assert await cancel(client, round_id) == (200, "cancelled")
    assert await run(house) == 1
    assert not slow.begun.is_set()
    assert (await state_of(client, round_id), await pending(house)) == ("cancelled", {})
    (row,) = await rows(house, "select cancelled_by from matcher.round")
    assert row["cancelled_by"] == facts.person_of(client)


async def test_what_is_cancelled_under_way_stops_and_leaves_the_marks(house: House, slow: Slow) -> None:
    await tell(house, facts.need(), facts.offer())
    await house.db.pool.execute("delete from bus.job")
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await asked(client)
    async with under_way(house, slow) as running:
        await seen(client, "candidates")
        assert await cancel(client, round_id) == (200, "stopping")
        await asyncio.wait_for(asyncio.shield(running), 10)
        assert isinstance(slow.ended, progress.Cancelled)
    assert (await state_of(client, round_id), await pending(house)) == ("cancelled", {})
    assert await rows(house, "select category from matcher.dirty group by 1") == [{"category": "APP-FAN"}]
    assert await rows(house, "select round_id from matcher.running") == []
    (row,) = await rows(house, "select cancelled_by from matcher.round")
    assert row["cancelled_by"] == facts.person_of(client)
    again = await asked(client)
    await run(house)
    assert (await state_of(client, again), len(await pending(house))) == ("done", 1)


async def test_a_round_that_nobody_asked_for_is_shown_when_it_takes_long(house: House, slow: Slow) -> None:
    await tell(house, facts.need(), facts.offer())
    client = await house.person("coordinator", facts.COUNTY)
    async with under_way(house, slow) as running:
        assert (await client.get(f"{ROUNDS}/running")).json() == {"items": []}
        found = await seen(client, "candidates")
        assert (found["asked"], found["stopping"]) == (False, False)
        assert await cancel(client, found["round_id"]) == (200, "stopping")
        await asyncio.wait_for(asyncio.shield(running), 10)
    assert await pending(house) == {}
    assert await rows(house, "select id from matcher.round") == []
    assert await rows(house, "select round_id from matcher.running") == []
    assert (await cancel(client, found["round_id"]))[0] == 404
    await jobs.tick(house.db, "matcher.sweep")
    await run(house)
    await run(house)
    assert len(await pending(house)) == 1


async def test_short_rounds_write_nothing_on_the_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    async def tell_(self: progress.Progress) -> None:
        told.append(self)

    monkeypatch.setattr(progress.Progress, "_tell", tell_)
    assert len(await plan(house, facts.need(), facts.offer())) == 1
    assert told == []


async def test_only_who_may_ask_for_a_round_may_cancel_one(house: House) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await asked(client)
    others: tuple[tuple[Role, str], ...] = (
        ("coordinator", facts.LUOJING),
        ("worker", facts.COUNTY),
        ("auditor", facts.COUNTY),
    )
    for role, area in others:
        other = await house.person(role, area)
        assert (await cancel(other, round_id))[0] == 403
    assert (await cancel(client, str(new_id())))[0] == 404
    await run(house)
    assert (await cancel(client, round_id))[0] == 409
    assert await state_of(client, round_id) == "done"


async def _killed(house: House, client: httpx.AsyncClient) -> str:
    """A round whose worker was killed while it planned."""
    round_id = await asked(client)
    [job_id] = await jobs.due(house.db, ["matcher.round"])
    async with house.db.transaction(SYSTEM) as conn:
        leased = await BUS.lease_job(conn, id=job_id, seconds=0)
    async with house.db.transaction(SERVICE.system_role) as conn:
        await progress.SQL.start_round(conn, round_id=UUID(round_id))
        await progress.SQL.tell(
            conn, round_id=UUID(round_id), fence=leased["fence"], stage="bids", value=None
        )
        await conn.execute("update matcher.running set seen_at = now() - interval '2 minutes'")
    await house.db.pool.execute("update bus.job set sent_at = null")
    return round_id


async def test_a_round_whose_worker_died_is_run_again(house: House) -> None:
    await tell(house, facts.need(), facts.offer())
    await house.db.pool.execute("delete from bus.job")
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await _killed(house, client)
    shown = (await client.get(f"{ROUNDS}/{round_id}")).json()
    assert (shown["state"], shown["progress"]) == ("running", None)
    assert "自动重新开始" in (await client.get(f"/matcher/rounds/{round_id}")).text
    await run(house)
    assert (await state_of(client, round_id), len(await pending(house))) == ("done", 1)
    assert await rows(house, "select round_id from matcher.running") == []


async def test_a_dead_workers_round_can_be_cancelled_before_it_begins_again(house: House, slow: Slow) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await _killed(house, client)
    assert await cancel(client, round_id) == (200, "cancelled")
    await run(house)
    assert (await state_of(client, round_id), slow.begun.is_set()) == ("cancelled", False)


async def test_the_sweep_forgets_lost_progress_and_keeps_a_wish_to_stop(house: House, slow: Slow) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await _killed(house, client)
    await house.db.pool.execute("update matcher.running set cancelled_by = $1", facts.person_of(client))
    await house.db.pool.execute("update bus.job set lease_until = now() + interval '1 hour'")
    await jobs.tick(house.db, "matcher.sweep")
    await run(house)
    assert await rows(house, "select round_id from matcher.running") == []
    assert await state_of(client, round_id) == "cancelled"


async def test_a_worker_that_was_replaced_stops_at_its_next_report(house: House, slow: Slow) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await asked(client)
    async with under_way(house, slow) as running:
        await seen(client, "candidates")
        await house.db.pool.execute("update bus.job set fence = fence + 1 where state = 'running'")
        await house.db.pool.execute("update matcher.running set fence = fence + 1")
        await asyncio.wait_for(asyncio.shield(running), 10)
        assert isinstance(slow.ended, jobs.LeaseLost)
    assert await state_of(client, round_id) == "running"
    assert len(await rows(house, "select round_id from matcher.running")) == 1


async def test_a_round_that_keeps_failing_is_shown_as_failed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Plan:
        raise RuntimeError

    monkeypatch.setattr(rounds, "propose", broken)
    client = await house.person("coordinator", facts.COUNTY)
    round_id = await asked(client)
    [job_id] = await jobs.due(house.db, ["matcher.round"])
    states = []
    for _ in range(jobs.TRIES):
        await house.db.pool.execute("update bus.job set lease_until = now() - interval '1 second'")
        await jobs.local_jobs(house.db, [SERVICE])([job_id])
        states.append(await state_of(client, round_id))
    assert states == ["queued"] * (jobs.TRIES - 1) + ["failed"]
    assert "没有完成" in (await client.get(f"/matcher/rounds/{round_id}")).text


async def test_pages_show_the_progress_and_a_button_to_cancel(house: House, slow: Slow) -> None:
    client, auditor = (
        await house.person("coordinator", facts.COUNTY),
        await house.person("auditor", facts.COUNTY),
    )
    round_id = await asked(client)
    one, button = f"/matcher/rounds/{round_id}", f'action="/matcher/rounds/{round_id}/cancel"'
    assert button in (await client.get(one)).text
    async with under_way(house, slow) as running:
        await seen(client, "candidates")
        for page in ("/matcher/", "/matcher/running", one):
            chinese = (await client.get(page)).text
            english = (await client.get(page, headers={"accept-language": "en"})).text
            assert "正在寻找可行配对 25%" in chinese and "Looking for possible pairs 25%" in english
            assert (button in chinese, button in (await auditor.get(page)).text) == (True, False)
        still = await client.get(f"{one}/progress")
        assert ("25%" in still.text, still.headers.get("hx-refresh")) == (True, None)
        assert (await client.post(f"{one}/cancel")).headers["location"] == "/matcher/"
        await asyncio.wait_for(asyncio.shield(running), 10)
    assert (await client.get(f"{one}/progress")).headers["hx-refresh"] == "true"
    assert "已取消" in (await client.get(one)).text
    assert (await client.post(f"{one}/cancel")).status_code == 303
