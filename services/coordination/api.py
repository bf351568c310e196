"""/api/coordination/v1: the ranked board, approve and decline, what is promised."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.coordination import approvals, board
from services.coordination.handlers import SQL
from services.coordination.rules import REFUSALS
from services.coordination.schemas import (
    ApprovalsAnswer,
    Approved,
    ApproveMany,
    ApproveProposal,
    CommitmentShown,
    Declined,
    DeclineProposal,
    ProposalShown,
    RefusalShown,
)
from shared.access import Call, calls
from shared.events import Urgency
from shared.fields import AreaFilter, Cursor, Limit
from shared.openapi import CREATES, problems
from shared.paging import Page, next_cursor, read_cursor
from shared.reasons import words_of

router = APIRouter(
    responses=problems(
        {
            403: "Not yours to decide, or your own request",
            409: "Already decided, stale, or not enough left; names the item and what is left",
        }
    )
)
needs = calls("coordination")
Status = Literal["pending", "approved", "partly_approved", "declined", "superseded"]


@router.get("/proposals")
async def get_proposals(
    area: AreaFilter = "",
    category: Annotated[str | None, Query(max_length=24)] = None,
    urgency: Urgency | None = None,
    status: Status = "pending",
    cursor: Cursor = None,
    limit: Limit = 50,
    call: Call = needs("worker", "coordinator", "auditor"),
) -> Page[ProposalShown]:
    """Proposals, the best score first, with the reasons as sentences and what is left on both sides."""
    filters = board.Filters(area or None, category, urgency)
    async with call.transaction() as conn:
        return await board.page(conn, filters, words_of(call), status, cursor, limit)


@router.get("/proposals/{proposal_id}")
async def get_proposal(
    proposal_id: UUID, call: Call = needs("worker", "coordinator", "auditor")
) -> ProposalShown:
    async with call.transaction() as conn:
        return await board.one(conn, proposal_id, words_of(call))


@router.post("/proposals/{proposal_id}/approve")
async def post_approve(
    proposal_id: UUID, body: ApproveProposal, call: Call = needs("coordinator")
) -> Approved:
    """Promise the proposal's quantity or a part of it."""
    command = partial(approvals.approve, proposal_id=proposal_id, language=call.language)
    return Approved.model_validate(await call.do(body, command))


@router.post("/proposals/{proposal_id}/decline")
async def post_decline(
    proposal_id: UUID, body: DeclineProposal, call: Call = needs("coordinator")
) -> Declined:
    """Say no for good, with a reason from the list."""
    return Declined.model_validate(await call.do(body, partial(approvals.decline, proposal_id=proposal_id)))


@router.post("/approvals", openapi_extra=CREATES)
async def post_approvals(body: ApproveMany, call: Call = needs("coordinator")) -> ApprovalsAnswer:
    """Approve many in one transaction; what can't be approved is listed with its reason. Needs an Idempotency-Key or `key`."""
    return spoken(call, await call.create(body, partial(approvals.approve_many, language=call.language)))


@router.get("/commitments")
async def get_commitments(
    status: Literal["active", "released", "fulfilled"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    call: Call = needs("worker", "coordinator", "auditor"),
) -> Page[CommitmentShown]:
    """What is promised, latest first."""
    (after,) = read_cursor(cursor, UUID) or (None,)
    async with call.transaction() as conn:
        rows = await SQL.commitments(conn, status=status, after=after, most=limit + 1)
    items = tuple(CommitmentShown.model_validate({**row, "commitment_id": row["id"]}) for row in rows[:limit])
    return Page(items=items, next=next_cursor(rows, limit, "id"))


def spoken(call: Call, answer: dict[str, Any]) -> ApprovalsAnswer:
    """The outcome of many approvals with its refusals in the caller's language."""
    return ApprovalsAnswer.model_validate(
        {
            "approved": answer["approved"],
            "refused": [_refusal(call, refused) for refused in answer["refused"]],
        }
    )


def _refusal(call: Call, refused: dict[str, Any]) -> RefusalShown:
    error, message = REFUSALS[refused["rule"]]
    params = refused["params"]
    return RefusalShown(
        proposal_id=refused["proposal_id"],
        rule=refused["rule"],
        status=error.status,
        message=call.say(message, **params),
        left_offer=params["left_offer"],
        left_need=params["left_need"],
    )
