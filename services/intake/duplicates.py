"""Needs that are probably told twice. Their words are opened and compared here and nowhere else: what leaves is which two, why
and how sure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from matching.duplicates import Duplicate, Told, duplicates
from services.intake.answers import DuplicatePair, Duplicates, LikelyDuplicate, NeedItem, NeedState, need_item
from services.intake.schemas import TellApart
from services.intake.sealing import open_text
from services.intake.standing import SQL
from shared.access import Caller
from shared.clock import LOCAL
from shared.db import Connection
from shared.errors import Fault, Forbidden, Invalid, Missing
from shared.pii import Keyring

MOST = 300
"""How many needs are looked through at once: in the worst case each is compared with each."""

Rows = Mapping[str, Mapping[str, Any]]


async def likely(conn: Connection, keyring: Keyring, area_like: str = "%") -> Duplicates:
    """The probable duplicates among the latest unfinished needs that the caller sees."""
    rows = _by_id(await SQL.told_lately(conn, area_like=area_like, most=MOST))
    found = await _found(conn, keyring, rows)
    return Duplicates(looked_at=len(rows), items=[_pair(rows, one) for one in found])


async def of_need(conn: Connection, keyring: Keyring, need_id: UUID) -> list[LikelyDuplicate]:
    """The needs that are probably this one told twice, the surest first; none once it is finished."""
    rows = _by_id(await SQL.told_beside(conn, need_id=need_id, most=MOST))
    found = await _found(conn, keyring, rows, of=str(need_id))
    return [_likely(rows, one, str(need_id)) for one in found]


async def tell_apart(conn: Connection, body: TellApart, by: Caller, *, need_id: UUID) -> NeedState:
    """Remember that two needs are two. Raises `Missing` for one out of sight, `Forbidden` for who only reads there."""
    rows = [await SQL.need(conn, need_id=one) for one in sorted((need_id, body.other_id))]
    if None in rows:
        raise Missing
    one, other = rows
    if one["id"] == other["id"]:
        raise Invalid(faults=(Fault("other_id", "same_need", "请选另一条需求。"),))
    if not (by.may("worker", one["area"]) or by.may("coordinator", one["area"])):
        raise Forbidden
    await SQL.tell_apart(conn, one=one["id"], other=other["id"], area=one["area"], said_by=by.person_id)
    asked = one if one["id"] == need_id else other
    return NeedState(need_id=need_id, status=asked["status"], version=asked["version"])


def _by_id(rows: Sequence[Mapping[str, Any]]) -> Rows:
    return {str(row["id"]): row for row in rows}


async def _found(conn: Connection, keyring: Keyring, rows: Rows, of: str | None = None) -> list[Duplicate]:
    owners = list({row["beneficiary_id"] for row in rows.values()})
    keys = {row["id"]: row["data_key"] for row in await SQL.data_keys(conn, ids=owners)}
    told = [_told(keyring, keys[row["beneficiary_id"]], row) for row in rows.values()]
    apart = await SQL.told_apart(conn, ids=[row["id"] for row in rows.values()])
    settled = {(str(row["one"]), str(row["other"])) for row in apart}
    found = await asyncio.to_thread(partial(duplicates, told, of=of))
    return [one for one in found if (one.one, one.other) not in settled]


def _told(keyring: Keyring, key: bytes, row: Mapping[str, Any]) -> Told:
    return Told(
        id=str(row["id"]),
        beneficiary=str(row["beneficiary_id"]) if row["beneficiary_kind"] == "household" else "",
        area=row["area"],
        category=row["category"] or row["suggested_category"] or "",
        quantity=row["quantity"],
        text=open_text(keyring, key, row["beneficiary_id"], "need", row["id"], row["text_enc"]) or "",
        day=row["raised_at"].astimezone(LOCAL).date(),
    )


def _later(rows: Rows, found: Duplicate) -> str:
    return max((found.one, found.other), key=lambda name: (rows[name]["raised_at"], name))


def _likely(rows: Rows, found: Duplicate, seen_from: str) -> LikelyDuplicate:
    other = found.other if found.one == seen_from else found.one
    return LikelyDuplicate(
        other=NeedItem(**need_item(rows[other])),
        why=found.why,
        sure_milli=round(1000 * found.score),
        later=UUID(_later(rows, found)),
    )


def _pair(rows: Rows, found: Duplicate) -> DuplicatePair:
    later = _later(rows, found)
    seen = _likely(rows, found, later)
    return DuplicatePair(need=NeedItem(**need_item(rows[later])), **dict(seen))
