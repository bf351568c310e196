"""Invented households, visits and sheets; no real persons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from services.intake.layouts import HOUSEHOLDS, NEEDS
from shared import sheets
from shared.events import (
    CommitmentReleased,
    DeliveryReceived,
    DeliveryScheduled,
    FollowUpDue,
    FollowUpOverdue,
    ProposalApproved,
)

API = "/api/intake/v1"
LUOJING = "445381100000"
TOWN_B = "445381101000"
NOW = datetime.now(UTC).replace(microsecond=0)


def household(**changes: Any) -> dict[str, Any]:
    """An invented household of two, a child among them."""
    return {
        "area": LUOJING,
        "village": "示例村",
        "address": "示例路 1 号",
        "phone": "00000000001",
        "location": {"lng": 111.51, "lat": 22.49},
        "vulnerabilities": ["DIBAO"],
        "consent": {"given": True, "on": "2024-01-05", "by_guardian": True},
        "members": [
            {
                "name": "张示例一",
                "relation": "户主",
                "sex": "2",
                "birth_date": "1950-03-01",
                "id_number": "000000195003010000",
            },
            {
                "name": "张示例二",
                "relation": "孙子女",
                "sex": "1",
                "birth_date": f"{NOW.year - 8}-05-20",
                "vulnerabilities": ["ORPHAN"],
            },
        ],
    } | changes


def visit(**changes: Any) -> dict[str, Any]:
    return {
        "beneficiary": {"household": household()},
        "visited_at": (NOW - timedelta(days=2)).isoformat(),
        "participants": ["示例老师"],
        "note": "外婆照看两个孩子",
        "needs": [{"category": "APP-FAN", "quantity": 2, "urgency": "high"}],
    } | changes


async def post(client: httpx.AsyncClient, path: str, body: Any, key: str | None = None) -> httpx.Response:
    return await client.post(API + path, json=body, headers={"idempotency-key": key or str(uuid4())})


async def one_need(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """Record a visit with one need and return the need as it stands."""
    answer = await post(client, "/visits", visit(**changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = (await client.get(f"{API}/needs/{answer.json()['need_ids'][0]}")).json()
    return found


class Story:
    """What coordination, delivery and audit say of one need, with the ids that hang together."""

    def __init__(self, need: dict[str, Any], charity_id: UUID | None = None) -> None:
        self.need = need
        self.need_id = UUID(need["need_id"])
        self.beneficiary_id = UUID(need["beneficiary_id"])
        self.commitment_id, self.proposal_id, self.offer_id, self.delivery_id = (
            uuid4(),
            uuid4(),
            uuid4(),
            uuid4(),
        )
        self.charity_id = charity_id or uuid4()

    @property
    def _ids(self) -> dict[str, Any]:
        return {
            "commitment_id": self.commitment_id,
            "proposal_id": self.proposal_id,
            "need_id": self.need_id,
            "offer_id": self.offer_id,
            "area": self.need["area"],
        }

    def approved(self, quantity: int) -> ProposalApproved:
        return ProposalApproved(
            **self._ids,
            beneficiary_id=self.beneficiary_id,
            case_number=self.need["case_number"],
            charity_id=self.charity_id,
            category=self.need["category"],
            quantity=quantity,
            urgency="high",
            pickup="delivery",
            approved_by=uuid4(),
            approved_at=NOW,
            need_left=0,
            offer_left=0,
        )

    def scheduled(self, quantity: int, version: int = 1, on: datetime | None = None) -> DeliveryScheduled:
        return DeliveryScheduled(
            **self._ids,
            delivery_id=self.delivery_id,
            charity_id=self.charity_id,
            quantity=quantity,
            scheduled_for=on,
            version=version,
        )

    def received(self, received: int, short: int = 0) -> DeliveryReceived:
        return DeliveryReceived(
            **self._ids,
            delivery_id=self.delivery_id,
            beneficiary_id=self.beneficiary_id,
            charity_id=self.charity_id,
            category=self.need["category"],
            urgency="high",
            received=received,
            short=short,
            short_reason="lost" if short else None,
            returned_to_offer=False,
            confirmed_by=uuid4(),
            at=NOW,
        )

    def released(self, quantity: int) -> CommitmentReleased:
        return CommitmentReleased(
            **self._ids, quantity=quantity, returned_to_offer=True, reason="nobody_home"
        )

    def due(self, follow_up_id: UUID, days: int = 7) -> FollowUpDue:
        return FollowUpDue(
            follow_up_id=follow_up_id,
            kind="outcome",
            need_id=self.need_id,
            beneficiary_id=self.beneficiary_id,
            delivery_id=self.delivery_id,
            area=self.need["area"],
            due_at=NOW + timedelta(days=days),
        )

    def overdue(self, follow_up_id: UUID) -> FollowUpOverdue:
        return FollowUpOverdue(
            follow_up_id=follow_up_id,
            need_id=self.need_id,
            beneficiary_id=self.beneficiary_id,
            area=self.need["area"],
            due_at=NOW - timedelta(days=1),
        )


def household_rows(count: int = 2, **changes: Any) -> list[dict[str, Any]]:
    """`count` invented households of two members each, as rows of the sheet."""
    rows = []
    for n in range(count):
        head = {
            "case_number": f"YF-445381100-{n:04}",
            "area": LUOJING,
            "village": "示例村",
            "address": f"示例路 {n} 号",
            "phone": f"000{n:08}",
            "vulnerabilities": ("DIBAO",),
            "consent": "given",
            "consent_on": datetime(2024, 1, 5).date(),
        } | changes
        rows.append(
            head
            | {
                "member_name": f"李示例{n}甲",
                "relation": "户主",
                "sex": "1",
                "birth_date": datetime(1950, 1, 1).date(),
            }
        )
        rows.append(head | {"member_name": f"李示例{n}乙", "relation": "配偶", "sex": "2"})
    return rows


def need_rows(count: int = 4, households: int = 2, **changes: Any) -> list[dict[str, Any]]:
    """`count` invented needs; every fourth is told in words alone."""
    rows = []
    for n in range(count):
        row: dict[str, Any] = {
            "need_number": f"X-{n:05}",
            "case_number": f"YF-445381100-{n % households:04}",
            "visited_on": (NOW - timedelta(days=3)).date(),
        }
        if n % 4 == 3:
            row |= {"text": "床板塌了一角,需要一张单人床,床垫她自己有"}
        else:
            row |= {"category": "APP-FAN", "quantity": 1 + n % 3, "urgency": "normal"}
        rows.append(row | changes)
    return rows


def households_file(rows: list[dict[str, Any]]) -> bytes:
    return sheets.write(HOUSEHOLDS, rows)


def needs_file(rows: list[dict[str, Any]]) -> bytes:
    return sheets.write(NEEDS, rows)


async def upload(
    client: httpx.AsyncClient, kind: str, content: bytes, mode: str, **params: Any
) -> httpx.Response:
    return await client.post(
        f"{API}/imports/{kind}", params={"mode": mode} | params, files={"file": (f"{kind}.xlsx", content)}
    )
