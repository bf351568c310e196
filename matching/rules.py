"""The hard rules: each bars pairs that no score may make up for.

`NEED_RULES` look at the need alone; the rules of `PAIR_RULES` at the categories, at the place, or at one pair. The
first that bars a pair names the refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from matching.columns import EARTH_M, Floats, Ints, NeedColumns, OfferColumns
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
) = range(len(PAIR_RULES))
POSSIBLE = -1


@inlined
def by_category(kind: Kind) -> int:
    """An offer filed under a government procedure is none; some categories never serve the wanted one."""
    if kind.procedure:
        return PROCEDURE
    return INCOMPATIBLE if kind.incompatible else POSSIBLE


@inlined
def by_place(area: int, direction: Floats, offers: OfferColumns, j: int) -> int:
    """The offer serves no code that the area lies under; or the place is farther than it goes, or than a
    household should have to go to fetch goods itself (a point that is not known is not too far).
    """
    served = False
    for k in range(offers.first.shape[1]):
        served = served or offers.first[j, k] <= area <= offers.last[j, k]
    if not served:
        return AREA
    there = offers.direction[j]
    cosine = direction[0] * there[0] + direction[1] * there[1] + direction[2] * there[2]
    if cosine < offers.nearest[j]:
        return RADIUS
    return FETCH if cosine < offers.fetched[j] else POSSIBLE


@inlined
def by_time(needs: NeedColumns, i: int, offers: OfferColumns, j: int, kind: Kind) -> int:
    """The window has closed, or opens after the need's date; or on the earliest day of delivery less is left than
    the category's margin (慈善法 art. 36).
    """
    if offers.end[j] < kind.now or offers.start[j] > needs.needed_by[i]:
        return WINDOW
    earliest = max(offers.start_day[j], kind.today)
    return EXPIRING if earliest + offers.margin[j] > offers.expires[j] else POSSIBLE


@inlined
def by_person(needs: NeedColumns, i: int, offers: OfferColumns, j: int, kind: Kind) -> int:
    """The donor gave for others (慈善法 art. 56); S3 and S4 work without the licence (志愿服务条例 art. 16, 安全生产法
    art. 30); a service to a minor by people who were not vetted (未成年人保护法 art. 62, extended by policy).
    """
    if offers.wants[j] != 0 and offers.wants[j] & needs.holds[i] == 0:
        return DESIGNATION
    if not offers.licensed[j]:
        return LICENCE
    return VETTING if kind.service and needs.minor[i] and not offers.vetted[j] else POSSIBLE


@inlined
def among(keys: Ints, key: int) -> bool:
    """Whether a sorted table holds the key."""
    if keys.size == 0:
        return False
    place = np.searchsorted(keys, key)
    return bool(place < keys.size and keys[place] == key)


@inlined
def by_history(i: int, offers: OfferColumns, j: int, barred: Barred) -> int:
    """The household already had as much of the offer as it may; a coordinator declined the pair; everything of the
    offer is promised.
    """
    key = i * offers.quantity.size + j
    if offers.limit[j] <= 0 or among(barred.spent, key):
        return LIMIT
    if among(barred.declined, key):
        return DECLINED
    return NOTHING if offers.quantity[j] <= 0 else POSSIBLE


@inlined
def by_pair(needs: NeedColumns, i: int, offers: OfferColumns, j: int, kind: Kind, barred: Barred) -> int:
    """What bars this need from this offer although the place is served, or `POSSIBLE`."""
    rule = by_time(needs, i, offers, j, kind)
    if rule == POSSIBLE:
        rule = by_person(needs, i, offers, j, kind)
    if rule == POSSIBLE:
        rule = by_history(i, offers, j, barred)
    return rule


@compiled
def haversine_m(one: Floats, other: Floats) -> float:
    """Great-circle metres between two (longitude, latitude) points in degrees; nan where one is unknown."""
    lng1, lat1, lng2, lat2 = (
        np.radians(one[0]),
        np.radians(one[1]),
        np.radians(other[0]),
        np.radians(other[1]),
    )
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lng2 - lng1) / 2) ** 2
    return float(2 * EARTH_M * np.arcsin(np.sqrt(min(half, 1.0))))
