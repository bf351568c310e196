"""A spreadsheet with some rows broken: seen by row, column and rule; the right rows go in, the others come back and go in mended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from deploy import sample
from services.intake.layouts import HOUSEHOLDS, NEEDS
from services.offers.layouts import OFFERS
from shared import sheets
from shared.i18n import Language
from shared.sheets import Layout
from tests.browser.people import COUNTY, LANGUAGES, Nuanlian, Window, window
from tests.browser.test_main_job import CHARITY, register_charity
from tests.browser.test_pages import violations

Rows = Sequence[Mapping[str, Any]]
SAMPLE = sample.generate(60, 1, datetime.now(ZoneInfo("Asia/Shanghai")).date())
HOMES = [row for row in SAMPLE.households if row["area"].startswith(COUNTY[:6])][:12]
CASES = {row["case_number"] for row in HOMES}


def broken(rows: Rows, at: int, **changes: Any) -> list[dict[str, Any]]:
    return [dict(row) | (changes if number == at else {}) for number, row in enumerate(rows)]


async def upload(opened: Window, field: str, button: str, layout: Layout, rows: Rows) -> None:
    await opened.page.set_input_files(
        field,
        {
            "name": f"{layout.name}.xlsx",
            "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "buffer": sheets.write(layout, rows),
        },
    )
    form = opened.page.locator("form", has=opened.page.locator(field))
    await opened.press(button, form)


async def faults(opened: Window) -> list[list[str]]:
    """The table of faults, cell by cell."""
    rows = await opened.page.locator("table", has=opened.page.locator("td code")).locator("tbody tr").all()
    return [await row.locator("td").all_inner_texts() for row in rows]


async def refused(opened: Window, link: str, layout: Layout) -> list[dict[str, Any]]:
    """The downloaded file of what was not written, as rows that can be written again."""
    async with opened.page.expect_download() as coming:
        await opened.press(link)
    path = await (await coming.value).path()
    content = await asyncio.to_thread(Path(path).read_bytes)
    sheet = sheets.read(content, "refused.xlsx", layout)
    return [dict(row.raw) | dict(row.values) for row in sheet.rows]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_workers_sheets_go_in_row_by_row(browser: Browser, site: Nuanlian, lang: Language) -> None:
    await site.account("worker", COUNTY)
    async with window(browser, site, "worker", lang) as opened:
        page = opened.page
        await opened.press("表格导入")
        await upload(opened, "#file-households", "先检查", HOUSEHOLDS, broken(HOMES, 0, member_name=""))
        fault, *others = await faults(opened)
        assert (int(fault[0]), fault[1], fault[3]) == (
            2,
            HOUSEHOLDS.heading("member_name", lang),
            "required",
        ), fault
        assert {other[3] for other in others} == {"household_refused"}
        assert not await violations(page)
        right = sum(row["case_number"] != HOMES[0]["case_number"] for row in HOMES)
        await opened.press("只导入对的 {n} 行，有错的另存下载", n=right)
        assert await households(site) == len(CASES) - 1
        again = await refused(opened, "下载没有写入的行（七天内有效）", HOUSEHOLDS)
        assert {row["case_number"] for row in again} == {HOMES[0]["case_number"]}
        mended = [row | {"member_name": row["member_name"] or HOMES[0]["member_name"]} for row in again]
        await upload(opened, "#file-households", "先检查", HOUSEHOLDS, mended)
        await opened.press("全部导入")
        await expect(page.get_by_role("heading", name=opened.say("导入结果"))).to_be_visible()
        assert await households(site) == len(CASES)
        needs = [row for row in SAMPLE.needs if row.get("case_number") in CASES][:5]
        await upload(opened, "#file-needs", "先检查", NEEDS, needs)
        await opened.press("全部导入")
        await opened.menu("需求")
        await expect(page.locator("tbody tr")).to_have_count(len(needs))


async def households(site: Nuanlian) -> int:
    return int(await site.db.pool.fetchval("select count(*) from intake.household"))


async def test_a_charitys_sheet_goes_in_row_by_row(browser: Browser, site: Nuanlian) -> None:
    await site.account("coordinator", COUNTY)
    async with window(browser, site, "coordinator") as opened:
        await register_charity(opened)
    await site.settle()
    await site.account("charity", COUNTY, CHARITY)
    rows = [dict(row) | {"charity": CHARITY, "charity_kind": "company"} for row in SAMPLE.offers[:6]]
    async with window(browser, site, "charity") as opened:
        await opened.press("从表格导入")
        await upload(opened, "#file", "检查并预览", OFFERS, broken(rows, 2, quantity=0))
        [fault] = await faults(opened)
        assert (fault[1], fault[2]) == ("数量", "too_small")
        assert not await violations(opened.page)
        await opened.press("只导入没有错的行")
        mended = [row | {"quantity": 3} for row in await refused(opened, "下载有错的行（保留 7 天）", OFFERS)]
        assert [row["offer_number"] for row in mended] == [rows[2]["offer_number"]]
        await upload(opened, "#file", "检查并预览", OFFERS, mended)
        await opened.press("全部导入")
        await opened.menu("我的资源")
        await expect(opened.page.locator("table").first.locator("tbody tr")).to_have_count(len(rows))
