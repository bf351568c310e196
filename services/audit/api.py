"""/api/audit/v1: the ledger, stories, the check, figures, follow-ups."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.audit import views
from services.audit.schemas import Entry, EntryDetail, FollowUp, Overview, Story, VerdictAnswer
from shared.access import Call, calls
from shared.fields import Cursor, Limit
from shared.openapi import problems
from shared.paging import Page

router = APIRouter(responses=problems())
needs = calls("audit")


@router.get("/entries")
async def get_entries(
    call: Call = needs("auditor", "coordinator"),
    cursor: Cursor = None,
    limit: Limit = 50,
    kind: Annotated[str, Query(alias="type", max_length=60)] = "",
) -> Page[Entry]:
    """The ledger's entries in the caller's areas, newest first."""
    return await views.entries(call, cursor, limit, kind)


@router.get("/entries/{seq}")
async def get_entry(seq: int, call: Call = needs("auditor", "coordinator")) -> EntryDetail:
    return await views.entry(call, seq)


@router.get("/stories")
async def get_story_of_case(
    case_number: Annotated[str, Query(min_length=3, max_length=40)],
    cursor: Cursor = None,
    call: Call = needs("auditor", "coordinator"),
) -> Story:
    """Everything about whoever has this case number, and all that they asked for and got, in order."""
    return await views.story_of_case(call, case_number, cursor)


@router.get("/stories/{about_id}")
async def get_story(
    about_id: UUID,
    cursor: Cursor = None,
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
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[FollowUp]:
    """Follow-ups without an answer, the longest due first."""
    return await views.follow_ups(call, state, cursor, limit)
