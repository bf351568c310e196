"""Waiting until nothing is under way: no event undelivered, no job due."""

from __future__ import annotations

import asyncio
import time

from deploy.errors import SetupError
from shared.db import Database

QUIET = """select not exists (select from bus.delivery where done_at is null and quarantined_at is null)
    and not exists (select from bus.job where state in ('queued', 'running') and run_after <= now() + interval '1 second')"""
LEFT = """select string_agg(distinct coalesce(d.error, d.consumer), ', ') from bus.delivery d where d.done_at is null"""


async def settled(db: Database, seconds: float = 120.0) -> None:
    """Return once all events are delivered and all jobs done. Raises `SetupError` that names what is left after `seconds`."""
    until = time.monotonic() + seconds
    while not await db.pool.fetchval(QUIET):
        if time.monotonic() > until:
            left = await db.pool.fetchval(LEFT)
            raise SetupError(
                "等了 {seconds} 秒，还有事件没有处理完：{left}。请查看上面的记录。",
                seconds=int(seconds),
                left=left,
            )
        await asyncio.sleep(0.05)
