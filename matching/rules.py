"""The hard rules: each bars pairs that no score may make up for.

`NEED_RULES` look at the need alone; the rules of `PAIR_RULES` at the categories, at the place, or at one pair. The
first that bars a pair names the refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from matching.columns import EARTH_M, Ints
from matching.compiled import compiled, inlined
from matching.history import History, barred_since
from matching.model import Catalogue, Need
from matching.policy import Policy

GOVERNMENT = "SR"


@dataclass(frozen=True, slots=True)
class Setting:
    """What every rule may look at beside the needs and offers. `declined`: pairs of ids that a person said
    no to.
    """

    catalogue: Catalogue
    policy: Policy
    history: History
    now: datetime
    declined: frozenset[tuple[str, str]] = frozenset()


class Kind(NamedTuple):
    """The needs' category against the offers': whether they exclude each other, what one offer of it counts in
    thousandths, and what else of the categories and the day the rules look at.
    """

    procedure: bool
    incompatible: bool
    service: bool
    factor: int
    now: float
    today: int


class Barred(NamedTuple):
    """Sorted keys, need number × number of offers + offer number: pairs whose household limit is used up, and
    pairs that a person said no to.
    """

    spent: Ints
    declined: Ints


NeedRule = Callable[[Need, Setting], bool]


def unknown_category(need: Need, setting: Setting) -> bool:
    """The catalogue does not know the category."""
    return need.category not in setting.catalogue


def government_procedure(need: Need, setting: Setting) -> bool:
    """Class SR is served by a public office, never by a donor."""
    return setting.catalogue[need.category].safety_class == GOVERNMENT


def consent_missing(need: Need, _: Setting) -> bool:
    """Nothing of a beneficiary goes to a donor without consent (个人信息保护法 art. 29, 31)."""
    return not need.consent


def needed_by_passed(need: Need, setting: Setting) -> bool:
    """The fixed date is over: the worker has to set a new one."""
    return need.needed_by is not None and need.needed_by < setting.now


def aid_received(need: Need, setting: Setting) -> bool:
    """The household received the category so lately that more would be aid twice over."""
    since = barred_since(setting.catalogue[need.category], setting.policy, setting.now)
    return need.beneficiary_kind == "household" and setting.history.received(need, since)


def aid_pending(need: Need, setting: Setting) -> bool:
    """The category is already promised to the household for another need."""
    return need.beneficiary_kind == "household" and setting.history.pending(need)


NEED_RULES: tuple[tuple[str, NeedRule], ...] = (
    ("unknown_category", unknown_category),
    ("government_procedure", government_procedure),
    ("consent_missing", consent_missing),
    ("needed_by_passed", needed_by_passed),
    ("aid_received", aid_received),
    ("aid_pending", aid_pending),
)


PAIR_RULES = (
    "government_procedure", "incompatible", "out_of_area", "out_of_radius", "too_far_to_fetch", "window_missed", "expiring",
    "not_designated", "licence_missing", "vetting_missing", "household_limit", "declined_before", "nothing_left",
    "too_few_at_once",
)  # fmt: skip
"""In this order; the number of a rule is its place."""
(
    PROCEDURE,
    INCOMPATIBLE,
    AREA,
    RADIUS,
    FETCH,
    WINDOW,
    EXPIRING,
    DESIGNATION,
    LICENCE,
    VETTING,
    LIMIT,
    DECLINED,
    NOTHING,
    TOO_FEW,
) = range(len(PAIR_RULES))
POSSIBLE = -1


@inlined
def by_category(kind: Kind) -> int:
    """An offer filed under a government procedure is none; some categories never serve the wanted one."""
    if kind.procedure:
        return PROCEDURE
    return INCOMPATIBLE if kind.incompatible else POSSIBLE


@inlined
def by_time(
    end: float, start: float, start_day: int, margin: int, expires: int, needed_by: float, kind: Kind
) -> int:
    """The window has closed, or opens after the need's date; or on the earliest day of delivery less is left than
    the category's margin (慈善法 art. 36).
    """
    if end < kind.now or start > needed_by:
        return WINDOW
    return EXPIRING if max(start_day, kind.today) + margin > expires else POSSIBLE


@inlined
def by_person(wants: int, holds: int, licensed: bool, service: bool, minor: bool, vetted: bool) -> int:
    """The donor gave for others (慈善法 art. 56); S3 and S4 work without the licence (志愿服务条例 art. 16, 安全生产法
    art. 30); a service to a minor by people who were not vetted (未成年人保护法 art. 62, extended by policy).
    """
    if wants != 0 and wants & holds == 0:
        return DESIGNATION
    if not licensed:
        return LICENCE
    return VETTING if service and minor and not vetted else POSSIBLE


@inlined
def among(keys: Ints, key: int) -> bool:
    """Whether a sorted table holds the key."""
    place = np.searchsorted(keys, key) if keys.size > 0 else 0
    return bool(place < keys.size and keys[place] == key)


@inlined
def by_history(limit: int, quantity: int, spent: bool, declined: bool, at_once: int) -> int:
    """The household already had as much of the offer as it may; a coordinator declined the pair; everything of the
    offer is promised, or too little is left for a need that has to be met `at_once` (0 = it may come in parts).
    """
    if limit <= 0 or spent:
        return LIMIT
    if declined:
        return DECLINED
    if quantity <= 0:
        return NOTHING
    return TOO_FEW if min(quantity, limit) < at_once else POSSIBLE


@compiled
def haversine_m(lng1: float, lat1: float, lng2: float, lat2: float) -> float:
    """Great-circle metres between two points in degrees; nan where one is unknown."""
    lng1, lat1, lng2, lat2 = np.radians(lng1), np.radians(lat1), np.radians(lng2), np.radians(lat2)
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lng2 - lng1) / 2) ** 2
    return float(2 * EARTH_M * np.arcsin(np.sqrt(min(half, 1.0))))
