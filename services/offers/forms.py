"""Between the offer's form and its terms: days and moments, kilometres and metres, yuan and fen; and what its lists offer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared import tables
from shared.clock import LOCAL
from shared.i18n import Language
from shared.tables import licence_label

MOMENTS = {"available_from": "00:00:00", "available_until": "23:59:59"}
SCALED = (("radius_km", "radius_m", 1000), ("unit_value_yuan", "unit_value_fen", 100))


def terms_of_form(values: dict[str, Any]) -> dict[str, Any]:
    """Days of the form as moments of the office's zone, kilometres as metres, yuan as fen."""
    told = {name: value for name, value in values.items() if name not in ("radius_km", "unit_value_yuan")}
    for name, clock in MOMENTS.items():
        if name in told:
            told[name] = f"{told[name]}T{clock}+08:00"
    for name, field, factor in SCALED:
        if name in values:
            told[field] = _scaled(values[name], factor)
    return told


def _scaled(text: str, factor: int) -> str:
    """'12.5' at 100 is '1250'; what is no number stays as it is, for the model to refuse."""
    try:
        return f"{round(float(text) * factor)}"
    except (ValueError, OverflowError):
        return text


def form_values(row: Any) -> dict[str, Any]:
    """A stored offer as the form's fields say it."""
    values = {name: value for name, value in dict(row).items() if value is not None}
    for name in MOMENTS:
        if isinstance(values.get(name), datetime):
            values[name] = values[name].astimezone(LOCAL).date().isoformat()
    for name, field, factor in SCALED:
        if field in values:
            values[name] = f"{values[field] / factor:g}"
    return values


def choices(language: Language) -> dict[str, Any]:
    """What the form's lists offer: categories that can be donated by group, areas, kinds of people, licences."""
    groups: dict[str, list[str]] = {}
    for code, category in tables.categories().items():
        if category.safety_class != "SR":
            groups.setdefault(category.group_en if language == "en" else category.group_zh, []).append(code)
    return {
        "groups": groups,
        "areas": [
            area.code for area in tables.areas().values() if area.is_admin and area.level != "province"
        ],
        "vulnerabilities": list(tables.vulnerabilities()),
        "licences": [(name, licence_label(name, language)) for name in tables.licences()],
    }
