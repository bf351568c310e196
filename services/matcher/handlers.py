"""What the matcher learns from the others: its own copies. Each handler marks what a round must look at again and leaves one job."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from shared import jobs
from shared.db import Connection, queries
from shared.events import (
    CommitmentReleased,
    DeliveryReceived,
    NeedClosed,
    NeedRaised,
    NeedWithdrawn,
    OfferRegistered,
    OfferWithdrawn,
    ProposalApproved,
    ProposalDeclined,
)

SQL = queries(Path(__file__).parent)
ROUND, WAITING = "matcher.round", "round"


async def mark(conn: Connection, *categories: str | None) -> None:
    """Have a round look at these categories again: one job for everything that waits."""
    codes = [code for code in categories if code]
    if codes:
        await SQL.mark(conn, categories=codes)
        await jobs.enqueue(conn, ROUND, key=WAITING)


async def copy_need(conn: Connection, event: NeedRaised) -> None:
    row = await SQL.copy_need(
        conn,
        id=event.need_id,
        version=event.version,
        quantity=event.quantity,
        area=event.area,
        beneficiary_id=event.beneficiary_id,
        beneficiary_kind=event.beneficiary_kind,
        case_number=event.case_number,
        category=event.category,
        urgency=event.urgency,
        needed_by=event.needed_by,
        vulnerabilities=list(event.vulnerabilities),
        minor=event.minor,
        consent=event.consent,
        raised_at=event.raised_at,
        whole=event.whole,
        bundle_id=event.bundle_id,
    )
    if row is not None:
        await mark(conn, row["category"], row["before"])


async def drop_need(conn: Connection, event: NeedWithdrawn | NeedClosed) -> None:
    category = await SQL.drop_need(conn, id=event.need_id, area=event.area, version=event.version)
    await mark(conn, category)


async def copy_offer(conn: Connection, event: OfferRegistered) -> None:
    row = await SQL.copy_offer(
        conn,
        id=event.offer_id,
        version=event.version,
        quantity=event.quantity,
        offer_number=event.offer_number,
        charity_id=event.charity_id,
        charity_name=event.charity_name,
        category=event.category,
        origin_area=event.origin_area,
        service_areas=list(event.service_areas),
        radius_m=event.radius_m,
        pickup=event.pickup,
        available_from=event.available_from,
        available_until=event.available_until,
        expires_on=event.expires_on,
        designated_vulnerabilities=list(event.designated_vulnerabilities),
        licences=list(event.licences),
        vetted=event.vetted,
        per_household_limit=event.per_household_limit,
        per_day_limit=event.per_day_limit,
        condition=event.condition,
    )
    if row is not None:
        await mark(conn, row["category"], row["before"])


async def drop_offer(conn: Connection, event: OfferWithdrawn) -> None:
    category = await SQL.drop_offer(
        conn, id=event.offer_id, charity_id=event.charity_id, version=event.version
    )
    await mark(conn, category)


async def note_commitment(conn: Connection, event: ProposalApproved) -> None:
    """A promise was made: its proposal is decided, and that much less is open and free."""
    await SQL.note_commitment(
        conn,
        commitment_id=event.commitment_id,
        need_id=event.need_id,
        offer_id=event.offer_id,
        area=event.area,
        beneficiary_id=event.beneficiary_id,
        category=event.category,
        quantity=event.quantity,
    )
    await SQL.decide_proposal(conn, id=event.proposal_id)
    await _recount(conn, event.need_id, event.offer_id)


async def release_commitment(conn: Connection, event: CommitmentReleased) -> None:
    await SQL.release_commitment(
        conn,
        commitment_id=event.commitment_id,
        need_id=event.need_id,
        offer_id=event.offer_id,
        area=event.area,
        released=event.quantity,
        returned=event.quantity if event.returned_to_offer else 0,
    )
    await _recount(conn, event.need_id, event.offer_id)


async def note_aid(conn: Connection, event: DeliveryReceived) -> None:
    """What a beneficiary received counts against its next need of the same kind, and no longer against the offer's days."""
    if event.received == 0:
        return
    await SQL.note_aid(
        conn,
        delivery_id=event.delivery_id,
        commitment_id=event.commitment_id,
        need_id=event.need_id,
        offer_id=event.offer_id,
        beneficiary_id=event.beneficiary_id,
        area=event.area,
        category=event.category,
        quantity=event.received,
        received_at=event.at,
    )
    await _recount(conn, event.need_id, event.offer_id)


async def note_declined(conn: Connection, event: ProposalDeclined) -> None:
    await SQL.decide_proposal(conn, id=event.proposal_id)
    await SQL.note_declined(
        conn, need_id=event.need_id, offer_id=event.offer_id, area=event.area, reason=event.reason
    )
    await mark(conn, *await _categories(conn, event.need_id, event.offer_id))


async def _recount(conn: Connection, need_id: UUID, offer_id: UUID) -> None:
    await SQL.recount(conn, need_id=need_id, offer_id=offer_id)
    await mark(conn, *await _categories(conn, need_id, offer_id))


async def _categories(conn: Connection, need_id: UUID, offer_id: UUID) -> list[str]:
    return [row["category"] for row in await SQL.categories_of(conn, need_id=need_id, offer_id=offer_id)]
