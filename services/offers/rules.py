"""What makes an offer a good one. Pure decisions: nothing here reads a clock or a table of the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from shared import tables
from shared.errors import Fault, RuleBroken
from shared.fields import known_category

GOVERNMENT = "SR"
LICENSED = ("S3", "S4")


def donatable(category: str) -> str:
    """The category, when it exists and may come from a donor. Raises `RuleBroken`.

    Safety class SR is a procedure of the government (社会救助暂行办法): nobody can donate it.
    """
    known = tables.categories()[known_category(category, rule="unknown_category")]
    if known.safety_class == GOVERNMENT:
        raise RuleBroken(
            "government_procedure",
            "「{category}」由政府办理（{office}），不能作为捐赠资源。请转给主管部门，不要在这里登记。",
            category=f"{known.zh} {known.en}",
            office=known.office or "镇街民政窗口",
        )
    return category


def in_order(available_from: datetime | None, available_until: datetime | None) -> None:
    """Raises `RuleBroken` for a window that ends before it begins."""
    if available_from and available_until and available_until < available_from:
        raise RuleBroken("window_order", "可用时间的结束早于开始，请对调或更正。", field="available_until")


def county_of(area: str) -> str:
    """The county that an area lies in: 445381100000 -> 445381000000; a city or province is its own."""
    return area[:6] + "000000"


def stale(expires_on: date | None, available_until: datetime | None, now: datetime) -> tuple[Fault, ...]:
    """Why an offer could not be given any more at `now` (in the office's zone): it went bad, or its window is over."""
    faults = []
    if expires_on and expires_on <= now.date():
        faults.append(Fault("expires_on", "expired", "保质期必须在今天之后。已过期的物品不能捐赠。"))
    if available_until and available_until <= now:
        faults.append(Fault("available_until", "window_over", "可用时间已经结束，请填以后的时间。"))
    return tuple(faults)


def warnings(category: str, licences: tuple[str, ...]) -> tuple[Fault, ...]:
    """What keeps an accepted offer from being matched: licensed work (classes S3, S4) without the licence (安全生产法 art. 30)."""
    known = tables.categories()[category]
    if known.safety_class in LICENSED and known.licence and known.licence not in licences:
        message = "这类服务需要「{licence}」。没有填写持证，资源已登记，但在补上之前不会参与匹配。"
        return (Fault("licences", "licence_missing", message, {"licence": known.licence}),)
    return ()


def content_hash(terms: Mapping[str, Any]) -> str:
    """SHA-256 of an offer's terms in canonical JSON: equal terms, equal hash. `terms` holds JSON values only."""
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
