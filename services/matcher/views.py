"""Rounds as a person reads them."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any
from uuid import UUID

from services.matcher.handlers import SQL
from services.matcher.schemas import (
    RoundDetail,
    RoundPage,
    RoundShown,
    RuleCounted,
    UnservedNeed,
    UnservedPage,
)
from shared.db import Connection
from shared.errors import Fault, Invalid, Missing
from shared.reasons import Words


async def rounds(conn: Connection, cursor: str | None, limit: int) -> RoundPage:
    """Up to `limit` rounds, latest first. Raises `Invalid` for a cursor that no page ended with."""
    at, after = _read(cursor) if cursor else (None, None)
    rows = await SQL.rounds(conn, at=at, after=after, most=limit + 1)
    items = tuple(RoundShown.model_validate(_plain(row)) for row in rows[:limit])
    return RoundPage(items=items, next=_write(items[-1]) if len(rows) > limit else None)


async def round_of(conn: Connection, round_id: UUID, words: Words) -> RoundDetail:
    """One round, with the fairness of the caller's own towns. Raises `Missing`."""
    row = await SQL.round(conn, id=round_id)
    if row is None:
        raise Missing
    refused = [
        RuleCounted(rule=rule, needs=count, sentence=words.rule(rule))
        for rule, count in row["refused"].items()
    ]
    own = tuple(pattern.removesuffix("%") for pattern in await SQL.own_areas(conn))
    fairness = [town for town in row["fairness"] if town["area"].startswith(own)]
    return RoundDetail.model_validate(
        _plain(row) | {"fairness": fairness, "refused": sorted(refused, key=lambda r: (-r.needs, r.rule))}
    )


async def unserved(
    conn: Connection, area: str | None, rule: str | None, after: UUID | None, limit: int, words: Words
) -> UnservedPage:
    """Needs that get nothing or too little in the caller's areas, with why."""
    rows = await SQL.unserved(conn, area=area, rule=rule, after=after, most=limit + 1)
    items = tuple(_unserved(row, words) for row in rows[:limit])
    return UnservedPage(items=items, next=str(items[-1].need_id) if len(rows) > limit else None)


def _unserved(row: Any, words: Words) -> UnservedNeed:
    reasons = tuple(
        RuleCounted(rule=said["rule"], needs=said["count"], sentence=words.rule(said["rule"]))
        for said in row["refusals"]
    )
    return UnservedNeed.model_validate({**row, "reasons": reasons})


def _plain(row: Any) -> dict[str, Any]:
    return {**row, "round_id": row["id"]}


def _write(last: RoundShown) -> str:
    return base64.urlsafe_b64encode(f"{last.started_at.isoformat()}|{last.round_id}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, last = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        return datetime.fromisoformat(at), UUID(last)
    except (ValueError, binascii.Error) as error:
        raise Invalid(faults=(Fault("cursor", "cursor", "翻页位置无效，请从第一页重新打开。"),)) from error
