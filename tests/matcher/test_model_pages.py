"""The model card and the list, in both languages, and their forms."""

from __future__ import annotations

import httpx

from services.matcher.learning import watch_drift
from shared.bus import new_id
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import run
from tests.matcher.history import favouring_no_orphans, plant
from tests.matcher.test_learning import MODELS, learned
from tests.matcher.test_models import WHY
from tests.matcher.test_pages import CHINESE, ENGLISH


async def _in_english(client: httpx.AsyncClient, url: str) -> str:
    """The page's own part; nothing of it may be left in Chinese but what a person wrote."""
    answer = await client.get(url, headers=ENGLISH)
    assert answer.status_code == 200
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    assert not CHINESE.findall(main.replace(WHY, ""))
    return main


async def test_list_and_card_speak_both_languages(house: House) -> None:
    await plant(house.db, favouring_no_orphans())
    client = await house.person("coordinator")
    assert "还没有学过模型" in (await client.get("/matcher/models")).text
    model = await learned(house, client)
    await client.post(f"{MODELS}/{model}/promote", json={"reason": WHY})
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        await watch_drift(conn, house.job("matcher.drift"))
    card = (await client.get(f"/matcher/models/{model}")).text
    for word in ("模型卡", "孤儿", "变差", "每一项值多少分", "稳定性指数", WHY):
        assert word in card
    english = await _in_english(client, f"/matcher/models/{model}")
    for word in ("Model card", "Worse", "Brier", "Stability index", "Learned from 600 decisions"):
        assert word in english
    listed = await _in_english(client, "/matcher/models")
    assert "In force" in listed and "ranks now" in listed
    assert 'href="/matcher/models"' in (await client.get("/matcher/")).text


async def test_forms_learn_promote_and_go_back(house: House) -> None:
    await plant(house.db, favouring_no_orphans())
    client = await house.person("coordinator")
    asked = await client.post("/matcher/models", data={"idempotency_key": str(new_id())})
    assert asked.status_code == 303
    card = asked.headers["location"]
    assert "还在排队" in (await client.get(card)).text
    await run(house)
    refused = await client.post(f"{card}/promote", data={})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text and "变差" in refused.text
    done = await client.post(f"{card}/promote", data={"reason": WHY})
    assert (done.status_code, done.headers["location"]) == (303, "/matcher/models")
    assert "现在用第 1 号模型排序" in (await client.get("/matcher/models")).text
    assert (await client.post("/matcher/models/rules")).status_code == 303
    assert "现在按规则排序" in (await client.get("/matcher/models")).text
    assert (await client.get(f"/matcher/models/{new_id()}")).status_code == 404
    assert (await client.post(f"/matcher/models/{new_id()}/promote", data={})).status_code == 404


async def test_a_town_sees_the_card_without_buttons(house: House) -> None:
    await plant(house.db)
    model = await learned(house, await house.person("coordinator"))
    town = await house.person("coordinator", facts.LUOJING)
    page = (await town.get(f"/matcher/models/{model}")).text
    assert "模型卡" in page and "<form" not in page[page.index("<main") :]
    assert "学一个新模型" not in (await town.get("/matcher/models")).text
