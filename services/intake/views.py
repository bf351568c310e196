"""What is shown of the tables: masked in lists, whole for the town's worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.answers import (
    BundledNeed,
    CommitmentItem,
    Contact,
    FollowUpItem,
    HouseholdDetail,
    HouseholdItem,
    MemberItem,
    NeedDetail,
    NeedItem,
    VisitItem,
    Worklist,
    need_item,
)
from services.intake.duplicates import of_need
from services.intake.rules import next_steps
from services.intake.sealing import open_household, open_member, open_text
from services.intake.standing import SQL, beneficiary
from shared import tables
from shared.access import Caller
from shared.bus import new_id
from shared.clock import today
from shared.db import Connection
from shared.errors import Missing
from shared.paging import Page, next_cursor, read_cursor
from shared.pii import Keyring, mask


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; an empty text narrows nothing."""

    q: str = ""
    area: str = ""
    status: str = ""
    category: str = ""
    cursor: str | None = None
    limit: int = 50

    @property
    def area_like(self) -> str:
        return f"{tables.prefix(self.area)}%" if self.area in tables.areas() else "%"

    @property
    def after(self) -> UUID | None:
        """The id that the page before ended with. Raises `Invalid`."""
        (after,) = read_cursor(self.cursor, UUID) or (None,)
        return after


async def list_households(
    conn: Connection, wanted: Filter, keyring: Keyring, words: str = ""
) -> Page[HouseholdItem]:
    """Households whose case number starts with `q`, or whose name, phone or ID number is exactly `words`; newest first, masked.

    `words` are personal, so they come in a body, never in an address that logs keep.
    """
    rows = await SQL.find_households(
        conn,
        cursor=wanted.after,
        case_like=_starts(wanted.q.strip() or words.strip()),
        phone_blind=keyring.blind("phone", words),
        name_blind=keyring.blind("name", words),
        id_blind=keyring.blind("id_number", words),
        area_like=wanted.area_like,
        most=wanted.limit + 1,
    )
    items = tuple(_household_item(keyring, row) for row in rows[: wanted.limit])
    return Page(items=items, next=next_cursor(rows, wanted.limit, "id"))


