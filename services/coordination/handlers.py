"""What coordination learns from the others: its own copy of needs and offers, the board, and promises that end."""

from __future__ import annotations

from pathlib import Path

from shared.bus import publish
from shared.db import Connection, queries
from shared.events import (
    CommitmentReleased,
    DeliveryFailed,
    DeliveryReceived,
    NeedClosed,
    NeedRaised,
    NeedWithdrawn,
    OfferRegistered,
    OfferWithdrawn,
    ProposalMade,
    ProposalSuperseded,
)

SQL = queries(Path(__file__).parent)


async def copy_need(conn: Connection, event: NeedRaised) -> None:
    await SQL.copy_need(
        conn,
        id=event.need_id,
        version=event.version,
        asked=event.quantity,
        area=event.area,
        beneficiary_id=event.beneficiary_id,
        case_number=event.case_number,
        category=event.category,
        urgency=event.urgency,
        needed_by=event.needed_by,
        vulnerabilities=list(event.vulnerabilities),
        minor=event.minor,
        consent=event.consent,
        raised_at=event.raised_at,
        raised_by=event.raised_by,
        whole=event.whole,
        bundle_id=event.bundle_id,
    )


async def end_need(conn: Connection, event: NeedWithdrawn | NeedClosed) -> None:
    await SQL.end_need(conn, id=event.need_id, area=event.area, version=event.version)
    await SQL.supersede_of_need(conn, need_id=event.need_id)


async def copy_offer(conn: Connection, event: OfferRegistered) -> None:
    await SQL.copy_offer(
        conn,
        id=event.offer_id,
        version=event.version,
        pledged=event.quantity,
        offer_number=event.offer_number,
        charity_id=event.charity_id,
        charity_name=event.charity_name,
        category=event.category,
        pickup=event.pickup,
    )


async def end_offer(conn: Connection, event: OfferWithdrawn) -> None:
    await SQL.end_offer(conn, id=event.offer_id, charity_id=event.charity_id, version=event.version)
    await SQL.supersede_of_offer(conn, offer_id=event.offer_id)


async def list_for_review(conn: Connection, event: ProposalMade) -> None:
    await SQL.list_for_review(
        conn,
        id=event.proposal_id,
        need_id=event.need_id,
        offer_id=event.offer_id,
        area=event.area,
        quantity=event.quantity,
        score=event.score,
        factors=[factor.model_dump(mode="json") for factor in event.factors],
        alternatives=[other.model_dump(mode="json") for other in event.alternatives],
        proposed_by=event.proposed_by,
        version=event.version,
    )


async def take_off_board(conn: Connection, event: ProposalSuperseded) -> None:
    await SQL.supersede(
        conn,
        id=event.proposal_id,
        need_id=event.need_id,
        offer_id=event.offer_id,
        area=event.area,
        version=event.version,
    )


async def release_failed(conn: Connection, event: DeliveryFailed) -> None:
    """Nothing came: the whole promise ends."""
    await _end_promise(conn, event, event.quantity, event.returned_to_offer, event.reason, "released")


async def settle_receipt(conn: Connection, event: DeliveryReceived) -> None:
    """It came: the promise is fulfilled, and what came short is released."""
    status = "fulfilled" if event.received else "released"
    await _end_promise(
        conn, event, event.short, event.returned_to_offer, event.short_reason or "other", status
    )


async def _end_promise(
    conn: Connection,
    event: DeliveryFailed | DeliveryReceived,
    quantity: int,
    returned: bool,
    reason: str,
    status: str,
) -> None:
    await SQL.lock_offers(conn, ids=[event.offer_id])
    await SQL.lock_needs(conn, ids=[event.need_id])
    ended = await SQL.close_commitment(
        conn, id=event.commitment_id, released=quantity, returned=returned and quantity > 0, status=status
    )
    if ended is None or ended["released"] == 0:
        return
    await SQL.give_back_need(conn, id=ended["need_id"], quantity=ended["released"])
    if returned:
        await SQL.give_back_offer(conn, id=ended["offer_id"], quantity=ended["released"])
    await publish(
        conn,
        CommitmentReleased(
            version=2,
            commitment_id=ended["id"],
            proposal_id=ended["proposal_id"],
            need_id=ended["need_id"],
            offer_id=ended["offer_id"],
            area=ended["area"],
            quantity=ended["released"],
            returned_to_offer=returned,
            reason=reason,
        ),
    )
