"""Rounds as a person reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from services.matcher.handlers import SQL
from services.matcher.progress import SQL as PROGRESS
from services.matcher.schemas import (
    RoundDetail,
    RoundProgress,
    RoundShown,
    RuleCounted,
    UnservedNeed,
)
from shared.db import Connection
from shared.errors import Missing
from shared.labels import LABELS
from shared.paging import Page, next_cursor, read_cursor
from shared.reasons import Words

FIGURES = ("candidates", "gap")
"""Stages whose figure says something to a person: a part that is done, a gap."""


async def rounds(conn: Connection, cursor: str | None, limit: int, words: Words) -> Page[RoundShown]:
    """Up to `limit` rounds, latest first."""
    at, after = read_cursor(cursor, datetime, UUID) or (None, None)
    rows = await SQL.rounds(conn, at=at, after=after, most=limit + 1)
    going = {one.round_id: one for one in await under_way(conn, words)}
    items = tuple(
        RoundShown.model_validate(_plain(row) | {"progress": going.get(row["id"])}) for row in rows[:limit]
    )
    return Page(items=items, next=next_cursor(rows, limit, "started_at", "id"))


async def under_way(conn: Connection, words: Words) -> tuple[RoundProgress, ...]:
    """Rounds that are worked on now, those that nobody asked for too once they take long; the longest first."""
    return tuple(_progress(row, words) for row in await PROGRESS.running(conn))


def _progress(row: Any, words: Words) -> RoundProgress:
    return RoundProgress(
        round_id=row["round_id"],
        asked=row["asked"],
        stage=row["stage"],
        value=row["value"] if row["stage"] in FIGURES else None,
        said=words.say(LABELS["round_stage"].get(row["stage"], row["stage"]), None),
        started_at=row["since"],
        seconds=row["seconds"],
        stopping=row["cancelling"],
    )


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
    going = next((one for one in await under_way(conn, words) if one.round_id == round_id), None)
    shown = {"fairness": fairness, "refused": sorted(refused, key=lambda r: (-r.needs, r.rule))}
    return RoundDetail.model_validate(_plain(row) | shown | {"progress": going})


async def unserved(
    conn: Connection, area: str | None, rule: str | None, cursor: str | None, limit: int, words: Words
) -> Page[UnservedNeed]:
    """Needs that get nothing or too little in the caller's areas, with why."""
    (after,) = read_cursor(cursor, UUID) or (None,)
    rows = await SQL.unserved(conn, area=area, rule=rule, after=after, most=limit + 1)
    items = tuple(_unserved(row, words) for row in rows[:limit])
    return Page(items=items, next=next_cursor(rows, limit, "need_id"))


def _unserved(row: Any, words: Words) -> UnservedNeed:
    reasons = tuple(
        RuleCounted(rule=said["rule"], needs=said["count"], sentence=words.rule(said["rule"]))
        for said in row["refusals"]
    )
    return UnservedNeed.model_validate({**row, "reasons": reasons})


def _plain(row: Any) -> dict[str, Any]:
    return {**row, "round_id": row["id"]}
