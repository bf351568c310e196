"""What others say of a need: each fact twice, in every order, and the state is the same."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

from tests.house import House
from tests.intake.invented import API, LUOJING, NOW, Story, one_need


async def _state(house: House, need_id: Any) -> tuple[str, int, int]:
    row = await house.db.pool.fetchrow(
        "select status, committed, received from intake.need where id = $1", need_id
    )
    assert row
    return row["status"], row["committed"], row["received"]


async def test_a_need_goes_its_way(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker, needs=[{"category": "APP-FAN", "quantity": 3}])
    first, second = Story(need), Story(need)
    await house.deliver_twice("intake", first.approved(2))
    assert await _state(house, first.need_id) == ("partly_met", 2, 0)
    await house.deliver_twice("intake", second.approved(1))
    assert await _state(house, first.need_id) == ("met", 3, 0)
    await house.deliver_twice("intake", first.received(2))
    assert await _state(house, first.need_id) == ("met", 3, 2)
    await house.deliver_twice("intake", second.received(1))
    assert await _state(house, first.need_id) == ("received", 3, 3)


async def test_a_failed_delivery_gives_everything_back(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    story = Story(need)
    await house.deliver_twice("intake", story.approved(2), story.released(2))
    assert await _state(house, story.need_id) == ("open", 0, 0)


async def test_order_and_repetition_do_not_matter(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    for order in permutations(range(4)):
        need = await one_need(worker, needs=[{"category": "APP-FAN", "quantity": 2}])
        story = Story(need)
        facts = [story.approved(2), story.scheduled(2), story.received(1, 1), story.released(1)]
        await house.deliver_twice("intake", *(facts[n] for n in order))
        assert await _state(house, story.need_id) == ("partly_met", 1, 1)


async def test_the_newest_appointment_stands(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    story = Story(await one_need(worker))
    early, late = story.scheduled(2, 2, NOW), story.scheduled(2, 3, NOW + timedelta(days=1))
    await house.deliver_twice("intake", story.scheduled(2), late, early)
    shown = (await worker.get(f"{API}/needs/{story.need_id}")).json()["commitments"][0]
    assert shown["scheduled_for"] == (NOW + timedelta(days=1)).isoformat().replace("+00:00", "Z")


async def test_follow_ups_stand_on_the_list_overdue_first(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    story, late = Story(await one_need(worker)), Story(await one_need(worker))
    soon, overdue = uuid4(), uuid4()
    await house.deliver_twice("intake", story.due(soon), late.overdue(overdue), late.due(overdue, -1))
    items = (await worker.get(f"{API}/follow-ups")).json()["items"]
    assert [(item["follow_up_id"], item["overdue"], item["kind"]) for item in items] == [
        (str(overdue), True, "outcome"),
        (str(soon), False, "outcome"),
    ]
    only = (await worker.get(f"{API}/follow-ups", params={"state": "overdue"})).json()["items"]
    assert [item["follow_up_id"] for item in only] == [str(overdue)]
    page = (await worker.get(f"{API}/follow-ups", params={"limit": 1})).json()
    rest = (await worker.get(f"{API}/follow-ups", params={"cursor": page["next"]})).json()
    assert [item["follow_up_id"] for item in rest["items"]] == [str(soon)]
