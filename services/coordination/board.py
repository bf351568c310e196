"""The board as a person reads it: proposals with their reasons as sentences, filters, pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.coordination.handlers import SQL
from services.coordination.schemas import AlternativeShown, ProposalShown
from shared.db import Connection
from shared.errors import Fault, Invalid, Missing, RuleBroken
from shared.fields import known_area
from shared.paging import Page, next_cursor, read_cursor
from shared.reasons import Words, tell
from shared.tables import prefix


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
        try:
            return prefix(known_area(self.area)) + "%"
        except RuleBroken as error:
            raise Invalid(faults=(Fault("area", error.rule, error.message, error.params),)) from error

    def sql(self) -> dict[str, str | None]:
        """The filters as the statements take them."""
        return {"area": self.pattern, "category": self.category, "urgency": self.urgency}


async def page(
    conn: Connection,
    filters: Filters,
    words: Words,
    status: str = "pending",
    cursor: str | None = None,
    limit: int = 50,
    *,
    brief: bool = False,
) -> Page[ProposalShown]:
    """Up to `limit` proposals of one status, best first; a brief page leaves the alternatives out."""
    score, after = read_cursor(cursor, int, UUID) or (None, None)
    rows = await SQL.board(conn, status=status, score=score, after=after, most=limit + 1, **filters.sql())
    shown = await _show(conn, rows[:limit], words, brief=brief)
    return Page(items=shown, next=next_cursor(rows, limit, "score", "id"))


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


async def _show(
    conn: Connection, rows: Sequence[Any], words: Words, *, brief: bool = False
) -> tuple[ProposalShown, ...]:
    ids = [] if brief else sorted({UUID(other["offer_id"]) for row in rows for other in row["alternatives"]})
    offers = {offer["id"]: offer for offer in await SQL.offers_named(conn, ids=ids)} if ids else {}
    bundles = sorted({row["bundle_id"] for row in rows if row["bundle_id"]})
    lacking = await SQL.bundles(conn, ids=bundles) if bundles else []
    return tuple(_shown(row, offers, _beside(row, lacking), words) for row in rows)


def _beside(row: Any, lacking: Sequence[Any]) -> list[dict[str, Any]]:
    """The other needs of a proposal's bundle that lack something."""
    return [
        dict(other)
        for other in lacking
        if other["bundle_id"] == row["bundle_id"] and other["need_id"] != row["need_id"]
    ]


def _shown(
    row: Any, offers: Mapping[UUID, Any], beside: Sequence[Mapping[str, Any]], words: Words
) -> ProposalShown:
    plain = {key: value for key, value in row.items() if key in ProposalShown.model_fields}
    others = [(other, offers.get(UUID(other["offer_id"]))) for other in row["alternatives"]]
    told = {
        "proposal_id": row["id"],
        "reasons": tell(row["factors"], words),
        "together": tuple(beside),
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
        reasons=tell(other["factors"], words),
    )
