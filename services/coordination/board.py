"""The board as a person reads it: proposals with their reasons as sentences, filters, pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.coordination.handlers import SQL
from services.coordination.schemas import AlternativeShown, ProposalPage, ProposalShown, ReasonShown
from shared.db import Connection
from shared.errors import Fault, Invalid, Missing
from shared.reasons import Words, tell
from shared.tables import areas, prefix


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of the board is wanted; None is everything."""

    area: str | None = None
    category: str | None = None
    urgency: str | None = None

    @property
    def pattern(self) -> str:
        """A LIKE pattern for everything inside the area. Raises `Invalid` for an area that does not exist."""
        if self.area is None:
            return "%"
        if self.area not in areas():
            raise Invalid(faults=(Fault("area", "unknown_area", "没有这个地区，请核对 12 位代码。"),))
        return prefix(self.area) + "%"

    def sql(self) -> dict[str, str | None]:
        """The filters as the statements take them."""
        return {"area": self.pattern, "category": self.category, "urgency": self.urgency}


def write_cursor(*parts: object) -> str:
    """Where a page ends, as an opaque text."""
    return base64.urlsafe_b64encode("|".join(str(part) for part in parts).encode()).decode()


def read_cursor(cursor: str | None) -> tuple[str, UUID] | None:
    """The two parts of a cursor, the id last. Raises `Invalid` for anything that no page ended with."""
    if not cursor:
        return None
    try:
        first, last = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        return first, UUID(last)
    except (ValueError, binascii.Error) as error:
        raise cursor_wrong() from error


def cursor_wrong() -> Invalid:
    """The answer to a cursor that is none of ours."""
    return Invalid(faults=(Fault("cursor", "cursor", "翻页位置无效，请从第一页重新打开。"),))


async def page(
    conn: Connection,
    filters: Filters,
    words: Words,
    status: str = "pending",
    cursor: str | None = None,
    limit: int = 50,
    *,
    brief: bool = False,
) -> ProposalPage:
    """Up to `limit` proposals of one status, best first; a brief page leaves the alternatives out."""
    after = read_cursor(cursor)
    score = _number(after[0]) if after else None
    rows = await SQL.board(
        conn, status=status, score=score, after=after[1] if after else None, most=limit + 1, **filters.sql()
    )
    shown = await _show(conn, rows[:limit], words, brief=brief)
    more = len(rows) > limit
    return ProposalPage(
        items=shown, next=write_cursor(shown[-1].score, shown[-1].proposal_id) if more else None
    )


async def one(conn: Connection, proposal_id: UUID, words: Words) -> ProposalShown:
    """One proposal. Raises `Missing`."""
    found = await some(conn, [proposal_id], words)
    if not found:
        raise Missing
    return found[proposal_id]


async def some(conn: Connection, ids: Sequence[UUID], words: Words) -> dict[UUID, ProposalShown]:
    """Those of these proposals that the caller may see."""
    rows = await SQL.proposals(conn, ids=list(ids))
    return {shown.proposal_id: shown for shown in await _show(conn, rows, words)}


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise cursor_wrong() from error


async def _show(
    conn: Connection, rows: Sequence[Any], words: Words, *, brief: bool = False
) -> tuple[ProposalShown, ...]:
    ids = [] if brief else sorted({UUID(other["offer_id"]) for row in rows for other in row["alternatives"]})
    offers = {offer["id"]: offer for offer in await SQL.offers_named(conn, ids=ids)} if ids else {}
    return tuple(_shown(row, offers, words) for row in rows)


def _shown(row: Any, offers: Mapping[UUID, Any], words: Words) -> ProposalShown:
    plain = {key: value for key, value in row.items() if key in ProposalShown.model_fields}
    others = [(other, offers.get(UUID(other["offer_id"]))) for other in row["alternatives"]]
    told = {
        "proposal_id": row["id"],
        "reasons": _reasons(row["factors"], words),
        "alternatives": tuple(_alternative(other, offer, words) for other, offer in others if offer),
    }
    return ProposalShown.model_validate(plain | told)


def _alternative(other: Mapping[str, Any], offer: Any, words: Words) -> AlternativeShown:
    return AlternativeShown(
        offer_id=offer["id"],
        offer_number=offer["offer_number"],
        charity_name=offer["charity_name"],
        category=offer["category"],
        offer_left=offer["offer_left"],
        score=other["score"],
        reasons=_reasons(other["factors"], words),
    )


def _reasons(factors: Sequence[Mapping[str, Any]], words: Words) -> tuple[ReasonShown, ...]:
    return tuple(ReasonShown(code=t.code, points=t.points, sentence=t.sentence) for t in tell(factors, words))


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a page of decisions ends."""

    at: datetime
    id: UUID


def read_decision(cursor: str | None) -> Decision | None:
    """A cursor of the list of decisions. Raises `Invalid`."""
    parts = read_cursor(cursor)
    if parts is None:
        return None
    try:
        return Decision(datetime.fromisoformat(parts[0]), parts[1])
    except ValueError as error:
        raise cursor_wrong() from error
