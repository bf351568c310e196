"""What people see of accounts: the API and the pages read the same values."""

from __future__ import annotations

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
    Person,
    Session,
)
from shared.access import Call, Caller
from shared.db import Connection
from shared.errors import Missing
from shared.paging import Page, next_cursor, read_cursor
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


async def people(call: Call, cursor: str | None, limit: int) -> Page[Person]:
    """A page of the people whom the caller manages, by login."""
    (after,) = read_cursor(cursor, str) or ("",)
    async with call.transaction() as conn:
        rows = await SQL.people(conn, after=after, most=limit + 1)
    items = tuple(Person(**person_of(row, call.keyring)) for row in rows[:limit])
    return Page(items=items, next=next_cursor(rows, limit, "login"))


async def organisations(call: Call, cursor: str | None, limit: int) -> Page[Organisation]:
    after_name, after_id = read_cursor(cursor, str, UUID) or ("", UUID(int=0))
    async with call.transaction() as conn:
        rows = await SQL.organisations(conn, after_name=after_name, after_id=after_id, most=limit + 1)
    return Page(
        items=tuple(Organisation(**row) for row in rows[:limit]), next=next_cursor(rows, limit, "name", "id")
    )


async def end_own(call: Call, session_id: UUID, kinds: Sequence[str] = ("browser", "token")) -> Ended:
    """End one of the caller's own sessions. Not replayed from a key: ending twice is `Missing`."""
    async with call.transaction() as conn:
        command = partial(handlers.end_session, session_id=session_id, kinds=kinds)
        return await command(conn, None, call.caller)
