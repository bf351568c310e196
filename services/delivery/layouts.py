"""The dispatch sheet: what goes where, without a name, phone or address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.i18n import Language
from shared.labels import LABELS
from shared.sheets import Choice, Column, Layout, write
from shared.tables import unit_label

STATUSES = {
    "scheduled": "To be sent",
    "dispatched": "On its way",
    "delivered": "Delivered",
    "failed": "Failed",
    "received": "Received",
}
URGENCIES = {"critical": "Critical", "high": "High", "normal": "Normal", "low": "Low"}
PICKUPS = {"delivery": "Delivery to the door", "self_pickup": "Self-pickup"}


def _choices(kind: str, english: Mapping[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code, LABELS[kind][code], en) for code, en in english.items())


DISPATCH = Layout(
    "dispatch",
    "派送单",
    "Dispatch sheet",
    (
        Column("status", "状态", "Status", "choice", choices=_choices("delivery_status", STATUSES)),
        Column("area", "镇街", "Town", "area"),
        Column("case_number", "档号", "Case number"),
        Column("category", "物资或服务", "Item or service", "category"),
        Column("quantity", "数量", "Quantity", "int"),
        Column("unit", "单位", "Unit"),
        Column("urgency", "紧急程度", "Urgency", "choice", choices=_choices("urgency", URGENCIES)),
        Column("pickup", "方式", "Handover", "choice", choices=_choices("pickup", PICKUPS)),
        Column("scheduled_for", "约定时间", "Agreed time", "datetime"),
        Column("charity_name", "机构", "Charity"),
        Column("received", "实收", "Received", "int"),
    ),
)


def sheet_of(rows: Iterable[Mapping[str, Any]], language: Language) -> bytes:
    """The workbook of these deliveries."""
    records = [{**row, "unit": unit_label(row["category"], language)} for row in rows]
    return write(DISPATCH, records, language=language)
