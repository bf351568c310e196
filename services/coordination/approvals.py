"""Approve and decline: one local transaction that takes the locks of offers, needs and proposals in that order, each by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.coordination.handlers import SQL
from services.coordination.rules import (
    REFUSALS,
    Granted,
    NeedState,
    OfferState,
    Refused,
    Waiting,
    bundles_of,
    params_of,
    settle,
)
from services.coordination.schemas import (
    Approvals,
    Approved,
    ApproveMany,
    ApproveProposal,
    Declined,
    DeclineProposal,
    RefusedOne,
)
from shared.access import Caller
from shared.bus import new_id, publish
from shared.db import Connection
from shared.errors import Conflict, Missing
from shared.events import ProposalApproved, ProposalDeclined
from shared.i18n import Language


async def approve(
    conn: Connection, command: ApproveProposal, by: Caller, proposal_id: UUID, language: Language
) -> Approved:
    """Promise the quantity. Raises `Conflict` with the item and what is left, `Forbidden` for one's own request, `Missing`, `Invalid`."""
    approvals = await _approve(conn, {proposal_id: command}, by, language)
    for refused in approvals.refused:
        error, message = REFUSALS[refused.rule]
        raise error(message, **refused.params)
    return approvals.approved[0]


async def approve_many(conn: Connection, command: ApproveMany, by: Caller, language: Language) -> Approvals:
    """Promise what can be promised, in the order given; the rest is refused with its reason. A bundle is promised all or not at all."""
    return await _approve(conn, {key: ApproveProposal() for key in command.proposal_ids}, by, language)


async def decline(conn: Connection, command: DeclineProposal, by: Caller, proposal_id: UUID) -> Declined:
    """Say no for good: this offer is not proposed for this need again. Raises `Missing` or `Conflict`."""
    row = await SQL.decline(
        conn, id=proposal_id, reason=command.reason, by=by.person_id, version=command.version
    )
    if row is None:
        raise await _why_not(conn, proposal_id)
    await publish(
        conn,
        ProposalDeclined(
            version=row["version"],
            proposal_id=row["id"],
            need_id=row["need_id"],
            offer_id=row["offer_id"],
            area=row["area"],
            reason=command.reason,
            declined_by=by.person_id,
        ),
    )
    return Declined(proposal_id=row["id"], version=row["version"])


async def _why_not(conn: Connection, proposal_id: UUID) -> Conflict | Missing:
    return Conflict() if await SQL.parties_of(conn, ids=[proposal_id]) else Missing()


async def _approve(
    conn: Connection, wanted: Mapping[UUID, ApproveProposal], by: Caller, language: Language
) -> Approvals:
    parties = await SQL.parties_of(conn, ids=list(wanted))
    offers = {
        row["id"]: OfferState(**row)
        for row in await SQL.lock_offers(conn, ids=[row["offer_id"] for row in parties])
    }
    needs = {
        row["id"]: NeedState(**row) for row in await SQL.lock_needs(conn, ids=await _beside(conn, parties))
    }
    locked = {row["id"]: row for row in await SQL.lock_proposals(conn, ids=list(wanted))}
    waiting = [
        Waiting(**locked[key], wanted=command.quantity or locked[key]["quantity"], seen=command.version)
        for key, command in wanted.items()
        if key in locked and locked[key]["need_id"] in needs and locked[key]["offer_id"] in offers
    ]
    bundles = sorted({need.bundle_id for need in needs.values() if need.bundle_id})
    lacking = bundles_of(await SQL.bundles(conn, ids=bundles)) if bundles else {}
    granted, refused = settle(waiting, offers, needs, by.person_id, lacking)
    found = {proposal.id for proposal in waiting}
    refused += [Refused(key, "missing", "", 0, 0) for key in wanted if key not in found]
    return Approvals(
        approved=tuple(await _promise(conn, granted, by) if granted else ()),
        refused=tuple(
            RefusedOne(proposal_id=r.proposal_id, rule=r.rule, params=params_of(r, language)) for r in refused
        ),
    )


async def _beside(conn: Connection, parties: Sequence[Any]) -> list[UUID]:
    """The needs that proposals speak of, and those that only help together with them."""
    return [row["id"] for row in await SQL.needs_beside(conn, ids=[row["need_id"] for row in parties])]


async def _promise(conn: Connection, granted: Sequence[Granted], by: Caller) -> list[Approved]:
    commitments = {g.proposal.id: new_id() for g in granted}
    rows = [_row(g, commitments[g.proposal.id]) for g in granted]
    offers = await SQL.promise_offers(conn, granted=rows)
    needs = await SQL.promise_needs(conn, granted=rows)
    decided = await SQL.approve_proposals(conn, granted=rows, by=by.person_id)
    # The locks make this certain; the guards in the statements are what must hold should the locks ever be wrong.
    if (len(offers), len(needs), len(decided)) != (
        len({g.offer.id for g in granted}),
        len({g.need.id for g in granted}),
        len(granted),
    ):
        raise Conflict
    await SQL.add_commitments(conn, granted=rows)
    at = decided[0]["decided_at"]
    await publish(conn, *(_event(g, commitments[g.proposal.id], by, at) for g in granted))
    return [_answer(g, commitments[g.proposal.id]) for g in granted]


def _row(granted: Granted, commitment_id: UUID) -> dict[str, Any]:
    proposal = granted.proposal
    return {
        "commitment_id": str(commitment_id),
        "proposal_id": str(proposal.id),
        "need_id": str(proposal.need_id),
        "offer_id": str(proposal.offer_id),
        "area": granted.need.area,
        "version": proposal.version,
        "quantity": granted.quantity,
    }


def _answer(granted: Granted, commitment_id: UUID) -> Approved:
    whole = granted.quantity == granted.proposal.quantity
    return Approved(
        proposal_id=granted.proposal.id,
        commitment_id=commitment_id,
        quantity=granted.quantity,
        status="approved" if whole else "partly_approved",
        offer_left=granted.offer_left,
        need_left=granted.need_left,
        version=granted.proposal.version + 1,
    )


def _event(granted: Granted, commitment_id: UUID, by: Caller, at: datetime) -> ProposalApproved:
    return ProposalApproved.model_validate(
        {
            "version": granted.proposal.version + 1,
            "proposal_id": granted.proposal.id,
            "commitment_id": commitment_id,
            "need_id": granted.need.id,
            "beneficiary_id": granted.need.beneficiary_id,
            "case_number": granted.need.case_number,
            "offer_id": granted.offer.id,
            "charity_id": granted.offer.charity_id,
            "area": granted.need.area,
            "category": granted.offer.category,
            "quantity": granted.quantity,
            "urgency": granted.need.urgency,
            "pickup": granted.offer.pickup,
            "approved_by": by.person_id,
            "approved_at": at,
            "need_left": granted.need_left,
            "offer_left": granted.offer_left,
        }
    )
