"""What people see of the ledger: the API and the pages read the same values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from services.audit.handlers import SQL
from services.audit.schemas import (
    Entries,
    Entry,
    EntryDetail,
    Figures,
    FollowUp,
    FollowUps,
    Overview,
    Story,
    VerdictAnswer,
)
from services.audit.verification import SYSTEM_ROLE, Verdict, verify
from shared.access import Call
from shared.errors import Fault, Invalid, Missing

STORY_PAGE = 500
LAST_SEQ = 2**62
OVERDUE: Mapping[str | None, list[bool]] = {None: [True, False], "due": [False], "overdue": [True]}


def _entry(row: Any) -> dict[str, Any]:
    return dict(row) | {"prev_hash": row["prev_hash"].hex(), "hash": row["hash"].hex()}


def _detail(row: Any) -> EntryDetail:
    return EntryDetail(**_entry(row), event=json.loads(row["content"]))


async def entries(call: Call, before: int | None, limit: int, kind: str = "") -> Entries:
    """A page of the ledger before number `before`, newest first; `kind` is an event type or ''."""
    async with call.transaction() as conn:
        rows = await SQL.entries(conn, before=before or LAST_SEQ, most=limit, type=kind)
    items = tuple(Entry(**_entry(row)) for row in rows)
    return Entries(items=items, next=str(items[-1].seq) if len(items) == limit else None)


async def entry(call: Call, seq: int) -> EntryDetail:
    """Raises `Missing` for a number that is not there or concerns another area."""
    if not 0 < seq <= LAST_SEQ:
        raise Missing
    async with call.transaction() as conn:
        row = await SQL.entry(conn, seq=seq)
    if row is None:
        raise Missing
    return _detail(row)


async def story(call: Call, about_id: UUID, after: int = 0) -> Story:
    """What happened after entry `after`, oldest first. Raises `Missing` when nothing that the caller may see is about the id."""
    return await _story(call, about_id, [about_id], after)


async def story_of_case(call: Call, case_number: str, after: int = 0) -> Story:
    """The same for everything that a case number asked for."""
    async with call.transaction() as conn:
        needs = [row["need_id"] for row in await SQL.needs_of_case(conn, case_number=case_number.strip())]
    return await _story(call, None, needs, after)


async def _story(call: Call, about_id: UUID | None, ids: list[UUID], after: int) -> Story:
    async with call.transaction() as conn:
        rows = await SQL.story(conn, ids=ids, after=after, most=STORY_PAGE + 1)
    if not rows:
        raise Missing
    following = str(rows[STORY_PAGE - 1]["seq"]) if len(rows) > STORY_PAGE else None
    return Story(id=about_id, entries=tuple(_detail(row) for row in rows[:STORY_PAGE]), next=following)


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
) -> FollowUps:
    """A page of what waits for an answer; `cursor` is what the page before named as next."""
    after_due, after_id = _place(cursor)
    async with call.transaction() as conn:
        rows = await SQL.follow_ups(
            conn, overdue=OVERDUE[state], after_due=after_due, after_id=after_id, most=limit
        )
    items = tuple(FollowUp(**row) for row in rows)
    last = items[-1] if len(items) == limit else None
    return FollowUps(
        items=items, next=f"{last.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}_{last.id}" if last else None
    )


def _place(cursor: str | None) -> tuple[datetime, UUID]:
    if cursor is None:
        return datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)
    due, _, known = cursor.partition("_")
    try:
        return datetime.strptime(due, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC), UUID(known)
    except ValueError as error:
        raise Invalid(faults=(Fault("cursor", "cursor", "翻页位置无效，请从第一页重新开始"),)) from error
