"""A matcher for tests: facts delivered to it alone, and its round run at once."""

from __future__ import annotations

from typing import Any

from services.matcher.app import SERVICE
from shared import jobs
from shared.events import Event
from tests.house import House


async def tell(house: House, *events: Event) -> None:
    """Publish events and deliver them to the matcher alone."""
    await house.deliver("matcher", await house.publish(*events))


async def run(house: House) -> int:
    """Run the matcher's jobs that wait, and those that they leave; returns how many there were."""
    count = 0
    while ready := await jobs.due(house.db, list(SERVICE.jobs)):
        await jobs.local_jobs(house.db, [SERVICE])(ready)
        count += len(ready)
    failed = await house.db.pool.fetch("select kind, error from bus.job where error is not null")
    assert not failed, [dict(row) for row in failed]
    return count


async def plan(house: House, *events: Event) -> dict[tuple[str, str], int]:
    """Tell the matcher, run its round, and return what waits for a decision: (need, offer) -> quantity."""
    await tell(house, *events)
    await run(house)
    return await pending(house)


async def pending(house: House) -> dict[tuple[str, str], int]:
    found = await rows(
        house, "select need_id, offer_id, quantity from matcher.proposal where status = 'pending' order by id"
    )
    return {(str(row["need_id"]), str(row["offer_id"])): row["quantity"] for row in found}


async def rows(house: House, statement: str, *args: Any) -> list[dict[str, Any]]:
    """Rows as the system sees them."""
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        return [dict(row) for row in await conn.fetch(statement, *args)]
