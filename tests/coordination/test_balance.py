"""A long random history: at its end both services count the same promises, and nothing was ever promised twice."""

from __future__ import annotations

import random
from typing import Any

import pytest

from services.coordination.app import SERVICE as COORDINATION
from services.matcher.app import SERVICE as MATCHER
from shared import bus, jobs
from shared.events import Event, NeedRaised, OfferRegistered
from shared.service import local_send
from tests.coordination.build import APPROVE, DECLINE
from tests.house import House
from tests.matcher import facts

BOTH = {service.name: service for service in (COORDINATION, MATCHER)}
BALANCE = """
select
    (select count(*) from coordination.need n where n.met <> (
        select coalesce(sum(k.quantity - k.released), 0) from coordination.commitment k where k.need_id = n.id)) as needs_wrong,
    (select count(*) from coordination.offer o where o.committed <> (
        select coalesce(sum(k.quantity - case when k.returned_to_offer then k.released else 0 end), 0)
        from coordination.commitment k where k.offer_id = o.id)) as offers_wrong,
    (select count(*) from coordination.need n join matcher.need m on m.id = n.id where m.promised <> n.met) as needs_apart,
    (select count(*) from coordination.offer o join matcher.offer m on m.id = o.id where m.promised <> o.committed) as offers_apart,
    (select count(*) from coordination.commitment) as commitments"""


async def _settle(house: House, dice: random.Random) -> None:
    """Deliver and run what waits for the two services, in a shuffled order."""
    while True:
        batch = await bus.claim(house.db, list(BOTH))
        ready = await jobs.due(house.db, list(MATCHER.jobs))
        if not batch and not ready:
            break
        dice.shuffle(batch)
        await local_send(house.db, BOTH)(batch)
        await jobs.local_jobs(house.db, [MATCHER])(ready)
    assert not await house.db.pool.fetch(
        "select from bus.delivery where consumer = any ($1) and failures > 0", list(BOTH)
    )


def _change(dice: random.Random, needs: list[NeedRaised], offers: list[OfferRegistered]) -> Event:
    """A new need or offer, or a change of an old one."""
    match dice.randrange(6):
        case 0 | 1:
            needs.append(
                facts.need(quantity=dice.randint(1, 6), category=dice.choice(("FOD-RICE", "DLY-KIT")))
            )
            return needs[-1]
        case 2 | 3:
            offers.append(
                facts.offer(quantity=dice.randint(1, 9), category=dice.choice(("FOD-RICE", "DLY-KIT")))
            )
            return offers[-1]
        case 4 if needs:
            at = dice.randrange(len(needs))
            needs[at] = facts.changed(needs[at], quantity=dice.randint(1, 6))
            return needs[at]
        case _ if offers:
            at = dice.randrange(len(offers))
            offers[at] = facts.offer_changed(offers[at], quantity=dice.randint(1, 9))
            return offers[at]
        case _:
            needs.append(facts.need(category="FOD-RICE"))
            return needs[-1]


def _outcome(dice: random.Random, promise: dict[str, Any], need: Any, offer: Any) -> Event:
    """What becomes of a promise: received whole, received short, or not delivered."""
    whole = promise["quantity"]
    got = dice.randint(0, whole)
    if got == 0:
        return facts.failed(promise, need, offer, returned_to_offer=dice.random() < 0.5)
    short = {"short": whole - got, "short_reason": "not_sent" if got < whole else None}
    return facts.received(promise, need, offer, received=got, returned_to_offer=dice.random() < 0.5, **short)


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_books_balance(house: House, seed: int) -> None:
    dice = random.Random(seed)
    client = await house.person("coordinator", facts.COUNTY)
    needs: list[NeedRaised] = []
    offers: list[OfferRegistered] = []
    for _ in range(15):
        await house.publish(*(_change(dice, needs, offers) for _ in range(4)))
        await _settle(house, dice)
        for item in (await client.get("/api/coordination/v1/proposals")).json()["items"]:
            if dice.random() < 0.2:
                await client.post(DECLINE.format(item["proposal_id"]), json={"reason": "better_use"})
                continue
            answer = await client.post(
                APPROVE.format(item["proposal_id"]), json={"quantity": dice.randint(1, item["quantity"])}
            )
            assert answer.status_code == 200, answer.text
            need = next(n for n in needs if str(n.need_id) == item["need_id"])
            offer = next(o for o in offers if str(o.offer_id) == item["offer_id"])
            if dice.random() < 0.7:
                await house.publish(_outcome(dice, answer.json(), need, offer))
    await _settle(house, dice)
    balance = dict(await house.db.pool.fetchrow(BALANCE) or {})
    assert balance.pop("commitments") > 8
    assert set(balance.values()) == {0}, balance
