"""/api/matcher/v1: rounds with their certificates, why a need got nothing, the ranking of one need, proposals by hand, models."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.matcher import choices, hand, model_views, models, views
from services.matcher.schemas import (
    AskModel,
    AskRound,
    BackToRules,
    CancelRound,
    HandProposal,
    ModelAsked,
    ModelDetail,
    ModelInForce,
    Models,
    NeedOffers,
    PromoteModel,
    Promotion,
    ProposeByHand,
    RoundAsked,
    RoundCancelled,
    RoundDetail,
    RoundShown,
    RoundsUnderWay,
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
            409: "What was to be replaced is decided already, the round is over, or the model can't be put in force",
            422: "Fields that break a rule; `rule` names the matching rule that forbids a pair, or says that a model serves a group worse",
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
        return await views.rounds(conn, cursor, limit, words_of(call))


@router.get("/rounds/running")
async def get_running(call: Call = needs("coordinator", "auditor")) -> RoundsUnderWay:
    """Rounds that are worked on now, the longest first: those asked for, and the others once they take more than a few seconds."""
    async with call.transaction() as conn:
        return RoundsUnderWay(items=await views.under_way(conn, words_of(call)))


@router.get("/rounds/{round_id}")
async def get_round(round_id: UUID, call: Call = needs("coordinator", "auditor")) -> RoundDetail:
    """One round with fairness by town and the needs left short, counted by rule."""
    async with call.transaction() as conn:
        return await views.round_of(conn, round_id, words_of(call))


@router.post("/rounds/{round_id}/cancel")
async def post_cancel(round_id: UUID, call: Call = needs("coordinator")) -> RoundCancelled:
    """Call a round off, for a coordinator of a county or wider. One that waits never begins; one under way stops within a moment and
    changes nothing."""
    return RoundCancelled.model_validate(await call.do(CancelRound(round_id=round_id), hand.cancel_round))


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


@router.get("/models")
async def get_models(
    cursor: Cursor = None, limit: Limit = 50, call: Call = needs("coordinator", "auditor")
) -> Models:
    """Models learned from decisions, latest first, and which one ranks now."""
    async with call.transaction() as conn:
        return await model_views.models(conn, cursor, limit)


@router.post("/models", status_code=202, openapi_extra=CREATES)
async def post_model(body: AskModel, call: Call = needs("coordinator")) -> ModelAsked:
    """Have a challenger learned, for a coordinator of a city or wider; read the outcome from the model's address."""
    return ModelAsked.model_validate(await call.create(body, models.ask_model))


@router.post("/models/rules")
async def post_rules(body: BackToRules, call: Call = needs("coordinator")) -> ModelInForce:
    """Back to the office's own rules at once, for a coordinator of a county or wider; nothing happens if they rank already."""
    return ModelInForce.model_validate(await call.do(body, models.restore_rules))


@router.get("/models/{model_id}")
async def get_model(model_id: UUID, call: Call = needs("coordinator", "auditor")) -> ModelDetail:
    """The model card, the shapes, and the drift since."""
    async with call.transaction() as conn:
        return await model_views.model(conn, model_id)


@router.post("/models/{model_id}/promote")
async def post_promotion(model_id: UUID, body: Promotion, call: Call = needs("coordinator")) -> ModelInForce:
    """Put a model in force, for a coordinator of a city or wider. One that serves a group worse needs a reason in words."""
    command = PromoteModel(model_id=model_id, reason=body.reason)
    return ModelInForce.model_validate(await call.do(command, models.promote))
