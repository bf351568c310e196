"""How quickly a workbook of needs becomes committed needs, and how much memory the whole embedded mode holds."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psutil

from deploy import sample
from deploy.settling import settled
from services.intake.imports import run_import as import_intake
from services.offers.imports import run_import as import_offers
from shared.access import NOBODY
from shared.pii import Keyring
from tests.bench.running import Place, embedded, with_sample

NEEDS = 10_000


async def measure_import() -> list[dict[str, Any]]:
    """Needs a second, file read and checked, events and all committed in one transaction; then until every event is delivered."""
    day = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    files = sample.files(NEEDS * 3 // 4, 3, day)
    async with embedded() as place:
        keyring = Keyring(bytes.fromhex(place.settings.master_key))
        async with place.db.transaction("nuanlian_intake_system") as conn:
            await import_intake(
                conn, "households", files["households"], "h.xlsx", "whole", NOBODY, keyring, everywhere=True
            )
        await settled(place.db, 600)
        start = time.monotonic()
        async with place.db.transaction("nuanlian_intake_system") as conn:
            report = await import_intake(
                conn, "needs", files["needs"], "n.xlsx", "whole", NOBODY, keyring, True, everywhere=True
            )
        took = time.monotonic() - start
        await settled(place.db, 600)
        delivered = time.monotonic() - start
        async with place.db.transaction("nuanlian_offers_system") as conn:
            await import_offers(conn, files["offers"], "o.xlsx", "whole", NOBODY, everywhere=True)
        start = time.monotonic()
        await settled(place.db, 600)
        matched = time.monotonic() - start
        proposals = await place.db.pool.fetchval(
            "select count(*) from coordination.proposal where status = 'pending'"
        )
        await asyncio.sleep(2)
        memory = megabytes(place)
    return [
        {
            "name": "import-needs",
            "value": round(report.written / took),
            "unit": "needs/s",
            "needs": report.written,
        },
        {"name": "import-needs-delivered", "value": round(report.written / delivered), "unit": "needs/s"},
        {"name": "first-round-10k", "value": round(matched, 1), "unit": "s", "proposals": proposals},
        {"name": "memory-10k", **memory},
    ]


async def measure_memory() -> list[dict[str, Any]]:
    """Resident memory of the embedded mode with the sample."""
    async with embedded() as place:
        await with_sample(place)
        await asyncio.sleep(2)
        return [{"name": "memory-sample", **megabytes(place)}]


def megabytes(place: Place) -> dict[str, Any]:
    """Proportional set size of this process and of its PostgreSQL: shared pages count once."""
    server = [
        p
        for p in psutil.process_iter(["cmdline"])
        if str(place.settings.data) in " ".join(p.info["cmdline"] or [])
    ]
    postgres = sum(_pss(child) for parent in server for child in (parent, *parent.children(recursive=True)))
    own = _pss(psutil.Process(os.getpid()))
    return {"value": round(own + postgres), "unit": "MB", "python": round(own), "postgres": round(postgres)}


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:
        return 0.0
