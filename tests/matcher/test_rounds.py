"""Rounds on a real database: what is proposed, what stays, what is taken back, and what is said of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from services.matcher.app import SERVICE
from services.matcher.handlers import SQL
from services.matcher.loading import load
from services.matcher.rounds import plan_of
from services.matcher.rules import catalogue, component, head_of
from shared import jobs
from shared.bus import new_id
from shared.events import ProposalDeclined, ProposalMade, ProposalSuperseded, RoundCompleted
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import pending, plan, rows, run, tell
from tests.matcher.test_handlers import approved

SOMEBODY_WAITS = """do $$ begin
    while not exists (
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    ) loop perform pg_stat_clear_snapshot(); perform pg_sleep(0.01); end loop;
end $$"""


async def _reasons(house: House) -> list[str]:
    return [event.data["reason"] for event in await house.events(ProposalSuperseded)]


async def test_a_need_and_an_offer_become_a_proposal_with_its_reasons(house: House) -> None:
    need, offer, other = facts.need(), facts.offer(), facts.offer(origin_area=facts.RONGGUI)
    assert await plan(house, need, offer, other) == {(str(need.need_id), str(offer.offer_id)): 1}
    (event,) = await house.events(ProposalMade)
    assert sum(factor["points"] for factor in event.data["factors"]) == event.data["score"]
    assert [one["offer_id"] for one in event.data["alternatives"]] == [str(other.offer_id)]
    (done,) = await house.events(RoundCompleted)
    assert (done.data["proposed"], done.data["unserved"], done.data["gap"]) == (1, 0, 0.0)
    assert done.data["categories"] == ["APP-CEILFAN", "APP-FAN"]
    assert [share["share_after"] for share in done.data["fairness"]] == [1000]
    (stored,) = await rows(house, "select seed, made, certificate from matcher.round")
    assert (stored["seed"], stored["made"], stored["certificate"]["objective"]) == (
        done.data["seed"],
        1,
        event.data["score"],
    )


async def test_what_is_still_right_is_left_alone(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    first = await plan(house, need, offer)
    (made,) = await house.events(ProposalMade)
    late = facts.need()
    second = await plan(house, late)
    assert first.items() <= second.items()
    before, _ = await house.events(ProposalMade)
    assert before.id == made.id
    assert await _reasons(house) == []


async def test_a_round_that_changes_nothing_leaves_no_trace(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    await plan(house, need, offer)
    await plan(house, facts.changed(need, urgency="normal"))
    assert len(await house.events(RoundCompleted)) == 1
    assert len(await rows(house, "select id from matcher.round")) == 1


async def test_a_more_urgent_need_takes_the_last_one_over(house: House) -> None:
    calm, offer = facts.need(urgency="low"), facts.offer(quantity=1)
    await plan(house, calm, offer)
    urgent = facts.need(urgency="critical")
    assert await plan(house, urgent) == {(str(urgent.need_id), str(offer.offer_id)): 1}
    assert await _reasons(house) == ["better_plan"]
    (told,) = await rows(house, "select need_id, missing, refusals from matcher.unserved")
    assert (told["need_id"], told["missing"], told["refusals"][0]["rule"]) == (calm.need_id, 1, "outranked")


async def test_withdrawals_take_proposals_back_with_their_reason(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    await plan(house, need, offer)
    assert await plan(house, facts.withdrawn(need)) == {}
    again = facts.need()
    await plan(house, again)
    assert await plan(house, facts.offer_withdrawn(offer)) == {}
    assert await _reasons(house) == ["need_withdrawn", "offer_withdrawn"]


async def test_a_changed_category_moves_the_need_to_its_new_pool(house: House) -> None:
    need, fan, rice = facts.need(), facts.offer(), facts.offer(category="FOD-RICE")
    await plan(house, need, fan, rice)
    assert await plan(house, facts.changed(need, category="FOD-RICE")) == {
        (str(need.need_id), str(rice.offer_id)): 1
    }
    assert await _reasons(house) == ["need_changed"]


async def test_a_promise_uses_up_the_offer_and_the_rest_of_the_need_stays_open(house: House) -> None:
    need, offer = facts.need(category="FOD-RICE", quantity=5), facts.offer(category="FOD-RICE", quantity=8)
    await plan(house, need, offer)
    promise = approved(need, offer, 3).model_copy(update={"proposal_id": (await _pending_id(house))})
    assert await plan(house, promise) == {(str(need.need_id), str(offer.offer_id)): 2}
    assert await plan(house, facts.need(category="FOD-RICE", quantity=9)) != {}
    assert sum((await pending(house)).values()) == 5


async def _pending_id(house: House) -> Any:
    (row,) = await rows(house, "select id from matcher.proposal where status = 'pending'")
    return row["id"]


async def test_a_declined_pair_is_never_proposed_again(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    await plan(house, need, offer)
    no = ProposalDeclined(
        version=2, proposal_id=await _pending_id(house), need_id=need.need_id, offer_id=offer.offer_id, area=need.area,
        reason="too_far", declined_by=new_id(),
    )  # fmt: skip
    assert await plan(house, no) == {}
    (told,) = await rows(house, "select refusals from matcher.unserved")
    assert [r["rule"] for r in told["refusals"]] == ["declined_before"]
    other = facts.offer(origin_area=facts.RONGGUI)
    assert await plan(house, other) == {(str(need.need_id), str(other.offer_id)): 1}
    assert await rows(house, "select need_id from matcher.unserved") == []


async def test_a_household_that_has_a_fan_gets_no_second_one(house: House) -> None:
    home = new_id()
    first, offer = facts.need(beneficiary_id=home), facts.offer()
    promise = approved(first, offer)
    done = facts.received(
        {"commitment_id": promise.commitment_id, "proposal_id": promise.proposal_id}, first, offer
    )
    second = facts.need(beneficiary_id=home)
    assert await plan(house, first, offer, promise, second) == {}
    assert await _why(house, second) == ["aid_pending"]
    assert await plan(house, done) == {}
    assert await _why(house, second) == ["aid_received"]


async def _why(house: House, need: Any) -> list[str]:
    (told,) = await rows(house, "select refusals from matcher.unserved where need_id = $1", need.need_id)
    return [r["rule"] for r in told["refusals"]]


async def test_the_sweep_finds_what_time_has_changed(house: House) -> None:
    need, offer = facts.need(), facts.offer(available_until=facts.NOW + timedelta(days=1))
    await plan(house, need, offer)
    await jobs.tick(house.db, "matcher.sweep")
    await run(house)
    assert await rows(house, "select category from matcher.dirty") == []
    await house.db.pool.execute("update matcher.offer set available_until = now() - interval '1 minute'")
    await jobs.tick(house.db, "matcher.sweep")
    await run(house)
    await run(house)
    assert await pending(house) == {}
    assert await _reasons(house) == ["offer_changed"]


async def test_the_sweep_wakes_what_was_marked_and_forgotten(house: House) -> None:
    await tell(house, facts.need(), facts.offer())
    await house.db.pool.execute("delete from bus.job")
    await jobs.tick(house.db, "matcher.sweep")
    await run(house)
    await run(house)
    assert len(await pending(house)) == 1


async def test_a_round_waits_for_marks_under_way(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    await tell(house, need)
    ready = await jobs.due(house.db, list(SERVICE.jobs))
    async with house.db.transaction(SERVICE.system_role) as conn:
        await SERVICE.on[type(offer)](conn, offer)
        running = asyncio.ensure_future(jobs.local_jobs(house.db, [SERVICE])(ready))
        await house.db.pool.execute(SOMEBODY_WAITS)
    await running
    assert len(await pending(house)) == 1


def _mixed() -> list[Any]:
    codes, levels = ("APP-FAN", "FOD-RICE", "MED-WCH"), ("critical", "high", "normal")
    needs = [facts.need(category=code, urgency=level) for code in codes for level in levels]
    return needs + [facts.offer(category=code, quantity=2) for code in codes]


async def test_families_of_categories_are_planned_side_by_side_as_one_round_would(house: House) -> None:
    await tell(house, *_mixed())
    async with house.db.transaction(SERVICE.system_role) as conn:
        now = await SQL.clock(conn)
        whole = plan_of(await load(conn, tuple(sorted(catalogue())), now), now)
    first = await jobs.due(house.db, ["matcher.round"])
    await jobs.local_jobs(house.db, [SERVICE])(first)
    families = await jobs.due(house.db, ["matcher.round"])
    assert (len(first), len(families)) == (1, 3)
    assert await pending(house) == {}
    await asyncio.gather(*(jobs.local_jobs(house.db, [SERVICE])([job]) for job in families))
    assert await pending(house) == {(a.need_id, a.offer_id): a.quantity for a in whole.assignments}
    assert len(await house.events(RoundCompleted)) == 3


async def test_a_round_over_everything_has_none_beside_it(house: House) -> None:
    await tell(house, *_mixed())
    await jobs.local_jobs(house.db, [SERVICE])(await jobs.due(house.db, ["matcher.round"]))
    families = await jobs.due(house.db, ["matcher.round"])
    async with house.db.transaction(SERVICE.system_role) as conn:
        await SQL.lock_round(conn)
        running = asyncio.ensure_future(jobs.local_jobs(house.db, [SERVICE])(families[:1]))
        await house.db.pool.execute(SOMEBODY_WAITS)
        assert not running.done()
    await running
    async with house.db.transaction(SERVICE.system_role) as conn:
        await SQL.share_round(conn)
        await jobs.local_jobs(house.db, [SERVICE])(families[1:])
    assert len(await pending(house)) == 3 * 2


async def test_the_same_scope_time_and_seed_give_the_same_plan(house: House) -> None:
    needs = [facts.need(area=area) for area in (facts.LUOJING, facts.RONGGUI) for _ in range(6)]
    await tell(house, *needs, *(facts.offer(quantity=2) for _ in range(4)))
    async with house.db.transaction(SERVICE.system_role) as conn:
        now = await SQL.clock(conn)
        codes = component(["APP-FAN"])
        one, two = await load(conn, codes, now), await load(conn, codes, now)
    assert one == two
    assert plan_of(one, now) == plan_of(two, now)
    assert sum(a.quantity for a in plan_of(one, now).assignments) == 8


async def test_a_need_that_became_more_urgent_is_proposed_anew_with_its_reasons(house: House) -> None:
    need, offer = facts.need(urgency="normal"), facts.offer()
    await plan(house, need, offer)
    await tell(house, facts.changed(need, urgency="critical"))
    await run(house)
    first, second = await house.events(ProposalMade)
    assert second.data["score"] > first.data["score"]
    assert await _reasons(house) == ["need_changed"]
    assert len(await pending(house)) == 1


async def test_what_towns_and_classes_were_promised_is_the_running_account(house: House) -> None:
    served = facts.need(vulnerabilities=("DIBAO", "VETERAN"))
    waiting = facts.need(vulnerabilities=("DIBAO",), area=facts.RONGGUI)
    offer = facts.offer()
    await tell(house, served, waiting, offer, approved(served, offer))
    async with house.db.transaction(SERVICE.system_role) as conn:
        scope = await load(conn, component(["APP-FAN"]), await SQL.clock(conn))
    assert scope.shares == {facts.LUOJING: 1000, facts.RONGGUI: 0, "DIBAO": 500, "VETERAN": 1000}


def _bed_and_mattress(**changes: Any) -> list[Any]:
    """Two needs of one household that only help together, of categories that nothing else joins."""
    both = {"beneficiary_id": new_id(), "bundle_id": new_id(), "whole": True} | changes
    return [facts.need(category=code, **both) for code in ("FUR-BED", "FUR-MATT")]


async def test_what_a_bundle_joins_is_planned_in_one_round(house: House) -> None:
    bed, mattress = _bed_and_mattress()
    offers = [facts.offer(category=code) for code in ("FUR-BED", "FUR-MATT", "FOD-RICE")]
    await tell(house, bed, mattress, facts.need(category="FOD-RICE"), *offers)
    await run(house)
    assert len(await pending(house)) == 3
    categories = [set(done.data["categories"]) for done in await house.events(RoundCompleted)]
    assert len(categories) == 2
    assert sum({"FUR-BED", "FUR-MATT"} <= some for some in categories) == 1
    made = [event.data for event in await house.events(ProposalMade) if event.data["bundle_id"]]
    assert {one["need_id"] for one in made} == {str(bed.need_id), str(mattress.need_id)}
    assert {(one["bundle_id"], one["whole"]) for one in made} == {(str(bed.bundle_id), True)}


async def test_a_change_of_one_category_plans_the_whole_bundle_again(house: House) -> None:
    bed, mattress = _bed_and_mattress()
    assert await plan(house, bed, mattress, facts.offer(category="FUR-BED")) == {}
    told = await rows(house, "select need_id, refusals from matcher.unserved")
    assert {r["rule"] for row in told if row["need_id"] == bed.need_id for r in row["refusals"]} == {
        "bundle_incomplete"
    }
    await plan(house, facts.offer(category="FUR-MATT"))
    rounds = [set(done.data["categories"]) for done in await house.events(RoundCompleted)]
    assert {"FUR-BED", "FUR-MATT"} <= rounds[-1]
    assert {need for need, _ in await pending(house)} == {str(bed.need_id), str(mattress.need_id)}


async def test_a_bundle_that_is_whole_again_elsewhere_joins_nothing(house: House) -> None:
    bed, mattress = _bed_and_mattress()
    await plan(house, bed, mattress, facts.withdrawn(mattress), facts.offer(category="FUR-BED"))
    assert {need for need, _ in await pending(house)} == {str(bed.need_id)}
    (done,) = await house.events(RoundCompleted)
    assert "FUR-MATT" not in done.data["categories"]


async def test_a_second_job_of_a_joined_family_finds_nothing_to_do(house: House) -> None:
    await tell(house, *_bed_and_mattress(), *(facts.offer(category=code) for code in ("FUR-BED", "FUR-MATT")))
    async with house.db.transaction(SERVICE.system_role) as conn:
        for head in ("FUR-BED", "FUR-MATT"):
            await jobs.enqueue(conn, "matcher.round", key=head)
    await asyncio.gather(
        *(jobs.local_jobs(house.db, [SERVICE])([job]) for job in await jobs.due(house.db, ["matcher.round"]))
    )
    await run(house)
    assert len(await house.events(RoundCompleted)) == 1
    assert len(await pending(house)) == 2


async def test_a_bundle_that_comes_while_a_round_waits_is_planned_whole(house: House) -> None:
    await tell(house, facts.offer(category="FUR-BED"), facts.offer(category="FUR-MATT"))
    await run(house)
    bed, mattress = _bed_and_mattress()
    await tell(house, bed)
    waiting = await jobs.due(house.db, ["matcher.round"])
    async with house.db.transaction(SERVICE.system_role) as conn:
        await SQL.lock_family(conn, family=head_of("FUR-BED"))
        running = asyncio.ensure_future(jobs.local_jobs(house.db, [SERVICE])(waiting))
        await house.db.pool.execute(SOMEBODY_WAITS)
        async with house.db.transaction(SERVICE.system_role) as other:
            await SERVICE.on[type(mattress)](other, mattress)
    await running
    assert await pending(house) == {}
    await run(house)
    assert {need for need, _ in await pending(house)} == {str(bed.need_id), str(mattress.need_id)}
    assert all(
        {"FUR-BED", "FUR-MATT"} <= set(d.data["categories"]) for d in await house.events(RoundCompleted)
    )


async def test_a_need_whose_bundle_reaches_further_is_left_to_the_round_over_all_of_it(house: House) -> None:
    bed, mattress = _bed_and_mattress()
    await tell(house, bed, mattress)
    async with house.db.transaction(SERVICE.system_role) as conn:
        now = await SQL.clock(conn)
        alone = await load(conn, component(["FUR-BED"]), now)
        both = await load(conn, component(["FUR-BED", "FUR-MATT"]), now)
    assert alone.needs == ()
    assert {need.id for need in both.needs} == {str(bed.need_id), str(mattress.need_id)}
    assert {(need.bundle, need.whole) for need in both.needs} == {(str(bed.bundle_id), True)}


async def test_what_is_under_way_is_booked_on_the_days_of_an_offer(house: House) -> None:
    need, offer = facts.need(quantity=9), facts.offer(quantity=9, per_day_limit=2)
    await tell(house, need, offer, approved(need, offer, 3))
    async with house.db.transaction(SERVICE.system_role) as conn:
        scope = await load(conn, component(["APP-FAN"]), await SQL.clock(conn))
    [given] = scope.offers
    assert (given.per_day_limit, given.booked, given.quantity) == (2, 3, 6)
