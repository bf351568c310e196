"""What a possible pair looks like in numbers: one named column each, larger is better, never negative."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matching.candidates import Pairs, Pool
from matching.columns import NEVER, Floats, Ints, day, seconds, town_of
from matching.model import Need
from matching.policy import Policy
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
    lack = _lack(shares)
    table = [
        (
            vulnerability_points(need.vulnerabilities, policy),
            policy.urgency_points.get(need.urgency, 0),
            waiting_points(now - seconds(need.raised_at), policy),
            0.0 if need.needed_by is None else _fade((seconds(need.needed_by) - now) / DAY_S, 0, 14),
            policy.fairness_points * lack.get(town_of(need.area), 0.0),
        )
        for need in needs
    ]
    return NeedPoints(np.array(table, dtype=np.float64).reshape(len(needs), 5))


def vulnerability_points(codes: Sequence[str], policy: Policy) -> int:
    """The highest base priority held, plus a little for each further code, up to a cap."""
    if not codes:
        return policy.default_priority
    highest = max(policy.base_priority.get(code, policy.default_priority) for code in codes)
    return highest + min(policy.further_cap, policy.further_points * (len(set(codes)) - 1))


def waiting_points(waited_s: float, policy: Policy) -> int:
    """Points for each full day of waiting, up to a cap."""
    return min(policy.waiting_cap, policy.waiting_points_per_day * max(0, int(waited_s // DAY_S)))


def matrix(pool: Pool, pairs: Pairs, points: NeedPoints, setting: Setting) -> tuple[Floats, Floats]:
    """(pairs, NAMES) features and the metres of each pair (nan if unknown)."""
    needs, offers = pool.need_columns, pool.offer_columns
    need, offer = pairs.need, pairs.offer
    metres = haversine_m(needs.position[need], offers.position[offer])
    columns = [
        pairs.factor / 1000,
        nearness(needs.area[need], offers.origin[offer]),
        distance_fade(metres, setting.policy),
        _expiry(pool, offer, setting),
        np.asarray(offers.wants.any(axis=1))[offer].astype(np.float64),
        np.minimum(1.0, offers.quantity[offer] / needs.quantity[need]),
        1.0 - offers.used[offer],
        1.0 - offers.self_pickup[offer],
    ]
    return np.column_stack([points.table[need], *columns]), metres


def nearness(one: Ints, other: Ints) -> Floats:
    """1 in the same town, a half in the same county, a quarter in the same city, else 0."""
    same = [one // 10**cut == other // 10**cut for cut in (3, 6, 8)]
    return np.select(same, [1.0, 0.5, 0.25], 0.0)


def distance_fade(metres: Floats, policy: Policy) -> Floats:
    """1 up to the soft distance, then falling: a half at twice, a third at three times. Unknown counts as
    20 km.
    """
    known = np.where(np.isnan(metres), UNKNOWN_DISTANCE_M, metres)
    return np.asarray(1.0 / np.maximum(1.0, known / max(1, policy.soft_distance_m)))


def _expiry(pool: Pool, offer: Ints, setting: Setting) -> Floats:
    # First expired, first out: 1 for goods that run out within 14 days, 0 from 60 days on.
    offers = pool.offer_columns
    left = np.where(offers.expires == NEVER, np.inf, offers.expires - day(setting.now))
    closing = (offers.end - seconds(setting.now)) / DAY_S
    days = np.minimum(left, closing)
    return np.asarray(np.clip((60 - days) / (60 - 14), 0.0, 1.0))[offer]


def _fade(value: float, full: float, none: float) -> float:
    return min(1.0, max(0.0, (none - value) / (none - full)))


def _lack(shares: Mapping[str, int]) -> dict[str, float]:
    # How far each town lies under the median share, as a part of the median: 慈善法 art. 59 asks for fairness.
    if not shares:
        return {}
    median = float(np.median(list(shares.values())))
    return {
        town_of(area): max(0.0, (median - share) / median) if median > 0 else 0.0
        for area, share in shares.items()
    }
