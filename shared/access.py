"""Who is asking, what they may do, and the one way a request reaches the database."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import asyncpg
from fastapi import Depends, Request, Response
from pydantic import BaseModel

from shared.bus import Cause, cause, new_id
from shared.db import Connection, Database, queries
from shared.errors import AidError, Forbidden, Invalid, Unauthenticated
from shared.i18n import Language, choose, say
from shared.pii import Keyring

Role = Literal["worker", "charity", "coordinator", "auditor", "admin"]
COOKIE = "nuanlian_session"
LANGUAGE_COOKIE = "nuanlian_language"
TRIES = 4
SQL = queries(Path(__file__).parent, "access.sql")


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held for an area, and for a charity when the role is 'charity'."""

    role: Role
    area: str
    charity_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request, as the database knows them."""

    person_id: UUID
    session_id: UUID
    kind: Literal["browser", "token"]
    grants: tuple[Grant, ...]

    def has(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)

    def may(self, role: Role, area: str) -> bool:
        """Whether the role is held for this area or one that contains it."""
        return any(grant.role == role and area.startswith(_prefix(grant.area)) for grant in self.grants)

    def require(self, role: Role, area: str) -> None:
        """Raises `Forbidden` unless `may`."""
        if not self.may(role, area):
            raise Forbidden("这个地区不在您的负责范围内，请核对镇街或联系管理员。")

    @property
    def charity_ids(self) -> tuple[UUID, ...]:
        return tuple(grant.charity_id for grant in self.grants if grant.charity_id)


def _prefix(area: str) -> str:
    """The digits that every area inside `area` starts with: 445381000000 -> 445381 (levels of 2, 4, 6, 9 and 12 digits)."""
    for digits in (2, 4, 6, 9):
        if set(area[digits:]) == {"0"}:
            return area[:digits]
    return area


def new_token() -> str:
    """An opaque secret of 256 bits; only its hash is stored."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(request: Request) -> tuple[str, Literal["browser", "token"]] | None:
    """The token that a request carries, from its header or its cookie."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip(), "token"
    cookie = request.cookies.get(COOKIE)
    return (cookie, "browser") if cookie else None


def language_of(request: Request) -> Language:
    return choose(request.cookies.get(LANGUAGE_COOKIE) or request.headers.get("accept-language"))


def _check_origin(request: Request) -> None:
    """A cookie travels with every request a browser makes: a change must come from our own pages (Sec-Fetch-Site, else Origin)."""
    if request.method in ("GET", "HEAD"):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and origin.split("://")[-1] != request.headers.get("host")
    if foreign:
        raise Forbidden("这个请求来自别的网站，没有执行。请从本系统的页面操作。")


async def authenticate(db: Database, request: Request) -> Caller | None:
    """The person behind the request's token, or None for no token, an ended session or a withdrawn token."""
    found = token_of(request)
    if found is None:
        return None
    token, kind = found
    if kind == "browser":
        _check_origin(request)
    async with db.transaction("nuanlian_service", hash_token(token)) as conn:
        who = await SQL.whoami(conn)
    return _caller(json.loads(who) if isinstance(who, str) else who)


def _caller(who: dict[str, Any] | None) -> Caller | None:
    if who is None:
        return None
    grants = tuple(
        Grant(g["role"], g["area"], UUID(g["charity_id"]) if g["charity_id"] else None) for g in who["grants"]
    )
    return Caller(UUID(who["person_id"]), UUID(who["session_id"]), who["kind"], grants)


class KeyNeeded(AidError):
    """请带上 Idempotency-Key 请求头：每次新建用一个新的编号，重试时用同一个。"""

    status, kind, title = 400, "idempotency-key-needed", "缺少 Idempotency-Key"


