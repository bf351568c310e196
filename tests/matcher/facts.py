"""Invented facts as the other services would publish them: a need and an offer that fit unless a test changes something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.bus import new_id
from shared.events import (
    DeliveryFailed,
    DeliveryReceived,
    NeedChanged,
    NeedRaised,
    NeedWithdrawn,
    OfferChanged,
    OfferRegistered,
    OfferWithdrawn,
    ProposalMade,
)

LUOJING, RONGGUI, COUNTY, OTHER_COUNTY = "445381108000", "445381106000", "445381000000", "445321000000"
NOW = datetime.now(UTC)


def need(**changes: Any) -> NeedRaised:
    values: dict[str, Any] = {
        "need_id": new_id(), "beneficiary_id": new_id(), "beneficiary_kind": "household", "case_number": "YF-445381108-0001",
        "area": LUOJING, "category": "APP-FAN", "quantity": 1, "urgency": "normal", "needed_by": None,
        "vulnerabilities": ("ORPHAN",), "minor": False, "consent": True, "raised_at": NOW - timedelta(days=2), "raised_by": new_id(),
    }  # fmt: skip
    return NeedRaised(**(values | changes))


def changed(event: NeedRaised, **changes: Any) -> NeedChanged:
    return NeedChanged(**(event.model_dump() | {"version": event.version + 1} | changes))


def withdrawn(event: NeedRaised) -> NeedWithdrawn:
    return NeedWithdrawn(version=event.version + 1, need_id=event.need_id, area=event.area, reason="solved")


def offer(**changes: Any) -> OfferRegistered:
    values: dict[str, Any] = {
        "offer_id": new_id(), "offer_number": "R-1", "charity_id": new_id(), "charity_name": "示例慈善会", "category": "APP-FAN",
        "quantity": 5, "origin_area": LUOJING, "service_areas": (COUNTY,), "radius_m": None, "pickup": "delivery",
        "available_from": None, "available_until": None, "expires_on": None, "designated_vulnerabilities": (), "licences": (),
        "vetted": False, "per_household_limit": None, "unit_value_fen": None, "condition": "new",
    }  # fmt: skip
    return OfferRegistered(**(values | changes))


def offer_changed(event: OfferRegistered, **changes: Any) -> OfferChanged:
    return OfferChanged(**(event.model_dump() | {"version": event.version + 1} | changes))


def offer_withdrawn(event: OfferRegistered) -> OfferWithdrawn:
    return OfferWithdrawn(
        version=event.version + 1,
        offer_id=event.offer_id,
        charity_id=event.charity_id,
        area=event.origin_area,
        reason="no_stock",
    )


def proposal(of: NeedRaised, to: OfferRegistered, **changes: Any) -> ProposalMade:
    values: dict[str, Any] = {
        "proposal_id": new_id(), "round_id": new_id(), "need_id": of.need_id, "offer_id": to.offer_id, "area": of.area,
        "quantity": 1, "score": 91_000,
        "factors": (
            {"code": "base", "points": 1000},
            {"code": "vulnerability", "points": 90_000, "params": {"vulnerability": "ORPHAN"}},
        ),
    }  # fmt: skip
    return ProposalMade(**(values | changes))


def received(
    commitment: dict[str, Any], of: NeedRaised, to: OfferRegistered, **changes: Any
) -> DeliveryReceived:
    values: dict[str, Any] = {
        "delivery_id": new_id(), "commitment_id": commitment["commitment_id"], "proposal_id": commitment["proposal_id"],
        "need_id": of.need_id, "beneficiary_id": of.beneficiary_id, "offer_id": to.offer_id, "charity_id": to.charity_id,
        "area": of.area, "category": of.category, "urgency": of.urgency, "received": 1, "short": 0, "short_reason": None,
        "returned_to_offer": False, "confirmed_by": new_id(), "at": NOW,
    }  # fmt: skip
    return DeliveryReceived(**(values | changes))


def failed(commitment: dict[str, Any], of: NeedRaised, to: OfferRegistered, **changes: Any) -> DeliveryFailed:
    values: dict[str, Any] = {
        "delivery_id": new_id(), "commitment_id": commitment["commitment_id"], "proposal_id": commitment["proposal_id"],
        "need_id": of.need_id, "offer_id": to.offer_id, "area": of.area, "quantity": commitment["quantity"], "reason": "nobody_home",
        "returned_to_offer": True, "at": NOW,
    }  # fmt: skip
    return DeliveryFailed(**(values | changes))


def person_of(client: Any) -> UUID:
    return UUID(client.headers["x-person-id"])
