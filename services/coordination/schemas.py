"""What coordination is asked and what it answers. The request model is the command."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from shared.errors import RuleBroken
from shared.fields import IdempotencyKey, Quantity, Request, Version
from shared.labels import LABELS
from shared.reasons import Told


def _listed(reason: str) -> str:
    if reason not in LABELS["decline_reason"]:
        raise RuleBroken("unknown_reason", "请从列表里选一个谢绝理由。", field="reason")
    return reason


class ApproveProposal(Request):
    """Approve a pending proposal, or a part of it; `version` is the one that the approver saw."""

    quantity: Quantity | None = None
    version: Version | None = None
    idempotency_key: IdempotencyKey = None


class DeclineProposal(Request):
    """Say no, with a reason from the list."""

    reason: Annotated[str, AfterValidator(_listed)]
    version: Version | None = None
    idempotency_key: IdempotencyKey = None


class ApproveMany(Request):
    """Approve up to 200 proposals in one transaction, in the order given; those that can't be are refused one by one."""

    proposal_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]
    key: IdempotencyKey = None

    @property
    def idempotency_key(self) -> str | None:
        """What makes a repeated request one."""
        return self.key


class Approved(BaseModel):
    """One promise: `offer_left` and `need_left` are what remains after it."""

    proposal_id: UUID
    commitment_id: UUID
    quantity: int
    status: Literal["approved", "partly_approved"]
    offer_left: int
    need_left: int
    version: int


class RefusedOne(BaseModel):
    """One proposal that was not approved: the rule, and what its sentence needs."""

    proposal_id: UUID
    rule: str
    params: dict[str, Any]


class Approvals(BaseModel):
    """What became of each proposal."""

    approved: tuple[Approved, ...]
    refused: tuple[RefusedOne, ...]


class Declined(BaseModel):
    proposal_id: UUID
    status: Literal["declined"] = "declined"
    version: int


class AlternativeShown(BaseModel):
    """Another offer that could serve the need."""

    offer_id: UUID
    offer_number: str
    charity_name: str
    category: str
    offer_left: int
    score: int
    reasons: tuple[Told, ...]


class BundledNeed(BaseModel):
    """Another need of the same bundle, with what it lacks and the proposals that wait for it, the best first."""

    need_id: UUID
    category: str
    left: int
    proposal_ids: tuple[UUID, ...]


class ProposalShown(BaseModel):
    """A proposal with all that a decision needs. `score` is the sum of the reasons' points, in thousandths of a point.

    `whole`: it is approved in full or not at all; `together`: these needs only help together with it, so their proposals are approved
    in the same request.
    """

    proposal_id: UUID
    need_id: UUID
    offer_id: UUID
    area: str
    case_number: str
    category: str
    urgency: str
    needed_by: datetime | None
    vulnerabilities: tuple[str, ...]
    quantity: int
    need_left: int
    offer_category: str
    offer_number: str
    charity_name: str
    pickup: str
    offer_left: int
    score: int
    reasons: tuple[Told, ...]
    alternatives: tuple[AlternativeShown, ...]
    proposed_by: UUID | None
    status: str
    version: int
    listed_at: datetime
    decided_at: datetime | None
    decline_reason: str | None
    approved_quantity: int | None
    whole: bool = False
    bundle_id: UUID | None = None
    together: tuple[BundledNeed, ...] = ()

    @property
    def all_ids(self) -> tuple[UUID, ...]:
        """This proposal and those that wait for the rest of its bundle."""
        return (self.proposal_id, *(found for other in self.together for found in other.proposal_ids))


class RefusalShown(BaseModel):
    """A refusal in the caller's language; `status` is what it would be alone (409, 403, 422 or 404)."""

    proposal_id: UUID
    rule: str
    status: int
    message: str
    left_offer: int
    left_need: int


class ApprovalsAnswer(BaseModel):
    approved: tuple[Approved, ...]
    refused: tuple[RefusalShown, ...]


class CommitmentShown(BaseModel):
    commitment_id: UUID
    proposal_id: UUID
    need_id: UUID
    offer_id: UUID
    area: str
    quantity: int
    released: int
    returned_to_offer: bool
    status: str
    committed_at: datetime
