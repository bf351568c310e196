"""What the invented households and sites lack: some rows by category, some in a worker's words alone."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from deploy.sample.dice import Dice
from deploy.sample.households import FOLDER, Household, world
from shared import tables

URGENCIES = {"critical": 3, "high": 27, "normal": 50, "low": 20}
ANSWER_DAYS = {"critical": (3, 8), "high": (10, 30), "normal": (20, 60), "low": (60, 120)}
NUMERALS = "〇一两三四五六七八九"
SITE_PERCENT = 6
# Of the needs in whose category there are words to pick from, which are nearly all.
TEXT_ONLY_PERCENT = 27
DATED_PERCENT = 15
SET, SETS, WHOLE_EVERY = ("FUR-BED", "FUR-MATT"), 4, 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """One need as it is meant, whatever its row says: `vulnerabilities`, `minor` and `consent` are its household's."""

    row: Mapping[str, Any]
    area: str
    category: str
    quantity: int
    urgency: str
    needed_by: date | None
    beneficiary: str
    kind: str
    vulnerabilities: tuple[str, ...]
    minor: bool
    consent: bool

    @property
    def whole(self) -> bool:
        """Whether it has to come from one giver in full."""
        return bool(self.row["whole"])

    @property
    def bundle(self) -> str:
        """What tells the needs of one set from others; '' for a need that helps alone."""
        return f"{self.beneficiary} {self.row['bundle']}" if self.row["bundle"] else ""


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Who lacks something: the columns that name it in a row, and what an offer may ask about it."""

    columns: Mapping[str, Any]
    area: str
    visited_on: date
    name: str
    kind: str
    wants: Mapping[str, int]
    vulnerabilities: tuple[str, ...]
    minor: bool
    consent: bool


@cache
def texts() -> Mapping[str, Sequence[tuple[str, str]]]:
    """The workers' words of texts.toml: category -> (text, urgency)."""
    return tomllib.loads((FOLDER / "texts.toml").read_text("utf-8"))


def needs(number: int, homes: Sequence[Household], dice: Dice, day: date, grace: timedelta) -> list[Wanted]:
    """`number` needs. `grace` is added to every date by which help is needed."""
    chosen = _beneficiaries(number, homes, dice.child("who"), day)
    asked: dict[str, set[str]] = {}
    found: list[Wanted] = []
    for index, who in enumerate(chosen):
        known = asked.setdefault(who.name, set())
        wants = {code: weight for code, weight in who.wants.items() if code not in known} or who.wants
        throw = dice.child("need", index)
        category = throw.weighted(wants)
        known.add(category)
        found.append(_need(f"XQ-{index + 1:05d}", who, category, throw, grace))
    return _with_sets(found)


def _with_sets(found: Sequence[Wanted]) -> list[Wanted]:
    """A few homes need a bed with its mattress, and a few needs have to come from one giver."""
    pairs: dict[str, list[int]] = {}
    for place, need in enumerate(found):
        pairs.setdefault(need.beneficiary if need.kind == "household" and need.consent else "", []).append(
            place
        )
    sets = [places for home, places in pairs.items() if home and len(places) == 2][:SETS]
    parts = {place: code for places in sets for place, code in zip(places, SET, strict=True)}
    many = [place for place, need in enumerate(found) if need.row["category"] and 2 <= need.quantity <= 9]
    whole = set(many[::WHOLE_EVERY]) - parts.keys()
    return [
        _part(need, parts[place]) if place in parts else _terms(need, whole=place in whole)
        for place, need in enumerate(found)
    ]


def _part(need: Wanted, code: str) -> Wanted:
    """The need as a part of its home's only set."""
    row = {**need.row, "category": code, "text": None, "quantity": 1, "urgency": need.urgency}
    return replace(_terms(replace(need, row=row), whole=True, bundle=1), category=code, quantity=1)


def _terms(need: Wanted, *, whole: bool, bundle: int | None = None) -> Wanted:
    return replace(need, row={**need.row, "whole": whole or None, "bundle": bundle})


def _beneficiaries(number: int, homes: Sequence[Household], dice: Dice, day: date) -> Iterator[Beneficiary]:
    """Every household in turn, then those that lack more than one thing, with sites among them."""
    order = dice.shuffled([_home(home) for home in homes])
    for index in range(number):
        if dice.chance(SITE_PERCENT):
            yield _site(dice, day)
        else:
            yield order[index] if index < len(order) else dice.pick(order)


def _home(home: Household) -> Beneficiary:
    return Beneficiary(
        {"case_number": home.case_number}, home.area, home.visited_on, home.case_number, "household", home.wants,
        home.vulnerabilities, home.minor, home.consent,
    )  # fmt: skip


def _site(dice: Dice, day: date) -> Beneficiary:
    site, town = dice.pick(world()["site"]), dice.pick(tables.towns("445300000000"))
    name = f"{town.short_zh}{site['name']}"
    columns = {"beneficiary_kind": site["kind"], "beneficiary_name": name, "area": town.code}
    codes = ("INSTITUTION",) if site["kind"] == "institution" else ()
    visited_on = day - timedelta(days=dice.below(25))
    return Beneficiary(
        columns, town.code, visited_on, town.code + name, site["kind"], site["wants"], codes, False, True
    )


def _need(number: str, who: Beneficiary, category: str, dice: Dice, grace: timedelta) -> Wanted:
    said = texts().get(category)
    text_only = said is not None and dice.chance(TEXT_ONLY_PERCENT)
    template, urgency = (
        dice.pick(said) if said and (text_only or dice.chance(40)) else ("", dice.weighted(URGENCIES))
    )
    quantity = _quantity(category, dice)
    needed_by = who.visited_on + timedelta(days=25 + dice.between(*ANSWER_DAYS[urgency])) + grace
    row = {
        "need_number": number,
        **who.columns,
        "visited_on": who.visited_on,
        "category": None if text_only else category,
        "text": _worded(template, quantity, dice) or None,
        "quantity": None if text_only and "{n}" in template else quantity,
        "urgency": None if text_only and dice.chance(70) else urgency,
        "needed_by": needed_by if dice.chance(DATED_PERCENT) else None,
    }
    return Wanted(
        row,
        who.area,
        category,
        quantity,
        urgency,
        row["needed_by"],
        who.name,
        who.kind,
        who.vulnerabilities,
        who.minor,
        who.consent,
    )


def _worded(template: str, quantity: int, dice: Dice) -> str:
    word = NUMERALS[quantity] if quantity < len(NUMERALS) and dice.chance(50) else str(quantity)
    return template.replace("{n}", word)


def _quantity(category: str, dice: Dice) -> int:
    """A usual quantity; cash in whole hundreds of yuan."""
    row = tables.categories()[category]
    low, high = row.typical
    if row.kind == "cash":
        return dice.between(low // 100, min(high, 4 * low) // 100) * 100
    return dice.between(low, max(high, 2 * low if row.consumable and low > 1 else high))