Command = Callable[[Connection, Any, Caller], Awaitable[BaseModel]]
NOBODY = Caller(UUID(int=0), UUID(int=0), "browser", ())


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to one service's tables: who asks, in which language, and the transactions it may open."""

    request: Request
    response: Response
    db: Database
    service: str
    caller: Caller
    token_hash: str

    @property
    def language(self) -> Language:
        return language_of(self.request)

    @property
    def keyring(self) -> Keyring:
        keyring: Keyring = self.request.app.state.keyring
        return keyring

    def say(self, message: str, **params: object) -> str:
        return say(self.request.app.state.words, self.language, message, params)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction as this service, seeing what the caller may see; what it publishes names this request as its cause."""
        mark = cause.set(Cause(self.service, new_id()))
        try:
            async with self.db.transaction(f"nuanlian_{self.service}", self.token_hash) as conn:
                yield conn
        finally:
            cause.reset(mark)

    async def do(self, body: Any, command: Command) -> dict[str, Any]:
        """Run a command in one transaction and return its answer as JSON values.

        With an Idempotency-Key the answer is stored in the same transaction and replayed for the same key and body; another body is
        `Invalid`. Two at once with one key: the second waits for the first.
        """
        for _ in range(TRIES - 1):
            with suppress(
                asyncpg.DeadlockDetectedError
            ):  # nothing was kept: a batch of events locks rows in its own order
                return await self._once(body, command)
        return await self._once(body, command)

    async def _once(self, body: Any, command: Command) -> dict[str, Any]:
        key = self.request.headers.get("idempotency-key") or getattr(body, "idempotency_key", None)
        async with self.transaction() as conn:
            if key and (stored := await self._begin(conn, key, body)) is not None:
                self.response.headers["idempotent-replayed"] = "true"
                return stored
            answer = (await command(conn, body, self.caller)).model_dump(mode="json")
            if key:
                await SQL.store_answer(
                    conn, person_id=self.caller.person_id, route=self._route, key=key, response=answer
                )
        return answer

    async def create(self, body: Any, command: Command) -> dict[str, Any]:
        """Like `do`, for what creates something: the Idempotency-Key is required, so that a retry never makes a second one."""
        if not (self.request.headers.get("idempotency-key") or getattr(body, "idempotency_key", None)):
            raise KeyNeeded
        return await self.do(body, command)

    @property
    def _route(self) -> str:
        return f"{self.request.method} {self.request.url.path}"

    async def _begin(self, conn: Connection, key: str, body: Any) -> dict[str, Any] | None:
        text = body.model_dump_json() if isinstance(body, BaseModel) else repr(body)
        digest = hashlib.sha256(text.encode()).hexdigest()
        row: asyncpg.Record | None = await SQL.begin_once(
            conn, person_id=self.caller.person_id, route=self._route, key=key[:200], body_hash=digest
        )
        if row is not None:
            return None
        first = await SQL.first_answer(
            conn, person_id=self.caller.person_id, route=self._route, key=key[:200]
        )
        if first["body_hash"] != digest:
            raise Invalid("这个 Idempotency-Key 已经用于另一份内容。新的内容请用新的编号。")
        stored: dict[str, Any] = first["response"]
        return stored


def calls(service: str) -> Callable[..., Any]:
    """`needs = calls("intake")`, then `call: Call = needs("worker")`: a signed-in caller who holds one of the roles (none named: any)."""

    def needs(*roles: Role) -> Any:
        async def dependency(request: Request, response: Response) -> Call:
            db: Database = request.app.state.db
            caller = await authenticate(db, request)
            if caller is None:
                raise Unauthenticated
            if roles and not caller.has(*roles):
                raise Forbidden
            request.state.caller = caller
            found = token_of(request)
            return Call(request, response, db, service, caller, hash_token(found[0]) if found else "")

        return Depends(dependency)

    return needs


def anyone(service: str) -> Any:
    """A call by somebody who need not be signed in, as on the login page: they see no rows of anybody's."""

    async def dependency(request: Request, response: Response) -> Call:
        db: Database = request.app.state.db
        caller = await authenticate(db, request)
        request.state.caller = caller
        found = token_of(request)
        return Call(
            request, response, db, service, caller or NOBODY, hash_token(found[0]) if caller and found else ""
        )

    return Depends(dependency)
