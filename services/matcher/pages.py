"""Screens of the matcher: rounds, one round, one need with everything that could serve it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.matcher import choices, hand, model_pages, views
from services.matcher.handlers import SQL
from services.matcher.schemas import AskRound, CancelRound, ProposeByHand
from shared.access import Call, calls
from shared.errors import AidError, Conflict, Missing
from shared.fields import Cursor
from shared.reasons import words_of
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
PAGES = Pages(Path(__file__).parent)
needs = calls("matcher")
ROWS = 50
router.include_router(model_pages.router)


@router.get("/")
async def get_rounds(
    request: Request, cursor: Cursor = None, call: Call = needs("coordinator", "auditor")
) -> HTMLResponse:
    """Rounds with their certificates."""
    async with call.transaction() as conn:
        page = await views.rounds(conn, cursor, ROWS, words_of(call))
        running = await views.under_way(conn, words_of(call))
    asks = hand.may_ask(call.caller)
    return PAGES.render(request, "matcher/rounds.html", page=page, running=running, asks=asks)


@router.get("/running")
async def get_running(request: Request, call: Call = needs("coordinator", "auditor")) -> HTMLResponse:
    """The rounds under way, as the page asks for them again and again."""
    async with call.transaction() as conn:
        running = await views.under_way(conn, words_of(call))
    return PAGES.render(request, "matcher/running.html", running=running, asks=hand.may_ask(call.caller))


@router.post("/rounds")
async def post_round(request: Request, call: Call = needs("coordinator")) -> Response:
    answer = await call.create(parse(AskRound, await fields(request)), hand.ask_round)
    return RedirectResponse(f"/matcher/rounds/{answer['round_id']}", 303)


@router.get("/rounds/{round_id}")
async def get_round(
    request: Request, round_id: UUID, call: Call = needs("coordinator", "auditor")
) -> HTMLResponse:
    """Fairness by town before and after, and the needs left short by rule."""
    async with call.transaction() as conn:
        shown = await views.round_of(conn, round_id, words_of(call))
    return PAGES.render(request, "matcher/round.html", round=shown, asks=hand.may_ask(call.caller))


@router.get("/rounds/{round_id}/progress")
async def get_progress(
    request: Request, round_id: UUID, call: Call = needs("coordinator", "auditor")
) -> HTMLResponse:
    """How far the round is; once it is over the page is asked to show what came of it."""
    async with call.transaction() as conn:
        shown = await views.round_of(conn, round_id, words_of(call))
    over = {} if shown.state in ("queued", "running") else {"hx-refresh": "true"}
    return PAGES.render(request, "matcher/progress.html", headers=over, round=shown)


@router.post("/rounds/{round_id}/cancel")
async def post_cancel(round_id: UUID, call: Call = needs("coordinator")) -> Response:
    """Call it off, then show the rounds; one that has ended meanwhile is there as it ended."""
    with suppress(Conflict, Missing):
        await call.do(CancelRound(round_id=round_id), hand.cancel_round)
    return RedirectResponse("/matcher/", 303)


@router.get("/unserved")
async def get_unserved(
    request: Request,
    rule: str | None = None,
    cursor: Cursor = None,
    call: Call = needs("worker", "coordinator", "auditor"),
) -> HTMLResponse:
    """Needs that get nothing or too little, and why."""
    async with call.transaction() as conn:
        page = await views.unserved(conn, None, rule, cursor, ROWS, words_of(call))
    return PAGES.render(request, "matcher/unserved.html", page=page, rule=rule)


@router.get("/needs/{need_id}")
async def get_need(
    request: Request, need_id: UUID, call: Call = needs("worker", "coordinator", "auditor")
) -> HTMLResponse:
    """Why a need got nothing, and the ranking of what could serve it."""
    return await _need(request, call, need_id)


@router.post("/proposals")
async def post_proposal(request: Request, call: Call = needs("coordinator")) -> Response:
    """Propose by hand or swap; then back to the board."""
    values = await fields(request)
    try:
        await call.create(parse(ProposeByHand, values), hand.propose_by_hand)
    except Missing:
        raise
    except AidError as error:
        return await _need(request, call, _id(values.get("need_id")), error)
    return RedirectResponse("/coordination/", 303)


def _id(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError as error:
        raise Missing from error


async def _need(request: Request, call: Call, need_id: UUID, error: AidError | None = None) -> HTMLResponse:
    words = words_of(call)
    async with call.transaction() as conn:
        need = await SQL.need(conn, id=need_id)
        if need is None:
            raise Missing
        why = await choices.why(conn, need_id, words)
        offers = await choices.offers_for(conn, need_id, words)
        pending = await SQL.pending_of_need(conn, id=need_id)
    problem = problem_of(request, error) if error else None
    return PAGES.render(
        request,
        "matcher/need.html",
        error.status if error else 200,
        need=need,
        why=why,
        offers=offers,
        pending=pending,
        problem=problem,
    )
