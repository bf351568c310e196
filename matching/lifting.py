"""What would lift the rule that refuses an offer; each change is judged anew, and what refuses then is told too."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import NamedTuple

from matching.columns import CHINA, day, town_of
from matching.levers import STEP_M, dated, end_of, highest, metres, placed
from matching.model import Need, Offer, Reason
from matching.weighing import Balance

DECISION = Reason("decision")


@dataclass(frozen=True, slots=True)
class Lift:
    """`change` would lift the `rule` that refuses the offer; `then`: the rule that refuses it still, '' if none does."""

    offer_id: str
    rule: str
    change: Reason
    then: str


class Otherwise(NamedTuple):
    """A need and an offer of which one value is different, and how that is told."""

    told: Reason
    need: Need
    offer: Offer


Maker = Callable[[Need, Offer, Balance], Iterator[Otherwise]]


def lifts(need: Need, refused: Iterable[tuple[Offer, str]], balance: Balance) -> tuple[Lift, ...]:
    """For each refused offer, in order, the single changes that really lift its rule."""
    asked = [
        (offer, rule, otherwise)
        for offer, rule in refused
        for otherwise in (MAKERS[rule](need, offer, balance) if rule in MAKERS else ())
    ]
    groups: dict[tuple[Need, bool], list[int]] = defaultdict(list)
    for place, (_, _, other) in enumerate(asked):
        groups[other.need, other.told == DECISION].append(place)
    then = [""] * len(asked)
    for (changed, decided), places in groups.items():
        rules, _ = _heeding(balance, decided).weigh(changed, [asked[place][2].offer for place in places])
        for place, rule in zip(places, rules, strict=True):
            then[place] = rule
    judged = zip(asked, then, strict=True)
    return tuple(
        Lift(offer.id, rule, other.told, next_) for (offer, rule, other), next_ in judged if next_ != rule
    )


def _heeding(balance: Balance, decided: bool) -> Balance:
    if not decided:
        return balance
    return replace(balance, setting=replace(balance.setting, declined=frozenset()))


def _area(need: Need, offer: Offer, _: Balance) -> Iterator[Otherwise]:
    town = town_of(need.area)
    served = offer.service_areas or (offer.origin_area[:6] + "000000",)
    told = Reason("served", (("area", town),))
    yield Otherwise(told, need, replace(offer, service_areas=(*served, town)))


def _radius(need: Need, offer: Offer, _: Balance) -> Iterator[Otherwise]:
    was = offer.radius_m or 0
    wide = (int(metres(need, offer) // STEP_M) + 1) * STEP_M
    told = Reason("radius", (("metres", wide), ("was", was)))
    yield Otherwise(told, need, replace(offer, radius_m=wide))
    yield from _within(need, offer, was)


def _within(need: Need, offer: Offer, limit_m: int) -> Iterator[Otherwise]:
    if need.point is not None:
        told = Reason("distance", (("metres", limit_m),))
        yield Otherwise(told, need, replace(offer, point=placed(need.point, limit_m)))


def _fetched(need: Need, offer: Offer, balance: Balance) -> Iterator[Otherwise]:
    yield Otherwise(Reason("delivery"), need, replace(offer, pickup="delivery"))
    yield from _within(need, offer, balance.setting.policy.self_pickup_m)


def _window(need: Need, offer: Offer, balance: Balance) -> Iterator[Otherwise]:
    today = end_of(balance.setting.now, 0)
    yield Otherwise(dated("until", today), need, replace(offer, available_until=today))
    if need.needed_by is not None and offer.available_from is not None:
        begin = datetime.combine(need.needed_by.astimezone(CHINA).date(), time(), CHINA)
        yield Otherwise(dated("from", begin), need, replace(offer, available_from=begin))
        end = end_of(offer.available_from, 0)
        yield Otherwise(dated("needed_by", end), replace(need, needed_by=end), offer)


def _expiring(need: Need, offer: Offer, balance: Balance) -> Iterator[Otherwise]:
    setting, expires = balance.setting, offer.expires_on
    if expires is None:
        return
    margin = setting.policy.expiry_margin_days.get(
        offer.category, setting.catalogue[offer.category].shelf_margin_days
    )
    today = day(setting.now)
    start = today if offer.available_from is None else max(today, day(offer.available_from))
    long = date.fromordinal(start + margin)
    yield Otherwise(Reason("expires", (("date", long.isoformat()),)), need, replace(offer, expires_on=long))
    if start > today:
        begin = datetime.combine(date.fromordinal(expires.toordinal() - margin), time(), CHINA)
        yield Otherwise(dated("from", begin), need, replace(offer, available_from=begin))


def _designation(need: Need, offer: Offer, balance: Balance) -> Iterator[Otherwise]:
    codes = offer.designated_vulnerabilities
    told = Reason("held", (("vulnerabilities", ";".join(codes)),))
    yield Otherwise(told, replace(need, vulnerabilities=(*need.vulnerabilities, codes[0])), offer)
    if held := highest(need, balance):
        also = Reason("designation", (("vulnerability", held),))
        yield Otherwise(also, need, replace(offer, designated_vulnerabilities=(*codes, held)))
    else:
        yield Otherwise(Reason("open"), need, replace(offer, designated_vulnerabilities=()))


def _licence(need: Need, offer: Offer, balance: Balance) -> Iterator[Otherwise]:
    licence = balance.setting.catalogue[offer.category].licence
    told = Reason("licence", (("licence", licence),))
    yield Otherwise(told, need, replace(offer, licences=(*offer.licences, licence)))


def _vetting(need: Need, offer: Offer, _: Balance) -> Iterator[Otherwise]:
    yield Otherwise(Reason("vetting"), need, replace(offer, vetted=True))


def _limit(need: Need, offer: Offer, balance: Balance) -> Iterator[Otherwise]:
    units = balance.setting.history.taken.get((offer.id, need.beneficiary_id), 0) + 1
    yield Otherwise(Reason("limit", (("units", units),)), need, replace(offer, per_household_limit=units))


def _declined(need: Need, offer: Offer, _: Balance) -> Iterator[Otherwise]:
    yield Otherwise(DECISION, need, offer)


def _left(need: Need, offer: Offer, _: Balance) -> Iterator[Otherwise]:
    yield Otherwise(Reason("free", (("units", 1),)), need, replace(offer, quantity=1))


def _at_once(need: Need, offer: Offer, _: Balance) -> Iterator[Otherwise]:
    units = (("units", need.quantity),)
    yield Otherwise(Reason("free", units), need, replace(offer, quantity=need.quantity))
    if offer.per_household_limit is not None:
        yield Otherwise(Reason("limit", units), need, replace(offer, per_household_limit=need.quantity))


MAKERS: dict[str, Maker] = {
    "out_of_area": _area,
    "out_of_radius": _radius,
    "too_far_to_fetch": _fetched,
    "window_missed": _window,
    "expiring": _expiring,
    "not_designated": _designation,
    "licence_missing": _licence,
    "vetting_missing": _vetting,
    "household_limit": _limit,
    "declined_before": _declined,
    "nothing_left": _left,
    "too_few_at_once": _at_once,
}
"""Nothing lifts what is not named here: a government procedure, or goods that never serve."""
