"""The last unit: whoever comes first gets it, everybody else is told what is left."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx

from shared.events import ProposalApproved
from tests.coordination.build import approve, quantities, tell
from tests.house import House
from tests.matcher import facts

CROWD = 200


async def _race(client: httpx.AsyncClient, made: list[Any]) -> list[httpx.Response]:
    return await asyncio.gather(*(approve(client, one.proposal_id) for one in made))


def _check(answers: list[httpx.Response], rule: str, left: str) -> None:
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: CROWD - 1}
    for problem in (answer.json() for answer in answers if answer.status_code == 409):
        assert (problem["rule"], problem["item"], problem["left"], problem["unit"]) == (
            rule,
            "电风扇",
            0,
            "台",
        )
        assert problem[left] == 0


async def test_two_hundred_needs_ask_for_the_last_fan(house: House) -> None:
    offer = facts.offer(quantity=1)
    needs = [facts.need() for _ in range(CROWD)]
    made = [facts.proposal(need, offer) for need in needs]
    await tell(house, offer, *needs, *made)
    answers = await _race(await house.person("coordinator", facts.COUNTY), made)
    _check(answers, "offer_short", "left_offer")
    winner = next(one for one, answer in zip(made, answers, strict=True) if answer.status_code == 200)
    need = next(need for need in needs if need.need_id == winner.need_id)
    assert await quantities(house, need, offer) == (1, 1)
    assert len(await house.events(ProposalApproved)) == 1


async def test_two_hundred_offers_run_for_one_need(house: House) -> None:
    need = facts.need()
    offers = [facts.offer(quantity=5) for _ in range(CROWD)]
    made = [facts.proposal(need, offer) for offer in offers]
    await tell(house, need, *offers, *made)
    answers = await _race(await house.person("coordinator", facts.COUNTY), made)
    _check(answers, "need_short", "left_need")
    assert len(await house.events(ProposalApproved)) == 1


async def test_two_coordinators_approve_the_same_proposal(house: House) -> None:
    need, offer = facts.need(), facts.offer(quantity=1)
    made = facts.proposal(need, offer)
    await tell(house, need, offer, made)
    one, other = (
        await house.person("coordinator", facts.COUNTY),
        await house.person("coordinator", facts.COUNTY),
    )
    answers = await asyncio.gather(approve(one, made.proposal_id), approve(other, made.proposal_id))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    problem = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (problem["item"], problem["left"], problem["left_offer"], problem["left_need"]) == (
        "电风扇",
        0,
        0,
        0,
    )


async def test_parts_add_up_to_the_offer_and_no_further(house: House) -> None:
    offer = facts.offer(quantity=25, category="FOD-RICE")
    needs = [facts.need(category="FOD-RICE", quantity=4) for _ in range(20)]
    made = [facts.proposal(need, offer, quantity=4) for need in needs]
    await tell(house, offer, *needs, *made)
    client = await house.person("coordinator", facts.COUNTY)
    answers = await _race(client, made)
    assert Counter(answer.status_code for answer in answers) == {200: 6, 409: 14}
    assert {answer.json()["left"] for answer in answers if answer.status_code == 409} == {1}
    assert (await quantities(house, needs[0], offer))[1] == 24


async def test_crossing_batches_neither_deadlock_nor_overdraw(house: House) -> None:
    offers = [facts.offer(quantity=3) for _ in range(4)]
    needs = [facts.need(quantity=2) for _ in range(12)]
    made = [facts.proposal(need, offers[n % 4]) for n, need in enumerate(needs)] + [
        facts.proposal(need, offers[(n + 1) % 4]) for n, need in enumerate(needs)
    ]
    await tell(house, *offers, *needs, *made)
    client = await house.person("coordinator", facts.COUNTY)
    ids = [str(one.proposal_id) for one in made]
    batches = [ids, ids[::-1], ids[1::2] + ids[::2], ids[12:] + ids[:12]]
    answers = await asyncio.gather(
        *(
            client.post("/api/coordination/v1/approvals", json={"proposal_ids": batch, "key": f"k{n}"})
            for n, batch in enumerate(batches)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sum(len(answer.json()["approved"]) for answer in answers) == 12
    assert [(await quantities(house, needs[0], offer))[1] for offer in offers] == [3, 3, 3, 3]
