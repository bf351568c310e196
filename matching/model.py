"""The values that matching takes and gives. Frozen, and free of names, phones and addresses.

Areas are official 12-digit codes, points are (longitude, latitude) in degrees (WGS-84), quantities whole
units of the category, scores and prices milli-points, distances metres. Every datetime carries a zone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from matching.plansheet import PlanSheet
from matching.policy import Policy

if TYPE_CHECKING:
    from matching.lastplan import LastPlan  # it is made of what the solver gives, which knows these values

__all__ = [
    "Assignment", "Catalogue", "Category", "Certificate", "Edge", "Fairness", "Need", "Offer", "PastAid", "PendingAid",
    "Plan", "Point", "Policy", "Reason", "Refusal",
]  # fmt: skip

Kind = Literal["item", "service", "cash", "referral", "training", "venue"]
Urgency = Literal["critical", "high", "normal", "low"]
BeneficiaryKind = Literal["household", "site", "institution", "group", "station"]
Point = tuple[float, float]
Param = tuple[str, str | int]


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the taxonomy.

    `accepts`: (code, factor in thousandths) of the offers that may stand in for this category.
    `incompatible`: codes that never may. `safety_class`: S0 to S4, or SR for a government procedure that no
    donor can serve.
    """

    code: str
    group: str
    kind: Kind
    consumable: bool
    licence: str = ""
    safety_class: str = "S0"
    shelf_margin_days: int = 0
    accepts: tuple[tuple[str, int], ...] = ()
    incompatible: tuple[str, ...] = ()


Catalogue = Mapping[str, Category]


@dataclass(frozen=True, slots=True)
class Need:
    """What one beneficiary lacks; `quantity` is what is still open, neither promised nor delivered.

    `whole`: one offer meets it in full, or none does. Needs of one `bundle` (empty = none) are met all in full, or none is.
    """

    id: str
    beneficiary_id: str
    area: str
    point: Point | None
    category: str
    quantity: int
    urgency: Urgency
    needed_by: datetime | None
    raised_at: datetime
    vulnerabilities: tuple[str, ...] = ()
    minor: bool = False
    consent: bool = True
    beneficiary_kind: BeneficiaryKind = "household"
    whole: bool = False
    bundle: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one charity pledges; `quantity` is what is free, not yet promised.

    `service_areas`: codes of towns, counties or cities (trailing zeros cover everything below); empty means
    the county of `origin_area`. `designated_vulnerabilities`: any one of them must be held (慈善法 art.
    56); empty means open to all. `per_day_limit`: units that can be handed over in a day; `booked` of them are promised already
    and not yet handed over, they take up the first days.
    """

    id: str
    charity_id: str
    category: str
    quantity: int
    service_areas: tuple[str, ...]
    origin_area: str
    point: Point | None = None
    radius_m: int | None = None
    pickup: Literal["delivery", "self_pickup"] = "delivery"
    available_from: datetime | None = None
    available_until: datetime | None = None
    expires_on: date | None = None
    designated_vulnerabilities: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    vetted: bool = False
    per_household_limit: int | None = None
    condition: Literal["new", "used"] = "new"
    per_day_limit: int | None = None
    booked: int = 0


@dataclass(frozen=True, slots=True)
class PastAid:
    """Aid already received. Aid for the very same need (`need_id`) bars nothing; `quantity` of `offer_id`
    counts to its limit.
    """

    beneficiary_id: str
    category: str
    received_at: datetime
    need_id: str = ""
    offer_id: str = ""
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class PendingAid:
    """Aid promised or under way, for the need `need_id`: it bars the beneficiary's other needs of the
    category.
    """

    beneficiary_id: str
    category: str
    need_id: str = ""
    offer_id: str = ""
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """A code and its parameters; the sentence is written where it is shown."""

    code: str
    params: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """A pair that is possible; `score` is exactly the sum of `contributions`."""

    need_id: str
    offer_id: str
    score: int
    contributions: tuple[tuple[str, int], ...]
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """`count` offers that a need could not have by `rule` (see `matching.rules` and `matching.propose`),
    one of them named.
    """

    need_id: str
    rule: str
    count: int
    example_offer_id: str | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The plan gives `quantity` of an offer to a need."""

    need_id: str
    offer_id: str
    quantity: int
    explain: Callable[[], Edge] = field(repr=False, compare=False)

    @property
    def edge(self) -> Edge:
        """The pair's score and reasons, put together when asked for: most of a plan is as it was and needs none."""
        return self.explain()


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof of quality: no plan over the same edges scores more than `upper_bound`. `gap` is (bound −
    objective) / objective.
    """

    objective: int
    upper_bound: int
    gap: float
    method: str
    seed: int
    needs: int
    offers: int
    edges: int


@dataclass(frozen=True, slots=True)
class Fairness:
    """One town: open `needs`, how many the plan `met` in full, and the share of all it asked for that is
    met, in thousandths.

    `share_before` is what the caller passed in (0 if nothing); `share_after` adds the mean share of the
    open needs that the plan meets, as a part of what was unmet before.
    """

    area: str
    needs: int
    met: int
    share_before: int
    share_after: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What `propose` answers. `prices`: how scarce each offer is, in milli-points a unit, between what one
    unit more would add and one less would cost; 0 where there is enough. `sheet`: the plan with its proof, put together
    when asked for (see `matching.planfile`); `last`: the plan by names, for a later one to go on from, likewise."""

    assignments: tuple[Assignment, ...]
    alternatives: Mapping[str, tuple[Edge, ...]]
    refusals: tuple[Refusal, ...]
    certificate: Certificate
    fairness: tuple[Fairness, ...]
    prices: Mapping[str, int]
    sheet: Callable[[], PlanSheet] | None = field(default=None, repr=False, compare=False)
    last: Callable[[], "LastPlan"] | None = field(default=None, repr=False, compare=False)
