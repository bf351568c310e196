"""Charities and what they pledge: one function per command, one per event that says what became of an offer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from services.offers import rules
from services.offers.answers import CharityAnswer, Note, OfferStored
from services.offers.schemas import ChangeOffer, OfferTerms, RegisterCharity, RegisterOffer, WithdrawOffer
from shared.access import Caller
from shared.bus import new_id, publish
from shared.clock import LOCAL
from shared.db import Connection, queries
from shared.errors import Conflict, Forbidden, Invalid, Missing, fault_of
from shared.events import (
    CharityRegistered,
    CommitmentReleased,
    DeliveryDelivered,
    DeliveryFailed,
    DeliveryReceived,
    DeliveryScheduled,
    OfferChanged,
    OfferRegistered,
    OfferWithdrawn,
    ProposalApproved,
)

SQL = queries(Path(__file__).parent)


async def register_charity(conn: Connection, command: RegisterCharity, by: Caller) -> CharityAnswer:
    """Enter an organisation. Raises `Forbidden` outside the caller's area, `Conflict` for a name that is taken."""
    if not by.may("admin", command.area):
        by.require("coordinator", command.area)
    charity = {"id": str(new_id()), "name": command.name, "kind": command.kind, "area": command.area}
    if not await SQL.add_charities(conn, charities=[charity]):
        raise Conflict("已经有名为「{name}」的机构，请直接使用它，或核对名称。", name=command.name)
    await publish(conn, charity_registered(charity))
    return CharityAnswer.model_validate(charity | {"charity_id": charity["id"], "version": 1})


async def register_offer(conn: Connection, command: RegisterOffer, by: Caller) -> OfferStored:
    """Enter an offer of the caller's own charity, or as coordinator on behalf of one.

    Raises `Missing` for an unknown charity, `Forbidden`, `Invalid` for goods past their date, `Conflict` for a number that is used.
    """
    charity = await SQL.charity(conn, id=_giver(command.charity_id, by))
    if charity is None:
        raise Missing("找不到这个机构，请先登记机构或核对编号。")
    may_give(by, charity["id"], command)
    if faults := rules.stale(command.expires_on, command.available_until, datetime.now(LOCAL)):
        raise Invalid(faults=faults)
    offer_id = new_id()
    number = command.offer_number or fresh_number(offer_id)
    offer = command.stored() | {"id": str(offer_id), "offer_number": number, "charity_id": str(charity["id"])}
    if not await SQL.add_offers(conn, offers=[offer]):
        raise Conflict(
            "这个机构已有编号为「{number}」的资源，请换一个编号，或修改原来的资源。", number=number
        )
    await publish(conn, offer_registered(offer, charity["name"], 1))
    return _stored(offer, 1)


async def change_offer(conn: Connection, command: ChangeOffer, by: Caller, offer_id: UUID) -> OfferStored:
    """Change an open offer. Raises `Missing`, `Forbidden`, `Invalid`, and `Conflict` when stale, withdrawn or below what is promised.

    What is promised is known here with a short delay; coordination, which promises, never goes below it either.
    """
    row = await _changeable(conn, by, offer_id, command.version)
    terms = _merged(row, command)
    may_give(by, row["charity_id"], terms)
    if redesignates(by, row, terms):
        raise Forbidden("定向对象只能由捐助机构自己修改（慈善法第五十六条）。")
    if faults := rules.stale(terms.expires_on, terms.available_until, datetime.now(LOCAL)):
        raise Invalid(faults=faults)
    if terms.quantity < row["taken"]:
        raise Conflict(
            "已有 {taken} 承诺或送出，数量不能改成 {quantity}。", taken=row["taken"], quantity=terms.quantity
        )
    offer = terms.stored() | {
        "id": str(offer_id),
        "offer_number": row["offer_number"],
        "charity_id": str(row["charity_id"]),
    }
    if offer["content_hash"] == row["content_hash"].hex():
        return _stored(offer, row["version"])
    changed = await SQL.change_offers(conn, offers=[offer | {"version": command.version}])
    if not changed:
        raise Conflict
    await publish(conn, offer_changed(offer, row["charity_name"], changed[0]["version"]))
    return _stored(offer, changed[0]["version"])


async def withdraw_offer(conn: Connection, command: WithdrawOffer, by: Caller, offer_id: UUID) -> OfferStored:
    """Take back what is still free; what is promised stays promised. Raises `Missing`, `Forbidden`, `Conflict`."""
    row = await _changeable(conn, by, offer_id, command.version)
    gone = await SQL.withdraw_offer(conn, id=offer_id, version=command.version, reason=command.reason)
    if gone is None:
        raise Conflict
    event = OfferWithdrawn(
        offer_id=offer_id,
        charity_id=gone["charity_id"],
        area=gone["origin_area"],
        reason=command.reason,
        version=gone["version"],
    )
    await publish(conn, event)
    return OfferStored(
        offer_id=offer_id, offer_number=row["offer_number"], version=gone["version"], status="withdrawn"
    )


async def note_commitment(conn: Connection, event: ProposalApproved) -> None:
    await SQL.note_commitment(
        conn,
        commitment_id=event.commitment_id,
        offer_id=event.offer_id,
        area=event.area,
        quantity=event.quantity,
    )


