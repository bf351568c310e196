"""Errors as problems in the caller's language, and a database that is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from shared.db import Database
from tests.house import House

VISIT = "/api/intake/v1/visits"
MEMBER = {"name": "示例", "relation": "户主", "sex": "1"}
HOUSEHOLD = {"area": "445381100000", "consent": {"given": True}, "members": [MEMBER]}
GOOD: dict[str, Any] = {
    "beneficiary": {"household": HOUSEHOLD},
    "visited_at": "2026-01-05T09:00:00+08:00",
    "needs": [{"category": "APP-FAN", "quantity": 2, "urgency": "high"}],
}


async def post(client: httpx.AsyncClient, body: Any, language: str = "zh-CN") -> httpx.Response:
    return await client.post(
        VISIT, json=body, headers={"idempotency-key": "k" * 20, "accept-language": language}
    )


def with_need(**fields: Any) -> dict[str, Any]:
    return GOOD | {"needs": [GOOD["needs"][0] | fields]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (with_need(quantity=0), "needs.0.quantity"),
        (with_need(quantity=-3), "needs.0.quantity"),
        (with_need(quantity=1.5), "needs.0.quantity"),
        (with_need(quantity=10**18), "needs.0.quantity"),
        (with_need(quantity="2"), "needs.0.quantity"),
        (with_need(quantity=True), "needs.0.quantity"),
        (with_need(colour="red"), "needs.0.colour"),
        (with_need(category="APP-NONE"), "needs.0.category"),
        (with_need(urgency="now"), "needs.0.urgency"),
        (GOOD | {"visited_at": "2026-01-05T09:00:00"}, "visited_at"),
        (GOOD | {"status": "met"}, "status"),
        ({"visited_at": GOOD["visited_at"]}, "beneficiary"),
        (
            GOOD | {"beneficiary": {"household": HOUSEHOLD | {"area": "999999999999"}}},
            "beneficiary.household.area",
        ),
    ],
)
async def test_every_wrong_field_is_named_with_its_rule_in_both_languages(
    house: House, body: Any, field: str
) -> None:
    client = await house.person("worker")
    chinese, english = await post(client, body), await post(client, body, "en")
    for answer in (chinese, english):
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        [fault] = answer.json()["errors"]
        assert fault["field"] == field and fault["rule"]
    assert chinese.json()["errors"][0]["message"] != english.json()["errors"][0]["message"]
    assert await house.db.pool.fetchval("select count(*) from intake.visit") == 0


async def test_all_faults_are_named_at_once(house: House) -> None:
    answer = await post(await house.person("worker"), with_need(quantity=0, urgency="now", colour="red"))
    assert {fault["field"].split(".")[-1] for fault in answer.json()["errors"]} == {
        "quantity",
        "urgency",
        "colour",
    }


@pytest.mark.parametrize("content", [b"{", b"[1", b"\xff\xfe", b"NaN", b'{"needs": NaN}', b"[" * 100_000])
async def test_a_body_that_is_no_json_is_a_problem(house: House, content: bytes) -> None:
    client = await house.person("worker")
    headers = {"content-type": "application/json", "idempotency-key": "k" * 20}
    answer = await client.post(VISIT, content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/intake/v1/nothing", 404),
        ("PUT", VISIT, 405),
        ("GET", "/api/intake/v1/needs/not-an-id", 422),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    house: House, method: str, path: str, status: int
) -> None:
    answer = await (await house.person("worker")).request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    "path",
    ["/api/offers/v1/charities?cursor=%00", "/api/audit/v1/entries?type=a%00b", "/api/intake/v1/needs/%00"],
)
async def test_a_null_character_in_an_address_is_refused(house: House, path: str) -> None:
    answer = await (await house.person("coordinator")).get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_a_body_that_is_too_large_is_refused(house: House) -> None:
    client = await house.person("worker")
    answer = await client.post(VISIT, content=b"x" * (house.settings.max_body_bytes + 1))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"x" * 100_000

    answer = await client.post(VISIT, content=endless())
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_a_database_that_is_away_is_503_with_when_to_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await house.person("worker")

    def refuse(*_: object, **__: object) -> None:
        raise asyncpg.CannotConnectNowError("the database system is shutting down")

    monkeypatch.setattr("asyncpg.pool.Pool.acquire", refuse)
    answer = await post(client, GOOD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    monkeypatch.undo()
    assert (await post(client, GOOD)).status_code == 201


async def test_a_backend_killed_in_the_middle_is_503_and_leaves_nothing(house: House, db: Database) -> None:
    client = await house.person("worker")
    await db.pool.execute(
        """create function kill_me() returns trigger language plpgsql security definer as
        $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
        create trigger kill before insert on intake.visit for each row execute function kill_me()"""
    )
    answer = await post(client, GOOD)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    await db.pool.execute("drop trigger kill on intake.visit")
    assert await db.pool.fetchval("select count(*) from bus.event") == 0
    assert (await post(client, GOOD)).status_code == 201


async def test_what_breaks_is_500_with_a_number_and_nothing_of_the_inside(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await house.person("worker")
    monkeypatch.setattr("services.intake.handlers.publish", None)
    answer = await post(client, GOOD)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "NoneType" not in answer.text and answer.json()["incident"]


async def test_every_answer_carries_the_headers_that_keep_a_browser_safe(house: House) -> None:
    answer = await house.anyone().get("/accounts/login")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
