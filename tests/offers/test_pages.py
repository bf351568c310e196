"""The screens of offers, in both languages, and what their forms do."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

import services.offers
from services.offers.layouts import OFFERS
from shared.bus import new_id
from shared.events import OfferChanged, OfferRegistered
from shared.i18n import catalogue
from shared.sheets import write
from tests.house import House
from tests.offers.giving import CITY, COUNTY, TOWN, approved, charity, giver, offer
from tests.offers.test_imports import row
from tests.reading import main_part, without_labels

WORDS = catalogue(Path(services.offers.__file__).parent)


def hidden(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, name
    return unescape(found.group(1))


def no_chinese(page: httpx.Response) -> None:
    """No message of this package stands untranslated; what people entered may be Chinese."""
    shown = re.sub(r"<[^>]+>", " ", without_labels(main_part(page)))
    text = re.sub(r"[\u4e00-\u9fff]*示例[\u4e00-\u9fff]*", "", shown)
    assert not re.search(r"[\u4e00-\u9fff]", text), re.findall(r"[^\n]*[\u4e00-\u9fff]+[^\n]*", text)[:5]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_in_both_languages(house: House, language: str) -> None:
    client, charity_id = await giver(house)
    pledged = await offer(
        client, designated_vulnerabilities=["DIBAO"], expires_on="2035-01-01", radius_m=5000
    )
    await house.deliver_twice("offers", approved(pledged["offer_id"], charity_id))
    client.headers["accept-language"] = language
    expected = {
        "/offers/": ("资源台账", "已承诺"),
        "/offers/new": ("登记资源",),
        "/offers/charities": ("机构名称",),
        "/offers/imports": ("从表格导入", "下载模板"),
        f"/offers/{pledged['offer_id']}": ("给了哪些镇街", "撤回资源"),
    }
    for address, messages in expected.items():
        page = await client.get(address)
        assert page.status_code == 200, (address, page.text[-2000:])
        for message in messages:
            assert (WORDS[message] if language == "en" else message) in main_part(page)
        assert "style=" not in page.text
        if language == "en":
            no_chinese(page)


def terms(**changes: Any) -> dict[str, Any]:
    return {
        "category": "APP-FAN", "quantity": "7", "origin_area": TOWN, "condition": "new", "pickup": "delivery", "vetted": "false",
        "service_areas[]": [COUNTY, TOWN], "unit_value_yuan": "19.9", "available_until": "2035-01-01", "radius_km": "",
    } | changes  # fmt: skip


async def test_the_form_registers_an_offer(house: House) -> None:
    client, charity_id = await giver(house)
    ids = {"charity_id": str(charity_id), "idempotency_key": str(new_id())}
    wrong = await client.post("/offers/new", data=terms(quantity="0") | ids)
    assert wrong.status_code == 422
    assert "必须大于 0" in wrong.text
    assert hidden(wrong, "idempotency_key") == ids["idempotency_key"]
    assert re.search(r'value="19\.9"', wrong.text), "what was entered stays"
    stored = await client.post("/offers/new", data=terms() | ids)
    assert stored.status_code == 303, stored.text
    again = await client.post("/offers/new", data=terms() | ids)
    assert again.headers["location"] == stored.headers["location"], "a second click makes no second offer"
    shown = (await client.get(f"/api/offers/v1{stored.headers['location']}")).json()
    assert (shown["quantity"], shown["unit_value_fen"], shown["service_areas"]) == (7, 1990, [COUNTY, TOWN])


async def test_the_form_changes_and_withdraws_an_offer(house: House) -> None:
    client, _ = await giver(house)
    pledged = await offer(client, available_until="2035-01-01T23:59:59+08:00", unit_value_fen=1990)
    address = f"/offers/{pledged['offer_id']}"
    page = await client.get(address)
    assert 'value="2035-01-01"' in page.text
    assert 'value="19.9"' in page.text
    change = terms(
        quantity="12", version=hidden(page, "version"), idempotency_key=hidden(page, "idempotency_key")
    )
    assert (await client.post(address, data=change)).status_code == 303
    stale = await client.post(address, data=change | {"quantity": "13", "idempotency_key": str(new_id())})
    assert stale.status_code == 409
    page = await client.get(address)
    gone = await client.post(
        f"{address}/withdraw", data={"reason": "no_stock", "version": hidden(page, "version")}
    )
    assert gone.status_code == 303
    assert "已撤回" in (await client.get(address)).text
    assert (await client.get(f"/offers/{new_id()}")).status_code == 404


async def test_an_auditor_reads_and_changes_nothing(house: House) -> None:
    client, _ = await giver(house)
    pledged = await offer(client)
    auditor = await house.person("auditor", CITY)
    page = await auditor.get(f"/offers/{pledged['offer_id']}")
    assert page.status_code == 200
    assert "<form class" not in page.text
    assert (await auditor.get("/offers/new")).status_code == 403


async def test_the_office_registers_charities(house: House) -> None:
    office = await house.person("coordinator", COUNTY)
    body = {
        "name": "新来示例志愿队",
        "kind": "volunteer_team",
        "area": TOWN,
        "idempotency_key": str(new_id()),
    }
    assert (await office.post("/offers/charities", data=body)).status_code == 303
    assert "新来示例志愿队" in (await office.get("/offers/charities")).text
    twice = await office.post("/offers/charities", data=body | {"idempotency_key": str(new_id())})
    assert twice.status_code == 409
    client = await house.person("charity", CITY, UUID(int=7))
    assert (await client.post("/offers/charities", data=body)).status_code == 403


async def test_import_previews_and_then_takes_the_right_rows(house: House) -> None:
    await charity(house)
    office = await house.person("coordinator", CITY)
    many = [row(number) for number in range(400)]
    sheet = write(OFFERS, [*many, row(1000, quantity=-5)])
    preview = await office.post(
        "/offers/imports", data={"mode": "preview"}, files={"file": ("o.xlsx", sheet)}
    )
    assert preview.status_code == 200
    assert "<code>too_small</code>" in preview.text
    assert ">402<" in preview.text, "the row as the spreadsheet numbers it"
    assert await house.db.pool.fetchval("select count(*) from offers.offer") == 0
    again = {name: hidden(preview, name) for name in ("filename", "content")} | {"mode": "right_rows"}
    done = await office.post("/offers/imports", data=again)
    assert done.status_code == 200
    assert "已导入" in done.text
    found = re.search(r"/api/offers/v1/imports/[0-9a-f-]+/refused", done.text)
    assert found
    assert (await office.get(found.group())).content[:2] == b"PK"
    assert await house.db.pool.fetchval("select count(*) from offers.offer") == 400
    nothing = await office.post("/offers/imports", data={"mode": "preview", "content": "???"})
    assert nothing.status_code == 422
    large = await office.post("/offers/imports", data={"mode": "preview", "content": "QUJD" * 500_000})
    assert large.status_code == 200
    assert "<code>" in large.text, "a file of a few megabytes travels in the form"


async def test_what_can_be_given_in_a_day_is_entered_shown_and_changed(house: House) -> None:
    client, charity_id = await giver(house)
    giver_id = {"charity_id": str(charity_id)}
    form = giver_id | terms(category="PSY-COUN", per_day_limit="6", idempotency_key=str(new_id()))
    answer = await client.post("/offers/new", data=form)
    assert answer.status_code == 303, answer.text[-2000:]
    [registered] = await house.events(OfferRegistered)
    assert registered.data["per_day_limit"] == 6
    address = f"/offers/{registered.data['offer_id']}"
    page = await client.get(address)
    assert '<th scope="row">每天上限</th><td>6 ' in page.text
    assert 'name="per_day_limit" type="number" inputmode="numeric" min="1" value="6"' in page.text
    api = f"/api/offers/v1/offers/{registered.data['offer_id']}"
    assert (await client.get(api)).json()["per_day_limit"] == 6
    changed = terms(category="PSY-COUN", per_day_limit="", version="1", idempotency_key=str(new_id()))
    assert (await client.post(address, data=changed)).status_code == 303
    [change] = await house.events(OfferChanged)
    assert change.data["per_day_limit"] is None
    zero = giver_id | terms(category="PSY-COUN", per_day_limit="0", idempotency_key=str(new_id()))
    refused = await client.post("/offers/new", data=zero)
    assert refused.status_code == 422 and "必须大于 0" in refused.text
