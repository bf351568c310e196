"""Every fact that one service tells the others, in one file.

A fact is named in the past, carries ids, codes, quantities and areas, and never a name, phone, ID number or address.
Quantities are positive integers in the category's unit (yuan for cash categories); money is in fen; areas are official 12-digit codes;
times carry a zone. `version` is the version of the aggregate that `SUBJECT` names: an older version than the one known changes nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Area = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9_-]{2,24}$")]
Quantity = Annotated[int, Field(gt=0, le=10_000_000)]
Count = Annotated[int, Field(ge=0, le=10_000_000_000)]
Version = Annotated[int, Field(ge=1)]
Urgency = Literal["critical", "high", "normal", "low"]
BeneficiaryKind = Literal["household", "site", "institution", "group", "station"]
CharityKind = Literal["charity", "company", "volunteer_team"]
Pickup = Literal["delivery", "self_pickup"]
Condition = Literal["new", "used"]


class Event(BaseModel):
    """A fact. `TYPE` is its CloudEvents type, `SUBJECT` the field that names the aggregate it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    TYPE: ClassVar[str]
    SUBJECT: ClassVar[str]

    version: Version = 1

    @property
    def subject(self) -> str:
        return str(getattr(self, self.SUBJECT))


class Factor(BaseModel):
    """One reason for a score: `points` are thousandths of a point; the sum over the factors is the score."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str
    points: int
    params: dict[str, Any] = {}


class AreaShare(BaseModel):
    """How much of what one town asked for a round could give, in thousandths of a need's quantity."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    area: Area
    needs: Count
    share_before: int
    share_after: int


# intake ---------------------------------------------------------------------------------------------------------------


class HouseholdRegistered(Event):
    """A household was entered for the first time."""

    TYPE = "household.registered.v1"
    SUBJECT = "household_id"
    household_id: UUID
    area: Area
    members: Count
    vulnerabilities: tuple[Code, ...]


class HouseholdChanged(Event):
    """What matching needs to know of a household changed: members, vulnerabilities, area."""

    TYPE = "household.changed.v1"
    SUBJECT = "household_id"
    household_id: UUID
    area: Area
    members: Count
    vulnerabilities: tuple[Code, ...]


class ConsentGiven(Event):
    """The household, or its guardian, agreed that its needs are shared with donors."""

    TYPE = "consent.given.v1"
    SUBJECT = "household_id"
    household_id: UUID
    area: Area
    purpose: str
    text_version: str
    given_on: date
    by_guardian: bool


class ConsentWithdrawn(Event):
    """The household took its consent back: its open needs are no longer matched."""

    TYPE = "consent.withdrawn.v1"
    SUBJECT = "household_id"
    household_id: UUID
    area: Area


class VisitRecorded(Event):
    """A worker came to one beneficiary at one time; `follow_up_id` when the visit answered a follow-up."""

    TYPE = "visit.recorded.v1"
    SUBJECT = "visit_id"
    visit_id: UUID
    beneficiary_id: UUID
    beneficiary_kind: BeneficiaryKind
    area: Area
    visited_at: AwareDatetime
    worker_id: UUID
    need_ids: tuple[UUID, ...]
    follow_up_id: UUID | None = None


class NeedNoted(Event):
    """A need was written down in words alone; it is raised once its category is confirmed."""

    TYPE = "need.noted.v1"
    SUBJECT = "need_id"
    need_id: UUID
    beneficiary_id: UUID
    area: Area
    noted_at: AwareDatetime
    suggested_category: Code | None
    confidence_milli: int


class NeedRaised(Event):
    """One category × quantity that a beneficiary lacks, ready to be matched. Also carries every later change of it.

    `whole`: it has to come from one giver in full. Needs with the same `bundle_id` only help together: a bed with its mattress.
    """

    TYPE = "need.raised.v1"
    SUBJECT = "need_id"
    need_id: UUID
    beneficiary_id: UUID
    beneficiary_kind: BeneficiaryKind
    case_number: str
    area: Area
    category: Code
    quantity: Quantity
    urgency: Urgency
    needed_by: AwareDatetime | None
    vulnerabilities: tuple[Code, ...]
    minor: bool
    consent: bool
    raised_at: AwareDatetime
    raised_by: UUID
    whole: bool = False
    bundle_id: UUID | None = None


class NeedChanged(NeedRaised):
    """The need as it stands after a change of quantity, urgency, date, category or consent."""

    TYPE = "need.changed.v1"


class NeedWithdrawn(Event):
    """The need is no longer asked for."""

    TYPE = "need.withdrawn.v1"
    SUBJECT = "need_id"
    need_id: UUID
    area: Area
    reason: str


class NeedClosed(Event):
    """Everything of the need was received, every follow-up was answered, and it helped or the next need was raised."""

    TYPE = "need.closed.v1"
    SUBJECT = "need_id"
    need_id: UUID
    area: Area
    follow_up_id: UUID


