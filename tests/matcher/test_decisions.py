"""What people decide is kept once, with the pair as it was, in any order of arrival."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from matching.features import NAMES
from services.matcher.decisions import decision_of
from services.matcher.learning import history
from shared.bus import new_id
from shared.events import FollowUpAnswered, ProposalDeclined, ProposalMade
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import plan, rows
from tests.matcher.test_handlers import approved


def declined(need: Any, offer: Any, reason: str = "too_far") -> ProposalDeclined:
    return ProposalDeclined(
        version=2, proposal_id=new_id(), need_id=need.need_id, offer_id=offer.offer_id, area=need.area, reason=reason,
        declined_by=new_id(),
    )  # fmt: skip


def answered(delivery: Any, outcome: str = "helped") -> FollowUpAnswered:
    return FollowUpAnswered.model_validate(
        {
            "follow_up_id": new_id(), "need_id": delivery.need_id, "delivery_id": delivery.delivery_id, "area": delivery.area,
            "visit_id": new_id(), "outcome": outcome, "answered_at": delivery.at,
        }
    )  # fmt: skip


async def test_an_approval_is_kept_with_the_features_that_the_rules_scored(house: House) -> None:
    need, offer = facts.need(quantity=2), facts.offer(quantity=3)
    await plan(house, need, offer)
    (made,) = await house.events(ProposalMade)
    yes = approved(need, offer, 2).model_copy(update={"proposal_id": UUID(made.data["proposal_id"])})
    await house.deliver_twice("matcher", yes)
    (kept,) = await rows(house, "select * from matcher.decision")
    assert (kept["outcome"], kept["category"], kept["vulnerabilities"]) == ("approved", "APP-FAN", ["ORPHAN"])
    assert set(kept["features"]) == set(NAMES)
    assert kept["features"]["quantity"] == 1.0  # as it was before the promise took its part
    points = {factor["code"]: factor["points"] for factor in made.data["factors"]}
    assert kept["features"]["vulnerability"] * 1_000 == points["vulnerability"]
    assert round(kept["features"]["distance"] * 10_000) == points["distance"]


async def test_a_refusal_is_kept_with_its_reason(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    await plan(house, need, offer)
    await house.deliver_twice("matcher", declined(need, offer))
    (kept,) = await rows(house, "select outcome, reason, features from matcher.decision")
    assert (kept["outcome"], kept["reason"]) == ("declined", "too_far")
    assert kept["features"]["category"] == 1.0


async def test_a_decision_about_what_is_not_known_is_kept_without_features(house: House) -> None:
    await house.deliver_twice("matcher", declined(facts.need(), facts.offer()))
    assert await rows(house, "select features, category from matcher.decision") == [
        {"features": None, "category": ""}
    ]


@pytest.mark.parametrize("late", [False, True])
async def test_receipt_and_follow_up_belong_to_their_decision(house: House, late: bool) -> None:
    need, offer = facts.need(), facts.offer()
    await plan(house, need, offer)
    yes = approved(need, offer)
    came = facts.received({"commitment_id": yes.commitment_id, "proposal_id": yes.proposal_id}, need, offer)
    events = [yes, came, answered(came)]
    await house.deliver_twice("matcher", *(events[::-1] if late else events))
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        (told,) = await history(conn)
    assert (told.approved, told.outcome, told.received_at) == (True, "helped", came.at)
    assert told.board.startswith("APP-FAN 445381 ")


def test_a_decision_with_features_of_another_release_is_left_alone() -> None:
    assert decision_of({"features": {"charm": 1.0}}) is None
