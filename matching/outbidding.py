"""What of a need people can change or learn, so that it comes before the needs that a scarce offer is proposed to."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from matching.columns import Ints, seconds, town_of
from matching.fairness import before
from matching.features import need_points
from matching.levers import dated, end_of
from matching.model import Need, Offer, Reason, Urgency
from matching.scoring import NEED_TERMS, heights
from matching.weighing import Balance
from matching.worth import worth_of

LEVELS: tuple[Urgency, ...] = ("low", "normal", "high", "critical")
DUE_DAYS, LONGEST = 14, 366
STEP = 50


@dataclass(frozen=True, slots=True)
class Bid:
    """A scarce offer is proposed to other needs: whoever scores over `beats` milli-points comes before one of them.

    `kin`: that one is of the same town, so that what the town's share changes it changes for both.
    """

    beats: int
    kin: bool = False


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The need, or its town's share, with one value changed, and how that is told."""

    told: Reason
    need: Need
    shares: Mapping[str, int] = field(compare=False)


class Asked(NamedTuple):
    """An offer that the need doesn't get: the score it has with it, and the one to pass."""

    offer: Offer
    score: int
    bid: Bid

    @property
    def missing(self) -> int:
        return max(0, self.bid.beats + 1 - self.score)


def outbidding(need: Need, asked: Sequence[Asked], balance: Balance) -> list[list[Reason]]:
    """For each offer the smallest change of each value with which the need's score passes the other's."""
    found: list[list[Reason]] = [[] for _ in asked]
    own = int(_own([Otherwise(Reason(""), need, balance.shares)], balance)[0])
    for steps in _levers(need, balance):
        gains = _own(steps, balance) - own
        chosen: dict[int, list[int]] = defaultdict(list)
        for place, one in enumerate(asked):
            able = np.flatnonzero(gains >= one.missing)
            if one.missing and able.size and not (one.bid.kin and steps[0].told.code == "share"):
                chosen[int(able[0])].append(place)
        for step, places in chosen.items():
            for place in _passing(steps[step], [(place, asked[place]) for place in places], balance):
                found[place].append(steps[step].told)
    return found


def _passing(other: Otherwise, asked: Sequence[tuple[int, Asked]], balance: Balance) -> Iterator[int]:
    rules, scores = replace(balance, shares=other.shares).weigh(other.need, [one.offer for _, one in asked])
    for (place, one), rule, score in zip(asked, rules, scores.tolist(), strict=True):
        if not rule and score > one.bid.beats:
            yield place


def _own(some: Sequence[Otherwise], balance: Balance) -> Ints:
    """Milli-points that each of these needs brings to whatever offer."""
    needs, policy = [one.need for one in some], balance.setting.policy
    table = need_points(needs, balance.setting, balance.shares).table[:, NEED_TERMS]
    points = heights(worth_of(balance.model), np.array(NEED_TERMS), np.ascontiguousarray(table)).sum(axis=1)
    return np.asarray(
        points + np.concatenate([before([one.need], policy, one.shares) for one in some]), np.int64
    )


def _levers(need: Need, balance: Balance) -> list[list[Otherwise]]:
    """The values that can be different, each with its changes from the smallest on."""
    made = (_urgency(need), _due(need, balance), _raised(need, balance))
    levers = [[Otherwise(told, other, balance.shares) for told, other in steps] for steps in made]
    return [steps for steps in (*levers, list(_share(need, balance))) if steps]


def _urgency(need: Need) -> Iterator[tuple[Reason, Need]]:
    for level in LEVELS[LEVELS.index(need.urgency) + 1 :]:
        yield Reason("urgency", (("level", level),)), replace(need, urgency=level)


def _due(need: Need, balance: Balance) -> Iterator[tuple[Reason, Need]]:
    """A date after which help is of no use, or an earlier one."""
    for days in range(DUE_DAYS, -1, -1):
        end = end_of(balance.setting.now, days)
        if need.needed_by is None or seconds(end) < seconds(need.needed_by):
            yield dated("due", end), replace(need, needed_by=end)


def _raised(need: Need, balance: Balance) -> Iterator[tuple[Reason, Need]]:
    """It turns out that the need was first told earlier."""
    policy = balance.setting.policy
    most = -(-policy.waiting_cap // policy.waiting_points_per_day) if policy.waiting_points_per_day else 0
    for days in range(1, min(LONGEST, most) + 1):
        told = dated("raised", need.raised_at - timedelta(days=days))
        yield (
            Reason("raised", (("days", days), *told.params)),
            replace(need, raised_at=need.raised_at - timedelta(days=days)),
        )


def _share(need: Need, balance: Balance) -> Iterator[Otherwise]:
    """Less of what the town asked for was met."""
    town = town_of(need.area)
    for share in range((balance.shares.get(town, 0) - 1) // STEP * STEP, -1, -STEP):
        told = Reason("share", (("area", town), ("percent", share // 10)))
        yield Otherwise(told, need, {**balance.shares, town: share})
