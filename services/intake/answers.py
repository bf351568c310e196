"""What intake answers. Lists show personal fields masked; the answer of a command holds ids and states alone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class NotedNeed(Answer):
    """A need in words that waits for somebody to confirm its category."""

    need_id: UUID
    suggested_category: str | None
    confidence_milli: int


class VisitAnswer(Answer):
    visit_id: UUID
    beneficiary_id: UUID
    case_number: str
    need_ids: tuple[UUID, ...]
    notes: tuple[NotedNeed, ...] = ()


DuplicateWhy = Literal["same_household", "same_words", "same_household_same_words"]


class NeedState(Answer):
    need_id: UUID
    status: str
    version: int


class HouseholdState(Answer):
    household_id: UUID
    version: int
    consent: bool


class NeedItem(Answer):
    """One need. `whole`: it has to come from one giver in full; needs with the same `bundle_id` only help together."""

    need_id: UUID
    need_number: str
    beneficiary_id: UUID
    beneficiary_kind: str
    case_number: str
    area: str
    category: str | None
    quantity: int | None
    urgency: str
    needed_by: datetime | None
    status: str
    suggested_category: str | None
    confidence_milli: int
    committed: int
    received: int
    raised_at: datetime
    version: int
    whole: bool = False
    bundle_id: UUID | None = None
    text: str | None = None


class CommitmentItem(Answer):
    commitment_id: UUID
    offer_id: UUID
    quantity: int | None
    released: int
    approved_at: datetime | None
    delivery_id: UUID | None
    scheduled_for: datetime | None
    received: int | None
    short: int | None
    received_at: datetime | None


class FollowUpItem(Answer):
    follow_up_id: UUID
    kind: str | None
    need_id: UUID
    beneficiary_id: UUID
    area: str
    due_at: datetime
    overdue: bool
    answered_at: datetime | None
    outcome: str | None
    category: str | None = None
    quantity: int | None = None
    case_number: str = ""
    beneficiary_kind: str = ""


class BundledNeed(Answer):
    """Another need of the same bundle."""

    need_id: UUID
    category: str | None
    quantity: int | None
    status: str


class LikelyDuplicate(Answer):
    """Another need that is probably the same told twice. `why`: same_household (and category), same_words (in the same area) or
    same_household_same_words; `sure_milli` of 1,000. `later`: the one of the two that was told later, to withdraw if they are one.
    """

    other: NeedItem
    why: DuplicateWhy
    sure_milli: int
    later: UUID


class DuplicatePair(LikelyDuplicate):
    """`need` was told later than `other`."""

    need: NeedItem


class Duplicates(Answer):
    """The probable duplicates, the surest first, among the `looked_at` latest needs in the reader's sight that aren't finished."""

    looked_at: int
    items: list[DuplicatePair]


class NeedDetail(NeedItem):
    """`may` names what the state still allows: confirm, change, withdraw, follow_up, close. `bundled_with`: without these it is of no
    use. `duplicates`: needs that are probably this one, told twice."""

    visit_id: UUID
    may: tuple[str, ...]
    close_reason: str | None = None
    bundled_with: list[BundledNeed] = []
    duplicates: list[LikelyDuplicate] = []
    commitments: list[CommitmentItem]
    follow_ups: list[FollowUpItem]


class HouseholdItem(Answer):
    household_id: UUID
    case_number: str
    area: str
    head: str
    phone: str
    members: int
    vulnerabilities: tuple[str, ...]
    consent: bool
    version: int


class MemberItem(Answer):
    member_id: UUID
    name: str
    relation: str
    sex: str | None
    birth_date: str | None
    id_number: str | None
    minor: bool
    vulnerabilities: tuple[str, ...]


class VisitItem(Answer):
    visit_id: UUID
    visited_at: datetime
    participants: tuple[str, ...]
    note: str | None


class HouseholdDetail(Answer):
    """`masked` when the reader is not the town's worker."""

    household_id: UUID
    case_number: str
    area: str
    village: str | None
    address: str | None
    phone: str | None
    location: dict[str, float] | None
    vulnerabilities: tuple[str, ...]
    consent: bool
    consent_on: date | None
    consent_by_guardian: bool
    version: int
    masked: bool
    members: list[MemberItem]
    needs: list[NeedItem]
    visits: list[VisitItem]


class Contact(Answer):
    case_number: str
    area: str
    name: str
    phone: str | None
    village: str | None
    address: str | None


class Worklist(Answer):
    """`unhappy`: received needs whose follow-ups are all answered, but the help did not help enough."""

    to_confirm: list[NeedItem]
    unhappy: list[NeedItem]
    follow_ups: list[FollowUpItem]


def need_item(row: Any) -> dict[str, Any]:
    """The stored need as a list shows it, without its text."""
    return {"need_id": row["id"]} | {
        name: row[name] for name in NeedItem.model_fields if name not in ("need_id", "text")
    }
