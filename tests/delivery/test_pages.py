"""The screens of deliveries, in both languages, and what their buttons do."""

from __future__ import annotations

from pathlib import Path

import pytest

import services.delivery
from shared.bus import new_id
from shared.i18n import catalogue
from tests.delivery.bringing import CITY, scene
from tests.house import House
from tests.reading import main_part, without_labels

WORDS = catalogue(Path(services.delivery.__file__).parent)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_in_both_languages(house: House, language: str) -> None:
    it = await scene(house)
    it.worker.headers["accept-language"] = language
    expected = {
        "/delivery/": ("派送台账", "约定时间"),
        "/delivery/?status=scheduled&area=": ("下一步",),
        f"/delivery/{it.id}": ("联系方式", "没有送成"),
        "/delivery/sheet": ("派送单", "签名"),
    }
    for address, messages in expected.items():
        page = await it.worker.get(address)
        assert page.status_code == 200, page.text[-2000:]
        for message in messages:
            assert (WORDS[message] if language == "en" else message) in main_part(page)
        assert "style=" not in page.text
        left = [message for message in WORDS if message in without_labels(main_part(page))]
        assert language != "en" or not left, (address, left)


async def test_the_buttons_lead_from_step_to_step(house: House) -> None:
    it = await scene(house)
    page = await it.giver.get("/delivery/?status=scheduled")
    assert f"/delivery/{it.id}/dispatch" in page.text
    assert "/receive" not in page.text
    sent = await it.giver.post(f"/delivery/{it.id}/dispatch", data={"version": "1", "back": "scheduled"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/delivery/?status=scheduled")
    assert (await it.giver.post(f"/delivery/{it.id}/deliver", data={"version": "2"})).status_code == 303
    page = await it.worker.get(f"/delivery/{it.id}")
    assert f"/delivery/{it.id}/receive" in page.text
    short = await it.worker.post(f"/delivery/{it.id}/receive", data={"version": "3", "received": "3"})
    assert short.status_code == 422
    assert 'value="3"' in short.text, "what was entered stays"
    told = {
        "version": "3",
        "received": "3",
        "short_reason": "damaged",
        "still_with_charity": "false",
        "back": "",
    }
    assert (await it.worker.post(f"/delivery/{it.id}/receive", data=told)).status_code == 303
    page = await it.worker.get(f"/delivery/{it.id}")
    assert "损坏" in main_part(page)
    assert "<form class" not in main_part(page), "nothing is left to do"


async def test_a_time_is_agreed_in_the_offices_zone(house: House) -> None:
    it = await scene(house)
    bad = await it.giver.post(f"/delivery/{it.id}/schedule", data={"version": "1", "scheduled_for": "soon"})
    assert bad.status_code == 422
    told = {"version": "1", "scheduled_for": "2035-05-02T09:30", "idempotency_key": str(new_id())}
    assert (await it.giver.post(f"/delivery/{it.id}/schedule", data=told)).status_code == 303
    assert "2035年5月2日 09:30" in (await it.worker.get("/delivery/")).text


async def test_a_late_click_shows_where_the_delivery_stands(house: House) -> None:
    it = await scene(house)
    await it.sent()
    late = await it.giver.post(f"/delivery/{it.id}/dispatch", data={"version": "1", "back": "all"})
    assert late.status_code == 409
    assert "已经送达，等待签收" in late.text


async def test_an_overdue_receipt_is_flagged(house: House) -> None:
    it = await scene(house)
    await it.sent()
    await house.db.pool.execute("update delivery.delivery set delivered_at = now() - interval '3 days'")
    assert "超 48 小时未签收" in main_part(await it.worker.get("/delivery/"))


async def test_the_contact_is_loaded_only_when_asked_for(house: House) -> None:
    it = await scene(house)
    address = f"/intake/commitments/{it.approval.commitment_id}/contact"
    page = main_part(await it.giver.get(f"/delivery/{it.id}"))
    assert f'hx-get="{address}"' in page
    assert "hx-trigger" not in page


async def test_an_auditor_sees_no_button(house: House) -> None:
    it = await scene(house)
    auditor = await house.person("auditor", CITY)
    for address in ("/delivery/", f"/delivery/{it.id}"):
        page = main_part(await auditor.get(address))
        assert 'method="post"' not in page
    assert (await auditor.post(f"/delivery/{it.id}/dispatch", data={"version": "1"})).status_code == 403


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "途中遗失"), ("en", "Lost on the way")])
async def test_nothing_received_says_why_in_words(house: House, language: str, words: str) -> None:
    it = await scene(house)
    await it.sent()
    told = {"version": "3", "received": "0", "short_reason": "lost"}
    assert (await it.worker.post(f"/delivery/{it.id}/receive", data=told)).status_code == 303
    it.worker.headers["accept-language"] = language
    assert words in main_part(await it.worker.get(f"/delivery/{it.id}"))
