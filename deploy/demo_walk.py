"""A few cases walked to the end over HTTP, as the people of the demo would in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from deploy.errors import SetupError
from deploy.settling import settled
from shared.access import Role
from shared.clock import today
from shared.db import Database

APPROVE = 40
TOWN = "445381100000"


@dataclass(frozen=True, slots=True)
class Account:
    """A login of the demo."""

    login: str
    password: str
    role: Role
    area: str


@dataclass(frozen=True, slots=True)
class Walk:
    """How many proposals were approved and how many deliveries received."""

    approved: int
    received: int


class Person:
    """Somebody signed in. Anything but success ends the demo with the problem's own words."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **query: Any) -> Any:
        return self._read(await self._client.get(path, params=query))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._read(
            await self._client.post(path, json=dict(body), headers={"idempotency-key": str(uuid4())})
        )

    @staticmethod
    def _read(response: httpx.Response) -> Any:
        if response.is_error:
            raise SetupError(
                "演示没有走通：{path} 返回 {status} {text}",
                path=response.url.path,
                status=response.status_code,
                text=response.text[:500],
            )
        return response.json()


@asynccontextmanager
async def signed_in(url: str, account: Account) -> AsyncIterator[Person]:
    """A session in that person's name."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        person = Person(client)
        await person.post("/api/accounts/v1/sessions", {"login": account.login, "password": account.password})
        yield person


async def walk(url: str, accounts: Mapping[str, Account], db: Database) -> Walk:
    """From a visit to a closed need: one new household, many approvals, deliveries with one short and one failed, follow-ups."""
    async with (
        signed_in(url, accounts["worker"]) as worker,
        signed_in(url, accounts["coordinator"]) as coordinator,
    ):
        visit = await worker.post("/api/intake/v1/visits", new_visit())
        await settled(db)
        approved = await approve(coordinator, visit["need_ids"])
        await settled(db)
        received = await deliver(worker, coordinator)
        await settled(db)
        await follow_up(worker)
        return Walk(approved, received)


def new_visit() -> dict[str, Any]:
    """Two orphans with their grandmother (invented): bare wires, two fans, a mattress in the words of the worker."""
    child = {"relation": "孙", "birth_date": "2014-05-01", "vulnerabilities": ["ORPHAN"]}
    members = [
        {
            "name": "示例外婆",
            "relation": "户主",
            "sex": "2",
            "birth_date": "1950-03-02",
            "vulnerabilities": ["ELD_ALONE"],
        },
        {"name": "示例姐姐", "sex": "2", **child},
        {"name": "示例弟弟", "sex": "1", **child},
    ]
    consent = {"given": True, "on": f"{today():%Y-%m-%d}", "by_guardian": True}
    household = {
        "area": TOWN,
        "village": "示例村",
        "vulnerabilities": ["DIBAO"],
        "consent": consent,
        "members": members,
    }
    needs = [
        {"category": "HSE-WIRE", "quantity": 1, "urgency": "critical"},
        {"category": "APP-FAN", "quantity": 2, "urgency": "high"},
        {"text": "两个孩子睡硬木板，想要一张床垫，床架家里有。"},
    ]
    return {
        "beneficiary": {"household": household},
        "visited_at": datetime.now(UTC).isoformat(),
        "needs": needs,
    }


async def approve(coordinator: Person, first: list[str]) -> int:
    """Approve the best proposals at once, those of the new household among them."""
    board = await coordinator.get("/api/coordination/v1/proposals", limit=200)
    items = sorted(board["items"], key=lambda item: item["need_id"] not in first)
    chosen = [item["proposal_id"] for item in items[:APPROVE]]
    if not chosen:
        return 0
    answer = await coordinator.post("/api/coordination/v1/approvals", {"proposal_ids": chosen})
    return len(answer["approved"])


async def deliver(worker: Person, coordinator: Person) -> int:
    """Deliver what goes to the worker's county: the first fails, the next arrives short if it can, the others in full."""
    page = await coordinator.get(
        "/api/delivery/v1/deliveries", status="scheduled", area="445381000000", limit=50
    )
    received = 0
    for number, item in enumerate(page["items"][:10]):
        path, version = f"/api/delivery/v1/deliveries/{item['id']}", item["version"]
        version = (await coordinator.post(f"{path}/dispatch", {"version": version}))["version"]
        if number == 0 and len(page["items"]) > 1:
            await coordinator.post(
                f"{path}/fail", {"version": version, "reason": "nobody_home", "still_with_charity": True}
            )
            continue
        version = (await coordinator.post(f"{path}/deliver", {"version": version}))["version"]
        body: dict[str, Any] = {"version": version, "received": item["quantity"]}
        if number == 1 and item["quantity"] > 1:
            body |= {"received": item["quantity"] - 1, "short_reason": "damaged", "still_with_charity": False}
        await worker.post(f"{path}/receive", body)
        received += 1
    return received


async def follow_up(worker: Person) -> None:
    """Answer three follow-ups by a visit each."""
    page = await worker.get("/api/intake/v1/follow-ups")
    for due in page["items"][:3]:
        kind = "household_id" if due["beneficiary_kind"] == "household" else "site_id"
        visit = {
            "beneficiary": {kind: due["beneficiary_id"]},
            "visited_at": datetime.now(UTC).isoformat(),
            "follow_up": {"follow_up_id": due["follow_up_id"], "outcome": "helped"},
        }
        await worker.post("/api/intake/v1/visits", visit)
