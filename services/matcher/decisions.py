"""What people decided of proposals, kept with the pair as it was then: what a model can learn from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from matching.features import NAMES
from matching.learning import Decision
from matching.probe import features_of
from services.matcher import rules
from services.matcher.champion import SQL
from services.matcher.handlers import SQL as COPIES
from services.matcher.handlers import note_commitment, note_declined
from services.matcher.loading import need_of, offer_of
from shared.db import Connection
from shared.events import FollowUpAnswered, ProposalApproved, ProposalDeclined


async def note_approved(conn: Connection, event: ProposalApproved) -> None:
    """The pair is looked at before the promise counts: afterwards less of it is open and free."""
    await _note(conn, event, "approved", at=event.approved_at, commitment_id=event.commitment_id)
    await note_commitment(conn, event)


async def note_refused(conn: Connection, event: ProposalDeclined) -> None:
    await _note(conn, event, "declined", at=await COPIES.clock(conn), reason=event.reason)
    await note_declined(conn, event)


async def note_follow_up(conn: Connection, event: FollowUpAnswered) -> None:
    """Whether the help helped."""
    await SQL.note_follow_up(
        conn,
        follow_up_id=event.follow_up_id,
        delivery_id=event.delivery_id,
        area=event.area,
        outcome=event.outcome,
        answered_at=event.answered_at,
    )


async def _note(
    conn: Connection,
    event: ProposalApproved | ProposalDeclined,
    outcome: str,
    *,
    at: datetime,
    commitment_id: UUID | None = None,
    reason: str = "",
) -> None:
    need = await SQL.decided_need(conn, id=event.need_id)
    offer = await SQL.decided_offer(conn, id=event.offer_id)
    await SQL.note_decision(
        conn,
        proposal_id=event.proposal_id,
        commitment_id=commitment_id,
        need_id=event.need_id,
        offer_id=event.offer_id,
        area=event.area,
        category=need["category"] if need else "",
        vulnerabilities=need["vulnerabilities"] if need else [],
        outcome=outcome,
        reason=reason,
        features=await _features(conn, need, offer, at) if need and offer else None,
        decided_at=at,
    )


async def _features(conn: Connection, need: Any, offer: Any, at: datetime) -> dict[str, float] | None:
    """The pair's features at `at`; None where a rule forbids it by now, so that nobody can say what it was like."""
    return features_of(
        need_of(need),
        offer_of(offer),
        catalogue=rules.catalogue(),
        policy=rules.policy(),
        now=at,
        shares=await COPIES.last_shares(conn, category=need["category"]) or {},
    )


def decision_of(row: Mapping[str, Any]) -> Decision | None:
    """A stored decision as the engine learns from it; None when it was kept with other features.

    What stood beside it: proposals of the same category, county and week.
    """
    features = row["features"]
    if set(features) != set(NAMES):
        return None
    year, week, _ = row["decided_at"].isocalendar()
    return Decision(
        at=row["decided_at"],
        approved=row["outcome"] == "approved",
        features=tuple(features[name] for name in NAMES),
        board=f"{row['category']} {row['area'][:6]} {year}-{week}",
        vulnerabilities=tuple(sorted(set(row["vulnerabilities"]))),
        reason=row["reason"],
        received_at=row["received_at"],
        outcome=row["helped"] or "",
        outcome_at=row["answered_at"],
    )
