"""A visit: whom, when, what is lacking, and whether earlier help helped. One transaction, one set of facts."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.answers import NotedNeed, VisitAnswer
from services.intake.households import numbers, register
from services.intake.needs import Origin, close_answered, draft
from services.intake.reading import read_need
from services.intake.schemas import Beneficiary, FollowUpAnswer, NewSite, RecordVisit
from services.intake.sealing import Row, plain, seal_text
from services.intake.standing import SQL, Standing, beneficiary, of_site
from shared.access import Caller
from shared.bus import new_id, publish
from shared.db import Connection
from shared.errors import Conflict, Fault, Invalid, Missing
from shared.events import Event, FollowUpAnswered, VisitRecorded
from shared.pii import Keyring

CLOCK_SKEW = timedelta(hours=1)


async def record_visit(conn: Connection, body: RecordVisit, by: Caller, *, keyring: Keyring) -> VisitAnswer:
    """Write down a visit with its needs and publish what it says.

    Raises `Invalid` for a time in the future or a follow-up of somebody else, `Missing` for a beneficiary the caller can't see,
    `Forbidden` outside the caller's towns, `Conflict` for a follow-up that was answered already.
    """
    _check_times(body)
    if body.client_ref and (
        earlier := await SQL.visit_by_ref(conn, worker_id=by.person_id, client_ref=body.client_ref)
    ):
        if earlier["body_hash"] != _mark(body):
            fault = Fault("client_ref", "used", "这个 client_ref 已经用于另一次走访。新的走访请用新的编号。")
            raise Invalid(faults=(fault,))
        return await _replay(conn, earlier)
    standing = await _beneficiary(conn, body.beneficiary, by, keyring)
    by.require("worker", standing.area)
    origin = Origin(new_id(), body.visited_at, by.person_id)
    await _write_visit(conn, body, standing, origin, keyring)
    rows, facts = await _write_needs(conn, body, standing, origin, keyring)
    answered: list[Event] = []
    if body.follow_up:
        answered = await _answer_follow_up(conn, body.follow_up, standing, origin)
    if body.follow_up or rows:
        answered += await close_answered(conn, standing.id, bool(rows))
    await publish(conn, _recorded(body, standing, origin, rows), *facts, *answered)
    return VisitAnswer(
        visit_id=origin.visit_id,
        beneficiary_id=standing.id,
        case_number=standing.case_number,
        need_ids=tuple(row["id"] for row in rows),
        notes=tuple(_note(row) for row in rows if row["status"] == "noted"),
    )


def _mark(body: RecordVisit) -> bytes:
    """What tells one visit from another that a phone sent under the same mark."""
    return hashlib.sha256(body.model_dump_json(exclude={"idempotency_key"}).encode()).digest()


def _check_times(body: RecordVisit) -> None:
    faults = []
    if body.visited_at > datetime.now(UTC) + CLOCK_SKEW:
        faults.append(Fault("visited_at", "future", "走访时间不能在将来，请核对日期和时间。"))
    for n, need in enumerate(body.needs):
        if need.needed_by and need.needed_by <= body.visited_at:
            faults.append(Fault(f"needs.{n}.needed_by", "before_visit", "最迟日期要在走访之后。"))
    if faults:
        raise Invalid(faults=tuple(faults))


def _note(row: Row) -> NotedNeed:
    return NotedNeed(
        need_id=row["id"],
        suggested_category=row["suggested_category"],
        confidence_milli=row["confidence_milli"],
    )


async def _replay(conn: Connection, visit: Any) -> VisitAnswer:
    """The answer that the same visit got when it was first sent."""
    needs = [await SQL.need(conn, need_id=need_id) for need_id in visit["noted"]]
    standing = await beneficiary(conn, visit["beneficiary_id"], visit["beneficiary_kind"])
    if standing is None:
        raise Missing
    return VisitAnswer(
        visit_id=visit["id"],
        beneficiary_id=standing.id,
        case_number=standing.case_number,
        need_ids=tuple(visit["need_ids"]),
        notes=tuple(_note(row) for row in needs),
    )


async def _beneficiary(conn: Connection, whom: Beneficiary, by: Caller, keyring: Keyring) -> Standing:
    """Whom the visit went to; put on file first where they are new."""
    if whom.site:
        by.require("worker", whom.site.area)
        return await ensure_site(conn, whom.site, by.person_id, keyring)
    if whom.household:
        household_id = await register(conn, whom.household, by, keyring)
        found = await beneficiary(conn, household_id, "household")
    elif whom.site_id:
        found = await beneficiary(conn, whom.site_id, "site")
    elif whom.household_id:
        found = await beneficiary(conn, whom.household_id, "household")
    else:
        row = await SQL.household_by_number(conn, case_number=whom.case_number)
        found = await beneficiary(conn, row["id"], "household") if row else None
    if found is None:
        raise Missing
    return found


async def ensure_site(conn: Connection, site: NewSite, by: UUID, keyring: Keyring) -> Standing:
    """The site of that kind and name in that town; put on file when it is new."""
    found = await SQL.site_by_name(conn, area=site.area, kind=site.kind, name=site.name)
    if found is None:
        site_id = new_id()
        await SQL.add_site(
            conn,
            site_id=site_id,
            site_number=(await numbers(conn, "S", [site.area]))[0],
            kind=site.kind,
            name=site.name,
            area=site.area,
            minors=site.minors,
            data_key=keyring.new_data_key(str(site_id)),
            created_by=by,
        )
        found = await SQL.site_by_name(conn, area=site.area, kind=site.kind, name=site.name)
    return of_site(found)


async def _write_visit(
    conn: Connection, body: RecordVisit, standing: Standing, origin: Origin, keyring: Keyring
) -> None:
    row = {
        "id": origin.visit_id,
        "beneficiary_id": standing.id,
        "beneficiary_kind": standing.kind,
        "area": standing.area,
        "visited_at": body.visited_at,
        "worker_id": origin.by,
        "note_enc": seal_text(keyring, standing.data_key, standing.id, "visit", origin.visit_id, body.note),
        "participants_enc": seal_text(
            keyring,
            standing.data_key,
            standing.id,
            "participants",
            origin.visit_id,
            "\n".join(body.participants) or None,
        ),
        "follow_up_id": body.follow_up.follow_up_id if body.follow_up else None,
        "client_ref": body.client_ref,
        "body_hash": _mark(body) if body.client_ref else None,
    }
    try:
        await SQL.add_visits(conn, rows=[plain(row)])
    except asyncpg.UniqueViolationError as error:
        raise Conflict("同一次走访正在保存，请稍后再试一次。") from error


async def _write_needs(
    conn: Connection, body: RecordVisit, standing: Standing, origin: Origin, keyring: Keyring
) -> tuple[list[Row], list[Event]]:
    if not body.needs:
        return [], []
    fresh = await numbers(conn, "N", [standing.area] * len(body.needs))
    bundles = {need.bundle: new_id() for need in body.needs if need.bundle is not None}
    drafts = [
        draft(
            keyring,
            standing,
            origin,
            need,
            number,
            read_need,
            bundle_id=bundles[need.bundle] if need.bundle is not None else None,
        )
        for need, number in zip(body.needs, fresh, strict=True)
    ]
    await SQL.add_needs(conn, rows=[plain(row) for row, _ in drafts])
    return [row for row, _ in drafts], [fact for _, fact in drafts]


def _recorded(body: RecordVisit, standing: Standing, origin: Origin, rows: list[Row]) -> VisitRecorded:
    return VisitRecorded(
        visit_id=origin.visit_id,
        beneficiary_id=standing.id,
        beneficiary_kind=standing.kind,
        area=standing.area,
        visited_at=body.visited_at,
        worker_id=origin.by,
        need_ids=tuple(row["id"] for row in rows),
        follow_up_id=body.follow_up.follow_up_id if body.follow_up else None,
    )


async def _answer_follow_up(
    conn: Connection, answer: FollowUpAnswer, standing: Standing, origin: Origin
) -> list[Event]:
    asked = await SQL.follow_up(conn, follow_up_id=answer.follow_up_id)
    if asked is None:
        raise Missing
    if asked["beneficiary_id"] != standing.id:
        raise Invalid(
            faults=(Fault("follow_up", "other_beneficiary", "这次回访属于另一户，请从待回访列表进入。"),)
        )
    if asked["received_at"] and origin.at < asked["received_at"] - CLOCK_SKEW:
        raise Invalid(
            faults=(
                Fault("visited_at", "before_receipt", "这次走访早于签收，不能作为回访。请核对走访时间。"),
            )
        )
    row = await SQL.answer_follow_up(
        conn,
        follow_up_id=answer.follow_up_id,
        answered_at=origin.at,
        outcome=answer.outcome,
        visit_id=origin.visit_id,
    )
    if row is None:
        raise Conflict("这次回访已经有人登记过了。")
    fact = FollowUpAnswered(
        follow_up_id=row["id"],
        need_id=row["need_id"],
        delivery_id=row["delivery_id"],
        area=row["area"],
        visit_id=origin.visit_id,
        outcome=answer.outcome,
        answered_at=origin.at,
    )
    return [fact]
