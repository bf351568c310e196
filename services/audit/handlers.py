"""The ledger's writer: every event once, in batches, with the clock and the follow-ups in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog
from pydantic import ValidationError

from services.audit import rules
from services.audit.clock import mark_of
from services.audit.rules import FollowUpTimes, Link, Place
from shared import tables
from shared.bus import Cause, cause, publish
from shared.db import Connection, queries
from shared.events import DeliveryReceived, Envelope, Event, FollowUpAnswered, FollowUpDue, FollowUpOverdue
from shared.service import Job

SQL = queries(Path(__file__).parent)
OVERDUE_AT_ONCE = 1000
log = structlog.get_logger()


async def append(conn: Connection, envelopes: Sequence[Envelope]) -> None:
    """Record events that are not in the ledger yet, in the order given, and do what follows from them.

    What an event sets off happens with its entry or not at all, so an event that is handed over again changes nothing.
    """
    fresh = await _lock_and_filter(conn, envelopes)
    if not fresh:
        return
    row = await SQL.tail(conn)
    place = Place(row["seq"], row["hash"]) if row else Place()
    await _insert(conn, fresh, list(rules.extend(place, [rules.canonical(envelope) for envelope in fresh])))
    understood = [(envelope, event) for envelope in fresh if (event := _understand(envelope))]
    await _run_clock(conn, understood)
    await _note_answers(conn, [event for _, event in understood if isinstance(event, FollowUpAnswered)])
    for envelope, event in understood:
        if isinstance(event, DeliveryReceived) and event.received > 0:
            await plan_follow_ups(conn, envelope, event)


async def plan_follow_ups(conn: Connection, envelope: Envelope, event: DeliveryReceived) -> None:
    """Help that arrived is checked: plan who comes back by when, and say so once."""
    due = _due(event)
    rows = [
        {
            key: str(value)
            for key, value in follow_up.model_dump(exclude={"version"}).items()
            if key != "follow_up_id"
        }
        | {"id": str(follow_up.follow_up_id)}
        for follow_up in due
    ]
    planned = {row["id"] for row in await SQL.plan_follow_ups(conn, follow_ups=rows)}
    mark = cause.set(Cause("audit", envelope.correlationid, envelope.id))
    try:
        await publish(conn, *(follow_up for follow_up in due if follow_up.follow_up_id in planned))
    finally:
        cause.reset(mark)


async def mark_overdue(conn: Connection, job: Job) -> None:
    """Publish each follow-up that became overdue, once."""
    rows = await SQL.mark_overdue(conn, most=OVERDUE_AT_ONCE)
    await publish(
        conn,
        *(
            FollowUpOverdue(
                follow_up_id=row["id"],
                need_id=row["need_id"],
                beneficiary_id=row["beneficiary_id"],
                area=row["area"],
                due_at=row["due_at"],
                version=2,
            )
            for row in rows
        ),
    )


async def _lock_and_filter(conn: Connection, envelopes: Sequence[Envelope]) -> list[Envelope]:
    if not envelopes:
        return []
    await SQL.lock_ledger(conn)
    rows = await SQL.recorded(conn, event_ids=[envelope.id for envelope in envelopes])
    known = {row["event_id"] for row in rows}
    return [envelope for envelope in envelopes if envelope.id not in known]


async def _insert(conn: Connection, envelopes: Sequence[Envelope], links: Sequence[Link]) -> None:
    about = [
        (known, link.seq)
        for envelope, link in zip(envelopes, links, strict=True)
        for known in rules.ids_in(envelope.data)
    ]
    await SQL.append(
        conn,
        seqs=[link.seq for link in links],
        event_ids=[envelope.id for envelope in envelopes],
        types=[envelope.type for envelope in envelopes],
        times=[envelope.time for envelope in envelopes],
        subjects=[envelope.subject for envelope in envelopes],
        areas=[rules.area_of(envelope.data) for envelope in envelopes],
        contents=[link.content for link in links],
        prev_hashes=[link.prev_hash for link in links],
        hashes=[link.hash for link in links],
        about_ids=[known for known, _ in about],
        about_seqs=[seq for _, seq in about],
    )


def _understand(envelope: Envelope) -> Event | None:
    """The fact, or None for one that this release can't read: it stands in the ledger all the same."""
    try:
        return envelope.event()
    except (KeyError, ValidationError):
        log.warning("ledger.not_understood", type=envelope.type, event_id=str(envelope.id))
        return None


async def _run_clock(conn: Connection, understood: Sequence[tuple[Envelope, Event]]) -> None:
    marks = [mark.row() for envelope, event in understood if (mark := mark_of(event, envelope.time))]
    if marks:
        await SQL.run_clock(conn, marks=marks)


async def _note_answers(conn: Connection, answers: Sequence[FollowUpAnswered]) -> None:
    if answers:
        kept = {"follow_up_id", "area", "outcome", "answered_at"}
        await SQL.note_answers(
            conn, answers=[answer.model_dump(mode="json", include=kept) for answer in answers]
        )


def _due(event: DeliveryReceived) -> list[FollowUpDue]:
    return [
        FollowUpDue(
            follow_up_id=rules.follow_up_id(event.delivery_id, kind),
            kind=kind,
            need_id=event.need_id,
            beneficiary_id=event.beneficiary_id,
            delivery_id=event.delivery_id,
            area=event.area,
            due_at=due_at,
        )
        for kind, due_at in rules.follow_ups(_times(), _works(event.category), event.urgency, event.at)
    ]


def _times() -> FollowUpTimes:
    """The office's days, from [follow_up] in policy.toml."""
    chosen = tables.policy()["follow_up"]
    return FollowUpTimes(chosen["days"], chosen["safety_check_days"], chosen["works_days"])


def _works(code: str) -> bool:
    """Whether the category is licensed work on a home: wiring, gas, a roof."""
    category = tables.categories().get(code)
    return category is not None and category.group == "HSE" and category.safety_class in ("S3", "S4")
