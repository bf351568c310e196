"""What the invented charities give: scarce here, plenty there, some with conditions that not everyone meets."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from deploy.sample.dice import Dice
from deploy.sample.households import FOLDER
from deploy.sample.needs import Wanted
from shared import tables
from shared.tables import Category

CITY = "445300000000"
CATEGORIES_PERCENT = 70
GOODS_THAT_EXPIRE = ("FOD", "MED-DRUG", "EMG-WATER")
LICENSED = ("S3", "S4")
DAILY_HOURS, HOUR = 6, "小时"


@cache
def giving() -> Mapping[str, Any]:
    """The charities, coverage and designations of giving.toml."""
    return tomllib.loads((FOLDER / "giving.toml").read_text("utf-8"))


def offers(
    number: int, wanted: Sequence[Wanted], dice: Dice, day: date, grace: timedelta
) -> list[Mapping[str, Any]]:
    """`number` offers for what is wanted. `grace` is added to every last day."""
    slots = _slots(number, wanted)
    rows = []
    for category, count in slots.items():
        asked = [need for need in wanted if need.category == category]
        for place in range(count):
            throw = dice.child("offer", category, place)
            share = Share(tables.categories()[category], asked, place, count)
            rows.append(_offer(share, throw, day, grace))
    order = dice.child("order").shuffled(rows)
    return [{"offer_number": f"ZY-{index:04d}", **row} for index, row in enumerate(order, start=1)]


def _slots(number: int, wanted: Sequence[Wanted]) -> dict[str, int]:
    """How many offers each category gets: one for the most wanted, the rest in proportion; procedures of the government get none."""
    asked = Counter(
        need.category for need in wanted if tables.categories()[need.category].safety_class != "SR"
    )
    first = [code for code, _ in sorted(asked.items(), key=lambda item: (-item[1], item[0]))][
        : max(1, number * CATEGORIES_PERCENT // 100)
    ]
    slots = dict.fromkeys(first, 1)
    for _ in range(number - len(first)):
        neediest = max(first, key=lambda code: (asked[code] / slots[code], code))
        slots[neediest] += 1
    return slots


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a category's supply that one offer is: the first of `count` serves the whole city, the others a county each."""

    category: Category
    needs: Sequence[Wanted]
    place: int
    count: int

    def area(self) -> str:
        """The city, or the county with the most needs that no earlier offer of the category took."""
        counties = Counter(tables.area(need.area).parent for need in self.needs)
        order = [code for code, _ in sorted(counties.items(), key=lambda item: (-item[1], item[0]))]
        return CITY if self.place == 0 else order[(self.place - 1) % len(order)]

    def quantity(self, dice: Dice) -> int:
        coverage = giving()["coverage"]
        part = float(coverage.get(self.category.code, coverage["default"])) / self.count
        amount = sum(need.quantity for need in self.needs) * part * dice.between(80, 120) / 100
        step = 100 if self.category.kind == "cash" else 1
        return max(step, round(amount / step) * step)


def _offer(share: Share, dice: Dice, day: date, grace: timedelta) -> dict[str, Any]:
    category, area = share.category, share.area()
    charity = dice.pick(_givers(category.code))
    pickup = "self_pickup" if category.kind == "item" and dice.chance(10) else "delivery"
    until = day + timedelta(days=dice.between(30, 150)) + grace
    value = category.value_fen
    return {
        "charity": charity["name"],
        "charity_kind": charity["kind"],
        "category": category.code,
        "quantity": share.quantity(dice),
        "origin_area": charity["area"],
        "service_areas": (area,),
        "radius_km": dice.between(20, 45) if share.place > 0 and dice.chance(15) else None,
        "pickup": pickup,
        "available_from": day + timedelta(days=dice.between(1, 5)) if dice.chance(10) else None,
        "available_until": until if dice.chance(60) else None,
        "expires_on": _expiry(category, dice, day, grace),
        "designated": _designation(category.code) if dice.chance(18) else (),
        "licences": _licences(category, dice),
        "vetted": category.vetting and dice.chance(85),
        "per_household_limit": _limit(category) if dice.chance(20) or category.kind == "cash" else None,
        "unit_value_yuan": Decimal(value).scaleb(-2) if value else None,
        "condition": "used"
        if category.kind == "item" and not category.consumable and dice.chance(15)
        else "new",
        "per_day_limit": DAILY_HOURS if category.unit_zh == HOUR and dice.chance(40) else None,
    }


def _givers(code: str) -> Sequence[Mapping[str, Any]]:
    charities: Sequence[Mapping[str, Any]] = giving()["charity"]
    named = [charity for charity in charities if any(code.startswith(start) for start in charity["gives"])]
    return named or charities[:1]


def _designation(code: str) -> tuple[str, ...]:
    return tuple(giving()["designation"].get(code.split("-")[0], ()))


def _licences(category: Category, dice: Dice) -> tuple[str, ...]:
    """Mostly held where work needs one, so that some offers are refused for the lack of it."""
    held = category.licence and (category.safety_class not in LICENSED or dice.chance(85))
    return (category.licence,) if held else ()


def _expiry(category: Category, dice: Dice, day: date, grace: timedelta) -> date | None:
    """A day for goods that expire; now and then one so near that little time is left."""
    if not category.code.startswith(GOODS_THAT_EXPIRE):
        return None
    soon = dice.chance(15)
    days = category.shelf_margin_days + dice.between(4, 10) if soon else dice.between(60, 300)
    return day + timedelta(days=days) + grace


def _limit(category: Category) -> int:
    return max(1, category.typical[1] if category.kind != "cash" else 2 * category.typical[0])
