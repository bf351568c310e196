"""Who is asking: tokens, roles for areas, keys that make a request one."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest

from shared.access import Caller, Grant, hash_token
from shared.bus import new_id
from shared.errors import Forbidden
from tests.house import House

TOWN, OTHER_TOWN, COUNTY = "445381100000", "445381101000", "445381000000"


def caller(*grants: Grant) -> Caller:
    return Caller(new_id(), new_id(), "token", grants)


@pytest.mark.parametrize(
    ("held", "asked", "may"),
    [
        (COUNTY, TOWN, True),
        (TOWN, TOWN, True),
        (TOWN, OTHER_TOWN, False),
        (TOWN, COUNTY, False),
        ("445300000000", TOWN, True),
        ("440000000000", TOWN, True),
        ("445381100000", "445381100001", True),
    ],
)
def test_a_role_is_held_for_an_area_and_what_lies_in_it(held: str, asked: str, may: bool) -> None:
    assert caller(Grant("worker", held)).may("worker", asked) is may
    assert not caller(Grant("worker", held)).may("coordinator", asked)


def test_require_says_no() -> None:
    with pytest.raises(Forbidden):
        caller(Grant("worker", TOWN)).require("worker", OTHER_TOWN)


async def test_the_database_and_the_code_agree_on_what_lies_in_an_area(house: House) -> None:
    for area in ("440000000000", "445300000000", COUNTY, TOWN, "445381100001"):
        pattern = await house.db.pool.fetchval("select access.pattern($1)", area)
        for asked in (TOWN, OTHER_TOWN, COUNTY, "445381100001", "445302001000", "440100000000"):
            in_code = caller(Grant("worker", area)).may("worker", asked)
            assert in_code is await house.db.pool.fetchval("select $1 like $2", asked, pattern)


async def whoami(client: httpx.AsyncClient) -> int:
    return (await client.get("/api/audit/v1/overview")).status_code


async def test_a_token_counts_until_it_is_revoked_or_runs_out(house: House) -> None:
    client = await house.person("auditor")
    assert await whoami(client) == 200
    await house.db.pool.execute("update access.session set expires_at = now() - interval '1 second'")
    assert await whoami(client) == 401
    await house.db.pool.execute(
        "update access.session set expires_at = now() + interval '1 day', revoked_at = now()"
    )
    assert await whoami(client) == 401


async def test_a_role_that_has_ended_no_longer_counts(house: House) -> None:
    client = await house.person("auditor")
    await house.db.pool.execute("update access.role_grant set valid_until = now() - interval '1 second'")
    assert await whoami(client) == 403


async def test_an_invented_token_is_nobody(house: House) -> None:
    assert await whoami(house.anyone({"authorization": f"Bearer {uuid4()}"})) == 401
    assert await whoami(house.anyone({"x-user-id": str(uuid4()), "x-forwarded-for": "127.0.0.1"})) == 401


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://nuanlian.test"}, True),
        ({"origin": "http://evil.test"}, False),
        ({}, True),
    ],
)
async def test_a_cookie_only_counts_from_our_own_pages(
    house: House, headers: dict[str, str], allowed: bool
) -> None:
    token = (await house.person("auditor")).headers["authorization"].removeprefix("Bearer ")
    browser = house.anyone(headers | {"cookie": f"nuanlian_session={token}"})
    answer = await browser.post("/api/audit/v1/verifications", json={})
    assert (answer.status_code == 200) is allowed


async def test_only_the_hash_of_a_token_is_stored(house: House) -> None:
    token = (await house.person("auditor")).headers["authorization"].removeprefix("Bearer ")
    row = await house.db.pool.fetchrow(
        "select * from access.session where token_hash = $1", hash_token(token)
    )
    assert row is not None and token not in str(dict(row))


CHARITY = {"name": "示例机构（虚构）", "kind": "company", "area": COUNTY}


async def test_the_same_key_and_body_at_once_make_one_thing(house: House) -> None:
    client = await house.person("coordinator")
    headers = {"idempotency-key": str(uuid4())}
    answers = await asyncio.gather(
        *(client.post("/api/offers/v1/charities", json=CHARITY, headers=headers) for _ in range(3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["charity_id"] for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == ["", "true", "true"]


async def test_the_same_key_with_another_body_is_refused(house: House) -> None:
    client = await house.person("coordinator")
    headers = {"idempotency-key": str(uuid4())}
    await client.post("/api/offers/v1/charities", json=CHARITY, headers=headers)
    other = await client.post("/api/offers/v1/charities", json=CHARITY | {"kind": "charity"}, headers=headers)
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")


async def test_another_persons_key_is_their_own(house: House) -> None:
    headers = {"idempotency-key": str(uuid4())}
    first = await (await house.person("coordinator")).post(
        "/api/offers/v1/charities", json=CHARITY, headers=headers
    )
    other = CHARITY | {"name": "另一家示例机构（虚构）"}
    second = await (await house.person("coordinator")).post(
        "/api/offers/v1/charities", json=other, headers=headers
    )
    assert (first.status_code, second.status_code) == (201, 201)


async def test_creating_without_a_key_is_refused_with_what_to_do(house: House) -> None:
    answer = await (await house.person("coordinator")).post("/api/offers/v1/charities", json=CHARITY)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_a_request_that_failed_leaves_its_key_free(house: House) -> None:
    client = await house.person("coordinator", COUNTY)
    headers = {"idempotency-key": str(uuid4())}
    wrong = await client.post(
        "/api/offers/v1/charities", json=CHARITY | {"area": "440100000000"}, headers=headers
    )
    assert wrong.status_code >= 400
    assert (await client.post("/api/offers/v1/charities", json=CHARITY, headers=headers)).status_code == 201
