"""The screens of offers: the list with what is free, committed and delivered, one offer, its form, imports from a sheet."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.offers import handlers, import_pages, rules
from services.offers.answers import State
from services.offers.api import giver, page_of, reader, say_stored
from services.offers.forms import choices, form_values, terms_of_form
from services.offers.handlers import SQL
from services.offers.schemas import RegisterCharity, RegisterOffer, ReplaceTerms, WithdrawOffer
from shared.access import Call
from shared.errors import AidError, Missing
from shared.fields import Cursor
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
router.include_router(import_pages.router)
PAGES = Pages(Path(__file__).parent)


@router.get("/")
async def show_offers(
    request: Request,
    status: State | None = None,
    category: Annotated[str | None, Query(max_length=24)] = None,
    cursor: Cursor = None,
    call: Call = reader,
) -> Response:
    rows, following = await page_of(
        call, state=status, category=category or None, charity_id=None, cursor=cursor, limit=50
    )
    async with call.transaction() as conn:
        totals = await SQL.totals(conn, state=status, category=category or None)
    return PAGES.render(
        request,
        "offers/list.html",
        rows=rows,
        totals=totals,
        following=following,
        chosen={"status": status or "", "category": category or ""},
        may_give=call.caller.has("charity", "coordinator"),
    )


@router.get("/new")
async def show_new(request: Request, call: Call = giver) -> Response:
    return await _form(request, call)


@router.post("/new")
async def post_new(request: Request, call: Call = giver) -> Response:
    values = await fields(request)
    try:
        stored = say_stored(
            call, await call.create(parse(RegisterOffer, terms_of_form(values)), handlers.register_offer)
        )
    except AidError as error:
        return await _form(request, call, error.status, entered=values, problem=problem_of(request, error))
    return RedirectResponse(f"/offers/{stored.offer_id}", 303)


@router.get("/charities")
async def show_charities(request: Request, call: Call = reader) -> Response:
    return await _charities(request, call)


@router.post("/charities")
async def post_charity(request: Request, call: Call = giver) -> Response:
    values = await fields(request)
    try:
        await call.create(parse(RegisterCharity, values), handlers.register_charity)
    except AidError as error:
        return await _charities(
            request, call, error.status, entered=values, problem=problem_of(request, error)
        )
    return RedirectResponse("/offers/charities", 303)


@router.get("/{offer_id}")
async def show_offer(request: Request, offer_id: UUID, call: Call = reader) -> Response:
    return await _detail(request, call, offer_id)


@router.post("/{offer_id}")
async def post_change(request: Request, offer_id: UUID, call: Call = giver) -> Response:
    values = await fields(request)
    try:
        body = parse(ReplaceTerms, terms_of_form(values)).as_change()
        await call.do(body, partial(handlers.change_offer, offer_id=offer_id))
    except Missing:
        raise
    except AidError as error:
        problem = problem_of(request, error)
        return await _detail(request, call, offer_id, error.status, entered=values, problem=problem)
    return RedirectResponse(f"/offers/{offer_id}", 303)


@router.post("/{offer_id}/withdraw")
async def post_withdraw(request: Request, offer_id: UUID, call: Call = giver) -> Response:
    try:
        body = parse(WithdrawOffer, await fields(request))
        await call.do(body, partial(handlers.withdraw_offer, offer_id=offer_id))
    except Missing:
        raise
    except AidError as error:
        return await _detail(request, call, offer_id, error.status, problem=problem_of(request, error))
    return RedirectResponse(f"/offers/{offer_id}", 303)


async def _form(
    request: Request,
    call: Call,
    status: int = 200,
    entered: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
) -> Response:
    async with call.transaction() as conn:
        charities = await SQL.charities(conn, after=None, most=500)
    mine = [row for row in charities if row["id"] in call.caller.charity_ids]
    context = choices(call.language) | {"entered": defaultdict(str, entered or {}), "problem": problem}
    shown = charities if call.caller.has("coordinator") else mine
    return PAGES.render(request, "offers/new.html", status, None, charities=shown, **context)


async def _detail(
    request: Request,
    call: Call,
    offer_id: UUID,
    status: int = 200,
    entered: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
) -> Response:
    async with call.transaction() as conn:
        row = await SQL.offer(conn, id=offer_id)
        towns = await SQL.by_town(conn, offer_id=offer_id)
    if row is None:
        raise Missing
    may_change = row["status"] == "open" and _may_change(call, row)
    context = choices(call.language) | {
        "entered": defaultdict(str, entered or form_values(row)),
        "problem": problem,
    }
    context["warnings"] = rules.warnings(row["category"], tuple(row["licences"]))
    return PAGES.render(
        request, "offers/detail.html", status, None, offer=row, towns=towns, may_change=may_change, **context
    )


def _may_change(call: Call, row: Any) -> bool:
    try:
        handlers.may_give(call.caller, row["charity_id"], handlers.terms_of(row))
    except AidError:
        return False
    return True


async def _charities(
    request: Request,
    call: Call,
    status: int = 200,
    entered: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
) -> Response:
    async with call.transaction() as conn:
        charities = await SQL.charities(conn, after=None, most=1_000)
    context = choices(call.language) | {
        "entered": defaultdict(str, entered or {}),
        "problem": problem,
        "charities": charities,
    }
    return PAGES.render(
        request, "offers/charities.html", status, None, may_add=call.caller.has("coordinator"), **context
    )
