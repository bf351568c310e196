"""One value as a cell shows it, and the values that a column offers to choose from."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from shared.clock import LOCAL
from shared.i18n import Language
from shared.sheets.layout import LISTS, Column
from shared.tables import (
    area_label,
    categories,
    category_label,
    licence_label,
    licences,
    towns,
    vulnerabilities,
    vulnerability_label,
)

Shown = str | int | Decimal | date


def show(value: object, column: Column, language: Language) -> Shown:
    """What a cell of the column says for a value; text that is not of the column's kind stays as it is."""
    if value is None or value == ():
        return ""
    if column.kind in LISTS and not isinstance(value, str):
        names = [_name(str(code), column, language) for code in _sequence(value)]
        return ("; " if language == "en" else "；").join(names)
    match value:
        case bool():
            return _yes_no(value, language)
        case datetime():
            return value.astimezone(LOCAL).replace(tzinfo=None).isoformat(sep=" ")
        case int() | Decimal() | date():
            return value
        case _:
            return _name(str(value), column, language)


def options(column: Column, language: Language) -> list[str]:
    """What a drop-down of the column lists; empty where anything may be written."""
    match column.kind:
        case "choice" | "codes":
            return [choice.en if language == "en" else choice.zh for choice in column.choices]
        case "bool":
            return [_yes_no(True, language), _yes_no(False, language)]
        case "area" | "areas":
            return [area_label(town.code, language) for town in towns()]
        case "category":
            return [category_label(code, language) for code in categories()]
        case "vulnerabilities":
            return [vulnerability_label(code, language) for code in vulnerabilities()]
        case "licences":
            return [licence_label(name, language) for name in licences()]
        case _:
            return []


def _name(code: str, column: Column, language: Language) -> str:
    match column.kind:
        case "choice" | "codes":
            names = {choice.code: choice.en if language == "en" else choice.zh for choice in column.choices}
            return names.get(code, code)
        case "area" | "areas":
            return area_label(code, language)
        case "category":
            return category_label(code, language)
        case "vulnerabilities":
            return vulnerability_label(code, language)
        case "licences":
            return licence_label(code, language)
        case _:
            return code


def _yes_no(value: bool, language: Language) -> str:
    return ("Yes" if value else "No") if language == "en" else ("是" if value else "否")


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, tuple | list) else (value,)
