"""Commands on needs: draft, confirm a category, change, withdraw, close."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.answers import NeedState
from services.intake.reading import Suggestion
from services.intake.rules import closes
from services.intake.schemas import ChangeNeed, CloseNeed, ConfirmCategory, NewNeed, WithdrawNeed
from services.intake.sealing import Row, seal_text
from services.intake.standing import SQL, Standing, beneficiary
from shared import tables
from shared.access import Caller
from shared.bus import new_id, publish
from shared.db import Connection
from shared.errors import Conflict, Fault, Invalid, Missing
from shared.events import Event, NeedChanged, NeedClosed, NeedNoted, NeedRaised, NeedWithdrawn
from shared.pii import Keyring

Read = Callable[[str], Suggestion]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a need comes from: visit, time, worker, and whether a confident reading of its words is enough to raise it."""

    visit_id: UUID
    at: datetime
    by: UUID
    accept_readings: bool = False


def draft(
    keyring: Keyring,
    standing: Standing,
    origin: Origin,
    new: NewNeed,
    number: str,
    read: Read,
    content_hash: bytes | None = None,
    bundle_id: UUID | None = None,
) -> tuple[Row, Event]:
    """A new need's row and the fact to publish: raised when its category is known, noted while only words are. Needs with the same
    `bundle_id` only help together."""
    need_id = new_id()
    found = read(new.text) if new.category is None and new.text else Suggestion()
    category = new.category or (
        found.category if origin.accept_readings and _sure(found, new.quantity) else None
    )
    row: Row = {
        "id": need_id,
        "need_number": number,
        "beneficiary_id": standing.id,
        "beneficiary_kind": standing.kind,
        "case_number": standing.case_number,
        "area": standing.area,
        "visit_id": origin.visit_id,
        "text_enc": seal_text(keyring, standing.data_key, standing.id, "need", need_id, new.text),
        "category": category,
        "quantity": new.quantity or found.quantity or (1 if category else None),
        "urgency": new.urgency or found.urgency or "normal",
        "needed_by": new.needed_by,
        "whole": new.whole,
        "bundle_id": bundle_id,
        "status": "open" if category else "noted",
        "suggested_category": found.category,
        "confidence_milli": found.confidence_milli,
        "content_hash": content_hash,
        "raised_by": origin.by,
        "raised_at": origin.at,
        "version": 1,
    }
    return row, raised(row, standing) if category else _noted(row)


def _sure(found: Suggestion, quantity: int | None) -> bool:
    """Whether a reading may stand without a person. A sum of money never does: texts name several, and the wrong one costs."""
    if found.category is None or not found.confident:
        return False
    return tables.categories()[found.category].kind != "cash" or quantity is not None


