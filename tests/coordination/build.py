"""A board for tests: needs, offers and proposals as coordination knows them, nothing of the other services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx

from shared.db import Connection
from shared.events import Event, NeedRaised, OfferRegistered, ProposalMade
from tests.house import House
from tests.matcher import facts

APPROVE = "/api/coordination/v1/proposals/{}/approve"
DECLINE = "/api/coordination/v1/proposals/{}/decline"


async def tell(house: House, *events: Event) -> None:
    """Publish events and deliver them to coordination alone."""
    await house.deliver("coordination", await house.publish(*events))


async def pair(
    house: House, quantity: int = 1, **offer: Any
) -> tuple[NeedRaised, OfferRegistered, ProposalMade]:
    """A need and an offer of the same quantity, and the proposal between them."""
    need, given = facts.need(quantity=quantity), facts.offer(**({"quantity": quantity} | offer))
    made = facts.proposal(need, given, quantity=quantity)
    await tell(house, need, given, made)
    return need, given, made


async def approve(client: httpx.AsyncClient, proposal_id: UUID, **body: Any) -> httpx.Response:
    return await client.post(APPROVE.format(proposal_id), json=body)


async def row(house: House, statement: str, *args: Any) -> dict[str, Any]:
    """One row as the system sees it."""
    async with house.db.transaction("nuanlian_coordination_system") as conn:
        return await _one(conn, statement, *args)


async def _one(conn: Connection, statement: str, *args: Any) -> dict[str, Any]:
    found = await conn.fetchrow(statement, *args)
    assert found is not None
    return dict(found)


async def quantities(house: House, need: NeedRaised, offer: OfferRegistered) -> tuple[int, int]:
    """(met of the need, committed of the offer)."""
    found = await row(
        house,
        "select met, committed from coordination.need n, coordination.offer o where n.id = $1 and o.id = $2",
        need.need_id,
        offer.offer_id,
    )
    return found["met"], found["committed"]
