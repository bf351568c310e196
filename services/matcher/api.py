"""/api/matcher/v1: rounds with their certificates, why a need got nothing, the ranking of one need, proposals by hand."""

from __future__ import annotations

from typing import Annotated
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
    RoundShown,
    UnservedNeed,
    Why,
)
from shared.access import Call, calls
from shared.fields import AreaFilter, Cursor, Limit
from shared.openapi import CREATES, problems
from shared.paging import Page
from shared.reasons import words_of

router = APIRouter(
    responses=problems(
        {
            409: "What was to be replaced is decided already",
            422: "Fields that break a rule; `rule` names the matching rule that forbids a pair",
        }
    )
)
needs = calls("matcher")


@router.post("/rounds", status_code=202, openapi_extra=CREATES)
async def post_round(body: AskRound, call: Call = needs("coordinator")) -> RoundAsked:
    """Have all categories planned anew, for a coordinator of a county or wider; read the outcome from the round's address."""
    return RoundAsked.model_validate(await call.create(body, hand.ask_round))


@router.get("/rounds")
async def get_rounds(
    cursor: Cursor = None,
    limit: Limit = 50,
    call: Call = needs("coordinator", "auditor"),
) -> Page[RoundShown]:
    async with call.transaction() as conn:
        return await views.rounds(conn, cursor, limit)


@router.get("/rounds/{round_id}")
async def get_round(round_id: UUID, call: Call = needs("coordinator", "auditor")) -> RoundDetail:
    """One round with fairness by town and the needs left short, counted by rule."""
    async with call.transaction() as conn:
        return await views.round_of(conn, round_id, words_of(call))


@router.get("/unserved")
async def get_unserved(
    area: AreaFilter = "",
    rule: Annotated[str | None, Query(max_length=40)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    call: Call = needs("worker", "coordinator", "auditor"),
) -> Page[UnservedNeed]:
    """Open needs that get nothing or too little, each with the rules that say why."""
    async with call.transaction() as conn:
        return await views.unserved(conn, area or None, rule, cursor, limit, words_of(call))


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
