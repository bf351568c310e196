"""Needs told twice: found inside intake, shown with why and how sure, decided by a person, never asked about again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from shared.events import NeedWithdrawn
from tests.house import House
from tests.intake.invented import API, LUOJING, NOW, household, one_need, post

OTHER_TOWN, COUNTY = "445381101000", "445381000000"
WORDS = "床板塌了一角,需要一张单人床"
ENGLISH = {"accept-language": "en"}


async def again(client: httpx.AsyncClient, need: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Another visit to the same household, with one need."""
    return await one_need(
        client,
        beneficiary={"household_id": need["beneficiary_id"]},
        visited_at=(NOW - timedelta(days=1)).isoformat(),
        **changes,
    )


async def found(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get(f"{API}/duplicates")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_same_household_and_category_within_weeks_is_asked_about_and_withdrawn(
    house: House,
) -> None:
    worker = await house.person("worker", LUOJING)
    first = await one_need(worker)
    second = await again(worker, first)
    assert second["duplicates"][0]["other"]["need_id"] == first["need_id"]
    (pair,) = await found(worker)
    assert (pair["need"]["need_id"], pair["other"]["need_id"]) == (second["need_id"], first["need_id"])
    assert (pair["why"], pair["later"], pair["sure_milli"]) == ("same_household", second["need_id"], 700)
    body = {"reason": "duplicate", "version": second["version"]}
    assert (await post(worker, f"/needs/{second['need_id']}/withdraw", body)).status_code == 200
    assert [e.data["reason"] for e in await house.events(NeedWithdrawn)] == ["duplicate"]
    assert await found(worker) == []
    assert (await worker.get(f"{API}/needs/{first['need_id']}")).json()["duplicates"] == []


async def test_what_was_told_apart_is_not_asked_about_again(house: House) -> None:
    worker, coordinator = await house.person("worker", LUOJING), await house.person("coordinator", COUNTY)
    first = await one_need(worker)
    second = await again(worker, first)
    third = await again(worker, first)
    assert len(await found(coordinator)) == 3
    path = f"/needs/{first['need_id']}/apart"
    for _ in range(2):
        assert (await post(coordinator, path, {"other_id": second["need_id"]})).status_code == 200
    left = {frozenset((p["need"]["need_id"], p["other"]["need_id"])) for p in await found(worker)}
    assert left == {frozenset((third["need_id"], other["need_id"])) for other in (first, second)}
    asked = (await worker.get(f"{API}/needs/{second['need_id']}")).json()["duplicates"]
    assert [one["other"]["need_id"] for one in asked] == [third["need_id"]]
    assert (await post(coordinator, path, {"other_id": first["need_id"]})).status_code == 422
    assert (await post(coordinator, path, {"other_id": str(uuid4())})).status_code == 404


async def test_the_same_words_of_two_households_are_found_and_stay_inside(house: House) -> None:
    worker, coordinator = await house.person("worker", LUOJING), await house.person("coordinator", COUNTY)
    one = await one_need(worker, needs=[{"text": WORDS}])
    two = await one_need(
        worker, beneficiary={"household": household(phone="00000000002")}, needs=[{"text": WORDS + "。"}]
    )
    (pair,) = await found(coordinator)
    assert (pair["why"], pair["later"]) == ("same_words", two["need_id"])
    assert pair["sure_milli"] < 700
    assert (pair["need"]["text"], pair["other"]["text"]) == (None, None)
    page = (await coordinator.get("/intake/duplicates")).text
    assert "床板" not in page
    kept = await house.db.pool.fetch("select data::text as said from bus.event")
    assert not [row for row in kept if "床板" in row["said"]]
    assert two["duplicates"][0]["other"]["need_id"] == one["need_id"]


async def test_other_words_other_categories_and_older_needs_are_their_own(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    first = await one_need(worker, needs=[{"text": WORDS}], visited_at=(NOW - timedelta(days=60)).isoformat())
    second = await again(worker, first, needs=[{"text": WORDS}])
    await again(worker, first, needs=[{"category": "APP-FAN", "quantity": 1}])
    await one_need(
        worker,
        beneficiary={"household": household(phone="00000000002")},
        needs=[{"text": "孩子想找人补数学"}],
    )
    assert await found(worker) == []
    assert second["duplicates"] == []


async def test_who_sees_and_who_decides(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    first = await one_need(worker)
    second = await again(worker, first)
    neighbour, auditor = await house.person("worker", OTHER_TOWN), await house.person("auditor", COUNTY)
    coordinator = await house.person("coordinator", COUNTY)
    path, body = f"/needs/{second['need_id']}/apart", {"other_id": first["need_id"]}
    assert await found(neighbour) == []
    assert (await post(neighbour, path, body)).status_code == 404
    assert len(await found(auditor)) == 1
    assert (await post(auditor, path, body)).status_code == 403
    assert (
        await (await house.person("charity", charity_id=uuid4())).get(f"{API}/duplicates")
    ).status_code == 403
    pages = {who: (await who.get("/intake/duplicates")).text for who in (worker, coordinator, auditor)}
    assert ["是同一件事，撤回后登记的" in page for page in pages.values()] == [True, False, False]
    assert ["不是，是两件事" in page for page in pages.values()] == [True, True, False]
    assert all("可能重复 1 对" in page and "同一户、同一类别、四周以内" in page for page in pages.values())
    assert "请本镇街的社工撤回" in pages[coordinator]


async def test_the_forms_do_what_the_interface_does_in_both_languages(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    first = await one_need(worker)
    second, third = await again(worker, first), await again(worker, first)
    page = await worker.get(f"/intake/needs/{second['need_id']}")
    assert "可能重复 2 条" in page.text and third["need_number"] in page.text
    assert "Possibly told twice" in (await worker.get("/intake/duplicates", headers=ENGLISH)).text
    apart = await worker.post(f"/intake/needs/{second['need_id']}/apart", data={"other_id": first["need_id"]})
    assert (apart.status_code, apart.headers["location"]) == (303, "/intake/duplicates")
    wrong = await worker.post(
        f"/intake/needs/{second['need_id']}/apart", data={"other_id": second["need_id"]}
    )
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (422, True)
    values = {"reason": "duplicate", "version": third["version"]}
    gone = await worker.post(f"/intake/needs/{third['need_id']}/withdraw", data=values)
    assert gone.status_code == 303
    assert await found(worker) == []
