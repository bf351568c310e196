"""Invented households. No name, phone or ID number can be a real person's.

Names carry 示例 and a number, phones start with 000, ID numbers name a region that does not exist and carry a wrong check digit
(GB 11643-1999), addresses stand in 示例村.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from deploy.sample.dice import Dice
from shared import tables

FOLDER = Path(__file__).parent
SURNAMES = "陈李黄张梁林吴刘谢罗邓何叶曾彭"
DIGITS = "〇一二三四五六七八九"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
REFUSES_PERCENT = 4


@dataclass(frozen=True, slots=True)
class Household:
    """One household: its row values, its members' and what it lacks, as the profile weighs it."""

    case_number: str
    area: str
    visited_on: date
    consent: bool
    vulnerabilities: tuple[str, ...]
    minor: bool
    wants: Mapping[str, int]
    rows: tuple[Mapping[str, Any], ...]


@cache
def world() -> Mapping[str, Any]:
    """The profiles and sites of people.toml."""
    return tomllib.loads((FOLDER / "people.toml").read_text("utf-8"))


def households(number: int, dice: Dice, day: date) -> list[Household]:
    """`number` households over all towns of the five counties, as they stand on `day`."""
    order = dice.child("towns").shuffled(tables.towns("445300000000"))
    per_town: dict[str, int] = {}
    found: list[Household] = []
    people = 0
    for index in range(number):
        town = order[index % len(order)].code
        per_town[town] = per_town.get(town, 0) + 1
        case_number = f"YF-{tables.prefix(town)}-{per_town[town]:04d}"
        home = _household(case_number, town, people, dice.child("household", index), day)
        people += len(home.rows)
        found.append(home)
    return found


def _household(case_number: str, town: str, people: int, dice: Dice, day: date) -> Household:
    profiles = world()["profile"]
    profile = profiles[dice.weighted({index: item["weight"] for index, item in enumerate(profiles)})]
    consent, visited_on = not dice.chance(REFUSES_PERCENT), day - timedelta(days=dice.below(25))
    shared = {
        "case_number": case_number,
        "area": town,
        "village": f"示例{dice.pick('一二三四五六七八')}村",
        "address": f"示例路{dice.between(1, 300)}号（虚构）",
        "phone": f"000{people:08d}",
        "vulnerabilities": tuple(profile["household"]),
        "consent": "given" if consent else "refused",
        "consent_on": visited_on if consent else None,
        "consent_by_guardian": None,
    }
    surname = dice.pick(SURNAMES)
    rows = [
        shared | _member(member, surname, people + index, dice.child("member", index), day)
        for index, member in enumerate(profile["members"])
    ]
    if consent and any(day.year - row["birth_date"].year <= 14 for row in rows):
        rows = [row | {"consent_by_guardian": True} for row in rows]
    codes = {code for row in rows for code in (*row["vulnerabilities"], *row["member_vulnerabilities"])}
    minor = any(member["age"][1] < 18 for member in profile["members"])
    return Household(
        case_number, town, visited_on, consent, tuple(sorted(codes)), minor, profile["wants"], tuple(rows)
    )


def _member(member: Mapping[str, Any], surname: str, number: int, dice: Dice, day: date) -> dict[str, Any]:
    youngest, oldest = member["age"]
    born = day - timedelta(days=int(365.25 * dice.between(youngest, oldest)) + dice.between(1, 360))
    codes = list(member["codes"])
    if day.year - born.year > 80:
        codes.append("ELD_80")
    return {
        "member_name": f"{surname}示例{''.join(DIGITS[int(digit)] for digit in str(number + 1))}",
        "relation": member["relation"],
        "birth_date": born,
        "sex": dice.pick("12"),
        "id_number": invented_id(number, born) if dice.chance(60) else None,
        "member_vulnerabilities": tuple(codes),
    }


def invented_id(number: int, born: date) -> str:
    """An ID number in shape only: no region starts with 0, and the check digit is wrong by one."""
    body = f"0{number % 100_000:05d}{born:%Y%m%d}{number // 100_000:03d}"
    right = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11
    return body + CHECK_DIGITS[(right + 1) % 11]
