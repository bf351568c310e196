"""What of an offer people can change or learn, and the smallest change of each that brings enough points.

Distances are told in steps of 100 m, days are days in China.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from math import ceil, degrees, inf, isnan
from typing import NamedTuple

import numpy as np

from matching.columns import CHINA, EARTH_M, Ints, day, seconds, town_of
from matching.features import DAY_S, NAMES, UNKNOWN_DISTANCE_M, fade
from matching.model import Need, Offer, Point, Reason
from matching.rules import haversine_m
from matching.scoring import heights
from matching.weighing import Balance
from matching.worth import DISTANCE, QUANTITY, worth_of

STEP_M = 100
FARTHEST_M = 500_000
FINEST = 5_000
LAST_DAY = 60
EXPIRY = NAMES.index("expiry")
HAIR_M = 0.01


class Changed(NamedTuple):
    """An offer with one value changed, and how that is told; `place` is its place among those asked about."""

    place: int
    told: Reason
    offer: Offer


@dataclass(frozen=True, slots=True)
class Short:
    """Offers that miss `missing` milli-points each, with the points that each feature gives them now."""

    need: Need
    offers: Sequence[Offer]
    missing: Sequence[int]
    parts: Sequence[Mapping[str, int]]

    def wanted(self, place: int, feature: int) -> int:
        """What the feature has to give."""
        return self.parts[place].get(NAMES[feature], 0) + self.missing[place]


def placed(point: Point, metres: float) -> Point:
    """A point that far to the north; a hair nearer, so that a limit of just as many metres holds."""
    return point[0], point[1] + degrees(max(0.0, metres - HAIR_M) / EARTH_M)


def end_of(moment: datetime, days: int) -> datetime:
    """The last second of the day in China `days` after the moment's."""
    date = moment.astimezone(CHINA).date() + timedelta(days=days)
    return datetime.combine(date, time(23, 59, 59), CHINA)


def dated(code: str, moment: datetime) -> Reason:
    """A change told with its day."""
    return Reason(code, (("date", moment.astimezone(CHINA).date().isoformat()),))


def candidates(short: Short, balance: Balance) -> Iterator[Changed]:
    """For each offer and each value the smallest change that may bring enough: it is to be weighed."""
    yield from _nearer(short, balance)
    yield from _same_town(short)
    yield from _more(short, balance)
    yield from _sooner(short, balance)
    yield from _designated(short, balance)
    yield from _brought(short)


def _points(balance: Balance, feature: int, values: Sequence[float]) -> Ints:
    table = np.array(values, dtype=np.float64).reshape(len(values), 1)
    return np.asarray(heights(worth_of(balance.model), np.array([feature]), table)[:, 0])


def _nearer(short: Short, balance: Balance) -> Iterator[Changed]:
    """Brought from a nearer point, or from a known one."""
    here = short.need.point
    if here is None:
        return
    ways = [UNKNOWN_DISTANCE_M if isnan(m := metres(short.need, offer)) else m for offer in short.offers]
    steps = ceil(min(FARTHEST_M, max(ways, default=0)) / STEP_M) + 1
    points = [placed(here, step * STEP_M) for step in range(steps)]
    soft = float(balance.setting.policy.soft_distance_m)
    worth = _points(balance, DISTANCE, [fade(haversine_m(*here, *point), soft) for point in points])
    for place, offer in enumerate(short.offers):
        able = np.flatnonzero(worth[: ceil(ways[place] / STEP_M)] >= short.wanted(place, DISTANCE))
        if able.size:
            step = int(able[-1])
            told = Reason("distance", (("metres", step * STEP_M),))
            yield Changed(place, told, replace(offer, point=points[step]))


def metres(need: Need, offer: Offer) -> float:
    """Metres between them, nan if a point is not known."""
    return haversine_m(*(need.point or (np.nan, np.nan)), *(offer.point or (np.nan, np.nan)))


def _same_town(short: Short) -> Iterator[Changed]:
    town = town_of(short.need.area)
    told = Reason("town", (("area", town),))
    for place, offer in enumerate(short.offers):
        if town_of(offer.origin_area) != town:
            yield Changed(place, told, replace(offer, origin_area=town, point=short.need.point))


def _more(short: Short, balance: Balance) -> Iterator[Changed]:
    """More units free, up to what the need lacks."""
    lacks = short.need.quantity
    step = ceil(lacks / FINEST)
    units = np.unique(np.append(np.arange(step, lacks, step), lacks))
    worth = _points(balance, QUANTITY, (units / lacks).tolist())
    for place, offer in enumerate(short.offers):
        able = np.flatnonzero((units > offer.quantity) & (worth >= short.wanted(place, QUANTITY)))
        if able.size:
            more = int(units[able[0]])
            yield Changed(place, Reason("free", (("units", more),)), replace(offer, quantity=more))


def _sooner(short: Short, balance: Balance) -> Iterator[Changed]:
    """It has to be used by an earlier day."""
    now = balance.setting.now
    ends = [end_of(now, days) for days in range(LAST_DAY + 1)]
    left = np.array([(seconds(end) - seconds(now)) / DAY_S for end in ends])
    worth = _points(balance, EXPIRY, np.clip((60 - left) / (60 - 14), 0.0, 1.0).tolist())
    for place, offer in enumerate(short.offers):
        begins = -inf if offer.available_from is None else seconds(offer.available_from)
        within = (left < _days_left(offer, now)) & (left >= (begins - seconds(now)) / DAY_S)
        able = np.flatnonzero(within & (worth >= short.wanted(place, EXPIRY)))
        if able.size:
            end = ends[able[-1]]
            yield Changed(place, dated("ends", end), replace(offer, available_until=end))


def _days_left(offer: Offer, now: datetime) -> float:
    shelf = inf if offer.expires_on is None else float(offer.expires_on.toordinal() - day(now))
    end = inf if offer.available_until is None else (seconds(offer.available_until) - seconds(now)) / DAY_S
    return min(shelf, end)


def highest(need: Need, balance: Balance) -> str:
    """The vulnerability of the highest priority that the need holds, '' if it holds none."""
    policy = balance.setting.policy
    ranked = sorted(need.vulnerabilities)
    return max(ranked, key=lambda c: policy.base_priority.get(c, policy.default_priority), default="")


def _designated(short: Short, balance: Balance) -> Iterator[Changed]:
    """The donor gives for those whom the beneficiary belongs to."""
    held = highest(short.need, balance)
    told = Reason("designation", (("vulnerability", held),))
    for place, offer in enumerate(short.offers):
        if held and not offer.designated_vulnerabilities:
            yield Changed(place, told, replace(offer, designated_vulnerabilities=(held,)))


def _brought(short: Short) -> Iterator[Changed]:
    for place, offer in enumerate(short.offers):
        if offer.pickup == "self_pickup":
            yield Changed(place, Reason("delivery"), replace(offer, pickup="delivery"))
