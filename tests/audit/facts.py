"""Events of one invented case, as their owners publish them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared import events as ev
from shared.bus import new_id

TOWN = "445381100000"
OTHER_TOWN = "445321100000"
THEN = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)


@dataclass
class Case:
    """One need from its visit to its follow-up; every method is one fact."""

    area: str = TOWN
    category: str = "APP-FAN"
    quantity: int = 2
    urgency: Any = "high"
    need: UUID = field(default_factory=new_id)
    household: UUID = field(default_factory=new_id)
    visit: UUID = field(default_factory=new_id)
    offer: UUID = field(default_factory=new_id)
    charity: UUID = field(default_factory=new_id)
    proposal: UUID = field(default_factory=new_id)
    commitment: UUID = field(default_factory=new_id)
    delivery: UUID = field(default_factory=new_id)
    person: UUID = field(default_factory=new_id)

    def visited(self) -> ev.VisitRecorded:
        return ev.VisitRecorded(
            visit_id=self.visit, beneficiary_id=self.household, beneficiary_kind="household", area=self.area,
            visited_at=THEN, worker_id=self.person, need_ids=(self.need,),
        )  # fmt: skip

    def noted(self) -> ev.NeedNoted:
        return ev.NeedNoted(
            need_id=self.need, beneficiary_id=self.household, area=self.area, noted_at=THEN, suggested_category=None,
            confidence_milli=0,
        )  # fmt: skip

    def raised(self, kind: type[ev.NeedRaised] = ev.NeedRaised, **changes: Any) -> ev.NeedRaised:
        values: dict[str, Any] = {
            "need_id": self.need, "beneficiary_id": self.household, "beneficiary_kind": "household",
            "case_number": "YF-示例-0001", "area": self.area, "category": self.category, "quantity": self.quantity,
            "urgency": self.urgency, "needed_by": None, "vulnerabilities": (), "minor": False, "consent": True,
            "raised_at": THEN, "raised_by": self.person,
        }  # fmt: skip
        return kind(**(values | changes))

    def proposed(self) -> ev.ProposalMade:
        return ev.ProposalMade(
            proposal_id=self.proposal, round_id=new_id(), need_id=self.need, offer_id=self.offer, area=self.area,
            quantity=self.quantity, score=61500, factors=(ev.Factor(code="urgency", points=20000),),
        )  # fmt: skip

    def approved(self, quantity: int | None = None) -> ev.ProposalApproved:
        return ev.ProposalApproved(
            proposal_id=self.proposal, commitment_id=self.commitment, need_id=self.need,
            beneficiary_id=self.household, case_number="YF-示例-0001", offer_id=self.offer, charity_id=self.charity,
            area=self.area, category=self.category, quantity=quantity or self.quantity, urgency=self.urgency,
            pickup="delivery", approved_by=self.person, approved_at=THEN + timedelta(days=1), need_left=0, offer_left=5,
        )  # fmt: skip

    def released(self, quantity: int) -> ev.CommitmentReleased:
        return ev.CommitmentReleased(
            commitment_id=self.commitment, proposal_id=self.proposal, need_id=self.need, offer_id=self.offer,
            area=self.area, quantity=quantity, returned_to_offer=True, reason="not_sent",
        )  # fmt: skip

    def dispatched(self) -> ev.DeliveryDispatched:
        return ev.DeliveryDispatched(
            delivery_id=self.delivery,
            need_id=self.need,
            offer_id=self.offer,
            area=self.area,
            at=THEN + timedelta(days=2),
        )

    def received(self, received: int | None = None, short: int = 0) -> ev.DeliveryReceived:
        return ev.DeliveryReceived(
            delivery_id=self.delivery, commitment_id=self.commitment, proposal_id=self.proposal, need_id=self.need,
            beneficiary_id=self.household, offer_id=self.offer, charity_id=self.charity, area=self.area,
            category=self.category, urgency=self.urgency, received=self.quantity if received is None else received,
            short=short, short_reason="not_sent" if short else None, returned_to_offer=bool(short),
            confirmed_by=self.person, at=THEN + timedelta(days=3),
        )  # fmt: skip

    def answered(self, follow_up_id: UUID) -> ev.FollowUpAnswered:
        return ev.FollowUpAnswered(
            follow_up_id=follow_up_id, need_id=self.need, delivery_id=self.delivery, area=self.area, visit_id=new_id(),
            outcome="helped", answered_at=THEN + timedelta(days=5),
        )  # fmt: skip

    def closed(self, follow_up_id: UUID) -> ev.NeedClosed:
        return ev.NeedClosed(need_id=self.need, area=self.area, follow_up_id=follow_up_id)

    def whole(self) -> list[ev.Event]:
        """From the visit to the receipt."""
        return [
            self.visited(), self.raised(), self.proposed(), self.approved(), self.dispatched(), self.received(),
        ]  # fmt: skip


def round_completed() -> ev.RoundCompleted:
    """A fact of no one area."""
    return ev.RoundCompleted(
        round_id=new_id(), started_at=THEN, seconds=0.25, categories=("APP-FAN",), seed=1, needs=1, offers=1, edges=1,
        proposed=1, unserved=0, objective=10, upper_bound=10, gap=1e-9, fairness=(),
    )  # fmt: skip