def _starts(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%" if words else ""


def _household_item(keyring: Keyring, row: Mapping[str, Any]) -> HouseholdItem:
    head = (
        open_member(keyring, row["data_key"], row["id"], row, "name", "member_id")
        if row["name_enc"]
        else None
    )
    return HouseholdItem(
        household_id=row["id"],
        case_number=row["case_number"],
        area=row["area"],
        head=mask(head),
        phone=mask(open_household(keyring, row, "phone"), 3),
        members=row["members"],
        vulnerabilities=tuple(row["vulnerabilities"]),
        consent=row["consent"],
        version=row["version"],
    )


async def household(conn: Connection, household_id: UUID, by: Caller, keyring: Keyring) -> HouseholdDetail:
    """One household with members, needs and visits: whole for the town's worker, masked for others. Raises `Missing`."""
    row = await SQL.household(conn, household_id=household_id)
    if row is None:
        raise Missing
    full = by.may("worker", row["area"])
    members = await SQL.members(conn, household_ids=[household_id])
    needs = await SQL.list_needs(
        conn, cursor=None, status="", category="", area_like="%", beneficiary_id=household_id, most=200
    )
    visits = await SQL.visits_of(conn, beneficiary_id=household_id)
    place = open_household(keyring, row, "location") if full else None
    lng, lat = json.loads(place) if place else (0.0, 0.0)
    return HouseholdDetail(
        household_id=household_id,
        case_number=row["case_number"],
        area=row["area"],
        village=_shown(open_household(keyring, row, "village"), full),
        address=_shown(open_household(keyring, row, "address"), full),
        phone=_shown(open_household(keyring, row, "phone"), full, 3),
        location={"lng": lng, "lat": lat} if place else None,
        vulnerabilities=tuple(row["vulnerabilities"]),
        consent=row["consent"],
        consent_on=row["consent_on"],
        consent_by_guardian=row["consent_by_guardian"],
        version=row["version"],
        masked=not full,
        members=[_member(keyring, row["data_key"], member, full) for member in members],
        needs=[_need(keyring, row["data_key"], need, full) for need in needs],
        visits=[_visit(keyring, row, visit, full) for visit in visits],
    )


def _shown(text: str | None, full: bool, keep: int = 1) -> str | None:
    return text if full or text is None else mask(text, keep)


def _member(keyring: Keyring, key: bytes, row: Mapping[str, Any], full: bool) -> MemberItem:
    owner = row["household_id"]
    return MemberItem(
        member_id=row["id"],
        name=_shown(open_member(keyring, key, owner, row, "name"), full) or "",
        relation=row["relation"],
        sex=row["sex"],
        birth_date=open_member(keyring, key, owner, row, "birth_date") if full else None,
        id_number=_shown(open_member(keyring, key, owner, row, "id_number"), full, 2),
        minor=row["minor_until"] is not None and row["minor_until"] > today(),
        vulnerabilities=tuple(row["vulnerabilities"]),
    )


def _need(keyring: Keyring, key: bytes, row: Mapping[str, Any], full: bool) -> NeedItem:
    text = (
        open_text(keyring, key, row["beneficiary_id"], "need", row["id"], row["text_enc"]) if full else None
    )
    return NeedItem(**need_item(row), text=text)


def _visit(
    keyring: Keyring, household_row: Mapping[str, Any], row: Mapping[str, Any], full: bool
) -> VisitItem:
    key, owner = household_row["data_key"], household_row["id"]
    note = open_text(keyring, key, owner, "visit", row["id"], row["note_enc"]) if full else None
    people = (
        open_text(keyring, key, owner, "participants", row["id"], row["participants_enc"]) if full else None
    )
    return VisitItem(
        visit_id=row["id"],
        visited_at=row["visited_at"],
        participants=tuple((people or "").splitlines()),
        note=note,
    )


async def list_needs(conn: Connection, wanted: Filter) -> Page[NeedItem]:
    """Needs, newest first, without their words."""
    rows = await SQL.list_needs(
        conn,
        cursor=wanted.after,
        status=wanted.status,
        category=wanted.category,
        area_like=wanted.area_like,
        beneficiary_id=None,
        most=wanted.limit + 1,
    )
    items = tuple(NeedItem(**need_item(row)) for row in rows[: wanted.limit])
    return Page(items=items, next=next_cursor(rows, wanted.limit, "id"))


async def need(conn: Connection, need_id: UUID, by: Caller, keyring: Keyring) -> NeedDetail:
    """One need with what became of it; its words for the town's worker alone. Raises `Missing`."""
    row = await SQL.need(conn, need_id=need_id)
    standing = await beneficiary(conn, row["beneficiary_id"], row["beneficiary_kind"]) if row else None
    if row is None or standing is None:
        raise Missing
    full = by.may("worker", row["area"])
    item = _need(keyring, standing.data_key, row, full)
    return NeedDetail(
        **item.model_dump(),
        visit_id=row["visit_id"],
        may=next_steps(row["status"]) if full else (),
        close_reason=row["close_reason"],
        bundled_with=[
            BundledNeed.model_validate(dict(other)) for other in await SQL.bundled_with(conn, need_id=need_id)
        ],
        duplicates=await of_need(conn, keyring, need_id),
        commitments=[
            CommitmentItem.model_validate(dict(c)) for c in await SQL.commitments_of(conn, need_id=need_id)
        ],
        follow_ups=[_follow_up(f) for f in await SQL.follow_ups_of(conn, need_id=need_id)],
    )


def _follow_up(row: Mapping[str, Any]) -> FollowUpItem:
    return FollowUpItem.model_validate({"follow_up_id": row["id"], **dict(row)})


async def follow_ups(conn: Connection, state: str, cursor: str | None, limit: int) -> Page[FollowUpItem]:
    """Follow-ups, the oldest due first: `state` is due (unanswered), overdue, answered or all."""
    due, last = read_cursor(cursor, datetime, UUID) or (None, None)
    rows = await SQL.list_follow_ups(conn, state=state, after_due=due, after_id=last, most=limit + 1)
    items = tuple(_follow_up(row) for row in rows[:limit])
    return Page(items=items, next=next_cursor(rows, limit, "due_at", "id"))


async def worklist(conn: Connection, keyring: Keyring, by: Caller) -> Worklist:
    """What waits for the worker: needs to confirm with their words, needs that help did not help, follow-ups with the longest overdue first."""
    rows = await SQL.list_needs(
        conn, cursor=None, status="noted", category="", area_like="%", beneficiary_id=None, most=100
    )
    keys = {
        row["id"]: row["data_key"]
        for row in await SQL.data_keys(conn, ids=[row["beneficiary_id"] for row in rows])
    }
    items = [_need(keyring, keys[row["beneficiary_id"]], row, by.may("worker", row["area"])) for row in rows]
    unhappy = [
        NeedItem(**need_item(row))
        for row in await SQL.answered_needs(conn, beneficiary_id=None, most=100)
        if row["outcome"] != "helped"
    ]
    return Worklist(
        to_confirm=items, unhappy=unhappy, follow_ups=list((await follow_ups(conn, "due", None, 100)).items)
    )


async def contact(conn: Connection, commitment_id: UUID, by: Caller, keyring: Keyring) -> Contact:
    """Whom and where to deliver to, with a line in the access log. Raises `Missing` without consent, or once the delivery is over."""
    row = await SQL.contact(conn, commitment_id=commitment_id)
    if row is None:
        raise Missing
    await SQL.log_access(conn, id=new_id(), what="contact", about=commitment_id, person_id=by.person_id)
    if row["data_key"] is None:
        return Contact(
            case_number=row["case_number"],
            area=row["area"],
            name=row["site_name"],
            phone=None,
            village=None,
            address=None,
        )
    name = (
        open_member(keyring, row["data_key"], row["household_id"], row, "name", "member_id")
        if row["name_enc"]
        else ""
    )
    return Contact(
        case_number=row["case_number"],
        area=row["area"],
        name=name or "",
        phone=open_household(keyring, row, "phone"),
        village=open_household(keyring, row, "village"),
        address=open_household(keyring, row, "address"),
    )
