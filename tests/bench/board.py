"""From the POST of a visit to its proposal on the board, at a fixed rate that does not wait for answers (open loop)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from deploy.settling import settled
from tests.bench.running import YUNFU, Place, with_sample

RATE, SECONDS, WARM = 20, 20, 3
TOWN = "445381100000"


@dataclass
class Clock:
    """When each need was due to be sent and when its proposal was seen; seconds of the monotonic clock."""

    sent: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)

    def waiting(self) -> list[str]:
        return [need for need in self.sent if need not in self.seen]


def visit() -> dict[str, Any]:
    member = {
        "name": "示例",
        "relation": "户主",
        "sex": "1",
        "birth_date": "1950-01-01",
        "vulnerabilities": ["ELD_ALONE"],
    }
    household = {
        "area": TOWN,
        "consent": {"given": True, "on": f"{datetime.now(UTC):%Y-%m-%d}"},
        "members": [member],
    }
    need = {"category": "APP-FAN", "quantity": 1, "urgency": "high"}
    return {
        "beneficiary": {"household": household},
        "visited_at": datetime.now(UTC).isoformat(),
        "needs": [need],
    }


async def plenty(client: httpx.AsyncClient) -> None:
    """An offer that serves all that will be asked for."""
    charity = {"name": f"示例 {uuid4()}", "kind": "company", "area": YUNFU}
    made = await _post(client, "/api/offers/v1/charities", charity)
    offer = {"charity_id": made["charity_id"], "category": "APP-FAN", "quantity": 100_000, "origin_area": TOWN,
             "service_areas": [YUNFU], "pickup": "delivery", "condition": "new"}  # fmt: skip
    await _post(client, "/api/offers/v1/offers", offer)


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
    answer = await client.post(path, json=body, headers={"idempotency-key": str(uuid4())})
    answer.raise_for_status()
    return answer.json()


async def send_one(client: httpx.AsyncClient, clock: Clock, due: float) -> None:
    """Post one visit. Time counts from when it was due, so that a slow answer before it does not hide its wait."""
    made = await _post(client, "/api/intake/v1/visits", visit())
    clock.answered.append(time.monotonic() - due)
    clock.sent[made["need_ids"][0]] = due


async def watch(place: Place, clock: Clock) -> None:
    """Look at the board's own table every few milliseconds for proposals that are visible to a coordinator."""
    while True:
        if waiting := clock.waiting():
            rows = await place.db.pool.fetch(
                """select distinct p.need_id::text as id from coordination.proposal p join coordination.need n on n.id = p.need_id
                where p.need_id = any ($1::text[]::uuid[]) and p.status = 'pending'""",
                waiting,
            )
            now = time.monotonic()
            clock.seen |= {row["id"]: now for row in rows if row["id"] not in clock.seen}
        await asyncio.sleep(0.004)


async def load(place: Place, client: httpx.AsyncClient, rate: int, seconds: int) -> Clock:
    clock, tasks = Clock(), []
    watching = asyncio.create_task(watch(place, clock))
    start = time.monotonic()
    for number in range(rate * seconds):
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.create_task(send_one(client, clock, due)))
    await asyncio.gather(*tasks)
    until = time.monotonic() + 30
    while clock.waiting() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    watching.cancel()
    return clock


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(mode: Callable[[], AbstractAsyncContextManager[Place]], name: str) -> list[dict[str, Any]]:
    """Median and p99 in milliseconds from the moment a POST was due to its proposal's row on the board; `lost` must be 0."""
    async with mode() as place:
        await with_sample(place)
        async with (
            place.client("bench", "worker") as worker,
            place.client("benchlead", "coordinator") as lead,
        ):
            await plenty(lead)
            await settled(place.db)
            await load(place, worker, RATE, WARM)
            clock = await load(place, worker, RATE, SECONDS)
    took = [clock.seen[need] - due for need, due in clock.sent.items() if need in clock.seen]
    figures = {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99), "post_p50": percentile(clock.answered, 0.5),
               "post_p99": percentile(clock.answered, 0.99)}  # fmt: skip
    made = [
        {"name": f"{name}-{key}", "value": round(value * 1000, 1), "unit": "ms"}
        for key, value in figures.items()
    ]
    return [*made, {"name": f"{name}-lost", "value": len(clock.waiting()), "unit": "needs"}]
