"""Commands on households: register, change, members, consent. Every change that matching must know of is published with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.answers import HouseholdState
from services.intake.needs import changed
from services.intake.rules import CONSENT_PURPOSE, CONSENT_TEXT
from services.intake.schemas import (
    GUARDIAN,
    AddMember,
    ChangeHousehold,
    GiveConsent,
    MemberChange,
    NewHousehold,
    WithdrawConsent,
)
from services.intake.sealing import household_fields, household_row, member_row, plain
from services.intake.standing import SQL, Standing, households
from shared.access import Caller
from shared.bus import new_id, publish
from shared.clock import today
from shared.db import Connection
from shared.errors import Conflict, Fault, Invalid, Missing
from shared.events import ConsentGiven, ConsentWithdrawn, HouseholdChanged, HouseholdRegistered
from shared.pii import Keyring

NUMBER_UNUSABLE = "档号 {number} 不能使用。请核对；留空则由系统编号。"


@contextmanager
def number_guard(number: str | None) -> Iterator[None]:
    """A number that is taken, in whichever town, is refused with one and the same sentence: it tells nothing of another town's files."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        fault = Fault("case_number", "number_unusable", NUMBER_UNUSABLE, {"number": number or ""})
        raise Invalid(faults=(fault,)) from error


async def numbers(conn: Connection, letter: str, areas: Sequence[str]) -> list[str]:
    """A fresh number for each area: letter, town, month, running number, such as N-445381100-2611-42."""
    month = f"{today():%y%m}"
    rows = await SQL.new_numbers(conn, many=len(areas))
    return [f"{letter}-{area[:9]}-{month}-{row['number']}" for area, row in zip(areas, rows, strict=True)]


def registered(standing: Standing) -> HouseholdRegistered:
    return HouseholdRegistered(
        household_id=standing.id,
        area=standing.area,
        members=standing.members,
        vulnerabilities=standing.vulnerabilities,
    )


def consented(household_id: UUID, area: str, on: date, by_guardian: bool, version: int) -> ConsentGiven:
    return ConsentGiven(
        household_id=household_id,
        area=area,
        purpose=CONSENT_PURPOSE,
        text_version=CONSENT_TEXT,
        given_on=on,
        by_guardian=by_guardian,
        version=version,
    )


async def register(conn: Connection, new: NewHousehold, by: Caller, keyring: Keyring) -> UUID:
    """Put a household on file and say so. Raises `Invalid` for a case number that can't be used, `Forbidden` outside the caller's area."""
    by.require("worker", new.area)
    household_id = new_id()
    number = new.case_number or (await numbers(conn, "H", [new.area]))[0]
    row = household_row(keyring, household_id, number, new, by.person_id, today())
    with number_guard(new.case_number):
        await SQL.add_households(conn, rows=[plain(row)])
    members = [
        plain(member_row(keyring, row["data_key"], household_id, new_id(), new.area, n, member))
        for n, member in enumerate(new.members)
    ]
    await SQL.add_members(conn, rows=members)
    standing = (await households(conn, [household_id]))[household_id]
    await publish(conn, registered(standing))
    if new.consent.given:
        await publish(conn, consented(household_id, new.area, row["consent_on"], new.consent.by_guardian, 1))
    return household_id


async def writable(conn: Connection, household_id: UUID, by: Caller) -> Mapping[str, Any]:
    """The household's row, locked until the end of the transaction, if the caller may change it."""
    row: Mapping[str, Any] | None = await SQL.household(conn, household_id=household_id)
    if row is None:
        raise Missing
    by.require("worker", row["area"])
    await SQL.lock_household(conn, household_id=household_id)
    return row


