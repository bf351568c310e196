"""The matcher's screens, in both languages."""

from __future__ import annotations

import re

from shared.bus import new_id
from shared.labels import LABELS
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import pending, plan, rows, run, tell

ENGLISH = {"accept-language": "en"}
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
LABELLED = {text for labels in LABELS.values() for text in labels.values()}


async def test_pages_speak_both_languages(house: House) -> None:
    need, offer = facts.need(quantity=9), facts.offer(charity_name="Example", quantity=1)
    refused = facts.offer(charity_name="Elsewhere", service_areas=(facts.OTHER_COUNTY,))
    await plan(house, need, offer, refused, facts.offer(charity_name="Second", pickup="self_pickup"))
    client = await house.person("coordinator", facts.COUNTY)
    (latest,) = (await client.get("/api/matcher/v1/rounds")).json()["items"]
    pages = {
        "/matcher/": ("匹配轮次", "0.0000%"),
        "/matcher/unserved": ("没有着落的需求", need.case_number, "罗定市", f"/matcher/needs/{need.need_id}"),
        f"/matcher/rounds/{latest['round_id']}": ("证明", "各镇街的满足比例", "罗定市"),
        f"/matcher/needs/{need.need_id}": (
            "为什么",
            "可用的资源",
            "不在资源的服务范围内",
            "正在等待审批",
            "为什么不是第一",
            "改为送货上门",
            "服务范围包括",
        ),
    }
    for url, words in pages.items():
        chinese, english = await client.get(url), await client.get(url, headers=ENGLISH)
        assert (chinese.status_code, english.status_code) == (200, 200)
        assert [word for word in words if word not in chinese.text] == []
        main = english.text[english.text.index("<main") :]
        assert set(CHINESE.findall(main)) <= LABELLED


async def test_forms_ask_for_a_round_and_propose_by_hand(house: House) -> None:
    need, near, far = facts.need(), facts.offer(), facts.offer(origin_area=facts.RONGGUI)
    await plan(house, need, near, far)
    client = await house.person("coordinator", facts.COUNTY)
    asked = await client.post("/matcher/rounds", data={"idempotency_key": "a", "dry_run": "true"})
    assert asked.status_code == 303
    assert "排队" in (await client.get(asked.headers["location"])).text
    await run(house)
    assert "试算" in (await client.get(asked.headers["location"])).text
    (engine,) = await rows(house, "select id from matcher.proposal where status = 'pending'")
    form = {
        "need_id": str(need.need_id), "offer_id": str(far.offer_id), "quantity": "1", "idempotency_key": str(new_id()),
        "replaces": str(engine["id"]),
    }  # fmt: skip
    done = await client.post("/matcher/proposals", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/coordination/")
    assert await pending(house) == {(str(need.need_id), str(far.offer_id)): 1}
    again = await client.post(
        "/matcher/proposals", data=form | {"idempotency_key": str(new_id()), "quantity": "9"}
    )
    assert again.status_code in (409, 422)
    assert 'role="alert"' in again.text
    assert (await client.post("/matcher/proposals", data={"need_id": "x"})).status_code == 404


async def test_a_need_says_that_it_must_come_whole_and_in_a_set(house: House) -> None:
    need = facts.need(category="FOD-RICE", quantity=3, whole=True, bundle_id=new_id())
    await tell(house, need, facts.offer(category="FOD-RICE"))
    client = await house.person("coordinator", facts.COUNTY)
    page = (await client.get(f"/matcher/needs/{need.need_id}")).text
    for words in ("要一家一次给齐", "成套", 'type="number" min="3" max="3"'):
        assert words in page, words
