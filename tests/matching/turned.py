"""Told changes applied by hand: what a person would do who takes the sentence at its word."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from math import degrees
from typing import Any

from matching.columns import CHINA, EARTH_M
from matching.model import Need, Offer, Reason


def at_end(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(23, 59, 59), CHINA)


def at_start(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), CHINA)


def north_of(need: Need, metres: float) -> tuple[float, float]:
    """A point at the told distance, a centimetre nearer."""
    assert need.point is not None
    return need.point[0], need.point[1] + degrees(max(0.0, metres - 0.01) / EARTH_M)


OFFERS: dict[str, Callable[[dict[str, Any], Need, Offer], dict[str, Any]]] = {
    "distance": lambda told, need, _: {"point": north_of(need, told["metres"])},
    "town": lambda told, need, _: {"origin_area": told["area"], "point": need.point},
    "free": lambda told, *_: {"quantity": told["units"]},
    "ends": lambda told, *_: {"available_until": at_end(told["date"])},
    "until": lambda told, *_: {"available_until": at_end(told["date"])},
    "from": lambda told, *_: {"available_from": at_start(told["date"])},
    "expires": lambda told, *_: {"expires_on": date.fromisoformat(told["date"])},
    "designation": lambda told, _, of: {
        "designated_vulnerabilities": (*of.designated_vulnerabilities, told["vulnerability"])
    },
    "open": lambda *_: {"designated_vulnerabilities": ()},
    "delivery": lambda *_: {"pickup": "delivery"},
    "served": lambda told, _, of: {
        "service_areas": (*(of.service_areas or (of.origin_area[:6] + "000000",)), told["area"])
    },
    "radius": lambda told, *_: {"radius_m": told["metres"]},
    "licence": lambda told, _, of: {"licences": (*of.licences, told["licence"])},
    "vetting": lambda *_: {"vetted": True},
    "limit": lambda told, *_: {"per_household_limit": told["units"]},
}


def offer_with(change: Reason, need: Need, offer: Offer) -> Offer:
    """The offer after a change that is told of it."""
    made = OFFERS.get(change.code)
    return replace(offer, **made(dict(change.params), need, offer)) if made else offer


def need_with(change: Reason, need: Need) -> Need:
    """The need after a change that is told of it."""
    told: dict[str, Any] = dict(change.params)
    match change.code:
        case "urgency":
            return replace(need, urgency=told["level"])
        case "due" | "needed_by":
            return replace(need, needed_by=at_end(told["date"]))
        case "raised":
            return replace(need, raised_at=need.raised_at - timedelta(days=told["days"]))
        case "held":
            return replace(
                need, vulnerabilities=(*need.vulnerabilities, told["vulnerabilities"].split(";")[-1])
            )
        case _:
            return need


STEPS = {"distance": 100, "free": -1, "radius": -100, "limit": -1, "raised": -1, "share": 5}
NAMES = {
    "distance": "metres", "radius": "metres", "free": "units", "limit": "units", "raised": "days", "share": "percent",
}  # fmt: skip
LATER = {"ends": 1, "due": 1, "expires": -1, "from": 1, "needed_by": -1}


def smaller(change: Reason) -> Reason | None:
    """The next smaller change of the same value, where it has steps."""
    told: dict[str, Any] = dict(change.params)
    if change.code in STEPS:
        told[NAMES[change.code]] += STEPS[change.code]
    elif change.code in LATER:
        told["date"] = (date.fromisoformat(told["date"]) + timedelta(days=LATER[change.code])).isoformat()
    elif change.code == "urgency" and told["level"] in ("critical", "high"):
        told["level"] = {"critical": "high", "high": "normal"}[told["level"]]
    else:
        return None
    return Reason(change.code, tuple(told.items()))