def _facts(row: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    names = (
        "beneficiary_id",
        "beneficiary_kind",
        "case_number",
        "area",
        "category",
        "quantity",
        "urgency",
        "needed_by",
        "whole",
        "bundle_id",
        "raised_at",
    )
    return {name: row[name] for name in names} | {
        "need_id": row["id"],
        "raised_by": row["raised_by"],
        "version": row["version"],
        "vulnerabilities": standing.vulnerabilities,
        "minor": standing.minor,
        "consent": standing.consent,
    }


def raised(row: Mapping[str, Any], standing: Standing) -> NeedRaised:
    return NeedRaised(**_facts(row, standing))


def changed(row: Mapping[str, Any], standing: Standing) -> NeedChanged:
    return NeedChanged(**_facts(row, standing))


def _noted(row: Mapping[str, Any]) -> NeedNoted:
    return NeedNoted(
        need_id=row["id"],
        beneficiary_id=row["beneficiary_id"],
        area=row["area"],
        noted_at=row["raised_at"],
        suggested_category=row["suggested_category"],
        confidence_milli=row["confidence_milli"],
    )


async def _writable(conn: Connection, need_id: UUID, version: int, by: Caller) -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = await SQL.need(conn, need_id=need_id)
    if row is None:
        raise Missing
    by.require("worker", row["area"])
    locked: Mapping[str, Any] = await SQL.lock_need(conn, need_id=need_id)
    if locked["version"] != version:
        raise Conflict
    return locked


async def _standing(conn: Connection, row: Mapping[str, Any]) -> Standing:
    standing = await beneficiary(conn, row["beneficiary_id"], row["beneficiary_kind"])
    if standing is None:
        raise Missing
    return standing


def _wrong_state(row: Mapping[str, Any], message: str) -> Conflict:
    return Conflict(message, state=row["status"])


async def confirm_category(
    conn: Connection, body: ConfirmCategory, by: Caller, *, need_id: UUID
) -> NeedState:
    """Say what a need in words is; from now on it is matched. Raises `Conflict` unless it still waits for that."""
    row = await _writable(conn, need_id, body.version, by)
    new = await SQL.confirm_category(
        conn,
        need_id=need_id,
        category=body.category,
        quantity=body.quantity,
        urgency=body.urgency,
        version=body.version,
    )
    if new is None:
        raise _wrong_state(row, "这条需求的类别已经确认过了。")
    await publish(conn, raised(new, await _standing(conn, new)))
    return NeedState(need_id=need_id, status=new["status"], version=new["version"])


async def change_need(conn: Connection, body: ChangeNeed, by: Caller, *, need_id: UUID) -> NeedState:
    """Change quantity, urgency or date; never below what is promised already. Less may close it: what came may be all it asks now."""
    row = await _writable(conn, need_id, body.version, by)
    if row["status"] in ("received", "closed", "withdrawn"):
        raise _wrong_state(row, "这条需求已经结束，不能再改。新的需要请另外登记。")
    if body.quantity is not None and body.quantity < row["committed"]:
        fault = Fault(
            "quantity",
            "below_committed",
            "已经对接了 {committed}，数量不能更少。",
            {"committed": row["committed"]},
        )
        raise Invalid(faults=(fault,))
    new = await SQL.change_need(
        conn,
        need_id=need_id,
        version=body.version,
        quantity=body.quantity,
        urgency=body.urgency,
        needed_by=body.needed_by,
    )
    if new is None:
        raise Conflict
    await SQL.settle_need(conn, need_id=need_id)
    if new["status"] != "noted":
        await publish(conn, changed(new, await _standing(conn, new)))
    await publish(conn, *await close_answered(conn, row["beneficiary_id"], False))
    settled = await SQL.need(conn, need_id=need_id)
    return NeedState(need_id=need_id, status=settled["status"], version=settled["version"])


async def withdraw_need(conn: Connection, body: WithdrawNeed, by: Caller, *, need_id: UUID) -> NeedState:
    """Stop asking for it. What was promised and has not left the charity is called off; what is on its way still comes."""
    row = await _writable(conn, need_id, body.version, by)
    new = await SQL.withdraw_need(conn, need_id=need_id, version=body.version)
    if new is None:
        raise _wrong_state(row, "这条需求已经收到物品或已经结束，不能撤回。")
    await publish(
        conn, NeedWithdrawn(need_id=need_id, area=new["area"], reason=body.reason, version=new["version"])
    )
    return NeedState(need_id=need_id, status=new["status"], version=new["version"])


async def close_need(conn: Connection, body: CloseNeed, by: Caller, *, need_id: UUID) -> NeedState:
    """End a need whose help did not help enough, with the reason. Raises `Conflict` before all was received and asked after."""
    row = await _writable(conn, need_id, body.version, by)
    if row["status"] != "received":
        raise _wrong_state(row, "全部收到之后才能结案。")
    answered = {found["id"]: found for found in await _answered(conn, row["beneficiary_id"])}
    if need_id not in answered:
        raise _wrong_state(row, "还有回访没有登记，登记之后才能结案。")
    fact = await _close(conn, answered[need_id], body.reason)
    await publish(conn, fact)
    return NeedState(need_id=need_id, status="closed", version=fact.version)


async def close_answered(conn: Connection, beneficiary_id: UUID, raised: bool) -> list[NeedClosed]:
    """Close the beneficiary's needs that are over; `raised` when a visit just now raised the next need. The facts are the caller's to publish."""
    await SQL.lock_received_of(conn, beneficiary_id=beneficiary_id)
    rows = await _answered(conn, beneficiary_id)
    return [await _close(conn, row, None) for row in rows if closes(row["outcome"], raised)]


async def _answered(conn: Connection, beneficiary_id: UUID) -> list[Mapping[str, Any]]:
    return list(await SQL.answered_needs(conn, beneficiary_id=beneficiary_id, most=1000))


async def _close(conn: Connection, row: Mapping[str, Any], reason: str | None) -> NeedClosed:
    closed = await SQL.close_need(conn, need_id=row["id"], reason=reason)
    return NeedClosed(
        need_id=row["id"], area=row["area"], follow_up_id=row["follow_up_id"], version=closed["version"]
    )
