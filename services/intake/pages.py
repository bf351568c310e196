"""The worker's screens: today's work, the visit form, households, needs, imports."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.intake import duplicates, forms, handlers, households, import_pages, needs, views
from services.intake.answers import HouseholdItem
from services.intake.api import CategoryCode, StatusCode, Words, decider, deliverer, reader, worker
from services.intake.schemas import (
    AddMember,
    ChangeHousehold,
    ChangeNeed,
    CloseNeed,
    ConfirmCategory,
    FindHouseholds,
    GiveConsent,
    RecordVisit,
    TellApart,
    WithdrawConsent,
    WithdrawNeed,
)
from services.intake.standing import SQL
from shared.access import Call
from shared.errors import AidError, Missing
from shared.fields import AreaFilter, Cursor
from shared.paging import Page
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
router.include_router(import_pages.router)
PAGES = Pages(Path(__file__).parent)


@router.get("/")
async def show_home(request: Request, call: Call = worker) -> Response:
    async with call.transaction() as conn:
        todo = await views.worklist(conn, call.keyring, call.caller)
        recent = await views.list_needs(conn, views.Filter(limit=20))
    return PAGES.render(request, "intake/home.html", todo=todo, recent=recent.items)


@router.get("/visits/new")
async def show_visit_form(
    request: Request, follow_up: UUID | None = None, household: UUID | None = None, call: Call = worker
) -> Response:
    return await _visit_form(request, call, follow_up, household)


@router.post("/visits/new")
async def post_visit(
    request: Request, follow_up: UUID | None = None, household: UUID | None = None, call: Call = worker
) -> Response:
    entered = await fields(request)
    try:
        body = parse(RecordVisit, forms.visit(entered))
        answer = await call.create(body, partial(handlers.record_visit, keyring=call.keyring))
    except AidError as error:
        return await _visit_form(request, call, follow_up, household, error=error, entered=entered)
    waiting = answer["notes"][0]["need_id"] if answer["notes"] else None
    return RedirectResponse(f"/intake/needs/{waiting}" if waiting else "/intake/", 303)


async def _visit_form(
    request: Request,
    call: Call,
    follow_up: UUID | None,
    household: UUID | None,
    error: AidError | None = None,
    entered: dict[str, Any] | None = None,
) -> Response:
    async with call.transaction() as conn:
        asked = await SQL.follow_up(conn, follow_up_id=follow_up) if follow_up else None
        if follow_up and asked is None:
            raise Missing
        need = await SQL.need(conn, need_id=asked["need_id"]) if asked else None
        known = await SQL.household(conn, household_id=household) if household else None
        sites = await SQL.sites(conn, most=200)
    return PAGES.render(
        request,
        "intake/visit.html",
        error.status if error else 200,
        problem=problem_of(request, error) if error else None,
        value=forms.reader_of(entered or forms.blank_visit()),
        asked=asked,
        need=need,
        known=known,
        sites=sites,
        towns=forms.towns_of(call.caller),
        groups=forms.category_groups(call.language),
        vulnerabilities=forms.vulnerability_groups(),
    )


@router.get("/households")
async def show_households(
    request: Request, q: Words = "", area: AreaFilter = "", cursor: Cursor = None, call: Call = reader
) -> Response:
    wanted = views.Filter(q=q, area=area, cursor=cursor)
    async with call.transaction() as conn:
        page = await views.list_households(conn, wanted, call.keyring)
    return PAGES.render(request, "intake/households.html", page=page, wanted=wanted, words="")


@router.post("/households")
async def search_households(request: Request, call: Call = reader) -> Response:
    """Names, phones and ID numbers are looked for by POST: an address would keep them in logs and histories."""
    entered = await fields(request)
    try:
        body = parse(FindHouseholds, entered)
        async with call.transaction() as conn:
            page = await views.list_households(conn, views.Filter(), call.keyring, body.words)
    except AidError as error:
        empty = Page[HouseholdItem](items=(), next=None)
        problem = problem_of(request, error)
        return PAGES.render(
            request,
            "intake/households.html",
            error.status,
            page=empty,
            wanted=views.Filter(),
            words="",
            problem=problem,
        )
    return PAGES.render(request, "intake/households.html", page=page, wanted=views.Filter(), words=body.words)


@router.get("/households/{household_id}")
async def show_household(request: Request, household_id: UUID, call: Call = reader) -> Response:
    return await _household(request, call, household_id)


async def _household(
    request: Request, call: Call, household_id: UUID, error: AidError | None = None
) -> Response:
    async with call.transaction() as conn:
        found = await views.household(conn, household_id, call.caller, call.keyring)
    return PAGES.render(
        request,
        "intake/household.html",
        error.status if error else 200,
        problem=problem_of(request, error) if error else None,
        household=found,
        vulnerabilities=forms.vulnerability_groups(),
    )


@router.post("/households/{household_id}")
async def post_household(request: Request, household_id: UUID, call: Call = worker) -> Response:
    try:
        body = parse(ChangeHousehold, {"vulnerabilities": []} | await fields(request))
        await call.do(
            body, partial(households.change_household, household_id=household_id, keyring=call.keyring)
        )
    except AidError as error:
        return await _household(request, call, household_id, error)
    return RedirectResponse(f"/intake/households/{household_id}", 303)


@router.post("/households/{household_id}/members")
async def post_member(request: Request, household_id: UUID, call: Call = worker) -> Response:
    try:
        body = parse(AddMember, await fields(request))
        await call.create(
            body, partial(households.add_member, household_id=household_id, keyring=call.keyring)
        )
    except AidError as error:
        return await _household(request, call, household_id, error)
    return RedirectResponse(f"/intake/households/{household_id}", 303)


@router.post("/households/{household_id}/members/{member_id}")
async def change_member(
    request: Request, household_id: UUID, member_id: UUID, call: Call = worker
) -> Response:
    try:
        values = await fields(request)
        member = {"vulnerabilities": []} | values | {"member_id": str(member_id)}
        version = member.pop("version", None)
        body = parse(ChangeHousehold, {"version": version, "members": [member]})
        await call.do(
            body, partial(households.change_household, household_id=household_id, keyring=call.keyring)
        )
    except AidError as error:
        return await _household(request, call, household_id, error)
    return RedirectResponse(f"/intake/households/{household_id}", 303)


@router.post("/households/{household_id}/consent/{change}")
async def post_consent(
    request: Request, household_id: UUID, change: Literal["give", "withdraw"], call: Call = worker
) -> Response:
    try:
        values = await fields(request)
        if change == "give":
            await call.do(
                parse(GiveConsent, values), partial(households.give_consent, household_id=household_id)
            )
        else:
            await call.do(
                parse(WithdrawConsent, values),
                partial(households.withdraw_consent, household_id=household_id),
            )
    except AidError as error:
        return await _household(request, call, household_id, error)
    return RedirectResponse(f"/intake/households/{household_id}", 303)


@router.get("/needs")
async def show_needs(
    request: Request,
    status: StatusCode = "",
    area: AreaFilter = "",
    category: CategoryCode = "",
    cursor: Cursor = None,
    call: Call = reader,
) -> Response:
    wanted = views.Filter(status=status, area=area, category=category, cursor=cursor)
    async with call.transaction() as conn:
        page = await views.list_needs(conn, wanted)
    groups = forms.category_groups(call.language)
    return PAGES.render(
        request,
        "intake/needs.html",
        page=page,
        wanted=wanted,
        groups=groups,
        towns=forms.towns_seen(call.caller),
    )


@router.get("/duplicates")
async def show_duplicates(request: Request, call: Call = reader) -> Response:
    """Needs that are probably told twice."""
    async with call.transaction() as conn:
        found = await duplicates.likely(conn, call.keyring)
    return PAGES.render(request, "intake/duplicates.html", found=found)


@router.post("/needs/{need_id}/apart")
async def post_apart(request: Request, need_id: UUID, call: Call = decider) -> Response:
    try:
        body = parse(TellApart, await fields(request))
        await call.do(body, partial(duplicates.tell_apart, need_id=need_id))
    except AidError as error:
        return await _need(request, call, need_id, error)
    return RedirectResponse("/intake/duplicates", 303)


@router.get("/needs/{need_id}")
async def show_need(request: Request, need_id: UUID, call: Call = reader) -> Response:
    return await _need(request, call, need_id)


async def _need(request: Request, call: Call, need_id: UUID, error: AidError | None = None) -> Response:
    async with call.transaction() as conn:
        found = await views.need(conn, need_id, call.caller, call.keyring)
    return PAGES.render(
        request,
        "intake/need.html",
        error.status if error else 200,
        problem=problem_of(request, error) if error else None,
        need=found,
        groups=forms.category_groups(call.language),
    )


@router.post("/needs/{need_id}/{change}")
async def post_need(
    request: Request,
    need_id: UUID,
    change: Literal["category", "change", "withdraw", "close"],
    call: Call = worker,
) -> Response:
    try:
        values = await fields(request)
        match change:
            case "category":
                await call.do(
                    parse(ConfirmCategory, values), partial(needs.confirm_category, need_id=need_id)
                )
            case "change":
                await call.do(
                    parse(ChangeNeed, forms.dated(values)), partial(needs.change_need, need_id=need_id)
                )
            case "withdraw":
                await call.do(parse(WithdrawNeed, values), partial(needs.withdraw_need, need_id=need_id))
            case "close":
                await call.do(parse(CloseNeed, values), partial(needs.close_need, need_id=need_id))
    except AidError as error:
        return await _need(request, call, need_id, error)
    return RedirectResponse("/intake/" if change == "category" else f"/intake/needs/{need_id}", 303)


@router.get("/commitments/{commitment_id}/contact")
async def show_contact(request: Request, commitment_id: UUID, call: Call = deliverer) -> Response:
    """A fragment for the page of a delivery."""
    async with call.transaction() as conn:
        found = await views.contact(conn, commitment_id, call.caller, call.keyring)
    return PAGES.render(request, "intake/contact.html", contact=found)
