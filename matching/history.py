"""What beneficiaries already received or were promised, ready to be asked need by need."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from matching.model import Category, Need, PastAid, PendingAid
from matching.policy import Policy

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class History:
    """Aid by (beneficiary, category), and units taken by (offer, beneficiary)."""

    past: Mapping[Key, tuple[PastAid, ...]]
    promised: Mapping[Key, tuple[PendingAid, ...]]
    taken: Mapping[Key, int]

    @classmethod
    def of(cls, past: Iterable[PastAid], pending: Iterable[PendingAid]) -> "History":
        received, promised = tuple(past), tuple(pending)
        taken: dict[Key, int] = defaultdict(int)
        aids: tuple[PastAid | PendingAid, ...] = (*received, *promised)
        for aid in aids:
            if aid.offer_id:
                taken[aid.offer_id, aid.beneficiary_id] += aid.quantity
        by_past: dict[Key, tuple[PastAid, ...]] = defaultdict(tuple)
        for item in received:
            by_past[item.beneficiary_id, item.category] += (item,)
        by_promise: dict[Key, tuple[PendingAid, ...]] = defaultdict(tuple)
        for promise in promised:
            by_promise[promise.beneficiary_id, promise.category] += (promise,)
        return cls(dict(by_past), dict(by_promise), dict(taken))

    def received(self, need: Need, since: datetime) -> bool:
        """Whether the category was received after `since`, for another need."""
        aids = self.past.get((need.beneficiary_id, need.category), ())
        return any(aid.received_at > since and aid.need_id != need.id for aid in aids)

    def pending(self, need: Need) -> bool:
        """Whether the category is promised to the same beneficiary for another need."""
        aids = self.promised.get((need.beneficiary_id, need.category), ())
        return any(aid.need_id != need.id for aid in aids)


def lasts(category: Category) -> bool:
    """Whether one of it serves for years: a thing that is not used up."""
    return category.kind == "item" and not category.consumable


def barred_since(category: Category, policy: Policy, now: datetime) -> datetime:
    """Aid of the category that was received after this moment bars more of it."""
    if category.code in policy.cycle_days:
        return now - timedelta(days=policy.cycle_days[category.code])
    if lasts(category):
        return months_before(now, policy.durable_months)
    return now - timedelta(days=policy.consumable_cycle_days)


def months_before(moment: datetime, months: int) -> datetime:
    """The same day of the month, `months` earlier; the last day of that month where it is shorter."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
