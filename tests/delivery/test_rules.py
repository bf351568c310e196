"""The way of a delivery, by itself."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.delivery import rules
from services.delivery.rules import Part, Status
from services.delivery.schemas import FailReason, ShortReason
from shared.labels import LABELS

ENDS = ("failed", "received")
parts = st.builds(Part, giver=st.booleans(), in_charge=st.booleans())
statuses = st.sampled_from(get_args(Status))


@given(statuses, parts)
def test_nothing_leads_out_of_an_end(status: Status, part: Part) -> None:
    steps = rules.next_steps(status, part)
    assert not steps or status not in ENDS


@given(st.lists(st.sampled_from(rules.STEPS), max_size=12))
def test_whatever_is_tried_no_state_is_skipped(steps: list[rules.Step]) -> None:
    way: list[Status] = ["scheduled"]
    for step in steps:
        if way[-1] in rules.sources(step):
            way.append(rules.target(step))
    if "received" in way:
        assert "dispatched" in way
    if "delivered" in way:
        assert way[way.index("delivered") - 1] == "dispatched"
    assert all(status not in ENDS for status in way[:-1])


@given(statuses)
def test_nobody_confirms_the_own_gift(status: Status) -> None:
    for in_charge in (True, False):
        assert "receive" not in rules.next_steps(status, Part(giver=True, in_charge=in_charge))
    assert rules.next_steps(status, Part(giver=False, in_charge=False)) == ()


@given(st.uuids(), st.uuids())
def test_one_commitment_has_one_delivery(one: UUID, two: UUID) -> None:
    assert (rules.delivery_id(one) == rules.delivery_id(two)) == (one == two)


@given(statuses)
def test_every_state_says_what_to_do(status: Status) -> None:
    assert "{version}" in rules.standing(status)


def test_every_reason_that_can_end_a_delivery_has_its_words() -> None:
    """A receipt of nothing ends the delivery with the reason that was given for the shortage."""
    reasons = {*get_args(FailReason), *get_args(ShortReason), "need_withdrawn"}
    assert reasons <= LABELS["fail_reason"].keys()
    assert set(get_args(ShortReason)) <= LABELS["short_reason"].keys()