class FollowUpAnswered(Event):
    """A visit or call checked whether the help helped."""

    TYPE = "followup.answered.v1"
    SUBJECT = "follow_up_id"
    follow_up_id: UUID
    need_id: UUID
    delivery_id: UUID
    area: Area
    visit_id: UUID
    outcome: Literal["helped", "partly", "not_helped"]
    answered_at: AwareDatetime


# offers ---------------------------------------------------------------------------------------------------------------


class CharityRegistered(Event):
    """An organisation that gives: a charity, a company or a volunteer team. Its name is public."""

    TYPE = "charity.registered.v1"
    SUBJECT = "charity_id"
    charity_id: UUID
    name: str
    kind: CharityKind
    area: Area


class OfferRegistered(Event):
    """One category × quantity that a charity pledges, with its conditions; `per_day_limit`: what it can hand over in a day."""

    TYPE = "offer.registered.v1"
    SUBJECT = "offer_id"
    offer_id: UUID
    offer_number: str
    charity_id: UUID
    charity_name: str
    category: Code
    quantity: Quantity
    origin_area: Area
    service_areas: tuple[Area, ...]
    radius_m: int | None
    pickup: Pickup
    available_from: AwareDatetime | None
    available_until: AwareDatetime | None
    expires_on: date | None
    designated_vulnerabilities: tuple[Code, ...]
    licences: tuple[str, ...]
    vetted: bool
    per_household_limit: int | None
    unit_value_fen: int | None
    condition: Condition
    per_day_limit: Quantity | None = None


class OfferChanged(OfferRegistered):
    """The offer as it stands after a change."""

    TYPE = "offer.changed.v1"


class OfferWithdrawn(Event):
    """The charity takes back what is not yet promised."""

    TYPE = "offer.withdrawn.v1"
    SUBJECT = "offer_id"
    offer_id: UUID
    charity_id: UUID
    area: Area
    reason: str


# matcher --------------------------------------------------------------------------------------------------------------