async def note_release(conn: Connection, event: CommitmentReleased) -> None:
    await SQL.note_release(
        conn,
        commitment_id=event.commitment_id,
        offer_id=event.offer_id,
        area=event.area,
        released=event.quantity,
        returned=event.returned_to_offer,
    )


async def note_scheduled(conn: Connection, event: DeliveryScheduled) -> None:
    await _note_delivery(conn, event, commitment_id=event.commitment_id)


async def note_delivered(conn: Connection, event: DeliveryDelivered) -> None:
    await _note_delivery(conn, event, delivered_at=event.at)


async def note_failed(conn: Connection, event: DeliveryFailed) -> None:
    await _note_delivery(conn, event, commitment_id=event.commitment_id, failed=True)


async def note_received(conn: Connection, event: DeliveryReceived) -> None:
    await _note_delivery(conn, event, commitment_id=event.commitment_id, received=event.received)


async def _note_delivery(conn: Connection, event: Any, **told: Any) -> None:
    known = {"commitment_id": None, "delivered_at": None, "failed": False, "received": None} | told
    await SQL.note_delivery(conn, delivery_id=event.delivery_id, offer_id=event.offer_id, **known)


def gives(by: Caller, charity_id: UUID | None, origin_area: str) -> bool:
    """Whether the caller is of the charity, or coordinator of where the offer comes from; serving an area is not holding it.

    `charity_id` None: a charity that is not known yet.
    """
    return charity_id in by.charity_ids or by.may("coordinator", origin_area)


def may_give(by: Caller, charity_id: UUID, terms: OfferTerms) -> None:
    """Raises `Forbidden` unless the caller `gives`."""
    if not gives(by, charity_id, terms.origin_area):
        raise Forbidden("这个地区不在您的负责范围内，请核对镇街或联系管理员。")


def redesignates(by: Caller, row: Mapping[str, Any], terms: OfferTerms) -> bool:
    """Whether somebody else than the giver changes whom an offer is meant for: 慈善法 art. 56 asks for the donor's consent."""
    before = sorted(row["designated_vulnerabilities"])
    return sorted(terms.designated_vulnerabilities) != before and row["charity_id"] not in by.charity_ids


def fresh_number(offer_id: UUID) -> str:
    """A number for an offer that was entered without one: the day and the random end of its id."""
    return f"R{datetime.now(LOCAL):%y%m%d}-{offer_id.hex[-6:].upper()}"


def charity_registered(charity: Mapping[str, Any]) -> CharityRegistered:
    return CharityRegistered(
        charity_id=charity["id"], name=charity["name"], kind=charity["kind"], area=charity["area"]
    )


def offer_registered(offer: Mapping[str, Any], charity_name: str, version: int) -> OfferRegistered:
    """The event for a stored offer, as `OfferTerms.stored` gives it with its ids."""
    return OfferRegistered.model_validate(_facts(offer, charity_name, version))


def offer_changed(offer: Mapping[str, Any], charity_name: str, version: int) -> OfferChanged:
    return OfferChanged.model_validate(_facts(offer, charity_name, version))


def _facts(offer: Mapping[str, Any], charity_name: str, version: int) -> dict[str, Any]:
    facts = {name: value for name, value in offer.items() if name not in ("id", "content_hash", "version")}
    return facts | {"offer_id": offer["id"], "charity_name": charity_name, "version": version}


def _stored(offer: Mapping[str, Any], version: int) -> OfferStored:
    notes = rules.warnings(offer["category"], tuple(offer["licences"]))
    return OfferStored(
        offer_id=offer["id"],
        offer_number=offer["offer_number"],
        version=version,
        status="open",
        warnings=tuple(Note.of(note) for note in notes),
    )


def _giver(charity_id: UUID | None, by: Caller) -> UUID:
    if charity_id is not None:
        return charity_id
    if len(by.charity_ids) == 1:
        return by.charity_ids[0]
    raise Invalid("请选择提供资源的机构（charity_id）。")


async def _changeable(conn: Connection, by: Caller, offer_id: UUID, version: int) -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = await SQL.offer(conn, id=offer_id)
    if row is None:
        raise Missing
    may_give(by, row["charity_id"], terms_of(row))
    if row["status"] == "withdrawn":
        raise Conflict("这项资源已经撤回，不能再改。如仍要提供，请另外登记。", status="withdrawn")
    if row["version"] != version:
        raise Conflict(version=row["version"])
    return row


def terms_of(row: Mapping[str, Any]) -> OfferTerms:
    """The terms of a stored offer, not checked again: a table may have dropped a code since."""
    return OfferTerms.model_construct(**{name: _plain(row[name]) for name in OfferTerms.model_fields})


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _merged(row: Mapping[str, Any], command: ChangeOffer) -> OfferTerms:
    before = {name: row[name] for name in OfferTerms.model_fields}
    try:
        return OfferTerms.model_validate(before | command.changes())
    except ValidationError as error:
        raise Invalid(faults=tuple(fault_of(e) for e in error.errors())) from error
