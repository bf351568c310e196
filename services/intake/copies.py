"""What other services say of the needs: approvals, deliveries, follow-ups. Each may come twice and in any order."""

from __future__ import annotations

from uuid import UUID

from services.intake.standing import SQL
from shared.db import Connection
from shared.events import (
    CommitmentReleased,
    DeliveryReceived,
    DeliveryScheduled,
    FollowUpDue,
    FollowUpOverdue,
    ProposalApproved,
)


async def _lock(conn: Connection, need_id: UUID) -> None:
    """One at a time for each need: the state is summed over its commitments, and a sum must see the other's row."""
    await SQL.lock_need(conn, need_id=need_id)


async def note_approval(conn: Connection, event: ProposalApproved) -> None:
    await _lock(conn, event.need_id)
    await SQL.note_approval(
        conn,
        commitment_id=event.commitment_id,
        need_id=event.need_id,
        area=event.area,
        offer_id=event.offer_id,
        charity_id=event.charity_id,
        quantity=event.quantity,
        approved_at=event.approved_at,
    )
    await SQL.settle_need(conn, need_id=event.need_id)


async def note_release(conn: Connection, event: CommitmentReleased) -> None:
    await _lock(conn, event.need_id)
    await SQL.note_release(
        conn,
        commitment_id=event.commitment_id,
        need_id=event.need_id,
        area=event.area,
        offer_id=event.offer_id,
        released=event.quantity,
    )
    await SQL.settle_need(conn, need_id=event.need_id)


async def note_schedule(conn: Connection, event: DeliveryScheduled) -> None:
    await SQL.note_schedule(
        conn,
        commitment_id=event.commitment_id,
        need_id=event.need_id,
        area=event.area,
        offer_id=event.offer_id,
        charity_id=event.charity_id,
        delivery_id=event.delivery_id,
        delivery_version=event.version,
        scheduled_for=event.scheduled_for,
    )


async def note_receipt(conn: Connection, event: DeliveryReceived) -> None:
    await _lock(conn, event.need_id)
    await SQL.note_receipt(
        conn,
        commitment_id=event.commitment_id,
        need_id=event.need_id,
        area=event.area,
        offer_id=event.offer_id,
        charity_id=event.charity_id,
        delivery_id=event.delivery_id,
        received=event.received,
        short=event.short,
        received_at=event.at,
    )
    await SQL.settle_need(conn, need_id=event.need_id)


async def plan_visit(conn: Connection, event: FollowUpDue) -> None:
    """Put the follow-up on the town's worklist."""
    await SQL.add_follow_up(
        conn,
        follow_up_id=event.follow_up_id,
        kind=event.kind,
        need_id=event.need_id,
        beneficiary_id=event.beneficiary_id,
        delivery_id=event.delivery_id,
        area=event.area,
        due_at=event.due_at,
    )


async def mark_overdue(conn: Connection, event: FollowUpOverdue) -> None:
    await SQL.flag_overdue(
        conn,
        follow_up_id=event.follow_up_id,
        need_id=event.need_id,
        beneficiary_id=event.beneficiary_id,
        area=event.area,
        due_at=event.due_at,
    )
