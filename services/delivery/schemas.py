"""What deliveries are asked for and what they answer. The request model is the command."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.delivery.rules import Status
from shared.events import Pickup, Urgency
from shared.fields import IdempotencyKey, Request, Version

FailReason = Literal[
    "nobody_home", "address_wrong", "refused", "damaged", "no_transport", "not_sent", "other"
]
ShortReason = Literal["not_sent", "damaged", "lost", "wrong_item", "other"]


class Step(Request):
    """One step of a delivery, made from the version that the person saw."""

    version: Version
    idempotency_key: IdempotencyKey = None


class Schedule(Step):
    scheduled_for: AwareDatetime


class Dispatch(Step):
    """The help has left the charity."""


class Deliver(Step):
    """The help has arrived, says whoever brought it."""


class Fail(Step):
    """It did not happen. `still_with_charity`: the goods are still there to give, so the offer gets them back."""

    reason: FailReason
    still_with_charity: bool = True


class Receive(Step):
    """`received` units of the promised quantity arrived; a reason is needed for what did not. Zero ends the delivery as failed."""

    received: Annotated[int, Field(ge=0, le=10_000_000, strict=True)]
    short_reason: ShortReason | None = None
    still_with_charity: bool = True


class DeliveryState(BaseModel):
    """Where a delivery stands after a step."""

    delivery_id: UUID
    status: Status
    version: int


class DeliveryAnswer(BaseModel):
    """A delivery as whoever takes part in it sees it: no name, no address."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    commitment_id: UUID
    proposal_id: UUID
    need_id: UUID
    beneficiary_id: UUID
    case_number: str
    offer_id: UUID
    charity_id: UUID
    charity_name: str
    area: str
    category: str
    quantity: int
    urgency: Urgency
    pickup: Pickup
    status: Status
    overdue: bool
    approved_at: AwareDatetime
    scheduled_for: AwareDatetime | None
    dispatched_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    received_at: AwareDatetime | None
    failed_at: AwareDatetime | None
    received: int | None
    short_reason: str | None
    fail_reason: str | None
    version: int
