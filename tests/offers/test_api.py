"""Who may do what with offers, and what is refused with which words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from shared.access import hash_token
from shared.bus import new_id
from tests.house import House
from tests.offers.giving import (
    CITY,
    COUNTY,
    OTHER_COUNTY,
    TOWN,
    approved,
    charity,
    fans,
    giver,
    key,
    offer,
    received,
)

OFFERS = "/api/offers/v1/offers"
RULES: list[tuple[dict[str, Any], str, str]] = [
    ({"category": "NO-SUCH"}, "category", "unknown_category"),
    ({"category": "POL-TEMP"}, "category", "government_procedure"),
    ({"quantity": 0}, "quantity", "greater_than"),
    ({"quantity": 1.5}, "quantity", "int_type"),
    ({"quantity": "3"}, "quantity", "int_type"),
    ({"quantity": 10**18}, "quantity", "less_than_equal"),
    ({"service_areas": ["999999000000"]}, "service_areas.0", "unknown_area"),
    ({"origin_area": "44"}, "origin_area", "unknown_area"),
    ({"designated_vulnerabilities": ["NOBODY"]}, "designated_vulnerabilities.0", "unknown_vulnerability"),
    ({"licences": ["会飞证"]}, "licences.0", "licence_unknown"),
    ({"available_from": "2031-02-01T00:00:00+08:00", "available_until": "2031-01-01T00:00:00+08:00"}, "available_until", "window_order"),
    ({"available_from": "2031-02-01T00:00:00"}, "available_from", "timezone_aware"),
    ({"expires_on": "2020-01-01"}, "expires_on", "expired"),
    ({"available_until": "2020-01-01T00:00:00+08:00"}, "available_until", "window_over"),
    ({"colour": "red"}, "colour", "extra_forbidden"),
]  # fmt: skip
OWN = {"unknown_category", "unknown_area", "unknown_vulnerability", "window_order", "expired", "window_over"}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_rule_names_its_field(house: House, language: str) -> None:
    client, _ = await giver(house)
    for changes, field, rule in RULES:
        answer = await client.post(
            OFFERS, json=fans(**changes), headers=key() | {"accept-language": language}
        )
        assert answer.status_code == 422, (changes, answer.text)
        (fault,) = answer.json()["errors"]
        assert (fault["field"], fault["rule"]) == (field, rule)
        assert rule not in OWN or fault["message"].isascii() == (language == "en")


async def test_licensed_work_without_the_licence_is_entered_with_a_warning(house: House) -> None:
    client, _ = await giver(house)
    bare = await offer(client, category="APP-CEILFAN", offer_number="C-1")
    assert [warning["rule"] for warning in bare["warnings"]] == ["licence_missing"]
    licensed = await offer(client, category="APP-CEILFAN", offer_number="C-2", licences=["低压电工作业证"])
    assert licensed["warnings"] == []


async def test_a_retry_with_the_same_key_makes_one_offer(house: House) -> None:
    client, _ = await giver(house)
    same = key()
    first = await client.post(OFFERS, json=fans(offer_number=None), headers=same)
    again = await client.post(OFFERS, json=fans(offer_number=None), headers=same)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await client.post(OFFERS, json=fans())).status_code == 400, "a key is needed"
    assert len((await client.get(OFFERS)).json()["items"]) == 1


async def test_a_number_is_unique_within_a_charity(house: House) -> None:
    client, _ = await giver(house)
    other, _ = await giver(house, "另一示例慈善会")
    await offer(client)
    await offer(other)
    twice = await client.post(OFFERS, json=fans(quantity=3), headers=key())
    assert twice.status_code == 409
    assert "F-1" in twice.json()["detail"]


async def test_each_sees_its_own_part(house: House) -> None:
    client, _ = await giver(house)
    other, _ = await giver(house, "另一示例慈善会")
    pledged = await offer(client)
    people = {
        "charity": (client, 200),
        "other charity": (other, 404),
        "coordinator of the county": (await house.person("coordinator", COUNTY), 200),
        "auditor of the city": (await house.person("auditor", CITY), 200),
        "coordinator of a town served": (await house.person("coordinator", TOWN), 200),
        "coordinator elsewhere": (await house.person("coordinator", OTHER_COUNTY), 404),
        "worker": (await house.person("worker", TOWN), 403),
        "nobody": (house.anyone(), 401),
    }
    for name, (person, status) in people.items():
        answer = await person.get(f"{OFFERS}/{pledged['offer_id']}")
        assert answer.status_code == status, name
        assert len((await person.get(OFFERS)).json().get("items", [])) == (status == 200), name


async def test_who_may_change_an_offer(house: House) -> None:
    client, _ = await giver(house)
    other, _ = await giver(house, "另一示例慈善会")
    pledged = await offer(client)
    address = f"{OFFERS}/{pledged['offer_id']}"
    change = {"quantity": 8, "version": 1}
    assert (await other.patch(address, json=change)).status_code == 404
    assert (await (await house.person("auditor", CITY)).patch(address, json=change)).status_code == 403
    assert (await (await house.person("coordinator", TOWN)).patch(address, json=change)).status_code == 200
    assert (await client.patch(address, json={"quantity": None, "version": 2})).status_code == 422
    assert (await client.patch(f"{OFFERS}/{uuid4()}", json=change)).status_code == 404


async def test_a_coordinator_enters_offers_of_the_own_area_for_a_charity(house: House) -> None:
    charity_id = str(await charity(house))
    office = await house.person("coordinator", COUNTY)
    assert (await office.post(OFFERS, json=fans(charity_id=charity_id), headers=key())).status_code == 201
    abroad = fans(charity_id=charity_id, origin_area=OTHER_COUNTY, service_areas=[CITY], offer_number="F-2")
    assert (await office.post(OFFERS, json=abroad, headers=key())).status_code == 403
    unknown = await office.post(OFFERS, json=fans(charity_id=str(uuid4())), headers=key())
    assert unknown.status_code == 404
    assert (await office.post(OFFERS, json=fans(), headers=key())).status_code == 422, "which charity?"


async def test_charities_are_entered_once_by_the_office(house: House) -> None:
    await charity(house)
    body = {"name": "暖阳示例慈善会", "kind": "charity", "area": COUNTY}
    admin = await house.person("admin", CITY)
    assert (await admin.post("/api/offers/v1/charities", json=body, headers=key())).status_code == 409
    body["name"] = "第二示例公司"
    assert (await admin.post("/api/offers/v1/charities", json=body, headers=key())).status_code == 201
    elsewhere = await house.person("coordinator", OTHER_COUNTY)
    body["name"] = "第三示例公司"
    assert (await elsewhere.post("/api/offers/v1/charities", json=body, headers=key())).status_code == 403
    first = (await elsewhere.get("/api/offers/v1/charities?limit=1")).json()
    second = (
        await elsewhere.get("/api/offers/v1/charities", params={"limit": 1, "cursor": first["next"]})
    ).json()
    assert {first["items"][0]["name"], second["items"][0]["name"]} == {"暖阳示例慈善会", "第二示例公司"}
    assert second["next"] is None


async def test_the_list_goes_on_where_it_ended(house: House) -> None:
    client, _ = await giver(house)
    for number in range(5):
        await offer(client, offer_number=f"F-{number}", expires_on="2035-01-01")
    seen, cursor = [], None
    for _ in range(3):
        page = (await client.get(OFFERS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [item["offer_number"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ["F-4", "F-3", "F-2", "F-1", "F-0"]
    assert cursor is None
    assert (await client.get(OFFERS, params={"status": "withdrawn"})).json()["items"] == []
    assert (await client.get(OFFERS, params={"category": "FUR-MATT"})).json()["items"] == []


async def test_used_up_and_expired_offers_say_so(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    await house.deliver_twice("offers", approved(pledged["offer_id"], charity_id, 10))
    assert [item["state"] for item in (await client.get(OFFERS)).json()["items"]] == ["used_up"]
    await house.db.pool.execute(
        "update offers.offer set expires_on = current_date - $1::int", timedelta(days=3).days
    )
    (late,) = (await client.get(OFFERS, params={"status": "expired"})).json()["items"]
    assert (late["free"], late["committed"]) == (0, 10)


async def test_who_got_how_much_is_told_by_town(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    one, two = approved(pledged["offer_id"], charity_id, 2), approved(pledged["offer_id"], charity_id, 3)
    await house.deliver_twice("offers", one, two, received(one, new_id(), 2, False))
    answer = await client.get(f"{OFFERS}/{pledged['offer_id']}")
    assert answer.json()["towns"] == [{"area": TOWN, "times": 2, "promised": 5, "received": 2}]
    assert one.case_number not in answer.text
    assert str(one.beneficiary_id) not in answer.text


async def test_without_a_session_there_are_no_rows(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    await house.deliver_twice("offers", approved(pledged["offer_id"], charity_id))
    async with house.db.transaction("nuanlian_offers") as conn:
        for table in ("offer", "commitment", "delivery", "import_run", "standing"):
            assert await conn.fetchval(f"select count(*) from offers.{table}") == 0, table


@pytest.mark.parametrize("areas", [[CITY], [OTHER_COUNTY]])
async def test_serving_an_area_gives_its_coordinator_no_hold_of_the_offer(
    house: House, areas: list[str]
) -> None:
    client, _ = await giver(house)
    pledged = await offer(client, service_areas=areas)
    address = f"{OFFERS}/{pledged['offer_id']}"
    elsewhere = await house.person("coordinator", OTHER_COUNTY)
    assert (await elsewhere.get(address)).status_code == 200
    for change in ({"quantity": 1}, {"service_areas": [OTHER_COUNTY]}, {"origin_area": OTHER_COUNTY}):
        assert (await elsewhere.patch(address, json=change | {"version": 1})).status_code == 403
    withdrawn = await elsewhere.post(f"{address}/withdraw", json={"reason": "other", "version": 1})
    assert withdrawn.status_code == 403


async def test_a_coordinator_moves_no_offer_out_of_the_own_area(house: House) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(client)
    moved = {"origin_area": OTHER_COUNTY, "service_areas": [COUNTY], "version": 1}
    office = await house.person("coordinator", COUNTY)
    assert (await office.patch(f"{OFFERS}/{pledged['offer_id']}", json=moved)).status_code == 403
    served = fans(charity_id=str(charity_id), service_areas=[OTHER_COUNTY], offer_number="F-2")
    elsewhere = await house.person("coordinator", OTHER_COUNTY)
    assert (await elsewhere.post(OFFERS, json=served, headers=key())).status_code == 403


async def test_the_database_itself_lets_only_those_who_hold_an_offer_change_it(house: House) -> None:
    """The second line: raw SQL in the session of each."""
    client, _ = await giver(house)
    await offer(client, service_areas=[CITY])
    people = (
        (await house.person("auditor", CITY), 0),
        (await house.person("coordinator", OTHER_COUNTY), 0),
        (await house.person("coordinator", COUNTY), 1),
        (client, 1),
    )
    for person, changed in people:
        token = hash_token(person.headers["authorization"].removeprefix("Bearer "))
        async with house.db.transaction("nuanlian_offers", token) as conn:
            assert await conn.fetchval("select count(*) from offers.offer") == 1
            assert await conn.execute("update offers.offer set vetted = true") == f"UPDATE {changed}"
        for forbidden in (
            "update offers.offer set charity_id = gen_random_uuid()",
            "delete from offers.offer",
            "update offers.charity set name = name || '2'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with house.db.transaction("nuanlian_offers", token) as conn:
                    await conn.execute(forbidden)
    office = hash_token(people[2][0].headers["authorization"].removeprefix("Bearer "))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with house.db.transaction("nuanlian_offers", office) as conn:
            await conn.execute("update offers.offer set origin_area = $1", OTHER_COUNTY)


async def test_only_the_donor_changes_whom_an_offer_is_meant_for(house: House) -> None:
    client, _ = await giver(house)
    pledged = await offer(client)
    address = f"{OFFERS}/{pledged['offer_id']}"
    change = {"designated_vulnerabilities": ["ORPHAN"], "version": 1}
    assert (await (await house.person("coordinator", CITY)).patch(address, json=change)).status_code == 403
    assert (await client.patch(address, json=change)).status_code == 200
