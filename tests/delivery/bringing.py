"""Deliveries, and the people around one, that tests start from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from services.delivery.rules import delivery_id
from shared.bus import new_id
from shared.events import CharityRegistered, ProposalApproved
from tests.house import House

CITY = "445300000000"
COUNTY = "445381000000"
TOWN = "445381100000"
OTHER_TOWN = "445381101000"
NOW = datetime(2026, 5, 1, 2, tzinfo=UTC)
ADDRESS = "/api/delivery/v1/deliveries"


def approved(charity_id: UUID, **changes: Any) -> ProposalApproved:
    facts: dict[str, Any] = {
        "proposal_id": new_id(),
        "commitment_id": new_id(),
        "need_id": new_id(),
        "beneficiary_id": new_id(),
        "case_number": "YF-445381100-0001",
        "offer_id": new_id(),
        "charity_id": charity_id,
        "area": TOWN,
        "category": "APP-FAN",
        "quantity": 4,
        "urgency": "high",
        "pickup": "delivery",
        "approved_by": new_id(),
        "approved_at": NOW,
        "need_left": 0,
        "offer_left": 6,
    }
    return ProposalApproved.model_validate(facts | changes)


@dataclass
class Scene:
    """One opened delivery, its charity's person and its town's worker."""

    house: House
    approval: ProposalApproved
    giver: httpx.AsyncClient
    worker: httpx.AsyncClient

    @property
    def id(self) -> UUID:
        return delivery_id(self.approval.commitment_id)

    async def step(self, who: httpx.AsyncClient, step: str, version: int, **told: Any) -> httpx.Response:
        return await who.post(f"{ADDRESS}/{self.id}/{step}", json={"version": version} | told)

    async def sent(self) -> None:
        """Dispatched and delivered: the delivery is at version 3."""
        assert (await self.step(self.giver, "dispatch", 1)).status_code == 200
        assert (await self.step(self.giver, "deliver", 2)).status_code == 200


async def scene(house: House, **changes: Any) -> Scene:
    charity_id = new_id()
    registered = CharityRegistered(charity_id=charity_id, name="暖阳示例慈善会", kind="charity", area=CITY)
    approval = approved(charity_id, **changes)
    await house.deliver_twice("delivery", registered, approval)
    giver = await house.person("charity", CITY, charity_id)
    return Scene(house, approval, giver, await house.person("worker", TOWN))
