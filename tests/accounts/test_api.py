"""/api/accounts/v1: people and roles of an administrator's area, sessions and tokens of one's own."""

from __future__ import annotations

import json
from typing import Any

from shared.access import Role, hash_token
from shared.bus import new_id
from shared.pii import Keyring
from tests.accounts.people import API, CITY, COUNTY, OTHER_COUNTY, TOWN, Known, charity, keyed, make, sign_in
from tests.house import House

OTHER_ROLES: tuple[Role, ...] = ("worker", "coordinator", "auditor", "charity")
LI: dict[str, Any] = {"login": "li.shili", "name": "李示例", "role": "worker", "area": TOWN}


async def test_an_administrator_adds_a_person_who_can_sign_in(house: House) -> None:
    admin = await house.person("admin", COUNTY)
    answer = await admin.post(f"{API}/people", json=LI, headers=keyed())
    assert answer.status_code == 201
    added = answer.json()
    client = await sign_in(house, Known(added["person_id"], "li.shili", added["password"]))
    assert (await client.get(f"{API}/me")).json()["grants"][0]["area"] == TOWN


async def test_a_retry_returns_the_person_without_the_password(house: House) -> None:
    admin, headers = await house.person("admin", COUNTY), keyed()
    first = (await admin.post(f"{API}/people", json=LI, headers=headers)).json()
    again = await admin.post(f"{API}/people", json=LI, headers=headers)
    assert again.status_code == 201
    assert again.json() == first | {"password": None}
    assert await house.db.pool.fetchval("select count(*) from accounts.person") == 1
    token = hash_token(admin.headers["authorization"].removeprefix("Bearer "))
    async with house.db.transaction("nuanlian_accounts", token) as conn:
        stored = await conn.fetchval("select json_agg(i)::text from access.idempotency i")
    assert first["password"] not in stored
    assert "li.shili" not in stored


async def test_neither_name_nor_password_is_stored_in_clear(house: House) -> None:
    admin = await house.person("admin", COUNTY)
    added = (await admin.post(f"{API}/people", json=LI, headers=keyed())).json()
    row = await house.db.pool.fetchrow("select * from accounts.person")
    assert row is not None
    assert "李示例".encode() not in row["name_enc"]
    assert row["password_hash"].startswith("$argon2id$")
    assert added["password"] not in str(dict(row))


async def test_a_key_is_asked_for(house: House) -> None:
    admin = await house.person("admin", COUNTY)
    assert (await admin.post(f"{API}/people", json=LI)).status_code == 400


REFUSED: tuple[tuple[dict[str, Any], int, list[str]], ...] = (
    ({"area": "445321100000"}, 403, []),
    ({"area": CITY}, 403, []),
    ({"area": "445399999999"}, 422, ["area"]),
    ({"area": "罗镜镇"}, 422, ["area"]),
    ({"role": "king"}, 422, ["role"]),
    ({"login": "有空格 的"}, 422, ["login"]),
    ({"login": "ab"}, 422, ["login"]),
    ({"name": "  "}, 422, ["name"]),
    ({"role": "charity"}, 422, ["charity_id"]),
    ({"charity_id": str(new_id())}, 422, ["charity_id"]),
    ({"role": "charity", "charity_id": str(new_id())}, 422, ["charity_id"]),
    ({"is_root": True}, 422, ["is_root"]),
)


async def test_who_cannot_be_added(house: House) -> None:
    admin = await house.person("admin", COUNTY)
    for change, status, fields in REFUSED:
        answer = await admin.post(f"{API}/people", json=LI | change, headers=keyed())
        faults = [error["field"] for error in answer.json().get("errors", [])]
        assert (answer.status_code, faults) == (status, fields), change
    assert await house.db.pool.fetchval("select count(*) from accounts.person") == 0


async def test_a_login_is_given_once(house: House) -> None:
    admin = await house.person("admin", COUNTY)
    await admin.post(f"{API}/people", json=LI, headers=keyed())
    answer = await admin.post(f"{API}/people", json=LI | {"login": "LI.shili"}, headers=keyed())
    assert (answer.status_code, answer.json()["login"]) == (409, "li.shili")


async def test_only_administrators_manage_people(house: House) -> None:
    for role in OTHER_ROLES:
        client = await house.person(role, CITY, new_id() if role == "charity" else None)
        assert (await client.get(f"{API}/people")).status_code == 403
        assert (await client.post(f"{API}/people", json=LI, headers=keyed())).status_code == 403
        assert (await client.get(f"{API}/organisations")).status_code == 403


