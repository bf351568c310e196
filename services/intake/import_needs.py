"""Needs from a sheet: one row a need. Rows of one beneficiary and one day are one visit."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cache
from typing import Any, get_args
from uuid import UUID, uuid5

from pydantic import ValidationError

from services.intake.handlers import ensure_site
from services.intake.importing import (
    NOT_YOURS,
    NUMBER_USED,
    Faults,
    Import,
    Plan,
    check_town,
    content_mark,
    publish_all,
)
from services.intake.needs import Origin, draft
from services.intake.reading import read_need
from services.intake.schemas import BUNDLE_OF_ONE, NewNeed, NewSite, SiteKind
from services.intake.sealing import plain
from services.intake.standing import SQL, Standing, households
from shared.clock import LOCAL
from shared.db import Connection
from shared.events import Event, VisitRecorded
from shared.imports import batches
from shared.sheets import Row, Sheet

NOON, MIDNIGHT = time(12), time(23, 59, 59)
BUNDLED = ("case_number", "beneficiary_kind", "beneficiary_name", "area", "visited_on", "bundle")
"""What the rows of one bundle have in common."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One need of the sheet; `whom` is a household's id, or a site that may still have to be put on file. `bundle`: the first need number
    of those that it only helps together with, or ''."""

    row: Row
    number: str
    whom: UUID | NewSite
    visited_on: date
    new: NewNeed
    content_hash: bytes | None
    bundle: str = ""


async def plan(conn: Connection, sheet: Sheet, run: Import) -> Plan:
    """What the sheet would do. A need number that stands for the same content changes nothing; for other content it is a fault."""
    faults = Faults(list(sheet.faults), set(sheet.wrong))
    numbers = [row.values["need_number"] for row in sheet.rows if row.values["need_number"]]
    known = {
        row["need_number"]: row["content_hash"] for row in await SQL.needs_by_number(conn, numbers=numbers)
    }
    hidden = dict.fromkeys(await SQL.numbers_taken(conn, kind="need", numbers=numbers), None)
    cases = [row.values["case_number"] for row in sheet.rows if row.values["case_number"]]
    files = {row["case_number"]: row for row in await SQL.households_by_number(conn, numbers=cases)}
    entries, unchanged = await asyncio.to_thread(_entries, sheet, faults, hidden | known, files, run)

    async def write(conn: Connection) -> None:
        await _write(conn, entries, run)

    return Plan(faults.found, frozenset(unchanged), write)


def _entries(
    sheet: Sheet,
    faults: Faults,
    known: Mapping[str, bytes],
    files: Mapping[str, Mapping[str, Any]],
    run: Import,
) -> tuple[list[Entry], set[int]]:
    seen: dict[str, bytes | None] = dict(known)
    entries: list[Entry] = []
    unchanged: set[int] = set()
    for row in sheet.rows:
        entry = _entry(faults, row, files, run) if row.number not in faults.rows else None
        if entry is None:
            continue
        if entry.number not in seen:
            entries.append(entry)
            seen[entry.number] = entry.content_hash
        elif seen[entry.number] == entry.content_hash:
            unchanged.add(row.number)
        else:
            faults.add(row.number, "need_number", "number_used", NUMBER_USED)
    bundles = _bundles(sheet, faults, unchanged)
    right = [entry for entry in entries if entry.row.number not in faults.rows]
    return [replace(entry, bundle=bundles.get(entry.row.number, "")) for entry in right], unchanged


def _bundles(sheet: Sheet, faults: Faults, unchanged: Set[int]) -> dict[int, str]:
    """For each row of a bundle the first of its need numbers. A bundle comes in whole: one row alone, or beside a wrong one, is a fault."""
    found: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in sheet.rows:
        if row.values["bundle"] is not None:
            found[tuple(row.values[key] for key in BUNDLED)].append(row)
    for rows in found.values():
        wrong = any(row.number in faults.rows for row in rows)
        for row in rows:
            if row.number in faults.rows or row.number in unchanged:
                continue
            if len(rows) < 2:
                faults.add(row.number, "bundle", "bundle_of_one", BUNDLE_OF_ONE, bundle=row.values["bundle"])
            elif wrong:
                faults.add(row.number, "bundle", "bundle_torn", "同一套里有别的行要改，改好后一起导入")
    return {
        row.number: min(str(r.values["need_number"]) for r in rows) for rows in found.values() for row in rows
    }


def _entry(faults: Faults, row: Row, files: Mapping[str, Mapping[str, Any]], run: Import) -> Entry | None:
    values = row.values
    whom = _whom(faults, row, files, run)
    visited_on = values["visited_on"] or run.now.astimezone(LOCAL).date()
    if visited_on > run.now.astimezone(LOCAL).date():
        faults.add(row.number, "visited_on", "future", "走访日期不能在将来")
    if values["needed_by"] and values["needed_by"] < visited_on:
        faults.add(row.number, "needed_by", "before_visit", "最迟日期不能早于走访日期")
    if values["category"] and values["quantity"] is None:
        faults.add(row.number, "quantity", "required", "必填")
    new = _parse(faults, row) if row.number not in faults.rows else None
    if whom is None or new is None:
        return None
    return Entry(row, values["need_number"], whom, visited_on, new, content_mark(run, dict(row.values)))


def _whom(
    faults: Faults, row: Row, files: Mapping[str, Mapping[str, Any]], run: Import
) -> UUID | NewSite | None:
    values = row.values
    if number := values["case_number"]:
        found = files.get(number)
        if found is None:
            faults.add(
                row.number, "case_number", "case_unknown", "没有这个档号的户，请先导入户档案或核对档号"
            )
            return None
        if not run.may_write(found["area"]):
            faults.add(row.number, "case_number", "not_your_area", NOT_YOURS)
            return None
        household_id: UUID = found["id"]
        return household_id
    kind = values["beneficiary_kind"]
    if kind not in get_args(SiteKind) or not values["beneficiary_name"]:
        faults.add(
            row.number, "case_number", "beneficiary_missing", "请填档号；不是家庭的，请填对象类型、名称和镇街"
        )
        return None
    if not check_town(faults, row.number, "area", values["area"], run):
        return None
    return NewSite(kind=kind, name=values["beneficiary_name"], area=values["area"])


def _parse(faults: Faults, row: Row) -> NewNeed | None:
    values = row.values
    until = datetime.combine(values["needed_by"], MIDNIGHT, LOCAL) if values["needed_by"] else None
    given = {key: values[key] for key in ("category", "text", "quantity", "urgency", "bundle")}
    given["whole"] = bool(values["whole"])
    try:
        return NewNeed.model_validate(given | {"needed_by": until})
    except ValidationError as error:
        faults.add_invalid(error, lambda path: (row.number, str(path[0]) if path else "category"))
        return None


@dataclass(frozen=True, slots=True)
class Visited:
    """One beneficiary on one day: the id is the same whenever the same visit is imported again."""

    standing: Standing
    day: date

    @property
    def id(self) -> UUID:
        return uuid5(self.standing.id, self.day.isoformat())

    def bundle_id(self, first: str) -> UUID | None:
        """The id of the visit's bundle that begins with this need number, the same however often it is imported."""
        return uuid5(self.id, f"bundle {first}") if first else None

    def at(self, now: datetime) -> datetime:
        """A sheet knows the day alone: noon stands for it, or now when it is not noon yet."""
        return min(datetime.combine(self.day, NOON, LOCAL), now)


