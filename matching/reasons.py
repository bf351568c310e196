"""Why a pair suits, as codes with parameters; the sentences are written where they are shown."""

from datetime import datetime
from math import isnan

from matching.columns import CHINA, seconds
from matching.features import DAY_S
from matching.model import Need, Offer, Reason
from matching.policy import Policy


def reasons(need: Need, offer: Offer, factor: int, metres: float) -> tuple[Reason, ...]:
    """What the pair has for it, in a fixed order. Codes and parameters:

    substitute(category, factor in thousandths), designated(vulnerability), expires(date), part(offered:
    units the offer has, asked), distance(metres), same_town(area).
    """
    return (*_goods(need, offer, factor), *_way(need, offer, metres))


def need_reasons(need: Need, policy: Policy, now: datetime) -> tuple[Reason, ...]:
    """What the need alone has for it: priority(vulnerability), urgency(level), waiting(days)."""
    found = []
    if need.vulnerabilities:
        first = max(
            need.vulnerabilities, key=lambda code: policy.base_priority.get(code, policy.default_priority)
        )
        found.append(Reason("priority", (("vulnerability", first),)))
    found.append(Reason("urgency", (("level", need.urgency),)))
    if (days := int((seconds(now) - seconds(need.raised_at)) // DAY_S)) > 0:
        found.append(Reason("waiting", (("days", days),)))
    return tuple(found)


def _goods(need: Need, offer: Offer, factor: int) -> list[Reason]:
    found = []
    if offer.category != need.category:
        found.append(Reason("substitute", (("category", offer.category), ("factor", factor))))
    if held := next((code for code in offer.designated_vulnerabilities if code in need.vulnerabilities), ""):
        found.append(Reason("designated", (("vulnerability", held),)))
    if offer.expires_on is not None:
        found.append(Reason("expires", (("date", offer.expires_on.isoformat()),)))
    elif offer.available_until is not None:
        found.append(
            Reason("expires", (("date", offer.available_until.astimezone(CHINA).date().isoformat()),))
        )
    if offer.quantity < need.quantity:
        found.append(Reason("part", (("offered", offer.quantity), ("asked", need.quantity))))
    return found


def _way(need: Need, offer: Offer, metres: float) -> list[Reason]:
    found = [] if isnan(metres) else [Reason("distance", (("metres", round(metres)),))]
    if need.area[:9] == offer.origin_area[:9]:
        found.append(Reason("same_town", (("area", need.area[:9] + "000"),)))
    return found
