"""/api/matcher/v1: rounds with their certificates, why a need got nothing, the ranking of one need, proposals by hand."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from services.matcher import choices, hand, views
from services.matcher.schemas import (
    AskRound,
    HandProposal,
    NeedOffers,
    ProposeByHand,
    RoundAsked,
    RoundDetail,
    RoundPage,
    UnservedPage,
    Why,
)
from shared.access import Call, calls
from shared.openapi import CREATES
from shared.reasons import words_of

PROBLEM: dict[str, Any] = {"content": {"application/problem+json": {}}}
router = APIRouter(
    responses={
        403: PROBLEM | {"description": "Not your area"},
        404: PROBLEM | {"description": "Unknown or not visible to you"},
        409: PROBLEM | {"description": "What was to be replaced is decided already"},
        422: PROBLEM
        | {"description": "Fields that break a rule; `rule` names the matching rule that forbids a pair"},
    }
)
needs = calls("matcher")


@router.post("/rounds", status_code=202, openapi_extra=CREATES)
async def post_round(body: AskRound, call: Call = needs("coordinator")) -> RoundAsked:
    """Have all categories planned anew; read the outcome from the round's address."""
    return RoundAsked.model_validate(await call.create(body, hand.ask_round))


@router.get("/rounds")
async def get_rounds(
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    call: Call = needs("coordinator", "auditor"),
) -> RoundPage:
    async with call.transaction() as conn:
        return await views.rounds(conn, cursor, limit)


@router.get("/rounds/{round_id}")
async def get_round(round_id: UUID, call: Call = needs("coordinator", "auditor")) -> RoundDetail:
    """One round with fairness by town and the needs left short, counted by rule."""
    async with call.transaction() as conn:
        return await views.round_of(conn, round_id, words_of(call))


@router.get("/unserved")
async def get_unserved(
    area: Annotated[str | None, Query(pattern=r"^[0-9]{12}$")] = None,
    rule: Annotated[str | None, Query(max_length=40)] = None,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    call: Call = needs("worker", "coordinator", "auditor"),
) -> UnservedPage:
    """Open needs that get nothing or too little, each with the rules that say why."""
    async with call.transaction() as conn:
        return await views.unserved(conn, area, rule, cursor, limit, words_of(call))


@router.get("/needs/{need_id}/why")
async def get_why(need_id: UUID, call: Call = needs("worker", "coordinator", "auditor")) -> Why:
    """Why a need got nothing, or less than it lacks, counted by rule."""
    async with call.transaction() as conn:
        return await choices.why(conn, need_id, words_of(call))


@router.get("/needs/{need_id}/offers")
async def get_offers(need_id: UUID, call: Call = needs("worker", "coordinator", "auditor")) -> NeedOffers:
    """The live ranking of one need: possible offers with reasons, the others with the rule that refuses them."""
    async with call.transaction() as conn:
        return await choices.offers_for(conn, need_id, words_of(call))


@router.post("/proposals", status_code=201, openapi_extra=CREATES)
async def post_proposal(body: ProposeByHand, call: Call = needs("coordinator")) -> HandProposal:
    """Propose by hand, or swap the offer of a pending proposal; another person has to approve it."""
    return HandProposal.model_validate(await call.create(body, hand.propose_by_hand))
