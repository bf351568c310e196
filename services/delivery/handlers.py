"""From an approval to a receipt: one function per step, and the two facts from outside that a delivery starts with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from services.delivery import rules
from services.delivery.schemas import Deliver, DeliveryState, Dispatch, Fail, Receive, Schedule
from shared.access import Caller
from shared.bus import publish
from shared.clock import LOCAL
from shared.db import Connection, queries
from shared.errors import Conflict, Fault, Forbidden, Invalid, Missing
from shared.events import (
    CharityRegistered,
    DeliveryDelivered,
    DeliveryDispatched,
    DeliveryFailed,
    DeliveryReceived,
    DeliveryScheduled,
    NeedChanged,
    NeedClosed,
    NeedWithdrawn,
    ProposalApproved,
)

SQL = queries(Path(__file__).parent)


async def copy_charity(conn: Connection, event: CharityRegistered) -> None:
    await SQL.copy_charity(conn, id=event.charity_id, name=event.name, version=event.version)


async def open_delivery(conn: Connection, event: ProposalApproved) -> None:
    """What was promised has to be brought: one delivery per commitment."""
    facts = event.model_dump(include=_TAKEN_OVER)
    opened = await SQL.open_delivery(conn, id=rules.delivery_id(event.commitment_id), **facts)
    if opened is not None:
        await publish(conn, _scheduled(facts | {"id": opened, "scheduled_for": None, "version": 1}))
        await _stop(conn, event.need_id)


async def end_need(conn: Connection, event: NeedWithdrawn | NeedClosed) -> None:
    """The need is not wanted any more: what has not left stays with the charity."""
    await _call_off(conn, event.need_id, True, event.version)


async def note_consent(conn: Connection, event: NeedChanged) -> None:
    """Without the household's consent nothing may be brought to it."""
    await _call_off(conn, event.need_id, not event.consent, event.version)


async def _call_off(conn: Connection, need_id: UUID, off: bool, version: int) -> None:
    await SQL.note_called_off(conn, need_id=need_id, off=off, version=version)
    await _stop(conn, need_id)


async def _stop(conn: Connection, need_id: UUID) -> None:
    await SQL.lock_need(conn, need_id=need_id)
    stopped = await SQL.call_off(conn, need_id=need_id)
    await publish(conn, *(_failed(row, returned=True) for row in stopped))


async def schedule(conn: Connection, command: Schedule, by: Caller, delivery_id: UUID) -> DeliveryState:
    """Agree a time. Raises `Missing`, `Forbidden`, `Conflict`, and `Invalid` for a day that has passed."""
    if command.scheduled_for < datetime.combine(datetime.now(LOCAL).date(), time(), LOCAL):
        raise Invalid(faults=(Fault("scheduled_for", "past", "约定的时间已经过去，请填今天或以后的时间。"),))
    row = await _step(conn, by, delivery_id, "schedule", command.version, scheduled_for=command.scheduled_for)
    await publish(conn, _scheduled(row))
    return _state(row)


async def dispatch(conn: Connection, command: Dispatch, by: Caller, delivery_id: UUID) -> DeliveryState:
    """The help leaves. Raises `Missing`, `Forbidden`, `Conflict`."""
    row = await _step(conn, by, delivery_id, "dispatch", command.version)
    await publish(conn, DeliveryDispatched(at=row["dispatched_at"], **_about(row)))
    return _state(row)


async def deliver(conn: Connection, command: Deliver, by: Caller, delivery_id: UUID) -> DeliveryState:
    """The help arrived, says whoever brought it. Raises `Missing`, `Forbidden`, `Conflict`."""
    row = await _step(conn, by, delivery_id, "deliver", command.version)
    await publish(conn, DeliveryDelivered(at=row["delivered_at"], **_about(row)))
    return _state(row)


async def fail(conn: Connection, command: Fail, by: Caller, delivery_id: UUID) -> DeliveryState:
    """It did not happen: the whole quantity goes back. Raises `Missing`, `Forbidden`, `Conflict`."""
    row = await _step(conn, by, delivery_id, "fail", command.version, reason=command.reason)
    await publish(conn, _failed(row, command.still_with_charity))
    return _state(row)