async def test_a_charitys_people_belong_to_an_organisation_of_the_administrators_area(house: House) -> None:
    ours, theirs = await charity(house), await charity(house, "445321100000")
    admin = await house.person("admin", COUNTY)
    body = LI | {"role": "charity", "charity_id": str(theirs)}
    assert (await admin.post(f"{API}/people", json=body, headers=keyed())).status_code == 403
    body["charity_id"] = str(ours)
    assert (await admin.post(f"{API}/people", json=body, headers=keyed())).status_code == 201
    names = [item["id"] for item in (await admin.get(f"{API}/organisations")).json()["items"]]
    assert sorted(names) == sorted([str(ours), str(theirs)])


async def test_an_administrator_sees_the_people_of_the_area_in_pages(house: House, keyring: Keyring) -> None:
    for login in ("a-one", "b-two", "c-three"):
        await make(house, keyring, login)
    await make(house, keyring, "d-four", "worker", "445321100000")
    admin = await house.person("admin", COUNTY)
    first = (await admin.get(f"{API}/people?limit=2")).json()
    second = (await admin.get(f"{API}/people?limit=2&cursor={first['next']}")).json()
    assert [person["login"] for person in first["items"] + second["items"]] == ["a-one", "b-two", "c-three"]
    assert second["next"] is None
    assert (await admin.get(f"{API}/people?cursor=!!")).status_code == 422


