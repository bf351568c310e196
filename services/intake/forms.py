"""Between the forms of intake and its request models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from shared import tables
from shared.access import Caller, Role
from shared.clock import LOCAL
from shared.i18n import Language
from shared.tables import Area, Category, Vulnerability

Values = dict[str, Any]
READERS: tuple[Role, ...] = ("worker", "coordinator", "auditor")


def visit(entered: Values) -> Values:
    """The values of the visit form as `RecordVisit` takes them: the chosen beneficiary alone, times with the office's zone."""
    values = {key: value for key, value in entered.items() if key != "whom"}
    offered = _branch(entered, "beneficiary")
    chosen = _chosen(entered.get("whom", ""), offered)
    beneficiary = {chosen: offered[chosen]} if chosen else {}
    if chosen == "household":
        new = _branch(offered, "household")
        beneficiary = {"household": new | {"consent": {"given": "false"} | _branch(new, "consent")}}
    values["beneficiary"] = beneficiary
    if "visited_at" in values:
        values["visited_at"] = local_time(values["visited_at"])
    if "participants" in values:
        values["participants"] = [name for name in _split(values["participants"]) if name]
    rows = values.get("needs", [])
    values["needs"] = [dated(need) for need in rows] if isinstance(rows, list) else rows
    return values


def _branch(node: Values, key: str) -> Values:
    """The values below `key`; none where somebody sent a single value in their place."""
    found = node.get(key)
    return found if isinstance(found, dict) else {}


def _chosen(whom: str, offered: Values) -> str:
    """The kind of beneficiary that was ticked; where nothing was entered for it, the only other kind that was filled in."""
    filled: list[str] = [kind for kind in ("household_id", "case_number", "site_id") if kind in offered]
    filled += ["household"] if "members" in _branch(offered, "household") else []
    filled += ["site"] if "name" in _branch(offered, "site") else []
    if whom in filled or (not filled and whom in offered):
        return whom
    return filled[0] if len(filled) == 1 else ""


def _split(names: str) -> list[str]:
    for sign in "，,;；":
        names = names.replace(sign, "、")
    return [name.strip() for name in names.split("、")]


def local_time(text: str) -> str:
    """What a datetime-local field gives, 2026-11-24T09:30, is the office's time."""
    return f"{text}:00+08:00" if len(text) == 16 else text


def dated(values: Any) -> Any:
    """A day that something is needed by lasts until its end."""
    day = values.get("needed_by") if isinstance(values, dict) else None
    return (
        values | {"needed_by": f"{day}T23:59:59+08:00"} if isinstance(day, str) and len(day) == 10 else values
    )


def blank_visit() -> Values:
    return {"visited_at": f"{datetime.now(LOCAL):%Y-%m-%dT%H:%M}"}


def reader_of(entered: Values) -> Callable[[str], Any]:
    """What stands at a dotted path of the entered values, or an empty text."""

    def value(path: str) -> Any:
        node: Any = entered
        for part in path.split("."):
            if isinstance(node, list):
                node = node[int(part)] if part.isdigit() and int(part) < len(node) else ""
            else:
                node = node.get(part, "") if isinstance(node, dict) else ""
        return node

    return value


def towns_of(caller: Caller) -> list[Area]:
    """The towns that the caller may write for."""
    return [town for town in tables.towns() if caller.may("worker", town.code)]


def towns_seen(caller: Caller) -> list[Area]:
    """The towns whose needs the caller may see."""
    return [town for town in tables.towns() if any(caller.may(role, town.code) for role in READERS)]


def category_groups(language: Language) -> dict[str, list[Category]]:
    """The categories by the name of their group, as the select lists of forms show them."""
    groups: dict[str, list[Category]] = {}
    for category in tables.categories().values():
        groups.setdefault(category.group_en if language == "en" else category.group_zh, []).append(category)
    return groups


def vulnerability_groups() -> dict[str, list[Vulnerability]]:
    """The vulnerabilities by scope: household, person."""
    groups: dict[str, list[Vulnerability]] = {"household": [], "person": []}
    for vulnerability in tables.vulnerabilities().values():
        if vulnerability.scope in groups:
            groups[vulnerability.scope].append(vulnerability)
    return groups
