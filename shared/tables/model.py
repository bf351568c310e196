"""The rows of the reference tables as frozen values."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["province", "city", "county", "town"]


@dataclass(frozen=True, slots=True)
class Area:
    """A place by its official 12-digit code. `point` is (longitude, latitude) in WGS-84 degrees, approximate; None where unknown.

    `is_admin` is False for farms that only statistics list: no social-work station stands there.
    """

    code: str
    parent: str
    level: Level
    kind: str
    is_admin: bool
    zh: str
    short_zh: str
    en: str
    aliases: tuple[str, ...]
    point: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of need or help. `accepts`: (code, worth in thousandths) of what may stand in for it; `incompatible` never may.

    `typical`: the usual quantity, from and to, in whole units; `value_fen`: what one unit is usually worth, in fen (an invented default).
    `safety_class`: S0 to S4, or SR for a procedure that `office` handles and no donor can; `vetting`: works with minors, people are checked.
    `synonyms`, `phrases` and `homonyms` are words of the field: names of it, how its lack is voiced, and words that only look like it.
    """

    code: str
    group: str
    group_zh: str
    group_en: str
    zh: str
    en: str
    kind: Literal["item", "service", "cash", "referral", "training", "venue"]
    unit_zh: str
    unit_en: str
    units_en: str
    consumable: bool
    typical: tuple[int, int]
    value_fen: int | None
    shelf_margin_days: int
    safety_class: str
    licence: str
    vetting: bool
    office: str
    accepts: tuple[tuple[str, int], ...]
    incompatible: tuple[str, ...]
    homonyms: tuple[str, ...]
    synonyms: tuple[str, ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """Why a household or a person comes first. `sensitivity`: 1 public to 4 strictest; `base_priority` is an office's to change."""

    code: str
    scope: Literal["household", "person", "organisation"]
    zh: str
    en: str
    group: str
    base_priority: int
    visit_cycle_days: int
    sensitivity: int
    basis: str


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence by its Chinese name, which is also what an offer states."""

    zh: str
    en: str
