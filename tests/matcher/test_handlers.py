"""What the matcher learns: twice and in any order it comes to the same; every change leaves one job."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from shared.bus import new_id
from shared.events import CommitmentReleased, NeedClosed, ProposalApproved, ProposalDeclined
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import rows, run, tell


def approved(need: Any, offer: Any, quantity: int = 1) -> ProposalApproved:
    return ProposalApproved(
        version=2, proposal_id=new_id(), commitment_id=new_id(), need_id=need.need_id, beneficiary_id=need.beneficiary_id,
        case_number=need.case_number, offer_id=offer.offer_id, charity_id=offer.charity_id, area=need.area, category=offer.category,
        quantity=quantity, urgency=need.urgency, pickup=offer.pickup, approved_by=new_id(), approved_at=facts.NOW, need_left=0, offer_left=0,
    )  # fmt: skip


def released(of: ProposalApproved, quantity: int, *, returned: bool) -> CommitmentReleased:
    return CommitmentReleased(
        version=2, commitment_id=of.commitment_id, proposal_id=of.proposal_id, need_id=of.need_id, offer_id=of.offer_id, area=of.area,
        quantity=quantity, returned_to_offer=returned, reason="not_sent",
    )  # fmt: skip


async def test_a_need_keeps_its_latest_version_in_any_order(house: House) -> None:
    for order in permutations(range(3)):
        raised = facts.need()
        changed = facts.changed(raised, category="APP-FRIDGE", quantity=4)
        events = [raised, changed, facts.withdrawn(changed)]
        await house.deliver_twice("matcher", *(events[n] for n in order))
        (kept,) = await rows(
            house, "select version, category, quantity, open from matcher.need where id = $1", raised.need_id
        )
        assert kept == {"version": 2, "category": "APP-FRIDGE", "quantity": 4, "open": False}, order


async def test_an_offer_keeps_its_latest_version(house: House) -> None:
    first = facts.offer()
    changed = facts.offer_changed(first, quantity=9)
    await house.deliver_twice("matcher", facts.offer_withdrawn(changed), changed, first)
    (kept,) = await rows(
        house, "select version, quantity, open from matcher.offer where id = $1", first.offer_id
    )
    assert kept == {"version": 2, "quantity": 9, "open": False}


async def test_a_closed_need_is_no_longer_open(house: House) -> None:
    need = facts.need()
    closed = NeedClosed(version=2, need_id=need.need_id, area=need.area, follow_up_id=new_id())
    await house.deliver_twice("matcher", closed, need)
    assert await rows(house, "select open from matcher.need where id = $1", need.need_id) == [{"open": False}]


async def test_promises_and_releases_count_the_same_in_any_order(house: House) -> None:
    for returned, left in ((True, 1), (False, 3)):
        for order in permutations(range(4)):
            need, offer = facts.need(quantity=5), facts.offer(quantity=5)
            promise = approved(need, offer, 3)
            events = [need, offer, promise, released(promise, 2, returned=returned)]
            await house.deliver_twice("matcher", *(events[n] for n in order))
            (kept,) = await rows(
                house,
                "select n.promised as met, o.promised as taken from matcher.need n, matcher.offer o where n.id = $1 and o.id = $2",
                need.need_id,
                offer.offer_id,
            )
            assert kept == {"met": 1, "taken": left}, order


async def test_receipts_are_noted_once_and_empty_ones_not_at_all(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    promise = {"commitment_id": new_id(), "proposal_id": new_id(), "quantity": 1}
    await house.deliver_twice("matcher", need, offer, facts.received(promise, need, offer))
    await house.deliver_twice("matcher", facts.received(promise, need, offer, received=0, short=1))
    assert await rows(house, "select quantity, category from matcher.aid") == [
        {"quantity": 1, "category": "APP-FAN"}
    ]


async def test_a_declined_pair_is_remembered(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    no = ProposalDeclined(
        version=2,
        proposal_id=new_id(),
        need_id=need.need_id,
        offer_id=offer.offer_id,
        area=need.area,
        reason="too_far",
        declined_by=new_id(),
    )
    await house.deliver_twice("matcher", no)
    assert await rows(house, "select reason from matcher.declined") == [{"reason": "too_far"}]


async def test_however_much_changes_one_job_waits(house: House) -> None:
    await tell(house, *(facts.need() for _ in range(5)), facts.offer(), facts.need(category="FOD-RICE"))
    assert {row["category"] for row in await rows(house, "select category from matcher.dirty")} == {
        "APP-FAN",
        "FOD-RICE",
    }
    waiting = await rows(house, "select key from bus.job where kind = 'matcher.round' and state = 'queued'")
    assert waiting == [{"key": "round"}]
    await run(house)
    assert await rows(house, "select category from matcher.dirty") == []
    assert await run(house) == 0


async def test_old_news_leaves_no_job(house: House) -> None:
    need = facts.need()
    await tell(house, need)
    await run(house)
    await tell(house, need)
    assert await run(house) == 0


async def test_what_a_need_asks_beside_its_quantity_and_an_offer_can_give_in_a_day_is_kept(
    house: House,
) -> None:
    need, offer = facts.need(whole=True, bundle_id=new_id()), facts.offer(per_day_limit=6)
    await house.deliver_twice("matcher", need, offer)
    kept = await rows(
        house, "select n.whole, n.bundle_id, o.per_day_limit from matcher.need n, matcher.offer o"
    )
    assert kept == [{"whole": True, "bundle_id": need.bundle_id, "per_day_limit": 6}]
    await house.deliver_twice(
        "matcher", facts.changed(need, whole=False, bundle_id=None), facts.offer_changed(offer, per_day_limit=None)
    )  # fmt: skip
    kept = await rows(
        house, "select n.whole, n.bundle_id, o.per_day_limit from matcher.need n, matcher.offer o"
    )
    assert kept == [{"whole": False, "bundle_id": None, "per_day_limit": None}]


async def test_what_is_promised_and_not_handed_over_is_booked_in_any_order(house: House) -> None:
    for order in permutations(range(4)):
        need, offer = facts.need(quantity=9), facts.offer(quantity=9, per_day_limit=2)
        done, under_way = approved(need, offer, 3), approved(need, offer, 4)
        came = facts.received(
            {"commitment_id": done.commitment_id, "proposal_id": done.proposal_id}, need, offer
        )
        events = [offer, done, under_way, came]
        await house.deliver_twice("matcher", need, *(events[n] for n in order))
        [booked] = await rows(house, "select booked from matcher.offer where id = $1", offer.offer_id)
        assert booked == {"booked": 4}, order
        await tell(house, released(under_way, 1, returned=True))
        [booked] = await rows(house, "select booked from matcher.offer where id = $1", offer.offer_id)
        assert booked == {"booked": 3}
