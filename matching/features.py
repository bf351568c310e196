"""What a possible pair looks like in numbers: one named column each, larger is better, never negative."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matching.columns import NEVER, Floats, Ints, NeedColumns, OfferColumns, day, seconds, town_of
from matching.compiled import compiled
from matching.model import Need
from matching.policy import Policy
from matching.pool import Pairs
from matching.rules import Setting, haversine_m

NAMES = (
    "vulnerability", "urgency", "waiting", "due", "fairness",
    "category", "area", "distance", "expiry", "designation", "quantity", "condition", "delivery",
)  # fmt: skip
DAY_S = 86_400.0
UNKNOWN_DISTANCE_M = 20_000.0


@dataclass(frozen=True, slots=True, eq=False)
class NeedPoints:
    """The first five features, which depend on the need alone; one row a need, in points of the policy."""

    table: Floats


def need_points(needs: Sequence[Need], setting: Setting, shares: Mapping[str, int]) -> NeedPoints:
    """Points of vulnerability, urgency, waiting and fairness, and how near the fixed date is (1 today, 0
    from 14 days on).
    """
    policy, now = setting.policy, seconds(setting.now)
    table = [
        (
            vulnerability_points(need.vulnerabilities, policy),
            policy.urgency_points.get(need.urgency, 0),
            waiting_points(now - seconds(need.raised_at), policy),
            0.0 if need.needed_by is None else _fade((seconds(need.needed_by) - now) / DAY_S, 0, 14),
            fairness_points(need, policy, shares),
        )
        for need in needs
    ]
    return NeedPoints(np.array(table, dtype=np.float64).reshape(len(needs), 5))


def groups_of(need: Need, policy: Policy) -> tuple[tuple[str, int], ...]:
    """What a need counts to under the rule of fairness, with the points of a first unit: its town, and the class of its
    highest priority (慈善法 art. 59 asks for fairness).
    """
    town = (town_of(need.area), policy.fairness_points)
    held = sorted(set(need.vulnerabilities))
    if not held:
        return (town,)
    highest = max(held, key=lambda code: policy.base_priority.get(code, policy.default_priority))
    return town, (highest, policy.class_fairness_points)


def fairness_points(need: Need, policy: Policy, shares: Mapping[str, int]) -> float:
    """What a next unit is worth to the need's groups, by the shares met so far in thousandths."""
    return sum(points * (1000 - shares.get(code, 0)) / 1000 for code, points in groups_of(need, policy))


def vulnerability_points(codes: Sequence[str], policy: Policy) -> int:
    """The highest base priority held, plus a little for each further code, up to a cap."""
    if not codes:
        return policy.default_priority
    highest = max(policy.base_priority.get(code, policy.default_priority) for code in codes)
    return highest + min(policy.further_cap, policy.further_points * (len(set(codes)) - 1))


def waiting_points(waited_s: float, policy: Policy) -> int:
    """Points for each full day of waiting, up to a cap."""
    return min(policy.waiting_cap, policy.waiting_points_per_day * max(0, int(waited_s // DAY_S)))


class OfferPoints(NamedTuple):
    """The features that depend on the offer alone, one row an offer: expiry, designation, condition, delivery."""

    table: Floats


def offer_points(offers: OfferColumns, setting: Setting) -> OfferPoints:
    """First expired, first out (1 for what runs out within 14 days, 0 from 60 days on); given for somebody; new;
    brought to the door.
    """
    left = np.where(offers.expires == NEVER, np.inf, offers.expires - day(setting.now))
    days = np.minimum(left, (offers.end - seconds(setting.now)) / DAY_S)
    expiry = np.clip((60 - days) / (60 - 14), 0.0, 1.0)
    columns = [expiry, offers.wants != 0, 1.0 - offers.used, 1.0 - offers.self_pickup]
    return OfferPoints(np.column_stack(columns).astype(np.float64))


def matrix(
    needs: NeedColumns, offers: OfferColumns, pairs: Pairs, points: NeedPoints, offered: OfferPoints, setting: Setting
) -> tuple[Floats, Floats]:  # fmt: skip
    """(pairs, NAMES) features and the metres of each pair (nan if unknown)."""
    way, metres = ways(needs, offers, pairs.need, pairs.offer, setting.policy.soft_distance_m)
    expiry, designation, condition, delivery = offered.table[pairs.offer].T
    columns = [
        pairs.factor / 1000, way[:, 0], way[:, 1], expiry, designation,
        np.minimum(1.0, offers.quantity[pairs.offer] / needs.quantity[pairs.need]),
        condition, delivery,
    ]  # fmt: skip
    return np.column_stack([points.table[pairs.need], *columns]), metres


@compiled
def ways(
    needs: NeedColumns, offers: OfferColumns, need: Ints, offer: Ints, soft_m: float
) -> tuple[Floats, Floats]:
    """For each pair how near the areas and the points are, and the metres between."""
    table, metres = np.empty((need.size, 2)), np.empty(need.size)
    for k in range(need.size):
        here, there = needs.position[need[k]], offers.position[offer[k]]
        metres[k] = haversine_m(here[0], here[1], there[0], there[1])
        table[k, 0] = near(needs.area[need[k]], offers.origin[offer[k]])
        table[k, 1] = fade(metres[k], soft_m)
    return table, metres


@compiled
def near(one: int, other: int) -> float:
    """1 in the same town, a half in the same county, a quarter in the same city, else 0."""
    if one // 1_000 == other // 1_000:
        return 1.0
    if one // 1_000_000 == other // 1_000_000:
        return 0.5
    return 0.25 if one // 100_000_000 == other // 100_000_000 else 0.0


@compiled
def fade(metres: float, soft_m: float) -> float:
    """1 up to the soft distance, then falling: a half at twice, a third at three times. Unknown counts as 20 km."""
    known = UNKNOWN_DISTANCE_M if np.isnan(metres) else metres
    return float(1.0 / max(1.0, known / max(1.0, soft_m)))


def _fade(value: float, full: float, none: float) -> float:
    return min(1.0, max(0.0, (none - value) / (none - full)))
