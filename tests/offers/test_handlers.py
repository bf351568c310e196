"""What becomes of an offer, told twice and in any order."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from shared.bus import new_id
from shared.events import DeliveryDelivered, DeliveryFailed, OfferChanged, OfferRegistered, OfferWithdrawn
from tests.house import House
from tests.offers.giving import NOW, TOWN, approved, giver, key, offer, received, released, scheduled


async def balance(house: House, offer_id: str) -> dict[str, Any]:
    async with house.db.transaction("nuanlian_offers_system") as conn:
        row = await conn.fetchrow(
            "select free, committed, delivered, lost, quantity from offers.standing where id = $1",
            UUID(offer_id),
        )
    assert row is not None
    assert row["free"] + row["committed"] + row["delivered"] + row["lost"] == row["quantity"]
    return dict(row)


async def test_free_committed_and_delivered_stand_apart(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    approval, delivery_id = approved(pledged["offer_id"], charity_id), new_id()
    await house.deliver_twice("offers", approval)
    assert await balance(house, pledged["offer_id"]) == {
        "free": 6,
        "committed": 4,
        "delivered": 0,
        "lost": 0,
        "quantity": 10,
    }
    brought = DeliveryDelivered(
        delivery_id=delivery_id, need_id=approval.need_id, offer_id=approval.offer_id, area=TOWN, at=NOW
    )
    await house.deliver_twice("offers", brought, scheduled(approval, delivery_id))
    assert await balance(house, pledged["offer_id"]) == {
        "free": 6,
        "committed": 0,
        "delivered": 4,
        "lost": 0,
        "quantity": 10,
    }


@pytest.mark.parametrize(("returned", "free", "lost"), [(True, 7, 0), (False, 6, 1)])
async def test_a_short_receipt_gives_the_rest_back_or_loses_it(
    house: House, returned: bool, free: int, lost: int
) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    approval, delivery_id = approved(pledged["offer_id"], charity_id), new_id()
    events = (approval, received(approval, delivery_id, 3, returned), released(approval, 1, returned))
    await house.deliver_twice("offers", *events)
    expected = {"free": free, "committed": 0, "delivered": 3, "lost": lost, "quantity": 10}
    assert await balance(house, pledged["offer_id"]) == expected


async def test_every_order_of_events_ends_the_same(house: House) -> None:
    client, charity_id = await giver(house)
    for number, order in enumerate(permutations(range(4))):
        pledged = await offer(client, offer_number=f"F-{number}")
        approval, delivery_id = approved(pledged["offer_id"], charity_id), new_id()
        events = [
            approval,
            scheduled(approval, delivery_id),
            received(approval, delivery_id, 1, True),
            released(approval, 3, True),
        ]
        await house.deliver_twice("offers", *(events[place] for place in order))
        expected = {"free": 9, "committed": 0, "delivered": 1, "lost": 0, "quantity": 10}
        assert await balance(house, pledged["offer_id"]) == expected


async def test_a_failed_delivery_is_not_counted_as_delivered(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    approval, delivery_id = approved(pledged["offer_id"], charity_id), new_id()
    told = {
        name: getattr(approval, name)
        for name in ("commitment_id", "proposal_id", "need_id", "offer_id", "area", "quantity")
    }
    failed = DeliveryFailed(**told, delivery_id=delivery_id, reason="damaged", returned_to_offer=True, at=NOW)
    brought = DeliveryDelivered(
        delivery_id=delivery_id, need_id=approval.need_id, offer_id=approval.offer_id, area=TOWN, at=NOW
    )
    await house.deliver_twice("offers", approval, brought, failed, released(approval, 4, True))
    assert (await balance(house, pledged["offer_id"]))["free"] == 10


async def test_registering_publishes_the_whole_offer(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client, unit_value_fen=12000)
    (told,) = [envelope.event() for envelope in await house.events(OfferRegistered)]
    assert isinstance(told, OfferRegistered)
    assert (told.charity_id, told.charity_name, told.quantity) == (charity_id, "暖阳示例慈善会", 10)
    assert told.service_areas == ("445381000000",), (
        "without service areas an offer serves the county of its origin"
    )
    assert str(told.offer_id) == pledged["offer_id"]


async def test_a_change_publishes_once_and_never_goes_below_what_is_promised(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    address = f"/api/offers/v1/offers/{pledged['offer_id']}"
    await house.deliver_twice("offers", approved(pledged["offer_id"], charity_id))
    too_few = await client.patch(address, json={"quantity": 3, "version": 1})
    assert too_few.status_code == 409
    assert too_few.json()["taken"] == 4
    assert (await client.patch(address, json={"quantity": 4, "version": 1})).json()["version"] == 2
    assert (await client.patch(address, json={"quantity": 5, "version": 1})).status_code == 409, "stale"
    same = await client.patch(address, json={"quantity": 4, "version": 2})
    assert same.json()["version"] == 2, "what changes nothing is no change"
    (told,) = [envelope.event() for envelope in await house.events(OfferChanged)]
    assert isinstance(told, OfferChanged)
    assert (told.quantity, told.version) == (4, 2)


async def test_withdrawing_keeps_what_is_promised(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    await house.deliver_twice("offers", approved(pledged["offer_id"], charity_id))
    address = f"/api/offers/v1/offers/{pledged['offer_id']}"
    gone = await client.post(f"{address}/withdraw", json={"reason": "no_stock", "version": 1}, headers=key())
    assert gone.json() == {
        "offer_id": pledged["offer_id"], "offer_number": "F-1", "version": 2, "status": "withdrawn", "warnings": [],
    }  # fmt: skip
    shown = (await client.get(address)).json()
    assert (shown["state"], shown["free"], shown["committed"]) == ("withdrawn", 0, 4)
    assert (await client.patch(address, json={"quantity": 9, "version": 2})).status_code == 409
    (told,) = await house.events(OfferWithdrawn)
    assert told.data["reason"] == "no_stock"
