"""Needs and offers for tests: invented, plain, and possible for each other unless a test changes something."""

from datetime import datetime, timedelta
from typing import Any

from matching.columns import CHINA
from matching.model import Catalogue, Category, Need, Offer, Plan, Policy
from matching.propose import propose
from matching.ranking import RULES

NOW = datetime(2024, 8, 20, 9, 0, tzinfo=CHINA)
TOWN, OTHER_TOWN, OTHER_COUNTY = "445381100000", "445381101000", "445321101000"
HERE, NEAR, FAR = (111.50, 22.70), (111.55, 22.70), (111.90, 22.70)
CATALOGUE: Catalogue = {
    category.code: category
    for category in (
        Category(
            "FAN", "APP", "item", False, accepts=(("CEILFAN", 500), ("HEAT", 900)), incompatible=("HEAT",)
        ),
        Category("CEILFAN", "APP", "item", False, licence="electrician", safety_class="S3"),
        Category("HEAT", "APP", "item", False),
        Category("WIRE", "HSE", "service", True, licence="electrician", safety_class="S3"),
        Category("RICE", "FOD", "item", True, safety_class="S1", shelf_margin_days=3),
        Category("TUTOR", "EDU", "service", True, safety_class="S2"),
        Category("GRANT", "CSH", "cash", True),
        Category("PERMIT", "POL", "referral", True, safety_class="SR", accepts=(("GRANT", 500),)),
    )
}


def need(name: str = "n1", **changes: Any) -> Need:
    values: dict[str, Any] = {
        "beneficiary_id": f"home-of-{name}", "area": TOWN, "point": HERE, "category": "FAN", "quantity": 1, "urgency": "normal",
        "needed_by": None, "raised_at": NOW - timedelta(days=2), "vulnerabilities": ("DIBAO",), "minor": False, "consent": True,
    }  # fmt: skip
    return Need(id=name, **(values | changes))


def offer(name: str = "o1", **changes: Any) -> Offer:
    values: dict[str, Any] = {
        "charity_id": "charity", "category": "FAN", "quantity": 5, "service_areas": ("445381000000",), "origin_area": TOWN,
        "point": NEAR,
    }  # fmt: skip
    return Offer(id=name, **(values | changes))


def plan(needs: list[Need], offers: list[Offer], **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "catalogue": CATALOGUE,
        "policy": Policy(),
        "model": RULES,
        "now": NOW,
        "seed": 7,
    }
    return propose(needs, offers, **(values | changes))


def given(result: Plan) -> dict[tuple[str, str], int]:
    return {(a.need_id, a.offer_id): a.quantity for a in result.assignments}


def rules_of(result: Plan, need_id: str = "n1") -> dict[str, int]:
    return {r.rule: r.count for r in result.refusals if r.need_id == need_id}
