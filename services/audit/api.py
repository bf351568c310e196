"""/api/audit/v1: the ledger, stories, the check, figures, follow-ups."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.audit import views
from services.audit.schemas import Entries, EntryDetail, FollowUps, Overview, Story, VerdictAnswer
from shared.access import Call, calls

PROBLEM: dict[str, Any] = {"content": {"application/problem+json": {}}}
router = APIRouter(
    responses={
        401: PROBLEM | {"description": "Not signed in"},
        403: PROBLEM | {"description": "For auditors and coordinators"},
        404: PROBLEM | {"description": "Missing, or of another area"},
        422: PROBLEM | {"description": "Something has to be corrected"},
    }
)
needs = calls("audit")
Limit = Annotated[int, Query(ge=1, le=200)]
Seq = Annotated[int, Query(ge=1, le=2**62)]


@router.get("/entries")
async def get_entries(
    call: Call = needs("auditor", "coordinator"),
    cursor: Seq | None = None,
    limit: Limit = 50,
    kind: Annotated[str, Query(alias="type", max_length=60)] = "",
) -> Entries:
    """The ledger's entries in the caller's areas, newest first."""
    return await views.entries(call, cursor, limit, kind)


@router.get("/entries/{seq}")
async def get_entry(seq: int, call: Call = needs("auditor", "coordinator")) -> EntryDetail:
    return await views.entry(call, seq)


@router.get("/stories")
async def get_story_of_case(
    case_number: Annotated[str, Query(min_length=3, max_length=40)],
    cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
    call: Call = needs("auditor", "coordinator"),
) -> Story:
    """Everything that one case number asked for and got, in order."""
    return await views.story_of_case(call, case_number, cursor)


@router.get("/stories/{about_id}")
async def get_story(
    about_id: UUID,
    cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
    call: Call = needs("auditor", "coordinator"),
) -> Story:
    """Everything about a need, household, offer, proposal, delivery or visit, in order."""
    return await views.story(call, about_id, cursor)


@router.post("/verifications")
async def post_verification(call: Call = needs("auditor")) -> VerdictAnswer:
    """Check the whole ledger now: the chain of hashes, and every entry against its event."""
    return await views.verification(call)


@router.get("/overview")
async def get_overview(call: Call = needs("auditor", "coordinator")) -> Overview:
    """Needs by state, days to receipt and overdue follow-ups, in all and by town."""
    return await views.overview(call)


@router.get("/follow-ups")
async def get_follow_ups(
    call: Call = needs("auditor", "coordinator"),
    state: Literal["due", "overdue"] | None = None,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
) -> FollowUps:
    """Follow-ups without an answer, the longest due first."""
    return await views.follow_ups(call, state, cursor, limit)
