"""Rows as the tables keep them: personal fields sealed under the household's key, values as JSON so that a batch is one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.intake.rules import eighteenth_birthday
from services.intake.schemas import ChangeHousehold, Location, NewHousehold, NewMember
from shared.pii import Keyring

Row = dict[str, Any]


def plain(row: Mapping[str, Any]) -> Row:
    """A row for `jsonb_to_recordset`: bytes as the text that PostgreSQL reads as bytea."""
    return {key: _plain(value) for key, value in row.items()}


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return "\\x" + value.hex()
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value


def household_fields(
    keyring: Keyring, key: bytes, household_id: UUID, new: NewHousehold | ChangeHousehold
) -> Row:
    """The sealed personal columns for whatever of village, address, phone and location is given; None where nothing is."""
    place = f"{household_id}|household|"
    location: Location | None = new.location
    text = json.dumps([location.lng, location.lat]) if location else None
    return {
        "village_enc": keyring.seal(key, place + "village", new.village),
        "address_enc": keyring.seal(key, place + "address", new.address),
        "phone_enc": keyring.seal(key, place + "phone", new.phone),
        "location_enc": keyring.seal(key, place + "location", text),
        "phone_blind": keyring.blind("phone", new.phone),
    }


def household_row(
    keyring: Keyring, household_id: UUID, case_number: str, new: NewHousehold, by: UUID, today: date
) -> Row:
    """A new household's row under a fresh data key."""
    key = keyring.new_data_key(str(household_id))
    consent = new.consent
    return household_fields(keyring, key, household_id, new) | {
        "id": household_id,
        "case_number": case_number,
        "area": new.area,
        "data_key": key,
        "vulnerabilities": new.vulnerabilities,
        "consent": consent.given,
        "consent_on": (consent.on or today) if consent.given else consent.on,
        "consent_by_guardian": consent.by_guardian,
        "content_hash": None,
        "created_by": by,
    }


def member_row(
    keyring: Keyring,
    key: bytes,
    household_id: UUID,
    member_id: UUID,
    area: str,
    position: int,
    new: NewMember,
) -> Row:
    """A member's row. Of the birth date only the 18th birthday stays readable to the database."""
    place = f"{household_id}|member:{member_id}|"
    born = new.birth_date.isoformat() if new.birth_date else None
    return {
        "id": member_id,
        "household_id": household_id,
        "area": area,
        "position": position,
        "name_enc": keyring.seal(key, place + "name", new.name),
        "id_number_enc": keyring.seal(key, place + "id_number", new.id_number),
        "birth_date_enc": keyring.seal(key, place + "birth_date", born),
        "name_blind": keyring.blind("name", new.name),
        "id_blind": keyring.blind("id_number", new.id_number),
        "relation": new.relation,
        "sex": new.sex,
        "minor_until": eighteenth_birthday(new.birth_date),
        "vulnerabilities": new.vulnerabilities,
    }


def open_household(keyring: Keyring, row: Mapping[str, Any], column: str) -> str | None:
    """One personal column of a household, readable. Raises `Unreadable` when it was moved or altered."""
    household_id = row["id"] if "id" in row else row["household_id"]
    return keyring.open(row["data_key"], f"{household_id}|household|{column}", row[f"{column}_enc"])


def open_member(
    keyring: Keyring,
    key: bytes,
    household_id: UUID,
    row: Mapping[str, Any],
    column: str,
    id_column: str = "id",
) -> str | None:
    """One personal column of a member, readable."""
    return keyring.open(key, f"{household_id}|member:{row[id_column]}|{column}", row[f"{column}_enc"])


def seal_text(
    keyring: Keyring, key: bytes, owner: UUID, what: str, about: UUID, text: str | None
) -> bytes | None:
    """A note of a visit (`what` 'visit'), who came along ('participants'), or the words of a need ('need'): what tells of a life."""
    return keyring.seal(key, f"{owner}|{what}:{about}|text", text)


def open_text(
    keyring: Keyring, key: bytes, owner: UUID, what: str, about: UUID, sealed: bytes | None
) -> str | None:
    return keyring.open(key, f"{owner}|{what}:{about}|text", sealed)
