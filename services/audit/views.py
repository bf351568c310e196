"""What people see of the ledger: the API and the pages read the same values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from services.audit.handlers import SQL
from services.audit.schemas import (
    Entry,
    EntryDetail,
    Figures,
    FollowUp,
    Overview,
    Story,
    VerdictAnswer,
)
from services.audit.verification import SYSTEM_ROLE, Verdict, verify
from shared.access import Call
from shared.errors import Missing
from shared.paging import Page, next_cursor, read_cursor

STORY_PAGE = 500
LAST_SEQ = 2**62
FIRST = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)
OVERDUE: Mapping[str | None, list[bool]] = {None: [True, False], "due": [False], "overdue": [True]}


def _entry(row: Any) -> dict[str, Any]:
    return dict(row) | {"prev_hash": row["prev_hash"].hex(), "hash": row["hash"].hex()}


def _detail(row: Any) -> EntryDetail:
    return EntryDetail(**_entry(row), event=json.loads(row["content"]))


async def entries(call: Call, cursor: str | None, limit: int, kind: str = "") -> Page[Entry]:
    """A page of the ledger, newest first; `kind` is an event type or ''."""
    (before,) = read_cursor(cursor, int) or (LAST_SEQ,)
    async with call.transaction() as conn:
        rows = await SQL.entries(conn, before=before, most=limit + 1, type=kind)
    items = tuple(Entry(**_entry(row)) for row in rows[:limit])
    return Page(items=items, next=next_cursor(rows, limit, "seq"))


async def entry(call: Call, seq: int) -> EntryDetail:
    """Raises `Missing` for a number that is not there or concerns another area."""
    if not 0 < seq <= LAST_SEQ:
        raise Missing
    async with call.transaction() as conn:
        row = await SQL.entry(conn, seq=seq)
    if row is None:
        raise Missing
    return _detail(row)


async def story(call: Call, about_id: UUID, cursor: str | None) -> Story:
    """A page of what happened, oldest first. Raises `Missing` when nothing that the caller may see is about the id."""
    return await _story(call, about_id, [about_id], cursor)


async def story_of_case(call: Call, case_number: str, cursor: str | None) -> Story:
    """The same for whoever has this case number, with all their needs."""
    async with call.transaction() as conn:
        ids = [row["id"] for row in await SQL.ids_of_case(conn, case_number=case_number.strip())]
    return await _story(call, None, ids, cursor)


async def _story(call: Call, about_id: UUID | None, ids: list[UUID], cursor: str | None) -> Story:
    (after,) = read_cursor(cursor, int) or (0,)
    async with call.transaction() as conn:
        rows = await SQL.story(conn, ids=ids, after=after, most=STORY_PAGE + 1)
    if not rows:
        raise Missing
    return Story(
        id=about_id,
        entries=tuple(_detail(row) for row in rows[:STORY_PAGE]),
        next=next_cursor(rows, STORY_PAGE, "seq"),
    )


async def check(call: Call) -> Verdict:
    """The whole ledger, whatever the auditor's area: the verdict holds numbers alone."""
    async with call.db.transaction(SYSTEM_ROLE) as conn:
        return await verify(conn)


async def verification(call: Call) -> VerdictAnswer:
    verdict = await check(call)
    return VerdictAnswer(
        entries=verdict.entries,
        ok=verdict.ok,
        first_bad_seq=verdict.first_bad_seq,
        reason=call.say(verdict.reason, **verdict.params) if verdict.reason else None,
        waiting=verdict.waiting,
        seconds=round(verdict.seconds, 3),
        last_hash=verdict.last_hash,
    )


async def overview(call: Call) -> Overview:
    async with call.transaction() as conn:
        rows = [Figures(**row) for row in await SQL.overview(conn)]
    return Overview(total=rows[0], areas=tuple(rows[1:]))


async def follow_ups(
    call: Call, state: Literal["due", "overdue"] | None, cursor: str | None, limit: int
) -> Page[FollowUp]:
    """A page of what waits for an answer, the longest due first."""
    after_due, after_id = read_cursor(cursor, datetime, UUID) or FIRST
    async with call.transaction() as conn:
        rows = await SQL.follow_ups(
            conn, overdue=OVERDUE[state], after_due=after_due, after_id=after_id, most=limit + 1
        )
    return Page(
        items=tuple(FollowUp(**row) for row in rows[:limit]), next=next_cursor(rows, limit, "due_at", "id")
    )
