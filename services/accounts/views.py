"""What people see of accounts: the API and the pages read the same values."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from services.accounts import handlers
from services.accounts.handlers import SQL, name_place
from services.accounts.schemas import (
    Ended,
    GrantHeld,
    Me,
    Organisation,
    Organisations,
    People,
    Person,
    Session,
)
from shared.access import Call, Caller
from shared.db import Connection
from shared.errors import Fault, Invalid, Missing
from shared.pii import Keyring


def person_of(row: Any, keyring: Keyring) -> dict[str, Any]:
    """A stored person with the name opened: shown to themselves and to the administrators who manage them."""
    return {
        "person_id": row["id"],
        "login": row["login"],
        "name": keyring.open(row["data_key"], name_place(row["id"]), row["name_enc"]) or "",
        "disabled": row["disabled_at"] is not None,
        "version": row["version"],
        "grants": tuple(GrantHeld.model_validate(grant) for grant in row["grants"]),
    }


async def sessions(conn: Connection, caller: Caller) -> tuple[Session, ...]:
    rows = await SQL.sessions(conn, person_id=caller.person_id)
    return tuple(Session(**row, current=row["id"] == caller.session_id) for row in rows)


async def me(call: Call) -> Me:
    """The caller's own account. Raises `Missing` for a session whose person has no account."""
    async with call.transaction() as conn:
        row = await SQL.person(conn, person_id=call.caller.person_id)
        if row is None:
            raise Missing
        return Me(**person_of(row, call.keyring), sessions=await sessions(conn, call.caller))


async def people(call: Call, cursor: str | None, limit: int) -> People:
    """A page of the people whom the caller manages; `cursor` is what the page before named as next."""
    after = _open_cursor(cursor, 1)[0] if cursor else ""
    async with call.transaction() as conn:
        rows = await SQL.people(conn, after=after, most=limit)
    items = tuple(Person(**person_of(row, call.keyring)) for row in rows)
    return People(items=items, next=_cursor(items[-1].login) if len(items) == limit else None)


async def organisations(call: Call, cursor: str | None, limit: int) -> Organisations:
    after_name, after_id = _open_cursor(cursor, 2) if cursor else ("", str(UUID(int=0)))
    async with call.transaction() as conn:
        rows = await SQL.organisations(conn, after_name=after_name, after_id=_uuid(after_id), most=limit)
    items = tuple(Organisation(**row) for row in rows)
    more = len(items) == limit
    return Organisations(items=items, next=_cursor(items[-1].name, str(items[-1].id)) if more else None)


async def end_own(call: Call, session_id: UUID, kinds: Sequence[str] = ("browser", "token")) -> Ended:
    """End one of the caller's own sessions. Not replayed from a key: ending twice is `Missing`."""
    async with call.transaction() as conn:
        command = partial(handlers.end_session, session_id=session_id, kinds=kinds)
        return await command(conn, None, call.caller)


def _cursor(*parts: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _open_cursor(cursor: str, parts: int) -> list[str]:
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        found = None
    if isinstance(found, list) and len(found) == parts and all(isinstance(part, str) for part in found):
        return found
    raise _wrong_cursor()


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _wrong_cursor() from error


def _wrong_cursor() -> Invalid:
    return Invalid(faults=(Fault("cursor", "cursor", "翻页位置无效，请从第一页重新开始"),))
