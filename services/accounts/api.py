"""/api/accounts/v1: signing in, one's own account, and the people of an administrator's area."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.accounts import handlers, once, views
from services.accounts.schemas import (
    AddGrant,
    AddPerson,
    AddToken,
    ChangePassword,
    DisablePerson,
    Ended,
    GrantAdded,
    Me,
    Organisation,
    Person,
    PersonAdded,
    PersonChanged,
    Session,
    SessionOpened,
    SignIn,
    TokenAdded,
)
from services.accounts.signin import SignedIn, change_password, sign_in
from shared.access import COOKIE, Call, anyone, calls
from shared.fields import Cursor, Limit
from shared.openapi import CREATES, problems
from shared.paging import Page

router = APIRouter(
    responses=problems(
        {
            401: "Not signed in, or a wrong login or password",
            409: "Changed meanwhile, or the login is taken",
            429: "Too many tries: `seconds` says how long to wait",
        }
    )
)
needs = calls("accounts")


def keep_cookie(call: Call, response: Response, signed_in: SignedIn) -> None:
    """Give the browser its session: no script reads it, and other sites' forms don't carry it."""
    response.set_cookie(
        COOKIE,
        signed_in.token,
        expires=signed_in.expires_at,
        httponly=True,
        samesite="lax",
        secure=call.request.app.state.settings.secure_cookies,
    )


@router.post("/sessions", status_code=201)
async def post_session(body: SignIn, call: Call = anyone("accounts")) -> SessionOpened:
    """Sign in: the session is in the cookie, for 12 hours. 429 says how many seconds to wait after wrong passwords."""
    signed_in = await sign_in(call, body)
    keep_cookie(call, call.response, signed_in)
    return SessionOpened(session_id=signed_in.session_id, expires_at=signed_in.expires_at)


@router.delete("/sessions/current")
async def delete_session(call: Call = needs()) -> Ended:
    """Sign out."""
    answer = await views.end_own(call, call.caller.session_id)
    call.response.delete_cookie(COOKIE)
    return answer


@router.get("/me")
async def get_me(call: Call = needs()) -> Me:
    return await views.me(call)


@router.get("/me/sessions")
async def get_sessions(call: Call = needs()) -> tuple[Session, ...]:
    """The caller's live sessions and tokens, newest first."""
    async with call.transaction() as conn:
        return await views.sessions(conn, call.caller)


@router.delete("/me/sessions/{session_id}")
async def delete_my_session(session_id: UUID, call: Call = needs()) -> Ended:
    return await views.end_own(call, session_id)


@router.post("/me/tokens", status_code=201, openapi_extra=CREATES)
async def post_token(body: AddToken, call: Call = needs()) -> TokenAdded:
    """A bearer token with the caller's roles. It is in this answer alone; a retry with the same key does not get it again."""
    return await once.token(call, body)


@router.delete("/me/tokens/{token_id}")
async def delete_token(token_id: UUID, call: Call = needs()) -> Ended:
    return await views.end_own(call, token_id, kinds=("token",))


@router.post("/me/password", status_code=204)
async def post_password(body: ChangePassword, call: Call = needs()) -> None:
    """A new password; every other session and token of the caller ends."""
    await change_password(call, body)


@router.post("/people", status_code=201, openapi_extra=CREATES)
async def post_person(body: AddPerson, call: Call = needs("admin")) -> PersonAdded:
    """A new person. Their first password is in this answer alone; a retry with the same key does not get it again."""
    return await once.person(call, body)


@router.get("/people")
async def get_people(call: Call = needs("admin"), cursor: Cursor = None, limit: Limit = 50) -> Page[Person]:
    """People with a role in the administrator's areas, by login."""
    return await views.people(call, cursor, limit)


@router.post("/people/{person_id}/grants", status_code=201, openapi_extra=CREATES)
async def post_grant(person_id: UUID, body: AddGrant, call: Call = needs("admin")) -> GrantAdded:
    answer = await call.create(body, partial(handlers.add_grant, person_id=person_id))
    return GrantAdded.model_validate(answer)


@router.delete("/people/{person_id}/grants/{grant_id}")
async def delete_grant(person_id: UUID, grant_id: UUID, call: Call = needs("admin")) -> PersonChanged:
    """End a role now; it stays on record."""
    return _changed(await call.do(None, partial(handlers.end_grant, person_id=person_id, grant_id=grant_id)))


@router.post("/people/{person_id}/disable")
async def post_disable(person_id: UUID, body: DisablePerson, call: Call = needs("admin")) -> PersonChanged:
    """Nobody signs in as this person any more; all their sessions and tokens end."""
    return _changed(await call.do(body, partial(handlers.disable_person, person_id=person_id)))


@router.post("/people/{person_id}/password")
async def post_new_password(person_id: UUID, call: Call = needs("admin")) -> PersonAdded:
    """A new password for somebody who forgot theirs, in this answer alone; their sessions and tokens end."""
    return await once.password_of(call, person_id)


@router.get("/organisations")
async def get_organisations(
    call: Call = needs("admin"), cursor: Cursor = None, limit: Limit = 200
) -> Page[Organisation]:
    """Charities, companies and volunteer teams that people may belong to, by name."""
    return await views.organisations(call, cursor, limit)


def _changed(answer: dict[str, Any]) -> PersonChanged:
    return PersonChanged.model_validate(answer)
