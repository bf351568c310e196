"""/accounts: signing in and out, one's own account, and the people of an administrator's area."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.accounts import handlers, once, rules, views
from services.accounts.api import keep_cookie
from services.accounts.schemas import AddGrant, AddPerson, AddToken, ChangePassword, DisablePerson, SignIn
from services.accounts.signin import change_password, sign_in
from shared import tables
from shared.access import COOKIE, NOBODY, Call, anyone, calls
from shared.errors import AidError
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
needs = calls("accounts")
PAGES = Pages(Path(__file__).parent)


@router.get("/login")
async def login_page(
    request: Request,
    target: Annotated[str, Query(alias="next")] = "/accounts/home",
    call: Call = anyone("accounts"),
) -> Response:
    if call.caller is not NOBODY:
        return RedirectResponse(rules.local_path(target), 303)
    return PAGES.render(request, "accounts/login.html", next=rules.local_path(target), login="")


@router.post("/login")
async def login(request: Request, call: Call = anyone("accounts")) -> Response:
    values = await fields(request)
    target = rules.local_path(values.pop("next", None))
    try:
        signed_in = await sign_in(call, parse(SignIn, values))
    except AidError as error:
        return _login_again(request, error, target, str(values.get("login", "")))
    response = RedirectResponse(target, 303)
    keep_cookie(call, response, signed_in)
    return response


def _login_again(request: Request, error: AidError, target: str, login: str) -> Response:
    headers = {"retry-after": str(error.params["seconds"])} if error.status == 429 else {}
    problem = problem_of(request, error)
    return PAGES.render(
        request, "accounts/login.html", error.status, headers, next=target, login=login, problem=problem
    )


@router.post("/logout")
async def logout(call: Call = anyone("accounts")) -> Response:
    """Works without a session too: whose session has ended still wants to leave."""
    if call.caller is not NOBODY:
        await views.end_own(call, call.caller.session_id)
    response = RedirectResponse("/accounts/login", 303)
    response.delete_cookie(COOKIE)
    return response


@router.get("/home")
async def home(call: Call = needs()) -> Response:
    return RedirectResponse(rules.first_screen(grant.role for grant in call.caller.grants), 303)


@router.get("/me")
async def my_page(request: Request, call: Call = needs()) -> Response:
    return await _me(request, call)


async def _me(request: Request, call: Call, error: AidError | None = None, **more: Any) -> Response:
    problem = problem_of(request, error) if error else None
    context = {"token": None, "done": None} | more
    return PAGES.render(
        request,
        "accounts/me.html",
        error.status if error else 200,
        me=await views.me(call),
        problem=problem,
        **context,
    )


@router.post("/me/password")
async def my_password(request: Request, call: Call = needs()) -> Response:
    try:
        await change_password(call, parse(ChangePassword, await fields(request)))
    except AidError as error:
        return await _me(request, call, error)
    return await _me(request, call, done="密码已更改，其他登录和令牌都已失效。")


@router.post("/me/tokens")
async def my_token(request: Request, call: Call = needs()) -> Response:
    try:
        added = await once.token(call, parse(AddToken, await fields(request)))
    except AidError as error:
        return await _me(request, call, error)
    return await _me(request, call, token=added.token, done="令牌已生成。")


@router.post("/me/sessions/{session_id}/end")
async def end_my_session(session_id: UUID, call: Call = needs()) -> Response:
    await views.end_own(call, session_id)
    return RedirectResponse("/accounts/me", 303)


@router.get("/people")
async def people_page(request: Request, call: Call = needs("admin"), cursor: str | None = None) -> Response:
    return await _people(request, call, cursor)


async def _people(
    request: Request,
    call: Call,
    cursor: str | None = None,
    error: AidError | None = None,
    entered: dict[str, Any] | None = None,
) -> Response:
    organisations = (await views.organisations(call, None, 200)).items
    return PAGES.render(
        request,
        "accounts/people.html",
        error.status if error else 200,
        people=await views.people(call, cursor, 50),
        areas=[code for code in tables.areas() if call.caller.may("admin", code)],
        organisations=[known for known in organisations if call.caller.may("admin", known.area)],
        organisation_names={known.id: known.name for known in organisations},
        entered=entered or {},
        problem=problem_of(request, error) if error else None,
    )


@router.post("/people")
async def add_person(request: Request, call: Call = needs("admin")) -> Response:
    values = await fields(request)
    try:
        added = await once.person(call, parse(AddPerson, values))
    except AidError as error:
        return await _people(request, call, None, error, values)
    login = str(values["login"]).strip().lower()
    return PAGES.render(request, "accounts/password.html", login=login, password=added.password)


@router.post("/people/{person_id}/password")
async def new_password(request: Request, person_id: UUID, call: Call = needs("admin")) -> Response:
    try:
        added = await once.password_of(call, person_id)
    except AidError as error:
        return await _people(request, call, None, error)
    async with call.transaction() as conn:
        row = await handlers.SQL.person(conn, person_id=person_id)
    return PAGES.render(request, "accounts/password.html", login=row["login"], password=added.password)


@router.post("/people/{person_id}/grants")
async def add_grant(request: Request, person_id: UUID, call: Call = needs("admin")) -> Response:
    try:
        body = parse(AddGrant, await fields(request))
        await call.create(body, partial(handlers.add_grant, person_id=person_id))
    except AidError as error:
        return await _people(request, call, None, error)
    return RedirectResponse("/accounts/people", 303)


@router.post("/people/{person_id}/grants/{grant_id}/end")
async def end_grant(
    request: Request, person_id: UUID, grant_id: UUID, call: Call = needs("admin")
) -> Response:
    try:
        await call.do(None, partial(handlers.end_grant, person_id=person_id, grant_id=grant_id))
    except AidError as error:
        return await _people(request, call, None, error)
    return RedirectResponse("/accounts/people", 303)


@router.post("/people/{person_id}/disable")
async def disable_person(request: Request, person_id: UUID, call: Call = needs("admin")) -> Response:
    try:
        body = parse(DisablePerson, await fields(request))
        await call.do(body, partial(handlers.disable_person, person_id=person_id))
    except AidError as error:
        return await _people(request, call, None, error)
    return RedirectResponse("/accounts/people", 303)
