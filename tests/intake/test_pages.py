"""The worker's screens: in both languages, with forms that do what the interface does."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx

from services.intake import app
from shared.clock import LOCAL
from shared.events import FollowUpAnswered, HouseholdChanged, NeedRaised, VisitRecorded
from shared.i18n import merge
from shared.labels import LABELS
from tests.house import House
from tests.intake.invented import (
    API,
    LUOJING,
    NOW,
    Story,
    household_rows,
    households_file,
    need_rows,
    needs_file,
    one_need,
    post,
    visit,
)

HAN = re.compile(r"[\u4e00-\u9fff]+")
CODES = {
    word for words in LABELS.values() for zh in words.values() for word in HAN.findall(zh)
}  # the frame's to translate
FOLDER = Path(app.__file__).parent
ROOT = FOLDER.parent.parent


def _form(**changes: str) -> dict[str, str]:
    return {
        "idempotency_key": str(uuid4()),
        "whom": "household",
        "beneficiary.case_number": "",
        "beneficiary.household.area": LUOJING,
        "beneficiary.household.address": "示例路 1 号",
        "beneficiary.household.members.0.name": "赵示例",
        "beneficiary.household.members.0.vulnerabilities[]": "ELD_ALONE",
        "beneficiary.household.members.1.name": "",
        "beneficiary.household.consent.given": "true",
        "beneficiary.site.kind": "site",
        "visited_at": f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M}",
        "participants": "示例老师、示例医生",
        "needs.0.category": "APP-FAN",
        "needs.0.quantity": "2",
        "needs.0.needed_by": f"{NOW + timedelta(days=9):%Y-%m-%d}",
        "needs.1.category": "",
        "needs.1.text": "床板塌了一角,需要一张单人床",
    } | changes


def test_everything_a_person_reads_has_its_english() -> None:
    known = merge([ROOT / "shared", ROOT / "shared" / "web", FOLDER])
    said = [
        text
        for path in FOLDER.rglob("*.html")
        for text in re.findall(r'_\("([^"]+)"', path.read_text("utf-8"))
    ]
    assert len(said) > 80
    assert [text for text in said if text not in known] == []


async def test_every_page_speaks_both_languages(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await post(worker, "/visits", visit(needs=[{"text": "a bed, 需要一张单人床"}]))
    need = await one_need(worker)
    story, follow_up_id = Story(need), uuid4()
    await house.deliver_twice(
        "intake", story.approved(2), story.scheduled(2, 2, NOW), story.received(2), story.due(follow_up_id)
    )
    pages = {
        "/intake/": "Follow-ups to do",
        "/intake/visits/new": "Record a visit",
        f"/intake/visits/new?follow_up={follow_up_id}": "Follow-up",
        f"/intake/visits/new?household={need['beneficiary_id']}": "Who was visited",
        "/intake/households": "Case number",
        f"/intake/households/{need['beneficiary_id']}": "Withdraw consent",
        "/intake/needs?status=received": "Received",
        f"/intake/needs/{need['need_id']}": "What happened",
        "/intake/imports": "Download the template",
    }
    for path, words in pages.items():
        chinese = await worker.get(path)
        assert chinese.status_code == 200, (path, chinese.text[-800:])
        english = await worker.get(path, headers={"accept-language": "en"})
        assert words in english.text, path
        assert "style=" not in english.text and "<script>" not in english.text
        main = english.text.partition("<main")[2]
        shown = re.sub(r"<(td|p|blockquote|textarea)[^>]*>.*?</\1>|value=\"[^\"]*\"", "", main, flags=re.S)
        left = set(HAN.findall(shown)) - CODES
        assert not left, (path, left)


async def test_the_form_records_a_visit_once(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    form = _form()
    first = await worker.post("/intake/visits/new", data=form)
    assert first.status_code == 303, first.text[:3000]
    assert (await worker.post("/intake/visits/new", data=form)).headers["location"] == first.headers[
        "location"
    ]
    assert len(await house.events(VisitRecorded)) == 1
    [raised] = await house.events(NeedRaised)
    assert raised.data["needed_by"] == f"{NOW + timedelta(days=9):%Y-%m-%d}T23:59:59+08:00"
    assert raised.data["consent"] is True and raised.data["vulnerabilities"] == ["ELD_ALONE"]
    assert first.headers["location"].startswith("/intake/needs/")
    home = await worker.get("/intake/")
    assert "床板塌了一角" in home.text and "确认：" in home.text


async def test_a_wrong_form_keeps_what_was_entered(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    answer = await worker.post("/intake/visits/new", data=_form(**{"needs.0.quantity": "0"}))
    assert answer.status_code == 422
    assert "必须大于 0" in answer.text and "赵示例" in answer.text and "床板塌了一角" in answer.text
    both = {"whom": "site", "beneficiary.case_number": "YF-1"}
    unclear = await worker.post("/intake/visits/new", data=_form(**both))
    assert unclear.status_code == 422 and "走访了谁" in unclear.text
    for odd in ({"needs": "x"}, {"beneficiary": "x"}, {"beneficiary.household": "x", "whom": "household"}):
        assert (await worker.post("/intake/visits/new", data={"visited_at": "x"} | odd)).status_code == 422
    assert await house.events(VisitRecorded) == []


async def test_what_was_filled_in_counts_more_than_an_empty_choice(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    assert (await worker.post("/intake/visits/new", data=_form(whom="case_number"))).status_code == 303
    assert len(await house.events(VisitRecorded)) == 1


async def test_one_tap_confirms_a_reading(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await post(worker, "/visits", visit(needs=[{"text": "需要一张单人床"}]))
    page = (await worker.get("/intake/")).text
    action = re.search(r'action="(/intake/needs/[^"]+/category)"', page)
    assert action
    fields = dict(
        re.findall(
            r'type="hidden" name="(\w+)" value="([^"]*)"', page.split(action[0])[1].split("</form>")[0]
        )
    )
    assert (await worker.post(action[1], data=fields)).status_code == 303
    [raised] = await house.events(NeedRaised)
    assert raised.data["category"] == "FUR-BED"
    stale = await worker.post(action[1], data=fields)
    assert stale.status_code == 409 and "刷新" in stale.text


async def test_a_follow_up_is_answered_from_its_form(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    story, follow_up_id = Story(need), uuid4()
    await house.deliver_twice(
        "intake", story.approved(2), story.received(2), story.overdue(follow_up_id), story.due(follow_up_id)
    )
    assert "已逾期" in (await worker.get("/intake/")).text
    page = (await worker.get(f"/intake/visits/new?follow_up={follow_up_id}")).text
    fields = dict(re.findall(r'type="hidden" name="([\w.]+)" value="([^"]*)"', page))
    form = fields | {"follow_up.outcome": "helped", "visited_at": f"{NOW.astimezone(LOCAL):%Y-%m-%dT%H:%M}"}
    assert (await worker.post(f"/intake/visits/new?follow_up={follow_up_id}", data=form)).status_code == 303
    assert len(await house.events(FollowUpAnswered)) == 1
    assert "已结案" in (await worker.get(f"/intake/needs/{need['need_id']}")).text


async def test_an_unhappy_need_is_shown_and_closed_on_its_page(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    story, follow_up_id = Story(need), uuid4()
    await house.deliver_twice("intake", story.approved(2), story.received(2), story.due(follow_up_id))
    page = f"/intake/needs/{need['need_id']}"
    assert "/close" not in (await worker.get(page)).text
    body = {
        "beneficiary": {"household_id": need["beneficiary_id"]},
        "visited_at": NOW.isoformat(),
        "follow_up": {"follow_up_id": str(follow_up_id), "outcome": "not_helped"},
    }
    assert (await post(worker, "/visits", body)).status_code == 201
    assert "需要关注 1 条" in (await worker.get("/intake/")).text
    assert f'action="{page}/close"' in (await worker.get(page)).text
    closed = await worker.post(f"{page}/close", data={"reason": "moved", "version": "1"})
    assert closed.status_code == 303
    assert "已搬走" in (await worker.get(page)).text


async def test_a_household_is_found_and_changed_on_its_page(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    path = f"/intake/households/{need['beneficiary_id']}"
    found = await worker.post("/intake/households", data={"words": "张示例一"})
    assert path in found.text and "张***" in found.text
    changed = await worker.post(
        path, data={"version": "1", "phone": "00000000042", "vulnerabilities[]": ["DIBAO", "SINGLE"]}
    )
    assert changed.status_code == 303, changed.text[:2000]
    member = re.search(rf'action="({path}/members/[^"]+)"', (await worker.get(path)).text)
    assert member
    assert (
        await worker.post(member[1], data={"version": "2", "vulnerabilities[]": ["ELD_80"]})
    ).status_code == 303
    assert (
        await worker.post(
            f"{path}/members", data={"version": "3", "name": "张示例三", "idempotency_key": "k"}
        )
    ).status_code == 303
    assert (await worker.post(f"{path}/consent/withdraw", data={"version": "4"})).status_code == 303
    assert (await worker.post(f"{path}/consent/give", data={"version": "4"})).status_code == 409
    events = await house.events(HouseholdChanged)
    assert events[1].data["vulnerabilities"] == ["DIBAO", "ELD_80", "ORPHAN", "SINGLE"]
    page = (await worker.get(path)).text
    assert "00000000042" in page and "张示例三" in page and "没有同意" in page


async def test_a_need_is_changed_and_withdrawn_on_its_page(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    path = f"/intake/needs/{need['need_id']}"
    assert (
        await worker.post(f"{path}/change", data={"version": "1", "quantity": "4", "urgency": "low"})
    ).status_code == 303
    assert (
        await worker.post(f"{path}/withdraw", data={"version": "2", "reason": "moved"})
    ).status_code == 303
    assert "已撤回" in (await worker.get(path)).text


async def _look(worker: httpx.AsyncClient, kind: str, content: bytes) -> httpx.Response:
    return await worker.post(f"/intake/imports/{kind}", files={"file": ("x.xlsx", content)})


async def test_an_import_is_looked_at_before_it_is_written(house: House) -> None:
    worker, colleague = await house.person("worker", LUOJING), await house.person("worker", LUOJING)
    rows = household_rows(2)
    rows[2] |= {"phone": "not a phone"}
    looked = await _look(worker, "households", households_file(rows))
    assert "还什么都没有写入" in looked.text and "电话" in looked.text
    decide = re.search(r'action="(/intake/imports/uploads/[^"]+)"', looked.text)
    assert decide
    assert (await colleague.post(decide[1], data={"mode": "right_rows"})).status_code == 404
    done = await worker.post(decide[1], data={"mode": "right_rows"})
    assert "写入 2 行" in done.text
    refused = re.search(rf'href="({API}/imports/[^"]+/refused)"', done.text)
    assert refused
    assert (await worker.get(refused[1])).content.startswith(b"PK")
    needs = await _look(worker, "needs", needs_file(need_rows(2, 1)))
    decide = re.search(r'action="(/intake/imports/uploads/[^"]+)"', needs.text)
    assert decide
    assert "写入 2 行" in (await worker.post(decide[1], data={"mode": "whole"})).text
    assert (await worker.post("/intake/imports/needs", data={})).status_code == 422


async def test_a_contact_is_a_fragment(house: House) -> None:
    charity_id = uuid4()
    worker, charity = (
        await house.person("worker", LUOJING),
        await house.person("charity", charity_id=charity_id),
    )
    story = Story(await one_need(worker), charity_id)
    await house.deliver_twice("intake", story.approved(2))
    answer = await charity.get(f"/intake/commitments/{story.commitment_id}/contact")
    assert "张示例一" in answer.text and "<html" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_set_is_marked_in_the_form_and_shown_with_its_other_parts(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    parts = {
        "needs.0.category": "FUR-BED",
        "needs.0.bundle": "1",
        "needs.0.whole": "true",
        "needs.1.text": "",
    }
    refused = await worker.post("/intake/visits/new", data=_form(**parts))
    assert refused.status_code == 422 and "第 1 套只有一样" in refused.text
    assert 'value="true" checked> 要一家一次给齐' in refused.text
    assert '<option value="1" selected>第 1 套</option>' in refused.text
    both = parts | {"needs.1.category": "FUR-MATT", "needs.1.bundle": "1"}
    assert (await worker.post("/intake/visits/new", data=_form(**both))).status_code == 303
    bed, mattress = [event.data for event in await house.events(NeedRaised)]
    assert bed["bundle_id"] == mattress["bundle_id"]
    page = await worker.get(f"/intake/needs/{bed['need_id']}")
    assert "要一家一次给齐" in page.text and f"/intake/needs/{mattress['need_id']}" in page.text
    assert (await worker.get("/intake/needs")).text.count("成套") == 2
