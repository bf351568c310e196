"""The whole main job by hand: four people, a phone and three desktops, clicks and typing alone, in either language."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from shared.i18n import Language
from shared.tables import category_label
from tests.browser.people import COUNTY, LANGUAGES, TOWN, Nuanlian, Window, window
from tests.browser.test_pages import violations

CHARITY = "示例电器行（虚构）"
ADDRESS = "示例村三组 8 号"
MATTRESS = "孩子睡硬木板，想要一张床垫，床架家里有。"


async def register_charity(opened: Window) -> None:
    await opened.menu("资源台账")
    await opened.press("捐助机构")
    await opened.page.fill("#name", CHARITY)
    await opened.page.select_option("#kind", "company")
    await opened.page.select_option("#area", COUNTY)
    await opened.press("登记机构")
    await expect(opened.page.get_by_role("cell", name=CHARITY)).to_be_visible()


async def pledge(opened: Window, category: str, quantity: int) -> None:
    await opened.menu("我的资源")
    await opened.press("登记资源")
    await opened.page.select_option("#category", category)
    await opened.page.fill("#quantity", str(quantity))
    await opened.page.select_option("#origin_area", TOWN)
    await opened.page.select_option("#service_areas", [COUNTY])
    await opened.page.select_option("#pickup", "delivery")
    await opened.press("登记")
    await expect(opened.page.locator("h1")).to_contain_text(f"× {quantity}")


async def record_visit(opened: Window) -> None:
    """Two orphans' grandmother: a category, and a need in the worker's own words."""
    page = opened.page
    await opened.press("登记需求")
    await expect(page.locator("#name-0")).to_be_hidden()
    await page.get_by_text(opened.say("新建一户")).click()
    await page.fill("#address", ADDRESS)
    await page.fill("#phone", "00000000123")
    await page.fill("#name-0", "示例外婆")
    await page.fill("#birth-0", "1950-03-02")
    await page.fill("#name-1", "示例姐姐")
    await page.fill("#birth-1", "2014-05-01")
    await page.locator("#members > fieldset").nth(1).locator("summary").click()
    await page.check('[name="beneficiary.household.members.1.vulnerabilities[]"][value=ORPHAN]')
    await page.check('[name="beneficiary.household.consent.given"]')
    await page.check('[name="beneficiary.household.consent.by_guardian"]')
    shown = datetime.fromisoformat(await page.input_value("#visited_at")).replace(
        tzinfo=ZoneInfo("Asia/Shanghai")
    )
    assert abs(datetime.now(UTC) - shown) < timedelta(minutes=3)
    await page.select_option("#category-0", "APP-FAN")
    await page.fill("#quantity-0", "2")
    await page.select_option("#urgency-0", "high")
    await opened.press("再加一样")
    await page.fill("#text-1", MATTRESS)
    await opened.press("保存")
    await expect(page.locator("blockquote")).to_have_text(MATTRESS)
    stored = await opened.site.db.pool.fetchval("select visited_at from intake.visit")
    assert stored == shown


async def confirm_in_one_tap(opened: Window) -> None:
    await opened.menu("今日工作")
    await opened.page.get_by_role("button", name=category_label("FUR-MATT", opened.lang)).click()
    await expect(opened.page.get_by_text(opened.say("没有待确认的需求"))).to_be_visible()


async def approve(opened: Window) -> None:
    """One fan of two by itself; then the rest together, after looking at what that would do."""
    page, rows = opened.page, opened.page.locator("tbody tr")
    await opened.menu("对接审批")
    await opened.comes(rows, 2)
    fan = rows.filter(has_text=category_label("APP-FAN", opened.lang))
    await expect(fan.locator("ul.reasons > li")).to_have_count(3)
    await fan.locator("summary").click()
    await expect(fan.locator(".more .reasons").first).to_be_visible()
    await fan.locator("input[name=quantity]").fill("1")
    await opened.press("批准", fan)
    await opened.comes(rows, 2)
    await page.check("[data-check-all]")
    await opened.press("批准选中的")
    await expect(page.locator("h1")).to_have_text(opened.say("批准前核对：{count} 条建议", count=2))
    assert not await violations(page)
    await opened.press("确认批准这 {count} 条", count=2)
    await expect(page.locator("h1")).to_have_text(
        opened.say("批准了 {approved} 条，{refused} 条没有批准", approved=2, refused=0)
    )


async def send(opened: Window) -> None:
    """One from its own page, with the contact opened; the others with a tap each on the list."""
    page, rows = opened.page, opened.page.locator("tbody tr")
    await opened.menu("派送")
    await opened.comes(rows, 3)
    await rows.first.get_by_role("link").first.click()
    await opened.press("查看联系方式")
    await expect(page.locator("address")).to_contain_text(ADDRESS)
    await opened.press("物资已经发出")
    await opened.press("已经送到")
    await opened.menu("派送")
    for step in ("已发出", "已送达"):
        for _ in range(2):
            await opened.press(step, page.locator("table"))
    await expect(page.locator(".tag.delivered")).to_have_count(3)


async def receive(opened: Window) -> None:
    page, ready = opened.page, opened.page.get_by_role("button", name=opened.say("全部收到"))
    await opened.menu("派送")
    for left in (3, 2, 1):
        await expect(ready).to_have_count(left)
        await ready.first.click()
    await expect(page.locator("td .tag.received")).to_have_count(3)


async def follow_up(opened: Window) -> None:
    asked = opened.page.get_by_role("link", name=opened.say("去回访"))
    await opened.menu("今日工作")
    await opened.comes(asked, 3)
    await asked.first.click()
    await opened.page.get_by_label(opened.say("有帮助"), exact=True).check()
    await opened.press("保存")
    await expect(asked).to_have_count(2)


async def audit(opened: Window) -> None:
    page = opened.page
    await opened.menu("需求")
    await page.get_by_role("link", name=re.compile(category_label("APP-FAN", opened.lang))).click()
    await opened.press("审计记录")
    story = page.locator("main ol > li")
    assert await story.count() >= 9
    await expect(story.first).to_contain_text(opened.say("社工"))
    await expect(story.locator(".hash").first).to_have_text(re.compile("^[0-9a-f]{64}$"))
    await opened.menu("审计")
    await opened.press("核验整本账")
    await expect(page.locator("#verdict strong")).to_have_text(opened.say("账本完整"))


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_main_job_is_done_by_hand(browser: Browser, site: Nuanlian, lang: Language) -> None:
    await site.account("worker", TOWN)
    await site.account("coordinator", COUNTY)
    await site.account("auditor", COUNTY)
    async with AsyncExitStack() as stack:
        coordinator, worker, auditor = [
            await stack.enter_async_context(window(browser, site, role, lang))
            for role in ("coordinator", "worker", "auditor")
        ]
        await register_charity(coordinator)
        await site.settle()
        await site.account("charity", COUNTY, CHARITY)
        charity = await stack.enter_async_context(window(browser, site, "charity", lang))
        await pledge(charity, "APP-FAN", 3)
        await pledge(charity, "FUR-MATT", 2)
        await record_visit(worker)
        await confirm_in_one_tap(worker)
        await approve(coordinator)
        await send(charity)
        await receive(worker)
        await follow_up(worker)
        await site.settle()
        await audit(auditor)
