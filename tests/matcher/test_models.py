"""Only a person puts a model in force; rounds and rankings follow; and the way back is always open."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from matching.ranking import RULES
from shared.bus import new_id
from shared.events import ModelPromoted, ProposalMade, ProposalSuperseded, RulesRestored
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import pending, plan, rows, run
from tests.matcher.history import favouring_no_orphans, plant
from tests.matcher.test_learning import MODELS, learned

WHY = "两位协调员商量过，先试一个月。"


async def _promote(client: httpx.AsyncClient, model: str, **body: Any) -> httpx.Response:
    return await client.post(f"{MODELS}/{model}/promote", json=body)


async def _ranking(client: httpx.AsyncClient, need: Any) -> list[int]:
    shown = (await client.get(f"/api/matcher/v1/needs/{need.need_id}/offers")).json()["ranked"]
    assert all(sum(reason["points"] for reason in one["reasons"]) == one["score"] for one in shown)
    return [one["score"] for one in shown]


async def test_a_promoted_model_ranks_until_the_rules_are_restored(house: House) -> None:
    need, near, far = facts.need(), facts.offer(), facts.offer(origin_area=facts.RONGGUI)
    await plan(house, need, near, far)
    await plant(house.db)
    client = await house.person("coordinator")
    before = await _ranking(client, need)
    model = await learned(house, client)
    assert await _ranking(client, need) == before  # learning alone changes nothing
    put = await _promote(client, model)
    assert (put.status_code, put.json()["model_id"]) == (200, model)
    assert await _ranking(client, need) != before
    await run(house)
    await _board_speaks_for(house, model)
    (told,) = await house.events(ModelPromoted)
    assert (told.data["replaces"], told.data["worse_for"]) == (None, [])
    back = await client.post(f"{MODELS}/rules", json={})
    assert back.json() == {"model_id": None, "number": None}
    await run(house)
    assert await _ranking(client, need) == before
    await _board_speaks_for(house, None)
    (restored,) = await house.events(RulesRestored)
    assert restored.data["model_id"] == model
    assert restored.aggregateversion > told.aggregateversion
    assert {row["reason"] for row in [event.data for event in await house.events(ProposalSuperseded)]} == {
        "better_plan"
    }


async def _board_speaks_for(house: House, model: str | None) -> None:
    """What waits for a decision was scored by this model."""
    (row,) = await rows(house, "select model_id, score from matcher.proposal where status = 'pending'")
    assert row["model_id"] == (None if model is None else type(row["model_id"])(model))
    assert (await house.events(ProposalMade))[-1].data["score"] == row["score"]


async def test_a_model_that_serves_a_group_worse_needs_a_reason_which_is_kept(house: House) -> None:
    await plant(house.db, favouring_no_orphans())
    client = await house.person("coordinator")
    model = await learned(house, client)
    refused = await _promote(client, model)
    assert refused.status_code == 422
    said = refused.json()
    assert (said["errors"][0]["rule"], said["worse_for"]) == ("serves_group_worse", ["ORPHAN"])
    short = await _promote(client, model, reason=" 好 ")
    assert (short.status_code, short.json()["errors"][0]["rule"]) == (422, "reason_too_short")
    assert (await _promote(client, model, reason=WHY)).status_code == 200
    shown = (await client.get(f"{MODELS}/{model}")).json()
    assert (shown["state"], shown["promotion_reason"]) == ("champion", WHY)
    assert shown["promoted_by"] == client.headers["x-person-id"]
    (told,) = await house.events(ModelPromoted)
    assert told.data["worse_for"] == ["ORPHAN"]
    assert WHY not in str(told.data)


async def test_the_city_promotes_and_a_county_may_only_go_back(house: House) -> None:
    await plant(house.db)
    city, county = await house.person("coordinator"), await house.person("coordinator", facts.COUNTY)
    town, auditor = await house.person("coordinator", facts.LUOJING), await house.person("auditor")
    model = await learned(house, city)
    for client in (county, town, auditor, await house.person("admin")):
        assert (await _promote(client, model)).status_code == 403
        key = {"idempotency-key": str(new_id())}
        assert (await client.post(MODELS, json={}, headers=key)).status_code == 403
    assert (await auditor.get(f"{MODELS}/{model}")).status_code == 200
    assert (await _promote(city, model)).status_code == 200
    assert (await town.post(f"{MODELS}/rules", json={})).status_code == 403
    assert (await county.post(f"{MODELS}/rules", json={})).status_code == 200
    assert (await county.get(MODELS)).json()["in_force"] == {"model_id": None, "number": None}


async def test_what_is_not_ready_is_not_put_in_force(house: House) -> None:
    client = await house.person("coordinator")
    assert (await _promote(client, str(new_id()))).status_code == 404
    assert (await client.get(f"{MODELS}/{new_id()}")).status_code == 404
    assert (await client.post(MODELS, json={})).status_code == 400
    assert (await _promote(client, await learned(house, client))).status_code == 409
    await plant(house.db)
    model = await learned(house, client)
    assert (await _promote(client, model)).status_code == 200
    assert (await _promote(client, model)).status_code == 409


async def test_one_model_at_a_time_and_an_earlier_one_may_come_back(house: House) -> None:
    await plant(house.db)
    client = await house.person("coordinator")
    models = [await learned(house, client) for _ in range(2)]
    answers = await asyncio.gather(*(_promote(client, model, reason=WHY) for model in models))
    assert [answer.status_code for answer in answers] == [200, 200]
    states = {one["model_id"]: one["state"] for one in (await client.get(MODELS)).json()["items"]}
    assert sorted(states.values()) == ["champion", "retired"]
    retired = next(model for model, state in states.items() if state == "retired")
    other = await _promote(client, retired)
    assert (other.status_code, other.json()["compared_with"]) == (422, "rules")
    assert (await _promote(client, retired, reason=WHY)).status_code == 200
    versions = [
        event.aggregateversion for event in await house.events(ModelPromoted) if event.subject == retired
    ]
    assert versions == sorted(set(versions))
    page = (await client.get(MODELS, params={"limit": 1})).json()
    rest = (await client.get(MODELS, params={"cursor": page["next"]})).json()
    assert [one["number"] for one in (*page["items"], *rest["items"])] == [2, 1]


async def test_going_back_when_the_rules_rank_already_says_nothing(house: House) -> None:
    client = await house.person("coordinator")
    assert (await client.post(f"{MODELS}/rules", json={})).status_code == 200
    assert await house.events(RulesRestored) == []


async def test_a_model_of_another_release_leaves_the_rules_in_force(house: House) -> None:
    need, offer = facts.need(), facts.offer()
    await plant(house.db)
    client = await house.person("coordinator")
    await _promote(client, await learned(house, client))
    broken = RULES.to_dict()
    del broken["shapes"]["waiting"]
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        await conn.execute("update matcher.model set shapes = $1", broken)
    assert await plan(house, need, offer) == await pending(house) != {}
    assert await rows(house, "select model_id from matcher.proposal") == [{"model_id": None}]


@pytest.mark.parametrize("path", ["", "/x/promote", "/rules"])
async def test_nobody_else_comes_near(house: House, path: str) -> None:
    for client in (await house.person("worker"), await house.person("charity", charity_id=new_id())):
        assert (
            await client.post(f"{MODELS}{path}".replace("/x/", f"/{new_id()}/"), json={})
        ).status_code == 403
