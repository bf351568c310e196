"""Screens of the learned models: the list, the model card, and the three things a person may do."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.matcher import model_views, models
from services.matcher.schemas import AskModel, BackToRules, PromoteModel
from shared.access import Call, calls
from shared.errors import AidError, Forbidden, Missing
from shared.fields import Cursor
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
PAGES = Pages(Path(__file__).parent)
needs = calls("matcher")
ROWS = 50


@router.get("/models")
async def get_models(
    request: Request, cursor: Cursor = None, call: Call = needs("coordinator", "auditor")
) -> HTMLResponse:
    """Models, latest first, and which one ranks now."""
    async with call.transaction() as conn:
        page = await model_views.models(conn, cursor, ROWS)
    return PAGES.render(
        request,
        "matcher/models.html",
        page=page,
        asks=models.may_promote(call.caller),
        restores=models.may_restore(call.caller),
    )


@router.post("/models")
async def post_model(request: Request, call: Call = needs("coordinator")) -> Response:
    answer = await call.create(parse(AskModel, await fields(request)), models.ask_model)
    return RedirectResponse(f"/matcher/models/{answer['model_id']}", 303)


@router.post("/models/rules")
async def post_rules(call: Call = needs("coordinator")) -> Response:
    await call.do(BackToRules(), models.restore_rules)
    return RedirectResponse("/matcher/models", 303)


@router.get("/models/{model_id}")
async def get_model(
    request: Request, model_id: UUID, call: Call = needs("coordinator", "auditor")
) -> HTMLResponse:
    """The model card."""
    return await _model(request, call, model_id)


@router.post("/models/{model_id}/promote")
async def post_promotion(request: Request, model_id: UUID, call: Call = needs("coordinator")) -> Response:
    """Put it in force, or say on the card why not."""
    try:
        values = {**await fields(request), "model_id": str(model_id)}
        await call.do(parse(PromoteModel, values), models.promote)
    except (Missing, Forbidden):
        raise
    except AidError as error:
        return await _model(request, call, model_id, error)
    return RedirectResponse("/matcher/models", 303)


async def _model(request: Request, call: Call, model_id: UUID, error: AidError | None = None) -> HTMLResponse:
    async with call.transaction() as conn:
        shown = await model_views.model(conn, model_id)
    return PAGES.render(
        request,
        "matcher/model.html",
        error.status if error else 200,
        model=shown,
        asks=models.may_promote(call.caller),
        problem=problem_of(request, error) if error else None,
    )