class Alternative(BaseModel):
    """Another offer that could serve the need, best first."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    offer_id: UUID
    score: int
    factors: tuple[Factor, ...]


class ProposalMade(Event):
    """A round's (or a person's) suggestion: this quantity of this offer to this need, with the reasons for its score.

    `whole` and `bundle_id` are the need's: it can't be approved in part, or without the others of its bundle.
    """

    TYPE = "proposal.made.v1"
    SUBJECT = "proposal_id"
    proposal_id: UUID
    round_id: UUID | None
    proposed_by: UUID | None = None
    need_id: UUID
    offer_id: UUID
    area: Area
    quantity: Quantity
    score: int
    factors: tuple[Factor, ...]
    alternatives: tuple[Alternative, ...] = ()
    bundle_id: UUID | None = None
    whole: bool = False


class ProposalSuperseded(Event):
    """A pending proposal that the engine no longer stands by."""

    TYPE = "proposal.superseded.v1"
    SUBJECT = "proposal_id"
    proposal_id: UUID
    need_id: UUID
    offer_id: UUID
    area: Area
    reason: Literal[
        "better_plan", "need_changed", "need_withdrawn", "offer_changed", "offer_withdrawn", "taken"
    ]


class RoundCompleted(Event):
    """One run of the engine, with the certificate of its plan and the share of need met by town."""

    TYPE = "round.completed.v1"
    SUBJECT = "round_id"
    round_id: UUID
    started_at: AwareDatetime
    seconds: float
    categories: tuple[Code, ...]
    seed: int
    needs: Count
    offers: Count
    edges: Count
    proposed: Count
    unserved: Count
    objective: int
    upper_bound: int
    gap: float
    fairness: tuple[AreaShare, ...]


class ModelPromoted(Event):
    """A person put a learned model in force in place of `replaces` (null: the office's own rules).

    `worse_for`: vulnerabilities that it was measured to serve worse; the person gave a reason, which is kept with the model.
    """

    TYPE = "model.promoted.v1"
    SUBJECT = "model_id"
    model_id: UUID
    number: Count
    replaces: UUID | None
    worse_for: tuple[Code, ...]
    promoted_by: UUID


class RulesRestored(Event):
    """A person took a learned model out of force: the office's own rules rank again."""

    TYPE = "rules.restored.v1"
    SUBJECT = "model_id"
    model_id: UUID
    number: Count
    restored_by: UUID


# coordination ---------------------------------------------------------------------------------------------------------


class ProposalApproved(Event):
    """Quantity was promised: the offer's committed and the need's met quantity grew in the same transaction."""

    TYPE = "proposal.approved.v1"
    SUBJECT = "proposal_id"
    proposal_id: UUID
    commitment_id: UUID
    need_id: UUID
    beneficiary_id: UUID
    case_number: str
    offer_id: UUID
    charity_id: UUID
    area: Area
    category: Code
    quantity: Quantity
    urgency: Urgency
    pickup: Pickup
    approved_by: UUID
    approved_at: AwareDatetime
    need_left: Count
    offer_left: Count


class ProposalDeclined(Event):
    """A coordinator said no, with a reason from the list."""

    TYPE = "proposal.declined.v1"
    SUBJECT = "proposal_id"
    proposal_id: UUID
    need_id: UUID
    offer_id: UUID
    area: Area
    reason: str
    declined_by: UUID


class CommitmentReleased(Event):
    """Promised quantity that was not delivered went back to the need, and to the offer where the charity still has it."""

    TYPE = "commitment.released.v1"
    SUBJECT = "commitment_id"
    commitment_id: UUID
    proposal_id: UUID
    need_id: UUID
    offer_id: UUID
    area: Area
    quantity: Quantity
    returned_to_offer: bool
    reason: str


# delivery -------------------------------------------------------------------------------------------------------------


class DeliveryScheduled(Event):
    """An approved proposal has a delivery; `scheduled_for` once a day was agreed."""

    TYPE = "delivery.scheduled.v1"
    SUBJECT = "delivery_id"
    delivery_id: UUID
    commitment_id: UUID
    proposal_id: UUID
    need_id: UUID
    offer_id: UUID
    charity_id: UUID
    area: Area
    quantity: Quantity
    scheduled_for: AwareDatetime | None


class DeliveryDispatched(Event):
    """The help left the charity."""

    TYPE = "delivery.dispatched.v1"
    SUBJECT = "delivery_id"
    delivery_id: UUID
    need_id: UUID
    offer_id: UUID
    area: Area
    at: AwareDatetime


class DeliveryDelivered(Event):
    """The charity says that the help arrived; receipt is still to be confirmed."""

    TYPE = "delivery.delivered.v1"
    SUBJECT = "delivery_id"
    delivery_id: UUID
    need_id: UUID
    offer_id: UUID
    area: Area
    at: AwareDatetime


class DeliveryFailed(Event):
    """The delivery did not happen; its whole quantity goes back."""

    TYPE = "delivery.failed.v1"
    SUBJECT = "delivery_id"
    delivery_id: UUID
    commitment_id: UUID
    proposal_id: UUID
    need_id: UUID
    offer_id: UUID
    area: Area
    quantity: Quantity
    reason: str
    returned_to_offer: bool
    at: AwareDatetime


class DeliveryReceived(Event):
    """The worker or the household confirmed what arrived; `short` is what did not."""

    TYPE = "delivery.received.v1"
    SUBJECT = "delivery_id"
    delivery_id: UUID
    commitment_id: UUID
    proposal_id: UUID
    need_id: UUID
    beneficiary_id: UUID
    offer_id: UUID
    charity_id: UUID
    area: Area
    category: Code
    urgency: Urgency
    received: Count
    short: Count
    short_reason: str | None
    returned_to_offer: bool
    confirmed_by: UUID
    at: AwareDatetime


# audit ----------------------------------------------------------------------------------------------------------------


class FollowUpDue(Event):
    """Someone has to come back and check, by `due_at`."""

    TYPE = "followup.due.v1"
    SUBJECT = "follow_up_id"
    follow_up_id: UUID
    kind: Literal["outcome", "safety"]
    need_id: UUID
    beneficiary_id: UUID
    delivery_id: UUID
    area: Area
    due_at: AwareDatetime


class FollowUpOverdue(Event):
    """`due_at` has passed without a follow-up."""

    TYPE = "followup.overdue.v1"
    SUBJECT = "follow_up_id"
    follow_up_id: UUID
    need_id: UUID
    beneficiary_id: UUID
    area: Area
    due_at: AwareDatetime


EVENTS: tuple[type[Event], ...] = (
    HouseholdRegistered,
    HouseholdChanged,
    ConsentGiven,
    ConsentWithdrawn,
    VisitRecorded,
    NeedNoted,
    NeedRaised,
    NeedChanged,
    NeedWithdrawn,
    NeedClosed,
    FollowUpAnswered,
    CharityRegistered,
    OfferRegistered,
    OfferChanged,
    OfferWithdrawn,
    ProposalMade,
    ProposalSuperseded,
    RoundCompleted,
    ModelPromoted,
    RulesRestored,
    ProposalApproved,
    ProposalDeclined,
    CommitmentReleased,
    DeliveryScheduled,
    DeliveryDispatched,
    DeliveryDelivered,
    DeliveryFailed,
    DeliveryReceived,
    FollowUpDue,
    FollowUpOverdue,
)
BY_TYPE = {event.TYPE: event for event in EVENTS}


class Envelope(BaseModel):
    """CloudEvents 1.0 around one event: `time` is the database's clock, `correlationid` one whole story, `causationid` the cause.

    Extension attribute names are lower-case letters and digits, as CloudEvents 1.0 section 3.1 requires.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    time: AwareDatetime
    subject: str
    datacontenttype: Literal["application/json"] = "application/json"
    correlationid: UUID
    causationid: UUID | None
    aggregateversion: Version
    data: dict[str, Any]

    def event(self) -> Event:
        """The fact itself. Raises `KeyError` for a type this release does not know and `ValidationError` for data out of contract."""
        return BY_TYPE[self.type].model_validate(self.data)
