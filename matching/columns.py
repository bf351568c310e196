"""Needs and offers as columns of numbers, so that rules and features look at a whole block of pairs at
once.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.model import Catalogue, Need, Offer, Point
from matching.policy import Policy

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bits = NDArray[np.uint64]

CHINA = timezone(timedelta(hours=8))
EARTH_M = 6_371_008.8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = 2**31
AREA_WIDTHS = (2, 4, 6, 9)
LICENSED_CLASSES = frozenset({"S3", "S4"})


def seconds(moment: datetime) -> float:
    """Seconds since 1970. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"the time {moment.isoformat()} has no zone; give it one, for example +08:00")
    return (moment - EPOCH).total_seconds()


def day(moment: datetime) -> int:
    """The calendar day in China, as a proleptic ordinal."""
    return moment.astimezone(CHINA).toordinal()


def area_span(code: str) -> tuple[int, int]:
    """The first and last 12-digit code that `code` covers: 445303000000 covers the whole county. ValueError
    if not 12 digits.
    """
    if len(code) != 12 or not (code.isascii() and code.isdigit()):
        raise ValueError(
            f"the area {code!r} is not a 12-digit code; use the official code, for example 445303104000"
        )
    first = int(code)
    for width in AREA_WIDTHS:
        if not code[width:].strip("0"):
            return first, first + 10 ** (12 - width) - 1
    return first, first


def town_of(code: str) -> str:
    """The code of the town that a village or town code lies in."""
    return code[:9] + "000"


class NeedColumns(NamedTuple):
    """One row a need. `position`: (longitude, latitude) in degrees, nan if unknown; `holds`: a bit for each
    vulnerability that it has, by the numbers of `vulnerability_bits`; `direction`: its unit vector; times in seconds since 1970;
    `whole`: whether one offer has to meet it in full.
    """

    area: Ints
    position: Floats
    direction: Floats
    quantity: Ints
    needed_by: Floats
    minor: Bools
    holds: Bits
    whole: Bools


class OfferColumns(NamedTuple):
    """One row an offer. `first`, `last`: the code spans that it serves; `wants`: bits of its designation;
    `nearest`, `fetched`: cosine of the angle that its radius and a household's own way allow (-2 = any);
    `expires`: a day.
    """

    origin: Ints
    first: Ints
    last: Ints
    position: Floats
    direction: Floats
    nearest: Floats
    fetched: Floats
    self_pickup: Bools
    start: Floats
    end: Floats
    start_day: Ints
    expires: Ints
    margin: Ints
    wants: Bits
    licensed: Bools
    vetted: Bools
    limit: Ints
    used: Bools
    quantity: Ints


class TooManyCodes(ValueError):
    """More than 64 different vulnerabilities occur; the official list has 36."""


def vulnerability_bits(needs: Sequence[Need], offers: Sequence[Offer]) -> dict[str, int]:
    """A number below 64 for each vulnerability that an offer is designated for. Raises `TooManyCodes`."""
    codes = sorted({code for offer in offers for code in offer.designated_vulnerabilities})
    if len(codes) > 64:
        raise TooManyCodes(TooManyCodes.__doc__)
    return {code: number for number, code in enumerate(codes)}


def need_columns(needs: Sequence[Need], codes: Mapping[str, int]) -> NeedColumns:
    """Columns of `needs`; `codes` numbers the designation codes."""
    position = _positions([n.point for n in needs])
    return NeedColumns(
        area=_ints([area_span(n.area)[0] for n in needs]),
        position=position,
        direction=directions(position),
        quantity=_ints([n.quantity for n in needs]),
        needed_by=_floats([np.inf if n.needed_by is None else seconds(n.needed_by) for n in needs]),
        minor=np.array([n.minor for n in needs], dtype=np.bool_),
        holds=_flags([n.vulnerabilities for n in needs], codes),
        whole=np.array([n.whole for n in needs], dtype=np.bool_),
    )


