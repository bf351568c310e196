"""The HTTP interface: what comes in is checked, what goes out is masked, nobody sees another town."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from shared.events import HouseholdRegistered, NeedRaised, VisitRecorded
from tests.house import House
from tests.intake.invented import API, LUOJING, NOW, TOWN_B, Story, household, one_need, post, visit


async def test_a_visit_uploaded_twice_makes_one_record(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    body, key = visit(), str(uuid4())
    first, second = await post(worker, "/visits", body, key), await post(worker, "/visits", body, key)
    assert first.json() == second.json()
    assert len(await house.events(VisitRecorded)) == len(await house.events(NeedRaised)) == 1


async def test_the_same_mark_of_a_phone_makes_one_visit_under_any_key(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    body = visit(client_ref="phone-1-42", needs=[{"text": "需要一张单人床"}, {"category": "APP-FAN"}])
    first, second = await post(worker, "/visits", body), await post(worker, "/visits", body)
    assert first.json() == second.json()
    assert len(await house.events(HouseholdRegistered)) == len(await house.events(VisitRecorded)) == 1


async def test_a_visit_without_a_key_is_refused(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    answer = await worker.post(f"{API}/visits", json=visit())
    assert answer.status_code == 400 and "Idempotency-Key" in answer.json()["detail"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"needs": [{"quantity": 1}]}, "category_or_text"),
    ({"needs": [{"category": "NO-SUCH"}]}, "category_unknown"),
    ({"needs": [{"category": "APP-FAN", "quantity": 1.5}]}, "int_type"),
    ({"needs": [{"category": "APP-FAN", "quantity": "2"}]}, "int_type"),
    ({"needs": [{"category": "APP-FAN", "quantity": 10**18}]}, "less_than_equal"),
    ({"needs": [{"category": "APP-FAN", "quantity": 0}]}, "greater_than"),
    ({"needs": [{"category": "CSH-MED"}]}, "amount_needed"),
    ({"needs": [{"category": "APP-FAN"}] * 21}, "too_long"),
    (
        {"needs": [{"category": "APP-FAN", "needed_by": (NOW - timedelta(days=9)).isoformat()}]},
        "before_visit",
    ),
    ({"visited_at": (NOW + timedelta(days=3)).isoformat()}, "future"),
    ({"visited_at": "2024-01-05T10:00:00"}, "timezone_aware"),
    ({"visited_at": "0001-01-01T00:00:00+14:00"}, "time_range"),
    ({"needs": [{"category": "APP-FAN", "needed_by": "9999-12-31T23:59:59-12:00"}]}, "time_range"),
    ({"client_ref": "a\x00b"}, "string_pattern_mismatch"),
    ({"participants": ["\x00"]}, "string_pattern_mismatch"),
    ({"beneficiary": {"household": household(location={"lng": 181, "lat": 0})}}, "less_than_equal"),
    ({"beneficiary": {}}, "one_beneficiary"),
    ({"beneficiary": {"household_id": str(uuid4()), "case_number": "X-1"}}, "one_beneficiary"),
    ({"beneficiary": {"household": household(area="445381000000")}}, "town_needed"),
    ({"beneficiary": {"household": household(area="990000000000")}}, "area_unknown"),
    ({"beneficiary": {"household": household(vulnerabilities=["NOPE"])}}, "vulnerability_unknown"),
    ({"beneficiary": {"household": household(members=[])}}, "too_short"),
    ({"beneficiary": {"household": household(colour="red")}}, "extra_forbidden"),
]


async def test_what_is_wrong_is_named_by_rule(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    for changes, rule in WRONG:
        answer = await post(worker, "/visits", visit(**changes))
        assert answer.status_code == 422, (changes, answer.text)
        assert rule in {fault["rule"] for fault in answer.json()["errors"]}, (changes, answer.text)
        assert all("NO-SUCH" in f["message"] or f["message"] for f in answer.json()["errors"])
    assert await house.events(VisitRecorded) == []


async def test_another_town_is_out_of_reach_and_out_of_sight(house: House) -> None:
    worker, neighbour = await house.person("worker", LUOJING), await house.person("worker", TOWN_B)
    assert (await post(neighbour, "/visits", visit())).status_code == 403
    need = await one_need(worker)
    hidden = f"{API}/households/{need['beneficiary_id']}"
    absent = f"{API}/households/{uuid4()}"
    assert (await neighbour.get(hidden)).json() == (await neighbour.get(absent)).json()
    assert (await neighbour.get(hidden)).status_code == 404
    assert (await neighbour.get(f"{API}/needs/{need['need_id']}")).status_code == 404
    assert (await neighbour.get(f"{API}/needs")).json()["items"] == []
    assert (await neighbour.get(f"{API}/households")).json()["items"] == []
    revisit = visit(beneficiary={"household_id": need["beneficiary_id"]})
    assert (await post(neighbour, "/visits", revisit)).status_code == 404
    for stranger in (await house.person("charity", charity_id=uuid4()), await house.person("admin")):
        assert (await stranger.get(hidden)).status_code == 403
    assert (await house.anyone().get(hidden)).status_code == 401


async def test_a_number_used_elsewhere_is_refused_without_saying_where(house: House) -> None:
    worker, neighbour = await house.person("worker", LUOJING), await house.person("worker", TOWN_B)
    numbered = household(case_number="YF-1")
    assert (await post(worker, "/visits", visit(beneficiary={"household": numbered}))).status_code == 201
    own = await post(worker, "/visits", visit(beneficiary={"household": numbered}))
    other = await post(neighbour, "/visits", visit(beneficiary={"household": numbered | {"area": TOWN_B}}))
    assert own.status_code == other.status_code == 422
    assert own.json() == other.json()


async def test_lists_mask_and_the_own_worker_sees_all(house: House) -> None:
    worker, coordinator = (
        await house.person("worker", LUOJING),
        await house.person("coordinator", "445381000000"),
    )
    need = await one_need(worker)
    [item] = (await worker.get(f"{API}/households")).json()["items"]
    assert item["head"] == "张***" and item["phone"] == "000******"
    full = (await worker.get(f"{API}/households/{need['beneficiary_id']}")).json()
    assert full["members"][0]["name"] == "张示例一" and full["address"] == "示例路 1 号"
    assert full["location"] == {"lng": 111.51, "lat": 22.49}
    assert (
        full["visits"][0]["participants"] == ["示例老师"] and full["visits"][0]["note"] == "外婆照看两个孩子"
    )
    assert [member["minor"] for member in full["members"]] == [False, True]
    seen = (await coordinator.get(f"{API}/households/{need['beneficiary_id']}")).json()
    assert seen["masked"] and seen["location"] is None and seen["visits"][0]["note"] is None
    assert "示例" not in str(seen)


async def test_a_household_is_found_by_exact_words_in_a_body(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)

    async def found(words: str) -> list[str]:
        answer = await worker.post(f"{API}/households/search", json={"words": words})
        return [item["household_id"] for item in answer.json()["items"]]

    for words in ("张示例二", " 000-0000 0001", "000000195003010000", "H-445381100"):
        assert await found(words) == [need["beneficiary_id"]]
    assert await found("张示例") == await found("%") == await found("H_445381100") == []


async def test_lists_come_in_pages_without_gaps(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await post(worker, "/visits", visit(needs=[{"category": "APP-FAN"}] * 7))
    seen, cursor = [], ""
    while True:
        page = (await worker.get(f"{API}/needs", params={"limit": 3, "cursor": cursor})).json()
        seen += [item["need_id"] for item in page["items"]]
        if not (cursor := page["next"] or ""):
            break
    assert len(seen) == len(set(seen)) == 7
    for wrong in (
        {"cursor": "nonsense"},
        {"status": "a\x00"},
        {"area": "x"},
        {"category": "\x00"},
        {"limit": 201},
    ):
        assert (await worker.get(f"{API}/needs", params=wrong)).status_code == 422
    for cursor in ("x_y", "20260101T000000_1", f"00010101T000000+1400_{uuid4()}"):
        assert (await worker.get(f"{API}/follow-ups", params={"cursor": cursor})).status_code == 422


async def test_a_stale_change_loses(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    path = f"{API}/needs/{need['need_id']}"
    assert (await worker.patch(path, json={"quantity": 3, "version": 1})).json()["version"] == 2
    assert (await worker.patch(path, json={"quantity": 4, "version": 1})).status_code == 409
    assert (await worker.get(path)).headers["etag"] == '"2"'


async def test_a_contact_is_for_those_who_deliver_while_they_deliver(house: House) -> None:
    charity_id = uuid4()
    worker, charity = (
        await house.person("worker", LUOJING),
        await house.person("charity", "445300000000", charity_id),
    )
    other = await house.person("charity", "445300000000", uuid4())
    need = await one_need(worker)
    story = Story(need, charity_id)
    path = f"{API}/commitments/{story.commitment_id}/contact"
    assert (await charity.get(path)).status_code == 404
    await house.deliver_twice("intake", story.approved(2))
    contact = (await charity.get(path)).json()
    assert (contact["name"], contact["phone"], contact["address"]) == (
        "张示例一",
        "00000000001",
        "示例路 1 号",
    )
    assert (await worker.get(path)).status_code == 200
    assert (await other.get(path)).status_code == 404
    assert (
        await house.db.pool.fetchval(
            "select count(*) from intake.access_log where about = $1", story.commitment_id
        )
        == 2
    )
    await house.deliver_twice("intake", story.received(2))
    assert (await charity.get(path)).status_code == 404


async def test_without_consent_no_contact(house: House) -> None:
    charity_id = uuid4()
    worker, charity = (
        await house.person("worker", LUOJING),
        await house.person("charity", "445300000000", charity_id),
    )
    need = await one_need(worker)
    story = Story(need, charity_id)
    await house.deliver_twice("intake", story.approved(2))
    await worker.delete(f"{API}/households/{need['beneficiary_id']}/consent", params={"version": 1})
    assert (await charity.get(f"{API}/commitments/{story.commitment_id}/contact")).status_code == 404
