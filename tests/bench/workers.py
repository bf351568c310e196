"""Rounds over categories that share nothing: two Celery workers against one, over RabbitMQ and one database."""

from __future__ import annotations

import asyncio
from datetime import datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from deploy import sample
from deploy.settling import settled
from services.intake.imports import run_import as import_intake
from services.matcher import rules
from services.matcher.handlers import mark
from services.offers.imports import run_import as import_offers
from shared.access import NOBODY
from shared.pii import Keyring
from tests.bench.running import Place, full

NEEDS, TIMES, BAR = 10_000, 7, 1.7


async def measure() -> list[dict[str, Any]]:
    """Seconds until all categories are planned anew, with one worker and with two."""
    one, two = [await _seconds(workers) for workers in (1, 2)]
    return [
        {
            "name": "workers-2", "value": round(two, 2), "unit": "s", "against": f"one worker {one:.2f} s, {NEEDS} needs",
            "ratio": round(one / two, 2), "bar": BAR, "met": one >= BAR * two,
        }
    ]  # fmt: skip


async def _seconds(workers: int) -> float:
    async with full(workers) as place:
        await _fill(place)
        await _round(place)  # what the import left to do ends, and every process has loaded its engine
        return median([await _round(place) for _ in range(TIMES)])


async def _fill(place: Place) -> None:
    files = sample.files(NEEDS * 3 // 4, 3, datetime.now(ZoneInfo("Asia/Shanghai")).date())
    keyring = Keyring(bytes.fromhex(place.settings.master_key))
    async with place.db.transaction("nuanlian_intake_system") as conn:
        await import_intake(
            conn, "households", files["households"], "h.xlsx", "whole", NOBODY, keyring, everywhere=True
        )
    async with place.db.transaction("nuanlian_intake_system") as conn:
        await import_intake(
            conn, "needs", files["needs"], "n.xlsx", "whole", NOBODY, keyring, True, everywhere=True
        )
    async with place.db.transaction("nuanlian_offers_system") as conn:
        await import_offers(conn, files["offers"], "o.xlsx", "whole", NOBODY, everywhere=True)
    await settled(place.db, 900)


async def _round(place: Place) -> float:
    """Plan everything anew: nothing has changed, so no event follows and only the rounds are timed, by the database's clock: to ask
    often whether they are done would take of what they run on.
    """
    start = await place.db.pool.fetchval("select clock_timestamp()")
    async with place.db.transaction("nuanlian_matcher_system") as conn:
        await mark(conn, *rules.catalogue())
    while await place.db.pool.fetchval(
        "select exists (select from bus.job where kind = 'matcher.round' and state in ('queued', 'running'))"
    ):
        await asyncio.sleep(0.2)
    end = await place.db.pool.fetchval("select max(finished_at) from bus.job where kind = 'matcher.round'")
    return float((end - start).total_seconds())
