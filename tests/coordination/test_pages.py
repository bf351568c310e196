"""The coordinator's screens, in both languages and without a script."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from shared.bus import new_id
from shared.labels import LABELS
from tests.coordination.build import pair, quantities, tell
from tests.house import House
from tests.matcher import facts

ENGLISH = {"accept-language": "en"}
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
LABELLED = {text for labels in LABELS.values() for text in labels.values()}


async def _board(house: House) -> tuple[Any, Any, Any]:
    need, offer = facts.need(quantity=2), facts.offer(charity_name="Example Charity")
    other = facts.offer(charity_name="Other Charity", offer_number="R-2")
    made = facts.proposal(
        need, offer, quantity=2, alternatives=({"offer_id": other.offer_id, "score": 80, "factors": ()},)
    )
    await tell(house, need, offer, other, made)
    return need, offer, made


async def test_pages_speak_both_languages(house: House) -> None:
    _, _, made = await _board(house)
    client = await house.person("coordinator", facts.COUNTY)
    for url in ("/coordination/", f"/coordination/proposals/{made.proposal_id}", "/coordination/decided"):
        chinese, english = await client.get(url), await client.get(url, headers=ENGLISH)
        assert (chinese.status_code, english.status_code) == (200, 200)
        assert 'lang="zh-CN"' in chinese.text
        main = english.text[english.text.index("<main") :]
        assert set(CHINESE.findall(main)) <= LABELLED


async def test_the_board_shows_what_a_decision_needs(house: House) -> None:
    need, offer, made = await _board(house)
    client = await house.person("coordinator", facts.COUNTY)
    page = (await client.get("/coordination/")).text
    for words in (
        "电风扇 × 2 台",
        need.case_number,
        "罗定市",
        offer.charity_name,
        "困难类别：孤儿",
        "还剩 5 台",
    ):
        assert words in page, words
    assert f'value="{made.proposal_id}"' in page
    assert 'href="/matcher/unserved"' in page
    more = (await client.get(f"/coordination/proposals/{made.proposal_id}/more")).text
    for words in ("Other Charity", "换成这份", f'name="replaces" value="{made.proposal_id}"'):
        assert words in more, words
    auditor = await house.person("auditor", facts.COUNTY)
    reading = (await auditor.get("/coordination/")).text
    assert "批准" not in reading.replace("对接审批", "")
    assert "style=" not in page
    assert "onclick" not in page


async def test_an_empty_board_says_what_will_happen(house: House) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    assert "没有待审批的建议" in (await client.get("/coordination/")).text


async def test_a_form_approves_a_part_and_comes_back_to_the_filtered_board(house: House) -> None:
    need, offer, made = await _board(house)
    client = await house.person("coordinator", facts.COUNTY)
    url = f"/coordination/proposals/{made.proposal_id}/approve?urgency=normal"
    answer = await client.post(url, data={"quantity": "1", "version": "1", "idempotency_key": str(new_id())})
    assert (answer.status_code, answer.headers["location"]) == (303, "/coordination/?urgency=normal")
    assert await quantities(house, need, offer) == (1, 1)
    again = await client.post(url, data={"quantity": "1", "version": "1", "idempotency_key": str(new_id())})
    assert again.status_code == 409
    assert "已经处理过" in again.text
    assert "部分批准" in (await client.get("/coordination/decided")).text


async def test_a_form_declines_with_a_reason(house: House) -> None:
    _, _, made = await pair(house)
    client = await house.person("coordinator", facts.COUNTY)
    url = f"/coordination/proposals/{made.proposal_id}/decline"
    assert (await client.post(url, data={"version": "1"})).status_code == 422
    assert (await client.post(url, data={"reason": "too_far", "version": "1"})).status_code == 303
    assert "路途太远" in (await client.get("/coordination/decided")).text


async def test_ticked_rows_are_approved_together_with_a_summary(house: House) -> None:
    offer = facts.offer(quantity=1)
    one, two = facts.need(), facts.need(case_number="YF-445381108-0002")
    made = [facts.proposal(one, offer), facts.proposal(two, offer)]
    await tell(house, offer, one, two, *made)
    client = await house.person("coordinator", facts.COUNTY)
    data = {"key": "tick", "proposal_ids[]": [str(each.proposal_id) for each in made]}
    page = await client.post("/coordination/approvals", data=data)
    assert page.status_code == 200
    assert "批准了 1 条，1 条没有批准" in page.text
    assert "电风扇余量不足，还剩 0 台" in page.text
    none = await client.post("/coordination/approvals", data={"key": "none"})
    assert none.status_code == 422


async def test_before_many_are_approved_a_summary_says_what_it_would_do(house: House) -> None:
    offer = facts.offer(quantity=1)
    one, two = facts.need(), facts.need(case_number="YF-445381108-0002")
    made = [facts.proposal(one, offer), facts.proposal(two, offer)]
    await tell(house, offer, one, two, *made)
    client = await house.person("coordinator", facts.COUNTY)
    ids = [str(each.proposal_id) for each in made]
    page = (
        await client.post("/coordination/approvals/summary", data={"proposal_ids[]": [*ids, str(new_id())]})
    ).text
    for words in (
        "批准前核对：2 条建议",
        "1 条刚被别人处理",
        "不够，后面的批不下来",
        one.case_number,
        two.case_number,
    ):
        assert words in page, words
    assert await quantities(house, one, offer) == (0, 0)
    assert (await client.post("/coordination/approvals/summary", data={})).status_code == 422
    auditor = await house.person("auditor", facts.COUNTY)
    assert (
        await auditor.post("/coordination/approvals/summary", data={"proposal_ids[]": ids})
    ).status_code == 403


async def test_new_proposals_are_a_chip_and_move_no_row(house: House) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    since = datetime.now(UTC).isoformat()
    assert (await client.get("/coordination/new", params={"since": since})).text.strip() == ""
    await pair(house)
    assert "有 1 条新建议" in (await client.get("/coordination/new", params={"since": since})).text
    assert (
        await client.get("/coordination/new", params={"since": since, "urgency": "low"})
    ).text.strip() == ""


async def test_a_set_is_approved_from_one_row_after_a_summary(house: House) -> None:
    both = {"beneficiary_id": new_id(), "bundle_id": new_id(), "whole": True}
    needs = [facts.need(category=code, **both) for code in ("FUR-BED", "FUR-MATT")]
    offers = [facts.offer(category=need.category) for need in needs]
    made = [facts.proposal(need, offer) for need, offer in zip(needs, offers, strict=True)]
    await tell(house, *needs, *offers, *made)
    client = await house.person("coordinator", facts.COUNTY)
    page = (await client.get("/coordination/")).text
    for words in ("整件", "成套", "床垫 × 1 张", "批准整套（2 条）", "同一套的其他建议会在下一轮匹配时收回"):
        assert words in page, words
    assert f"/coordination/proposals/{made[0].proposal_id}/approve" not in page
    english = (await client.get(f"/coordination/proposals/{made[0].proposal_id}", headers=ENGLISH)).text
    assert "Approve the whole set (2)" in english and "Mattress" in english
    one = {"proposal_ids[]": [str(made[0].proposal_id)]}
    summary = (await client.post("/coordination/approvals/summary", data=one)).text
    assert "带上了同一套的另外 1 条" in summary
    ids = re.findall(r'name="proposal_ids\[\]" value="([^"]+)"', summary)
    assert set(ids) == {str(each.proposal_id) for each in made}
    done = await client.post("/coordination/approvals", data={"key": "set", "proposal_ids[]": ids})
    assert "批准了 2 条，0 条没有批准" in done.text
    for need, offer in zip(needs, offers, strict=True):
        assert await quantities(house, need, offer) == (1, 1)
