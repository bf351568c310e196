"""The hard rules: each row of the two tables bars pairs that no score may make up for.

`NEED_RULES` look at the need alone, `PAIR_RULES` at a block of needs × offers. The first row that bars a
pair names the refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from matching.columns import Bools, Floats, Ints, NeedColumns, OfferColumns, day, seconds
from matching.history import History, barred_since
from matching.model import Catalogue, Category, Need
from matching.policy import Policy

EARTH_M = 6_371_008.8
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


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Needs of the category `wanted` against offers of the category `given`.

    `keys`: need number × number of offers + offer number, (n, m); `spent`: the keys whose per-household
    limit is used up; `declined`: the keys that a person said no to.
    """

    needs: NeedColumns
    offers: OfferColumns
    wanted: Category
    given: Category
    setting: Setting
    keys: Ints
    spent: Ints
    declined: Ints


NeedRule = Callable[[Need, Setting], bool]
PairRule = Callable[[Block], Bools]


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


def offered_procedure(block: Block) -> Bools:
    """An offer filed under a government procedure is none."""
    return np.array([[block.given.safety_class == GOVERNMENT]])


def incompatible(block: Block) -> Bools:
    """The taxonomy says that the offered category never serves the wanted one."""
    return np.array([[block.given.code in block.wanted.incompatible]])


def out_of_area(block: Block) -> Bools:
    """The need's area lies under none of the codes that the offer serves."""
    areas, which = np.unique(block.needs.area, return_inverse=True)
    area = areas[:, None, None]
    served = np.any((block.offers.first <= area) & (area <= block.offers.last), axis=2)
    return np.asarray(~served)[which]


def out_of_radius(block: Block) -> Bools:
    """Farther than the offer goes; only where both points are known."""
    return _farther(block, block.offers.radius_m)


def too_far_to_fetch(block: Block) -> Bools:
    """Farther than a household should have to go to fetch goods itself."""
    limit = np.where(block.offers.self_pickup, float(block.setting.policy.self_pickup_m), np.inf)
    return _farther(block, limit)


def window_missed(block: Block) -> Bools:
    """The offer's window has closed, or opens after the need's date."""
    closed = block.offers.end < seconds(block.setting.now)
    return np.asarray(closed[None, :] | (block.offers.start[None, :] > block.needs.needed_by[:, None]))


def expiring(block: Block) -> Bools:
    """On the earliest day of delivery less is left than the category's margin (慈善法 art. 36)."""
    earliest = np.maximum(block.offers.start_day, day(block.setting.now))
    return np.asarray((earliest + block.offers.margin > block.offers.expires)[None, :])


def not_designated(block: Block) -> Bools:
    """The donor gave for others: none of the designated vulnerabilities is held (慈善法 art. 56)."""
    designated = np.asarray(block.offers.wants.any(axis=1))
    return np.asarray(designated[None, :] & (block.needs.holds @ block.offers.wants.T == 0))


def licence_missing(block: Block) -> Bools:
    """S3 and S4 work without the licence that the offered category asks for (志愿服务条例 art. 16,
    安全生产法 art. 30).
    """
    return np.asarray(~block.offers.licensed[None, :])


def vetting_missing(block: Block) -> Bools:
    """A service to a minor by people who were not vetted (未成年人保护法 art. 62, extended to volunteers by
    policy).
    """
    if block.given.kind != "service":
        return np.array([[False]])
    return np.asarray(block.needs.minor[:, None] & ~block.offers.vetted[None, :])


def household_limit(block: Block) -> Bools:
    """The household already had as much of the offer as one household may have."""
    none = (block.offers.limit <= 0)[None, :]
    return np.asarray(none | np.isin(block.keys, block.spent)) if block.spent.size else np.asarray(none)


def declined_before(block: Block) -> Bools:
    """A coordinator declined the pair: it is not proposed again."""
    return np.isin(block.keys, block.declined) if block.declined.size else np.array([[False]])


def nothing_left(block: Block) -> Bools:
    """Everything of the offer is promised."""
    return np.asarray((block.offers.quantity <= 0)[None, :])


PAIR_RULES: tuple[tuple[str, PairRule], ...] = (
    ("government_procedure", offered_procedure),
    ("incompatible", incompatible),
    ("out_of_area", out_of_area),
    ("out_of_radius", out_of_radius),
    ("too_far_to_fetch", too_far_to_fetch),
    ("window_missed", window_missed),
    ("expiring", expiring),
    ("not_designated", not_designated),
    ("licence_missing", licence_missing),
    ("vetting_missing", vetting_missing),
    ("household_limit", household_limit),
    ("declined_before", declined_before),
    ("nothing_left", nothing_left),
)


def haversine_m(one: Floats, other: Floats) -> Floats:
    """Great-circle metres between (longitude, latitude) rows in degrees; nan where a point is unknown."""
    (lng1, lat1), (lng2, lat2) = np.radians(one).T, np.radians(other).T
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lng2 - lng1) / 2) ** 2
    return np.asarray(2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(half, 1.0))))


def _farther(block: Block, limit_m: Floats) -> Bools:
    # The angle between unit vectors orders pairs like the haversine, and is one matrix product for the whole block.
    if not np.isfinite(limit_m).any():
        return np.array([[False]])
    nearest = np.cos(np.minimum(limit_m / EARTH_M, np.pi))
    nearest[~np.isfinite(limit_m)] = -np.inf
    return np.asarray(block.needs.direction @ block.offers.direction.T < nearest)