async def change_household(
    conn: Connection, body: ChangeHousehold, by: Caller, *, household_id: UUID, keyring: Keyring
) -> HouseholdState:
    """Change contact, place, categories or members; open needs follow. Raises `Conflict` for a stale version."""
    row = await writable(conn, household_id, by)
    sealed = household_fields(keyring, row["data_key"], household_id, body)
    version = await SQL.change_household(
        conn,
        household_id=household_id,
        version=body.version,
        vulnerabilities=list(body.vulnerabilities) if body.vulnerabilities is not None else None,
        **sealed,
    )
    if version is None:
        raise Conflict
    for change in body.members:
        await _change_member(conn, household_id, change)
    return await _tell(conn, household_id)


async def _change_member(conn: Connection, household_id: UUID, change: MemberChange) -> None:
    if change.left:
        found = await SQL.drop_member(conn, member_id=change.member_id, household_id=household_id)
    else:
        codes = list(change.vulnerabilities) if change.vulnerabilities is not None else None
        found = await SQL.change_member(
            conn,
            member_id=change.member_id,
            household_id=household_id,
            vulnerabilities=codes,
            relation=change.relation,
        )
    if found is None:
        raise Missing


async def add_member(
    conn: Connection, body: AddMember, by: Caller, *, household_id: UUID, keyring: Keyring
) -> HouseholdState:
    """Add a person to a household; open needs follow when a child or a new category comes with them."""
    row = await writable(conn, household_id, by)
    if await SQL.touch_household(conn, household_id=household_id, version=body.version) is None:
        raise Conflict
    count = (await households(conn, [household_id]))[household_id].members
    member = member_row(keyring, row["data_key"], household_id, new_id(), row["area"], count, body)
    await SQL.add_members(conn, rows=[plain(member)])
    _check_guardian((await households(conn, [household_id]))[household_id], "birth_date")
    return await _tell(conn, household_id)


async def give_consent(
    conn: Connection, body: GiveConsent, by: Caller, *, household_id: UUID
) -> HouseholdState:
    """Note that the household agreed; its open needs may be matched from now on."""
    row = await writable(conn, household_id, by)
    on = body.on or today()
    version = await SQL.set_consent(
        conn,
        household_id=household_id,
        version=body.version,
        consent=True,
        consent_on=on,
        by_guardian=body.by_guardian,
        withdrawn_on=None,
    )
    if version is None:
        raise Conflict
    _check_guardian((await households(conn, [household_id]))[household_id], "by_guardian")
    await publish(conn, consented(household_id, row["area"], on, body.by_guardian, version))
    return await _renew(conn, household_id)


async def withdraw_consent(
    conn: Connection, body: WithdrawConsent, by: Caller, *, household_id: UUID
) -> HouseholdState:
    """Note that the household took its consent back; its open needs leave the matching (个人信息保护法 art. 15)."""
    row = await writable(conn, household_id, by)
    version = await SQL.set_consent(
        conn,
        household_id=household_id,
        version=body.version,
        consent=False,
        consent_on=None,
        by_guardian=False,
        withdrawn_on=today(),
    )
    if version is None:
        raise Conflict
    await publish(conn, ConsentWithdrawn(household_id=household_id, area=row["area"], version=version))
    return await _renew(conn, household_id)


def _check_guardian(standing: Standing, field: str) -> None:
    if standing.guardian_needed:
        raise Invalid(faults=(Fault(field, "guardian_needed", GUARDIAN),))


async def _tell(conn: Connection, household_id: UUID) -> HouseholdState:
    standing = (await households(conn, [household_id]))[household_id]
    if standing.members == 0:
        raise Invalid("一户至少要有一名成员。")
    event = HouseholdChanged(
        household_id=household_id,
        area=standing.area,
        members=standing.members,
        vulnerabilities=standing.vulnerabilities,
        version=standing.version,
    )
    await publish(conn, event)
    return await _renew(conn, household_id)


async def _renew(conn: Connection, household_id: UUID) -> HouseholdState:
    """Tell the others how the household's unfinished needs stand now."""
    standing = (await households(conn, [household_id]))[household_id]
    rows = await SQL.renew_needs_of(conn, beneficiary_ids=[household_id])
    await publish(conn, *(changed(row, standing) for row in rows))
    return HouseholdState(household_id=household_id, version=standing.version, consent=standing.consent)
