"""The reference tables of `shared/data`, read once."""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shared.tables.model import Area, Category, Licence, Vulnerability

DATA = Path(__file__).parent.parent / "data"


@cache
def areas() -> Mapping[str, Area]:
    """Every area by code."""
    return MappingProxyType({row["code"]: _area(row) for row in _rows("areas.csv")})


@cache
def categories() -> Mapping[str, Category]:
    """Every category by code, in the order of the table."""
    return MappingProxyType({row["code"]: _category(row) for row in _rows("taxonomy.csv")})


@cache
def vulnerabilities() -> Mapping[str, Vulnerability]:
    """Every vulnerability by code."""
    return MappingProxyType({row["code"]: _vulnerability(row) for row in _rows("vulnerability.csv")})


@cache
def licences() -> Mapping[str, Licence]:
    """Every licence by its Chinese name."""
    return MappingProxyType({row["zh"]: Licence(row["zh"], row["en"]) for row in _rows("licences.csv")})


@cache
def policy() -> Mapping[str, Any]:
    """What an office sets, by section; `matching` is in the shape that the engine's policy loads, base priorities included."""
    settings = tomllib.loads((DATA / "policy.toml").read_text("utf-8"))
    settings["matching"]["base_priority"] = {code: v.base_priority for code, v in vulnerabilities().items()}
    return MappingProxyType(settings)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def _as_is(row: Mapping[str, str], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _area(row: Mapping[str, str]) -> Area:
    return Area(
        **_as_is(row, "code", "parent", "level", "kind"),
        is_admin=row["is_admin"] == "1",
        zh=row["name_zh"],
        short_zh=row["short_zh"],
        en=row["name_en"],
        aliases=_list(row["aliases"]),
        point=(float(row["lng"]), float(row["lat"])) if row["lng"] else None,
    )


def _category(row: Mapping[str, str]) -> Category:
    names = ("code", "group", "group_zh", "group_en", "zh", "en", "kind", "unit_zh", "unit_en", "units_en")
    pairs = (item.split(":") for item in _list(row["accepts"]))
    return Category(
        **_as_is(row, *names, "safety_class", "licence", "office"),
        incompatible=_list(row["incompatible"]),
        homonyms=_list(row["homonyms"]),
        synonyms=_list(row["synonyms"]),
        phrases=_list(row["phrases"]),
        accepts=tuple((code, int(worth)) for code, worth in pairs),
        consumable=row["consumable"] == "1",
        vetting=row["vetting"] == "1",
        typical=(int(row["typical_low"]), int(row["typical_high"])),
        value_fen=int(row["value_yuan"]) * 100 if row["value_yuan"] else None,
        shelf_margin_days=int(row["shelf_margin_days"]),
    )


def _vulnerability(row: Mapping[str, str]) -> Vulnerability:
    return Vulnerability(
        **_as_is(row, "code", "scope", "zh", "en", "group", "basis"),
        base_priority=int(row["base_priority"]),
        visit_cycle_days=int(row["visit_cycle_days"]),
        sensitivity=int(row["sensitivity"]),
    )
