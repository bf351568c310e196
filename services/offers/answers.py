"""What offers answer."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.errors import Fault
from shared.events import CharityKind, Condition, Pickup

State = Literal["open", "used_up", "expired", "withdrawn"]


class Note(BaseModel):
    """A rule and a sentence, still with its parameters apart so that it can be said in the reader's language."""

    model_config = ConfigDict(frozen=True)
    field: str
    rule: str
    message: str
    params: dict[str, Any] = {}

    @classmethod
    def of(cls, fault: Fault) -> Note:
        return cls(field=fault.field, rule=fault.rule, message=fault.message, params=dict(fault.params))


class CharityAnswer(BaseModel):
    charity_id: UUID
    name: str
    kind: CharityKind
    area: str
    version: int


class OfferStored(BaseModel):
    """The offer's new state; a warning is what keeps it from being matched."""

    offer_id: UUID
    offer_number: str
    version: int
    status: Literal["open", "withdrawn"]
    warnings: tuple[Note, ...] = ()


class NoteAnswer(BaseModel):
    """A rule and what it says, in the reader's words."""

    field: str
    rule: str
    message: str


class OfferStoredAnswer(BaseModel):
    offer_id: UUID
    offer_number: str
    version: int
    status: Literal["open", "withdrawn"]
    warnings: list[NoteAnswer]


class TownShare(BaseModel):
    """How much of an offer went to one town: `times` promises of `promised` units, `received` of them confirmed."""

    area: str
    times: int
    promised: int
    received: int


class OfferAnswer(BaseModel):
    """An offer and where it stands: quantity = free + committed + delivered + lost while it is open."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    offer_number: str
    charity_id: UUID
    charity_name: str
    category: str
    quantity: int
    free: int
    committed: int
    delivered: int
    lost: int
    state: State
    origin_area: str
    service_areas: list[str]
    radius_m: int | None
    pickup: Pickup
    available_from: AwareDatetime | None
    available_until: AwareDatetime | None
    expires_on: date | None
    designated_vulnerabilities: list[str]
    licences: list[str]
    vetted: bool
    per_household_limit: int | None
    per_day_limit: int | None
    unit_value_fen: int | None
    condition: Condition
    version: int


class OfferDetail(OfferAnswer):
    towns: list[TownShare]
