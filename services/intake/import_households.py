"""Households from a sheet: one row a member, the household's columns repeated on each of its rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.intake.households import NUMBER_UNUSABLE, consented, registered
from services.intake.importing import Faults, Import, Plan, check_town, content_mark, publish_all
from services.intake.needs import changed
from services.intake.rules import too_young
from services.intake.schemas import GUARDIAN, NewHousehold
from services.intake.sealing import household_fields, household_row, member_row, plain
from services.intake.standing import SQL, Standing, households
from shared.bus import new_id
from shared.clock import LOCAL
from shared.db import Connection
from shared.events import ConsentWithdrawn, Event, HouseholdChanged
from shared.imports import batches
from shared.sheets import Row, Sheet

HOUSEHOLD = (
    "area",
    "village",
    "address",
    "phone",
    "vulnerabilities",
    "consent",
    "consent_on",
    "consent_by_guardian",
)
MEMBER_COLUMNS = {"name": "member_name", "vulnerabilities": "member_vulnerabilities"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One household of the sheet; `known` is its row in the database, empty for one that is not on file yet."""

    rows: tuple[Row, ...]
    new: NewHousehold
    content_hash: bytes | None
    known: Mapping[str, Any]

    @property
    def id(self) -> UUID:
        """Of a household that is on file."""
        found: UUID = self.known["id"]
        return found

    @property
    def number(self) -> str:
        return str(self.rows[0].values["case_number"])


async def plan(conn: Connection, sheet: Sheet, run: Import) -> Plan:
    """What the sheet would do. A household with a wrong row is refused as a whole: half of its members would be a wrong file."""
    faults = Faults(list(sheet.faults), set(sheet.wrong))
    groups = _groups(sheet.rows)
    known = {row["case_number"]: row for row in await SQL.households_by_number(conn, numbers=list(groups))}
    taken = set(await SQL.numbers_taken(conn, kind="case", numbers=list(groups))) - set(known)
    entries = [
        entry
        for number, rows in groups.items()
        if (entry := _entry(faults, rows, known.get(number), number in taken, run)) is not None
    ]
    fresh = [entry for entry in entries if not entry.known]
    differing = [
        entry for entry in entries if entry.known and entry.known["content_hash"] != entry.content_hash
    ]
    touched = {row.number for entry in (*fresh, *differing) for row in entry.rows}
    unchanged = {row.number for entry in entries for row in entry.rows} - touched

    async def write(conn: Connection) -> None:
        await _write_fresh(conn, fresh, run)
        await _write_differing(conn, differing, run)

    changed = frozenset(row.number for entry in differing for row in entry.rows)
    return Plan(faults.found, frozenset(unchanged), write, changed)