async def receive(conn: Connection, command: Receive, by: Caller, delivery_id: UUID) -> DeliveryState:
    """Confirm what arrived. Nothing at all is a failure.

    Raises `Missing`, `Forbidden` (also for the giver), `Conflict`, and `Invalid` for more than was promised or a shortage without
    a reason.
    """
    before = await _row(conn, delivery_id)
    _check_amount(command, before["quantity"])
    if command.received == 0:
        row = await _step(
            conn, by, delivery_id, "receive", command.version, "fail", reason=command.short_reason
        )
        await publish(conn, _failed(row, command.still_with_charity))
        return _state(row)
    short = before["quantity"] - command.received
    reason = command.short_reason if short else None
    told: dict[str, Any] = {"received": command.received, "short_reason": reason}
    row = await _step(conn, by, delivery_id, "receive", command.version, **told)
    await publish(conn, _received(row, short, short > 0 and command.still_with_charity, by))
    return _state(row)


_TAKEN_OVER = {
    "commitment_id",
    "proposal_id",
    "need_id",
    "beneficiary_id",
    "case_number",
    "offer_id",
    "charity_id",
    "area",
    "category",
    "quantity",
    "urgency",
    "pickup",
    "approved_at",
}
_UPDATE = {
    "schedule": SQL.schedule,
    "dispatch": SQL.dispatch,
    "deliver": SQL.deliver,
    "fail": SQL.fail,
    "receive": SQL.receive,
}


async def _row(conn: Connection, delivery_id: UUID) -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = await SQL.delivery(conn, id=delivery_id)
    if row is None:
        raise Missing
    return row


def part_of(by: Caller, row: Mapping[str, Any]) -> rules.Part:
    """What the caller is to this delivery."""
    in_charge = by.may("worker", row["area"]) or by.may("coordinator", row["area"])
    return rules.Part(giver=row["charity_id"] in by.charity_ids, in_charge=in_charge)


def _check_part(step: rules.Step, by: Caller, row: Mapping[str, Any]) -> None:
    part = part_of(by, row)
    if step == "receive" and part.giver:
        raise Forbidden("签收要由社工或协调员确认，送出资源的机构不能自己签收。")
    if not rules.allowed(step, part):
        raise Forbidden


async def _step(
    conn: Connection,
    by: Caller,
    delivery_id: UUID,
    step: rules.Step,
    version: int,
    effect: rules.Step | None = None,
    **told: Any,
) -> Mapping[str, Any]:
    """Take one step, unless the delivery stands elsewhere by now: the update itself decides, so of two at once one wins.

    `effect` is the step whose update is made when it is not the step's own.
    """
    _check_part(step, by, await _row(conn, delivery_id))
    row: Mapping[str, Any] | None = await _UPDATE[effect or step](
        conn, id=delivery_id, version=version, from_status=list(rules.sources(step)), **told
    )
    if row is not None:
        return row
    now = await _row(conn, delivery_id)
    raise Conflict(rules.standing(now["status"]), state=now["status"], version=now["version"])


def _check_amount(command: Receive, quantity: int) -> None:
    if command.received > quantity:
        message = "实收不能多于承诺的 {quantity}，请核对数量。"
        raise Invalid(faults=(Fault("received", "above_promised", message, {"quantity": quantity}),))
    if command.received < quantity and command.short_reason is None:
        message = "少收了 {short}，请选择原因。"
        raise Invalid(
            faults=(Fault("short_reason", "reason_needed", message, {"short": quantity - command.received}),)
        )


def _state(row: Mapping[str, Any]) -> DeliveryState:
    return DeliveryState(delivery_id=row["id"], status=row["status"], version=row["version"])


def _about(row: Mapping[str, Any]) -> dict[str, Any]:
    shared = {name: row[name] for name in ("need_id", "offer_id", "area", "version")}
    return shared | {"delivery_id": row["id"]}


def _promise(row: Mapping[str, Any]) -> dict[str, Any]:
    return _about(row) | {name: row[name] for name in ("commitment_id", "proposal_id")}


def _scheduled(row: Mapping[str, Any]) -> DeliveryScheduled:
    told = {name: row[name] for name in ("charity_id", "quantity", "scheduled_for")}
    return DeliveryScheduled(**_promise(row), **told)


def _failed(row: Mapping[str, Any], returned: bool) -> DeliveryFailed:
    return DeliveryFailed(
        **_promise(row),
        quantity=row["quantity"],
        reason=row["fail_reason"],
        returned_to_offer=returned,
        at=row["failed_at"],
    )


def _received(row: Mapping[str, Any], short: int, returned: bool, by: Caller) -> DeliveryReceived:
    told = {
        name: row[name]
        for name in ("beneficiary_id", "charity_id", "category", "urgency", "received", "short_reason")
    }
    return DeliveryReceived(
        **_promise(row),
        **told,
        short=short,
        returned_to_offer=returned,
        confirmed_by=by.person_id,
        at=row["received_at"],
    )