async def _write(conn: Connection, entries: Sequence[Entry], run: Import) -> None:
    standings = await _standings(conn, entries, run)
    drafts = await asyncio.to_thread(_drafts, entries, standings, run)
    await publish_all(conn, await _write_visits(conn, drafts, run))
    for some in batches(drafts):
        await SQL.add_needs(conn, rows=[row for _, row, _ in some])
        await publish_all(conn, [fact for _, _, fact in some])


async def _standings(
    conn: Connection, entries: Sequence[Entry], run: Import
) -> dict[UUID | NewSite, Standing]:
    ids = {entry.whom for entry in entries if isinstance(entry.whom, UUID)}
    found: dict[UUID | NewSite, Standing] = dict((await households(conn, list(ids))).items())
    for site in dict.fromkeys(entry.whom for entry in entries if isinstance(entry.whom, NewSite)):
        found[site] = await ensure_site(conn, site, run.by, run.keyring)
    return found


Draft = tuple[Visited, dict[str, Any], Event]


def _drafts(
    entries: Sequence[Entry], standings: Mapping[UUID | NewSite, Standing], run: Import
) -> list[Draft]:
    read = cache(read_need)  # for this import alone: the words of a need are not kept longer than that
    drafts = []
    for entry in entries:
        visit = Visited(standings[entry.whom], entry.visited_on)
        origin = Origin(visit.id, visit.at(run.now), run.by, run.accept_readings)
        row, fact = draft(
            run.keyring,
            visit.standing,
            origin,
            entry.new,
            entry.number,
            read,
            entry.content_hash,
            visit.bundle_id(entry.bundle),
        )
        drafts.append((visit, plain(row), fact))
    return drafts


async def _write_visits(conn: Connection, drafts: Sequence[Draft], run: Import) -> list[Event]:
    """The visits that are new, as facts with the needs that they found."""
    found: dict[UUID, tuple[Visited, list[str]]] = {}
    for visit, row, _ in drafts:
        found.setdefault(visit.id, (visit, []))[1].append(row["id"])
    fresh: set[UUID] = set()
    for some in batches([plain(_visit_row(visit, run)) for visit, _ in found.values()]):
        fresh |= {row["id"] for row in await SQL.add_visits(conn, rows=list(some))}
    return [_recorded(visit, ids, run) for visit_id, (visit, ids) in found.items() if visit_id in fresh]


def _visit_row(visit: Visited, run: Import) -> dict[str, Any]:
    return {
        "id": visit.id,
        "beneficiary_id": visit.standing.id,
        "beneficiary_kind": visit.standing.kind,
        "area": visit.standing.area,
        "visited_at": visit.at(run.now),
        "worker_id": run.by,
    }


def _recorded(visit: Visited, need_ids: Sequence[str], run: Import) -> VisitRecorded:
    return VisitRecorded(
        visit_id=visit.id,
        beneficiary_id=visit.standing.id,
        beneficiary_kind=visit.standing.kind,
        area=visit.standing.area,
        visited_at=visit.at(run.now),
        worker_id=run.by,
        need_ids=tuple(UUID(need_id) for need_id in need_ids),
    )
