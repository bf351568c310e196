"""The list, its filters and the sheet."""

from __future__ import annotations

from services.delivery.layouts import DISPATCH
from shared.bus import new_id
from shared.sheets import read
from tests.delivery.bringing import ADDRESS, CITY, COUNTY, OTHER_TOWN, TOWN, approved, scene
from tests.house import House


async def test_the_list_goes_on_where_it_ended(house: House) -> None:
    it = await scene(house)
    more = [approved(it.approval.charity_id, case_number=f"YF-{number}") for number in range(4)]
    await house.deliver_twice("delivery", *more)
    seen, cursor = [], None
    for _ in range(3):
        page = (
            await it.worker.get(ADDRESS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [item["case_number"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ["YF-3", "YF-2", "YF-1", "YF-0", "YF-445381100-0001"]
    assert cursor is None


async def test_filters(house: House) -> None:
    it = await scene(house)
    await house.deliver_twice("delivery", approved(new_id(), area=OTHER_TOWN))
    await it.step(it.giver, "dispatch", 1)
    office = await house.person("coordinator", COUNTY)

    async def count(**filters: str) -> int:
        return len((await office.get(ADDRESS, params=filters)).json()["items"])

    assert (await count(), await count(status="dispatched"), await count(status="received")) == (2, 1, 0)
    assert (await count(area=OTHER_TOWN), await count(area=CITY), await count(mine="true")) == (1, 2, 0)
    assert len((await it.giver.get(ADDRESS, params={"mine": "true"})).json()["items"]) == 1
    assert (await office.get(ADDRESS, params={"status": "lost"})).status_code == 422


async def test_a_receipt_is_overdue_after_48_hours(house: House) -> None:
    it = await scene(house)
    await it.sent()
    (fresh,) = (await it.worker.get(ADDRESS)).json()["items"]
    assert fresh["overdue"] is False
    assert (await it.worker.get(ADDRESS, params={"overdue": "true"})).json()["items"] == []
    await house.db.pool.execute(
        "update delivery.delivery set delivered_at = now() - interval '48 hours 1 minute'"
    )
    (late,) = (await it.worker.get(ADDRESS, params={"overdue": "true"})).json()["items"]
    assert late["overdue"] is True
    await it.step(it.worker, "receive", 3, received=4)
    assert (await it.worker.get(ADDRESS, params={"overdue": "true"})).json()["items"] == []


async def test_the_sheet_shows_what_the_list_shows_and_no_person(house: House) -> None:
    it = await scene(house)
    answer = await it.giver.get(f"{ADDRESS}.xlsx", params={"status": "scheduled"})
    (row,) = read(answer.content, "deliveries.xlsx", DISPATCH).rows
    assert (row.values["area"], row.values["category"], row.values["quantity"]) == (TOWN, "APP-FAN", 4)
    assert row.values["charity_name"] == "暖阳示例慈善会"
    empty = await it.giver.get(f"{ADDRESS}.xlsx", params={"status": "received"})
    assert read(empty.content, "deliveries.xlsx", DISPATCH).rows == ()


async def test_a_retry_with_the_same_key_is_one_step(house: House) -> None:
    it = await scene(house)
    headers = {"idempotency-key": str(new_id())}
    first = await it.giver.post(f"{ADDRESS}/{it.id}/dispatch", json={"version": 1}, headers=headers)
    again = await it.giver.post(f"{ADDRESS}/{it.id}/dispatch", json={"version": 1}, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


async def test_without_a_session_there_are_no_rows(house: House) -> None:
    await scene(house)
    async with house.db.transaction("nuanlian_delivery") as conn:
        for table in ("delivery", "standing"):
            assert await conn.fetchval(f"select count(*) from delivery.{table}") == 0, table
