"""The fields that the requests of several services share, with the rules they keep and one sentence for each."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared import tables
from shared.errors import RuleBroken


class Request(BaseModel):
    """A request, which is also the command: unknown fields are refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def known_area(code: str, *, rule: str = "area_unknown") -> str:
    """The area code, when it exists. Raises `RuleBroken`."""
    if code not in tables.areas():
        raise RuleBroken(rule, "没有这个地区：{code}。请填 12 位地区代码或从列表中选择。", code=code)
    return code


def narrowing_area(code: str) -> str:
    """An area to narrow a list to: one that does not exist must not show the whole list, as if nothing had been asked."""
    return known_area(code) if code else code


def known_town(code: str) -> str:
    """The code of a town or street. Raises `RuleBroken` for a wider area too."""
    if tables.areas()[known_area(code)].level != "town":
        raise RuleBroken("town_needed", "请填到镇街一级，不能只到县（市、区）。")
    return code


def known_category(code: str, *, rule: str = "category_unknown") -> str:
    """The category code, when it exists. Raises `RuleBroken`."""
    if code not in tables.categories():
        raise RuleBroken(rule, "没有这个类别：{code}。请从类别表中选择。", code=code)
    return code


def known_vulnerability(code: str, *, rule: str = "vulnerability_unknown") -> str:
    """The code of a kind of household or person, when it exists. Raises `RuleBroken`."""
    if code not in tables.vulnerabilities():
        raise RuleBroken(rule, "没有这个困难类别：{code}。请从列表中选择。", code=code)
    return code


AreaCode = Annotated[str, AfterValidator(known_area)]
TownCode = Annotated[str, AfterValidator(known_town)]
CategoryCode = Annotated[str, AfterValidator(known_category)]
VulnerabilityCode = Annotated[str, AfterValidator(known_vulnerability)]
VulnerabilityCodes = Annotated[tuple[VulnerabilityCode, ...], Field(max_length=20)]

Quantity = Annotated[int, Field(gt=0, le=10_000_000, strict=True)]
"""Whole units of a category. JSON text, fractions and what does not fit are refused."""
Version = Annotated[int, Field(ge=1, le=2_147_483_647, strict=True)]
"""The version that a change was made from."""
IdempotencyKey = Annotated[str | None, Field(max_length=200)]
"""What makes a repeated request one, for a form, which sends no header."""

Limit = Annotated[int, Field(ge=1, le=200)]
"""How many items of a list, in a query or a body."""
Cursor = Annotated[str | None, Field(max_length=600)]
"""Where a page of a list goes on: `next` of the page before."""
AreaFilter = Annotated[str, Field(pattern=r"^([0-9]{12})?$"), AfterValidator(narrowing_area)]
"""An area that a list is narrowed to; an empty text, as a form sends it, narrows nothing."""