def _groups(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if number := row.values["case_number"]:
            groups.setdefault(number, []).append(row)
    return {number: tuple(found) for number, found in groups.items()}


def _entry(
    faults: Faults, rows: tuple[Row, ...], known: Mapping[str, Any] | None, taken: bool, run: Import
) -> Entry | None:
    first = rows[0]
    _check_agreement(faults, rows)
    if taken:
        faults.add(
            first.number,
            "case_number",
            "number_unusable",
            NUMBER_UNUSABLE,
            number=first.values["case_number"],
        )
    if first.values["consent"] == "given" and first.values["consent_on"] is None:
        faults.add(first.number, "consent_on", "required", "必填")
    if _guardian_missing(rows, run):
        faults.add(first.number, "consent_by_guardian", "guardian_needed", GUARDIAN)
    in_reach = first.number not in faults.rows and check_town(
        faults, first.number, "area", first.values["area"], run
    )
    if in_reach and known and known["area"] != first.values["area"]:
        faults.add(first.number, "area", "area_differs", "这个档号登记在另一个镇街，请核对")
    new = None if _refuse_rest(faults, rows) else _parse(faults, rows)
    if new is None:
        _refuse_rest(faults, rows)
        return None
    entry = Entry(rows, new, content_mark(run, [dict(row.values) for row in rows]), known or {})
    if known and known["content_hash"] != entry.content_hash:
        _check_newer(faults, first, known)
    return None if _refuse_rest(faults, rows) else entry


def _check_newer(faults: Faults, first: Row, known: Mapping[str, Any]) -> None:
    """A sheet overrules neither a person's later change nor a later withdrawal of consent."""
    if known["imported_version"] != known["version"]:
        message = "这一户在系统里改过，表格里的内容较旧。请在户档案里修改"
        faults.add(first.number, "case_number", "changed_since_import", message)
    withdrawn, said = known["consent_withdrawn_on"], first.values
    if withdrawn and said["consent"] == "given" and said["consent_on"] <= withdrawn:
        message = "这一户在 {day} 撤回了同意，同意日期要晚于这一天"
        faults.add(first.number, "consent_on", "withdrawn_since", message, day=withdrawn.isoformat())


def _guardian_missing(rows: Sequence[Row], run: Import) -> bool:
    """Whether consent was given for a child without a guardian's."""
    said, today = rows[0].values, run.now.astimezone(LOCAL).date()
    children = any(too_young(row.values["birth_date"], today) for row in rows)
    return children and said["consent"] == "given" and not said["consent_by_guardian"]


def _check_agreement(faults: Faults, rows: Sequence[Row]) -> None:
    """Every row of a household says the same of it, or leaves it empty."""
    first = rows[0]
    for row in rows[1:]:
        for key in HOUSEHOLD:
            if row.values[key] and row.values[key] != first.values[key]:
                message = "与第 {row} 行同一户的内容不一致。同一档号的各行请填一样"
                faults.add(row.number, key, "disagrees", message, row=first.number)


def _refuse_rest(faults: Faults, rows: Sequence[Row]) -> bool:
    """Whether the household has a wrong row; its right rows are then refused with it, naming that row."""
    wrong = [row.number for row in rows if row.number in faults.rows]
    if wrong:
        for row in rows:
            if row.number not in faults.rows:
                faults.add(
                    row.number, "", "household_refused", "同一户的第 {row} 行有错，整户没有导入", row=wrong[0]
                )
    return bool(wrong)


def _parse(faults: Faults, rows: Sequence[Row]) -> NewHousehold | None:
    head = rows[0].values
    try:
        return NewHousehold.model_validate(
            {
                **{
                    key: head[key]
                    for key in ("case_number", "area", "village", "address", "phone", "vulnerabilities")
                },
                "consent": {
                    "given": head["consent"] == "given",
                    "on": head["consent_on"],
                    "by_guardian": bool(head["consent_by_guardian"]),
                },
                "members": [_member(row.values) for row in rows],
            }
        )
    except ValidationError as error:
        faults.add_invalid(error, lambda path: _place(rows, path))
        return None


def _member(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": values["member_name"],
        "relation": values["relation"] or "",
        "sex": values["sex"],
        "birth_date": values["birth_date"],
        "id_number": values["id_number"],
        "vulnerabilities": values["member_vulnerabilities"],
    }


def _place(rows: Sequence[Row], path: Sequence[Any]) -> tuple[int, str]:
    match tuple(path):
        case ("members", int(index), str(name), *_):
            return rows[index].number, MEMBER_COLUMNS.get(name, name)
        case ("consent", *rest):
            columns = {"on": "consent_on", "by_guardian": "consent_by_guardian"}
            return rows[0].number, columns.get(str(rest[0]) if rest else "", "consent")
        case (str(name), *_):
            return rows[0].number, "" if name == "members" else name
        case _:
            return rows[0].number, ""


async def _write_fresh(conn: Connection, entries: Sequence[Entry], run: Import) -> None:
    for some in batches(entries):
        rows, members = await asyncio.to_thread(_fresh_rows, some, run)
        await SQL.add_households(conn, rows=[plain(row) for row in rows])
        await SQL.add_members(conn, rows=members)
        standings = await households(conn, [row["id"] for row in rows])
        facts: list[Event] = []
        for row in rows:
            facts.append(registered(standings[row["id"]]))
            if row["consent"]:
                facts.append(
                    consented(row["id"], row["area"], row["consent_on"], row["consent_by_guardian"], 1)
                )
        await publish_all(conn, facts)


def _fresh_rows(entries: Sequence[Entry], run: Import) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    today = run.now.astimezone(LOCAL).date()
    rows, members = [], []
    for entry in entries:
        household_id = new_id()
        row = household_row(run.keyring, household_id, entry.number, entry.new, run.by, today)
        rows.append(row | {"content_hash": entry.content_hash, "imported_version": 1})
        members += _member_rows(entry, household_id, row["data_key"], run)
    return rows, members


def _member_rows(entry: Entry, household_id: UUID, key: bytes, run: Import) -> list[dict[str, Any]]:
    return [
        plain(member_row(run.keyring, key, household_id, new_id(), entry.new.area, n, member))
        for n, member in enumerate(entry.new.members)
    ]


async def _write_differing(conn: Connection, entries: Sequence[Entry], run: Import) -> None:
    """The sheet is newer than the file: contact, categories, consent and members become what it says."""
    for some in batches(entries):
        ids = [entry.id for entry in some]
        rows, members = await asyncio.to_thread(_differing_rows, some, run)
        await SQL.replace_households(conn, rows=rows)
        await SQL.drop_members(conn, household_ids=ids)
        await SQL.add_members(conn, rows=members)
        standings = await households(conn, ids)
        needs = await SQL.renew_needs_of(conn, beneficiary_ids=ids)
        facts = [fact for entry in some for fact in _differences(entry, standings[entry.id], run)]
        facts += [changed(need, standings[need["beneficiary_id"]]) for need in needs]
        await publish_all(conn, facts)


def _differing_rows(
    entries: Sequence[Entry], run: Import
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    today = run.now.astimezone(LOCAL).date()
    rows, members = [], []
    for entry in entries:
        key, consent = entry.known["data_key"], entry.new.consent
        row = household_fields(run.keyring, key, entry.id, entry.new) | {
            "id": entry.id,
            "vulnerabilities": entry.new.vulnerabilities,
            "consent": consent.given,
            "consent_on": (consent.on or today) if consent.given else consent.on,
            "consent_by_guardian": consent.given and consent.by_guardian,
            "content_hash": entry.content_hash,
            "today": today,
        }
        rows.append(plain(row))
        members += _member_rows(entry, entry.id, key, run)
    return rows, members


def _differences(entry: Entry, standing: Standing, run: Import) -> list[Event]:
    facts: list[Event] = [
        HouseholdChanged(
            household_id=standing.id,
            area=standing.area,
            members=standing.members,
            vulnerabilities=standing.vulnerabilities,
            version=standing.version,
        )
    ]
    if standing.consent and not entry.known["consent"]:
        on = entry.new.consent.on or run.now.astimezone(LOCAL).date()
        facts.append(
            consented(standing.id, standing.area, on, entry.new.consent.by_guardian, standing.version)
        )
    if entry.known["consent"] and not standing.consent:
        facts.append(ConsentWithdrawn(household_id=standing.id, area=standing.area, version=standing.version))
    return facts
