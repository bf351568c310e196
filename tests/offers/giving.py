"""Charities, offers and the facts about them that tests start from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from shared.bus import new_id
from shared.events import CommitmentReleased, DeliveryReceived, DeliveryScheduled, ProposalApproved
from tests.house import House

CITY = "445300000000"
COUNTY = "445381000000"
TOWN = "445381100000"
OTHER_COUNTY = "445302000000"
NOW = datetime(2026, 5, 1, 2, tzinfo=UTC)


def key() -> dict[str, str]:
    return {"idempotency-key": str(new_id())}


async def charity(house: House, name: str = "暖阳示例慈善会", area: str = COUNTY) -> UUID:
    """A registered charity's id."""
    office = await house.person("coordinator", CITY)
    answer = await office.post(
        "/api/offers/v1/charities", json={"name": name, "kind": "charity", "area": area}, headers=key()
    )
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["charity_id"])


async def giver(house: House, name: str = "暖阳示例慈善会") -> tuple[httpx.AsyncClient, UUID]:
    """A client of a new charity's own people."""
    charity_id = await charity(house, name)
    return await house.person("charity", CITY, charity_id), charity_id


def fans(**changes: Any) -> dict[str, Any]:
    return {"category": "APP-FAN", "quantity": 10, "origin_area": TOWN, "offer_number": "F-1"} | changes


async def offer(client: httpx.AsyncClient, **changes: Any) -> Mapping[str, Any]:
    answer = await client.post("/api/offers/v1/offers", json=fans(**changes), headers=key())
    assert answer.status_code == 201, answer.text
    stored: Mapping[str, Any] = answer.json()
    return stored


def approved(offer_id: str | UUID, charity_id: UUID, quantity: int = 4, **changes: Any) -> ProposalApproved:
    facts: dict[str, Any] = {
        "proposal_id": new_id(),
        "commitment_id": new_id(),
        "need_id": new_id(),
        "beneficiary_id": new_id(),
        "case_number": "YF-445381100-0001",
        "offer_id": offer_id,
        "charity_id": charity_id,
        "area": TOWN,
        "category": "APP-FAN",
        "quantity": quantity,
        "urgency": "high",
        "pickup": "delivery",
        "approved_by": new_id(),
        "approved_at": NOW,
        "need_left": 0,
        "offer_left": 6,
    }
    return ProposalApproved.model_validate(facts | changes)


def _promise(approval: ProposalApproved) -> dict[str, Any]:
    names = ("commitment_id", "proposal_id", "need_id", "offer_id", "area")
    return {name: getattr(approval, name) for name in names}


def scheduled(approval: ProposalApproved, delivery_id: UUID) -> DeliveryScheduled:
    return DeliveryScheduled(
        **_promise(approval),
        delivery_id=delivery_id,
        charity_id=approval.charity_id,
        quantity=approval.quantity,
        scheduled_for=None,
    )


def received(
    approval: ProposalApproved, delivery_id: UUID, quantity: int, returned: bool
) -> DeliveryReceived:
    short = approval.quantity - quantity
    return DeliveryReceived(
        **_promise(approval),
        delivery_id=delivery_id,
        beneficiary_id=approval.beneficiary_id,
        charity_id=approval.charity_id,
        category=approval.category,
        urgency=approval.urgency,
        received=quantity,
        short=short,
        short_reason="lost" if short else None,
        returned_to_offer=returned,
        confirmed_by=new_id(),
        at=NOW,
    )


def released(approval: ProposalApproved, quantity: int, returned: bool) -> CommitmentReleased:
    return CommitmentReleased(
        **_promise(approval), quantity=quantity, returned_to_offer=returned, reason="short"
    )
