"""Rows of the matcher's tables as the engine's values. A need stands at its town's approximate point: nothing nearer is known here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from matching.columns import town_of
from matching.forecast import PastNeed
from matching.model import Need, Offer, PastAid, PendingAid, Point
from services.matcher import rules
from services.matcher.champion import InForce, in_force
from services.matcher.handlers import SQL
from services.matcher.rules import Pending
from shared.db import Connection
from shared.tables import areas

SHARE_DAYS = 90
"""How far back the shares of towns and classes look."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything that a round over some categories looks at."""

    categories: tuple[str, ...]
    needs: tuple[Need, ...]
    offers: tuple[Offer, ...]
    past: tuple[PastAid, ...]
    pending: tuple[PendingAid, ...]
    declined: frozenset[tuple[str, str]]
    shares: Mapping[str, int]
    proposals: tuple[Pending, ...]
    versions: Mapping[str, int]
    champion: InForce
    recent: tuple[PastNeed, ...] = ()

    @property
    def waiting(self) -> frozenset[tuple[str, str]]:
        """Pairs that the engine proposed and nobody decided on yet."""
        return frozenset((str(p.need_id), str(p.offer_id)) for p in self.proposals if p.by_person is None)


async def load(
    conn: Connection, categories: tuple[str, ...], now: datetime, days_back: int | None = None
) -> Scope:
    """The open rows of these categories, one statement a kind. `days_back`: how far the forecast looks back, in place of what the
    office set; 0 = there is none.
    """
    codes = list(categories)
    needs = await SQL.open_needs(conn, categories=codes)
    offers = await SQL.open_offers(conn, categories=codes)
    champion = await in_force(conn)
    waiting = await SQL.pending_proposals(conn, categories=codes, now=now, model_id=champion.id)
    return Scope(
        categories=categories,
        needs=tuple(need_of(row) for row in needs),
        offers=tuple(offer_of(row) for row in offers),
        past=past_of(await SQL.past_aid(conn, categories=codes)),
        pending=pending_of(await SQL.pending_aid(conn, categories=codes)),
        declined=pairs_of(await SQL.declined_pairs(conn, categories=codes)),
        shares=await _shares(conn, codes, now),
        proposals=tuple(Pending(**row) for row in waiting),
        versions={str(row["id"]): row["version"] for row in (*needs, *offers)},
        champion=champion,
        recent=await _recent(conn, codes, now, rules.policy().days_back if days_back is None else days_back),
    )


async def _shares(conn: Connection, codes: list[str], now: datetime) -> dict[str, int]:
    rows = await SQL.shares(conn, categories=codes, since=now - timedelta(days=SHARE_DAYS))
    return {row["code"]: row["share"] for row in rows}


async def _recent(conn: Connection, codes: list[str], now: datetime, days: int) -> tuple[PastNeed, ...]:
    if not days:
        return ()
    rows = await SQL.recent_needs(conn, categories=codes, since=now - timedelta(days=days))
    return tuple(past_need_of(row) for row in rows)


def past_need_of(row: Any) -> PastNeed:
    """What the forecast takes of a need: nothing that names anybody."""
    return PastNeed(
        category=row["category"],
        area=row["area"],
        point=point_of(row["area"]),
        quantity=row["quantity"],
        urgency=row["urgency"],
        raised_at=row["raised_at"],
        vulnerabilities=tuple(row["vulnerabilities"]),
        minor=row["minor"],
        beneficiary_kind=row["beneficiary_kind"],
    )


def point_of(area: str) -> Point | None:
    """The approximate point of an area, or of the town it lies in."""
    known = areas()
    found = known.get(area) or known.get(town_of(area))
    return found.point if found else None


def need_of(row: Any, quantity: int | None = None) -> Need:
    """`quantity` in place of the row's, where what is open was counted apart."""
    return Need(
        id=str(row["id"]),
        beneficiary_id=str(row["beneficiary_id"]),
        area=row["area"],
        point=point_of(row["area"]),
        category=row["category"],
        quantity=row["quantity"] if quantity is None else quantity,
        urgency=row["urgency"],
        needed_by=row["needed_by"],
        raised_at=row["raised_at"],
        vulnerabilities=tuple(row["vulnerabilities"]),
        minor=row["minor"],
        consent=row["consent"],
        beneficiary_kind=row["beneficiary_kind"],
        whole=row["whole"],
        bundle=str(row["bundle_id"] or ""),
    )


def offer_of(row: Any) -> Offer:
    return Offer(
        id=str(row["id"]),
        charity_id=str(row["charity_id"]),
        category=row["category"],
        quantity=row["quantity"],
        service_areas=tuple(row["service_areas"]),
        origin_area=row["origin_area"],
        point=point_of(row["origin_area"]),
        radius_m=row["radius_m"],
        pickup=row["pickup"],
        available_from=row["available_from"],
        available_until=row["available_until"],
        expires_on=row["expires_on"],
        designated_vulnerabilities=tuple(row["designated_vulnerabilities"]),
        licences=tuple(row["licences"]),
        vetted=row["vetted"],
        per_household_limit=row["per_household_limit"],
        condition=row["condition"],
        per_day_limit=row["per_day_limit"],
        booked=row["booked"],
    )


def past_of(rows: Iterable[Any]) -> tuple[PastAid, ...]:
    return tuple(
        PastAid(
            str(row["beneficiary_id"]),
            row["category"],
            row["received_at"],
            str(row["need_id"]),
            str(row["offer_id"]),
            row["quantity"],
        )
        for row in rows
    )


def pending_of(rows: Iterable[Any]) -> tuple[PendingAid, ...]:
    return tuple(
        PendingAid(
            str(row["beneficiary_id"]),
            row["category"],
            str(row["need_id"]),
            str(row["offer_id"]),
            row["quantity"],
        )
        for row in rows
    )


def pairs_of(rows: Iterable[Any]) -> frozenset[tuple[str, str]]:
    return frozenset((str(row["need_id"]), str(row["offer_id"])) for row in rows)
