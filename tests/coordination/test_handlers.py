"""What coordination learns: twice and in any order it comes to the same."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from shared.bus import new_id
from shared.events import CommitmentReleased, NeedClosed, ProposalSuperseded
from tests.coordination.build import approve, pair, quantities, row, tell
from tests.house import House
from tests.matcher import facts


async def _promise(house: House, quantity: int = 3, **offer: Any) -> tuple[Any, Any, dict[str, Any]]:
    need, given, made = await pair(house, quantity, **offer)
    client = await house.person("coordinator", facts.COUNTY)
    answer = await approve(client, made.proposal_id)
    assert answer.status_code == 200, answer.text
    return need, given, answer.json()


async def test_needs_keep_their_latest_version(house: House) -> None:
    first = facts.need(quantity=2)
    second = facts.changed(first, quantity=5, urgency="critical")
    await house.deliver_twice("coordination", second, first)
    kept = await row(
        house, "select version, quantity, urgency, open from coordination.need where id = $1", first.need_id
    )
    assert kept == {"version": 2, "quantity": 5, "urgency": "critical", "open": True}


async def test_a_need_that_ended_stays_ended_in_any_order(house: House) -> None:
    for order in permutations(range(3)):
        raised = facts.need()
        events = [raised, facts.changed(raised), facts.withdrawn(facts.changed(raised))]
        await house.deliver_twice("coordination", *(events[n] for n in order))
        kept = await row(house, "select version, open from coordination.need where id = $1", raised.need_id)
        assert kept == {"version": 2, "open": False}, order


async def test_offers_likewise(house: House) -> None:
    first = facts.offer()
    await house.deliver_twice(
        "coordination",
        facts.offer_withdrawn(facts.offer_changed(first)),
        facts.offer_changed(first, quantity=9),
        first,
    )
    kept = await row(
        house, "select version, quantity, open from coordination.offer where id = $1", first.offer_id
    )
    assert kept == {"version": 2, "quantity": 9, "open": False}


async def test_a_closed_need_leaves_the_board(house: House) -> None:
    need, _, made = await pair(house)
    await house.deliver_twice(
        "coordination", NeedClosed(version=2, need_id=need.need_id, area=need.area, follow_up_id=new_id())
    )
    kept = await row(house, "select status from coordination.proposal where id = $1", made.proposal_id)
    assert kept == {"status": "superseded"}


async def test_a_proposal_superseded_before_it_was_listed_stays_off(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    made = facts.proposal(need, offer)
    gone = ProposalSuperseded(
        version=2,
        proposal_id=made.proposal_id,
        need_id=need.need_id,
        offer_id=offer.offer_id,
        area=need.area,
        reason="better_plan",
    )
    await house.deliver_twice("coordination", gone, made, need, offer)
    kept = await row(
        house, "select status, score, quantity from coordination.proposal where id = $1", made.proposal_id
    )
    assert kept == {"status": "superseded", "score": 91_000, "quantity": 1}


async def test_a_lowered_need_keeps_what_is_promised(house: House) -> None:
    need, _, promise = await _promise(house)
    await tell(house, facts.changed(need, quantity=1))
    kept = await row(house, "select asked, quantity, met from coordination.need where id = $1", need.need_id)
    assert kept == {"asked": 1, "quantity": 3, "met": 3}
    await tell(house, facts.failed(promise, need, facts.offer()))
    kept = await row(house, "select asked, quantity, met from coordination.need where id = $1", need.need_id)
    assert kept == {"asked": 1, "quantity": 1, "met": 0}


async def test_a_failed_delivery_gives_everything_back_once(house: House) -> None:
    need, offer, promise = await _promise(house)
    assert await quantities(house, need, offer) == (3, 3)
    await house.deliver_twice("coordination", facts.failed(promise, need, offer))
    assert await quantities(house, need, offer) == (0, 0)
    released = await house.events(CommitmentReleased)
    assert [(e.data["quantity"], e.data["returned_to_offer"], e.data["reason"]) for e in released] == [
        (3, True, "nobody_home")
    ]
    kept = await row(
        house,
        "select status, released from coordination.commitment where id = $1::uuid",
        promise["commitment_id"],
    )
    assert kept == {"status": "released", "released": 3}


async def test_a_lost_delivery_goes_back_to_the_need_alone(house: House) -> None:
    need, offer, promise = await _promise(house)
    await house.deliver_twice("coordination", facts.failed(promise, need, offer, returned_to_offer=False))
    assert await quantities(house, need, offer) == (0, 3)


async def test_a_short_receipt_gives_the_rest_back_once(house: House) -> None:
    need, offer, promise = await _promise(house)
    short = facts.received(
        promise, need, offer, received=1, short=2, short_reason="not_sent", returned_to_offer=True
    )
    await house.deliver_twice("coordination", short)
    assert await quantities(house, need, offer) == (1, 1)
    assert [e.data["quantity"] for e in await house.events(CommitmentReleased)] == [2]
    kept = await row(
        house,
        "select status, released from coordination.commitment where id = $1::uuid",
        promise["commitment_id"],
    )
    assert kept == {"status": "fulfilled", "released": 2}


async def test_a_full_receipt_releases_nothing(house: House) -> None:
    need, offer, promise = await _promise(house)
    await house.deliver_twice("coordination", facts.received(promise, need, offer, received=3))
    assert await quantities(house, need, offer) == (3, 3)
    assert await house.events(CommitmentReleased) == []