async def test_roles_are_given_and_taken_back(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    client = await sign_in(house, person)
    admin = await house.person("admin", COUNTY)
    body = {"role": "coordinator", "area": COUNTY}
    added = (await admin.post(f"{API}/people/{person.id}/grants", json=body, headers=keyed())).json()
    assert [grant["role"] for grant in (await client.get(f"{API}/me")).json()["grants"]] == [
        "coordinator",
        "worker",
    ]
    path = f"{API}/people/{person.id}/grants/{added['grant_id']}"
    ended = await admin.delete(path)
    assert (ended.status_code, ended.json()["version"]) == (200, 3)
    assert [grant["role"] for grant in (await client.get(f"{API}/me")).json()["grants"]] == ["worker"]
    assert (await admin.delete(path)).status_code == 404
    kept = await house.db.pool.fetchval(
        "select valid_until is not null from access.role_grant where role = 'coordinator'"
    )
    assert kept is True


async def test_an_administrator_handles_no_cases(house: House, keyring: Keyring) -> None:
    worker, keeper = (
        await make(house, keyring, "zhang.shili"),
        await make(house, keyring, "li.shili", "admin"),
    )
    admin = await house.person("admin", COUNTY)
    for person, wanted in ((worker, "admin"), (keeper, "coordinator"), (keeper, "auditor")):
        body = {"role": wanted, "area": TOWN}
        answer = await admin.post(f"{API}/people/{person.id}/grants", json=body, headers=keyed())
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["rule"] == "roles_apart"


async def test_people_of_elsewhere_are_missing(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    admin = await house.person("admin", OTHER_COUNTY)
    for path, body in (
        ("grants", {"role": "worker", "area": "445321100000"}),
        ("disable", {"version": 1}),
        ("password", None),
    ):
        answer = await admin.post(f"{API}/people/{person.id}/{path}", json=body, headers=keyed())
        assert answer.status_code == 404, path
    grant = await house.db.pool.fetchval("select id from access.role_grant where person_id = $1", person.id)
    assert (await admin.delete(f"{API}/people/{person.id}/grants/{grant}")).status_code == 404


async def test_who_also_works_elsewhere_is_not_disabled_from_here(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    city = await house.person("admin", CITY)
    body = {"role": "worker", "area": "445321100000"}
    await city.post(f"{API}/people/{person.id}/grants", json=body, headers=keyed())
    county = await house.person("admin", COUNTY)
    assert (await county.post(f"{API}/people/{person.id}/disable", json={"version": 2})).status_code == 403
    assert (await county.post(f"{API}/people/{person.id}/password")).status_code == 403
    assert (await city.post(f"{API}/people/{person.id}/disable", json={"version": 2})).status_code == 200


async def test_a_stale_version_loses(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    admin = await house.person("admin", COUNTY)
    answer = await admin.post(f"{API}/people/{person.id}/disable", json={"version": 7})
    assert answer.status_code == 409
    assert (await sign_in(house, person)).cookies


async def test_nobody_shuts_themselves_out(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili", "admin", COUNTY)
    client = await sign_in(house, person)
    assert (await client.post(f"{API}/people/{person.id}/disable", json={"version": 1})).status_code == 409
    grant = (await client.get(f"{API}/me")).json()["grants"][0]["id"]
    assert (await client.delete(f"{API}/people/{person.id}/grants/{grant}")).status_code == 409


async def test_a_forgotten_password_is_set_anew(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    client = await sign_in(house, person)
    admin = await house.person("admin", COUNTY)
    answer = (await admin.post(f"{API}/people/{person.id}/password")).json()
    assert (await client.get(f"{API}/me")).status_code == 401
    assert await sign_in(house, Known(person.id, person.login, answer["password"]))


async def test_a_token_works_like_its_owner_until_it_is_ended(house: House, keyring: Keyring) -> None:
    client = await sign_in(house, await make(house, keyring, "zhang.shili"))
    body, headers = {"label": "报表程序", "days": 30}, keyed()
    added = (await client.post(f"{API}/me/tokens", json=body, headers=headers)).json()
    again = (await client.post(f"{API}/me/tokens", json=body, headers=headers)).json()
    assert again == added | {"token": None}
    machine = house.anyone({"authorization": f"Bearer {added['token']}"})
    assert (await machine.get(f"{API}/me")).json()["login"] == "zhang.shili"
    assert added["token"] not in json.dumps(
        [dict(row) for row in await house.db.pool.fetch("select * from access.session")], default=str
    )
    assert (await client.delete(f"{API}/me/tokens/{added['token_id']}")).status_code == 200
    assert (await machine.get(f"{API}/me")).status_code == 401
    assert (await client.delete(f"{API}/me/tokens/{added['token_id']}")).status_code == 404


async def test_a_token_makes_no_tokens(house: House, keyring: Keyring) -> None:
    client = await sign_in(house, await make(house, keyring, "zhang.shili"))
    added = (await client.post(f"{API}/me/tokens", json={"label": "x", "days": 1}, headers=keyed())).json()
    machine = house.anyone({"authorization": f"Bearer {added['token']}"})
    answer = await machine.post(f"{API}/me/tokens", json={"label": "y", "days": 1}, headers=keyed())
    assert answer.status_code == 403


async def test_a_token_lives_a_year_at_most(house: House, keyring: Keyring) -> None:
    client = await sign_in(house, await make(house, keyring, "zhang.shili"))
    for days in (0, 366, 1.5, "30", None):
        answer = await client.post(f"{API}/me/tokens", json={"label": "x", "days": days}, headers=keyed())
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "days")


async def test_sessions_are_listed_and_ended_one_by_one(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    phone, desk = (
        await sign_in(house, person, {"user-agent": "phone"}),
        await sign_in(house, person, {"user-agent": "desk"}),
    )
    listed = (await desk.get(f"{API}/me/sessions")).json()
    assert [(session["label"], session["current"]) for session in listed] == [
        ("desk", True),
        ("phone", False),
    ]
    stranger = await sign_in(house, await make(house, keyring, "li.shili"))
    path = f"{API}/me/sessions/{listed[1]['id']}"
    assert (await stranger.delete(path)).status_code == 404
    assert (await desk.delete(f"{API}/me/tokens/{listed[1]['id']}")).status_code == 404
    assert (await desk.delete(path)).status_code == 200
    assert (await phone.get(f"{API}/me")).status_code == 401


async def test_who_moved_away_is_managed_where_they_are_now(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    before, now = await house.person("admin", COUNTY), await house.person("admin", OTHER_COUNTY)
    city = await house.person("admin", CITY)
    old = await house.db.pool.fetchval("select id from access.role_grant where person_id = $1", person.id)
    body = {"role": "worker", "area": "445321100000"}
    await city.post(f"{API}/people/{person.id}/grants", json=body, headers=keyed())
    assert (await before.delete(f"{API}/people/{person.id}/grants/{old}")).status_code == 200
    assert (await before.post(f"{API}/people/{person.id}/password")).status_code == 404
    assert (await before.get(f"{API}/people")).json()["items"] == []
    assert len((await now.get(f"{API}/people")).json()["items"]) == 1
    assert (await now.post(f"{API}/people/{person.id}/password")).status_code == 200


async def test_who_holds_no_role_any_more_is_managed_where_they_held_the_last_one(
    house: House, keyring: Keyring
) -> None:
    person = await make(house, keyring, "zhang.shili")
    before, last = await house.person("admin", OTHER_COUNTY), await house.person("admin", COUNTY)
    await house.db.pool.execute(
        "insert into access.role_grant (id, person_id, role, area, valid_until) "
        "values ($1, $2, 'worker', '445321100000', now() - interval '1 day')",
        new_id(),
        person.id,
    )
    await house.db.pool.execute(
        "update access.role_grant set valid_until = now() where person_id = $1 and area = $2", person.id, TOWN
    )
    body = {"role": "worker", "area": "445321100000"}
    refused = await before.post(f"{API}/people/{person.id}/grants", json=body, headers=keyed())
    assert (refused.status_code, (await before.get(f"{API}/people")).json()["items"]) == (404, [])
    body["area"] = TOWN
    given = await last.post(f"{API}/people/{person.id}/grants", json=body, headers=keyed())
    assert given.status_code == 201