def offer_columns(
    offers: Sequence[Offer], codes: Mapping[str, int], catalogue: Catalogue, policy: Policy
) -> OfferColumns:
    """Columns of `offers`; what depends on an offer's own category (licence, expiry margin) is looked up
    here.
    """
    position = _positions([o.point for o in offers])
    first, last = _spans([_served(o) for o in offers])
    return OfferColumns(
        origin=_ints([area_span(o.origin_area)[0] for o in offers]),
        first=first,
        last=last,
        position=position,
        direction=directions(position),
        nearest=_cosines([o.radius_m for o in offers]),
        fetched=_cosines([policy.self_pickup_m if o.pickup == "self_pickup" else None for o in offers]),
        self_pickup=np.array([o.pickup == "self_pickup" for o in offers], dtype=np.bool_),
        start=_floats([-np.inf if o.available_from is None else seconds(o.available_from) for o in offers]),
        end=_floats([np.inf if o.available_until is None else seconds(o.available_until) for o in offers]),
        start_day=_ints([0 if o.available_from is None else day(o.available_from) for o in offers]),
        expires=_ints([NEVER if o.expires_on is None else o.expires_on.toordinal() for o in offers]),
        margin=_ints([_margin(o, catalogue, policy) for o in offers]),
        wants=_flags([o.designated_vulnerabilities for o in offers], codes),
        licensed=np.array([_licensed(o, catalogue) for o in offers], dtype=np.bool_),
        vetted=np.array([o.vetted for o in offers], dtype=np.bool_),
        limit=_ints([NEVER if o.per_household_limit is None else o.per_household_limit for o in offers]),
        used=np.array([o.condition == "used" for o in offers], dtype=np.bool_),
        quantity=_ints([o.quantity for o in offers]),
    )


def rows(columns: OfferColumns, some: NDArray[np.int32]) -> OfferColumns:
    """These rows in this order, as columns of their own."""
    return OfferColumns._make(column[some] for column in columns)


def wider(columns: OfferColumns, width: int) -> OfferColumns:
    """The same with at least `width` spans a row: the further ones cover nothing."""
    more = width - columns.first.shape[1]
    if more <= 0:
        return columns
    shape = (len(columns.first), more)
    return columns._replace(
        first=np.hstack([columns.first, np.ones(shape, np.int64)]),
        last=np.hstack([columns.last, np.zeros(shape, np.int64)]),
    )


def joined(parts: Sequence[OfferColumns]) -> OfferColumns:
    """The rows of one or more parts, one after another."""
    width = max(part.first.shape[1] for part in parts)
    return OfferColumns._make(map(np.concatenate, zip(*(wider(part, width) for part in parts), strict=True)))


def check(offer: Offer) -> None:
    """ValueError for a malformed area code or a time without a zone."""
    for area in (offer.origin_area, *offer.service_areas):
        area_span(area)
    for moment in (offer.available_from, offer.available_until):
        if moment is not None:
            seconds(moment)


def _served(offer: Offer) -> list[tuple[int, int]]:
    areas = offer.service_areas or (offer.origin_area[:6] + "000000",)
    return [area_span(area) for area in areas]


def _licensed(offer: Offer, catalogue: Catalogue) -> bool:
    category = catalogue.get(offer.category)
    if category is None or not category.licence or category.safety_class not in LICENSED_CLASSES:
        return True
    return category.licence in offer.licences


def _margin(offer: Offer, catalogue: Catalogue, policy: Policy) -> int:
    category = catalogue.get(offer.category)
    return policy.expiry_margin_days.get(offer.category, category.shelf_margin_days if category else 0)


def _spans(served: Sequence[list[tuple[int, int]]]) -> tuple[Ints, Ints]:
    width = max((len(spans) for spans in served), default=0)
    padded = [spans + [(1, 0)] * (width - len(spans)) for spans in served]
    table = np.array(padded, dtype=np.int64).reshape(len(served), width, 2)
    # One layout whatever the shape: compiled loops are made anew for another.
    return np.ascontiguousarray(table[:, :, 0]), np.ascontiguousarray(table[:, :, 1])


def _positions(points: Sequence[Point | None]) -> Floats:
    return np.array([(np.nan, np.nan) if p is None else p for p in points], dtype=np.float64).reshape(
        len(points), 2
    )


def directions(position: Floats) -> Floats:
    """Unit vectors of (longitude, latitude) rows: their product orders pairs as the distance does, and is quick."""
    lng, lat = np.radians(position).T
    return np.stack([np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)], axis=1)


def _cosines(limits_m: Sequence[int | None]) -> Floats:
    angles = [-2.0 if limit is None else np.cos(min(limit / EARTH_M, np.pi)) for limit in limits_m]
    return np.array(angles, dtype=np.float64)


def _flags(held: Sequence[tuple[str, ...]], codes: Mapping[str, int]) -> Bits:
    return np.array([sum(1 << codes[c] for c in set(names) if c in codes) for names in held], dtype=np.uint64)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)
