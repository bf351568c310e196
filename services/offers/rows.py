"""Between a sheet's rows and an offer's terms, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from services.offers.schemas import OfferTerms
from shared.clock import LOCAL
from shared.errors import fault_of
from shared.sheets import Fault, Row, Sheet

# Where a field of the terms stands under another name, in another unit.
COLUMN = {
    "radius_m": "radius_km",
    "designated_vulnerabilities": "designated",
    "unit_value_fen": "unit_value_yuan",
}
LAST = time(23, 59, 59)
SCALE = {"radius_m": 1000, "unit_value_fen": 100}


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that can be read as an offer: `charity` by name, `number` unique within the charity."""

    row: Row
    charity: str
    kind: str
    number: str
    terms: OfferTerms

    @property
    def place(self) -> tuple[str, str]:
        return self.charity, self.number


def drafts(sheet: Sheet) -> tuple[list[Draft], list[Fault]]:
    """The rows that make sense by themselves, and what is wrong with the others (the sheet's own faults included)."""
    found: list[Draft] = []
    faults = list(sheet.faults)
    seen: dict[tuple[str, str], int] = {}
    for row in sheet.right_rows:
        draft = _draft(row, faults)
        if draft is None:
            continue
        if first := seen.get(draft.place):
            faults.append(
                Fault(
                    row.number,
                    "offer_number",
                    "twice_in_file",
                    "与第 {first} 行的编号重复，请删去一行",
                    {"first": first},
                )
            )
            continue
        seen[draft.place] = row.number
        found.append(draft)
    return found, faults


def _draft(row: Row, faults: list[Fault]) -> Draft | None:
    try:
        terms = OfferTerms.model_validate(_terms(row.values))
    except ValidationError as error:
        for fault in map(fault_of, error.errors()):
            name = fault.field.split(".")[0]
            faults.append(Fault(row.number, COLUMN.get(name, name), fault.rule, fault.message, fault.params))
        return None
    values = row.values
    return Draft(row, values["charity"], values["charity_kind"] or "charity", values["offer_number"], terms)


def _terms(values: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: values[COLUMN.get(name, name)] for name in OfferTerms.model_fields}
    scaled = {
        name: int(Decimal(told[name]) * factor) for name, factor in SCALE.items() if told[name] is not None
    }
    days = {
        "available_from": _moment(values["available_from"], time()),
        "available_until": _moment(values["available_until"], LAST),
    }
    return {name: value for name, value in (told | scaled | days).items() if value is not None}


def _moment(day: date | None, clock: time) -> datetime | None:
    """A day of the sheet as a moment of the office's zone: windows open as their first day begins and close as the last one ends."""
    return datetime.combine(day, clock, LOCAL) if day else None


def row_of(offer: Mapping[str, Any]) -> dict[str, Any]:
    """A stored offer as a row of the sheet that it could have come from."""
    values: dict[str, Any] = {}
    for name in OfferTerms.model_fields:
        value = offer[name]
        if name in SCALE and value is not None:
            value = Decimal(value) / SCALE[name]
        if isinstance(value, datetime):
            value = value.astimezone(LOCAL).date()
        values[COLUMN.get(name, name)] = tuple(value) if isinstance(value, list) else value
    return values | {
        "offer_number": offer["offer_number"],
        "charity": offer["charity_name"],
        "charity_kind": offer["charity_kind"],
    }
