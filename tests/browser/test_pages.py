"""Every page of every role, on a phone or a desktop, in both languages: it works, it can be used by anyone, it speaks one language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from playwright.async_api import Browser, Page, expect

from services.compose import ALL
from shared import tables
from shared.i18n import Language
from tests.browser.people import LANGUAGES, PHONE, WORDS, Nuanlian, Window, window
from tests.packages import packages

SCREENS = Path(__file__).parents[2] / "build" / "screens"
HAN = re.compile(r"[\u4e00-\u9fff]")
NO_WORDS_OF_OURS = {"中文", "户主"}  # the way back to Chinese; how a sample household names its head

# role -> pages; a name in braces is filled in by the query of that name.
TOUR: dict[str, tuple[str, ...]] = {
    "": ("/accounts/login",),
    "worker": (
        "/intake/", "/intake/visits/new", "/intake/visits/new?follow_up={follow_up}", "/intake/visits/new?household={household}",
        "/intake/households", "/intake/households/{household}", "/intake/needs", "/intake/needs/{received}", "/intake/needs/{noted}",
        "/intake/duplicates", "/intake/imports", "/delivery/", "/delivery/sheet", "/delivery/{delivery}", "/accounts/me",
        "/coordination/proposals/{proposal}", "/matcher/needs/{short}",
    ),
    "charity": ("/offers/", "/offers/new", "/offers/{offer}", "/offers/imports", "/offers/charities", "/delivery/", "/delivery/{given}"),
    "coordinator": (
        "/coordination/", "/coordination/proposals/{proposal}", "/coordination/decided", "/matcher/", "/matcher/unserved", "/matcher/rounds/{round}",
        "/matcher/models", "/matcher/models/{model}",
        "/matcher/needs/{short}", "/offers/", "/offers/{offer}", "/offers/charities", "/intake/households", "/intake/households/{household}",
        "/intake/needs", "/intake/needs/{received}", "/intake/duplicates", "/delivery/", "/delivery/{delivery}", "/audit/",
    ),
    "auditor": (
        "/audit/", "/audit/entries", "/audit/entries/1", "/audit/stories/{received}", "/audit/stories?case_number={case}", "/audit/follow-ups", "/audit/follow-ups?state=overdue",
        "/coordination/", "/intake/households/{household}",
    ),
    "admin": ("/accounts/people", "/accounts/me"),
}  # fmt: skip
NAMES = {
    "follow_up": "select id from intake.follow_up where answered_at is null order by due_at limit 1",
    "household": "select beneficiary_id from intake.need where status = 'received' and beneficiary_kind = 'household' and area like '445381%' limit 1",
    "case": "select case_number from intake.need where status = 'received' and area like '445381%' limit 1",
    "received": "select id from intake.need where status = 'received' and beneficiary_kind = 'household' and area like '445381%' limit 1",
    "noted": "select id from intake.need where status = 'noted' and area like '445381%' limit 1",
    "delivery": "select id from delivery.delivery where status = 'scheduled' and area like '445381%' limit 1",
    "given": "select d.id from delivery.delivery d join access.role_grant g on g.charity_id = d.charity_id limit 1",
    "proposal": "select id from coordination.proposal where status = 'pending' and area like '445381%' order by score desc limit 1",
    "short": "select need_id from coordination.proposal where status = 'pending' and area like '445381%' order by score limit 1",
    "offer": "select o.id from offers.offer o join access.role_grant g on g.charity_id = o.charity_id order by o.offer_number limit 1",
    "model": "select id from matcher.model where card is not null limit 1",
    "round": "select id from matcher.round where certificate is not null order by started_at desc limit 1",
}


async def names(site: Nuanlian) -> dict[str, Any]:
    found = {name: await site.db.pool.fetchval(query) for name, query in NAMES.items()}
    assert None not in found.values(), found
    return found


def own_words() -> tuple[set[str], re.Pattern[str]]:
    """What the project says in Chinese: whole messages, and longer ones as they occur inside a text, with anything in their holes."""
    said = [message for message in WORDS if HAN.search(message)]
    said += [category.zh for category in tables.categories().values()]
    whole = {message for message in said if "{" not in message}
    longer = sorted(message for message in said if len(HAN.findall(message)) >= 5)
    return whole, re.compile(
        "|".join(re.sub(r"\\\{\w+\\\}", ".{0,40}", re.escape(message)) for message in longer)
    )


WHOLE, LONGER = own_words()
TEXTS = """() => {
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node; (node = walker.nextNode());) if (node.data.trim()) found.push(node.data.trim())
    for (const one of document.querySelectorAll("[aria-label],[placeholder],[title]"))
        found.push(one.ariaLabel ?? "", one.getAttribute("placeholder") ?? "", one.title)
    return found.concat(document.title)
}"""


def left_in_chinese(texts: list[str]) -> Iterator[str]:
    for text in texts:
        if HAN.search(text) and text not in NO_WORDS_OF_OURS and (text in WHOLE or LONGER.search(text)):
            yield text


AXE = (packages() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RULES = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    found => found.id + ": " + found.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | "))"""


async def violations(page: Page) -> list[str]:
    """What the accessibility rules of axe find on the page as it stands."""
    await page.evaluate(AXE)
    return list(await page.evaluate(RULES))


MAIN_ACTION = "main .btn-primary"
REACHED = "() => document.activeElement?.matches('main .btn-primary') ?? false"


async def reached_by_tab(page: Page, most: int = 150) -> bool:
    """Whether the Tab key alone comes to the main action; true where the page has none to show."""
    if not any([await one.is_visible() for one in await page.locator(MAIN_ACTION).all()]):
        return True
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate(REACHED):
            return True
    return False


async def faults(opened: Window, path: str, lang: Language, phone: bool) -> list[str]:
    """Everything that is wrong with one page."""
    page, found = opened.page, []
    response = await opened.go(path)
    if response.status != 200:
        found.append(f"status {response.status}")
    if lang == "en":
        found += [f"in Chinese: {text}" for text in left_in_chinese(await page.evaluate(TEXTS))]
    elif not await reached_by_tab(page):
        found.append("Tab does not reach the main action")
    if phone and (width := await page.evaluate("document.documentElement.scrollWidth")) > PHONE[0]:
        found.append(f"the page is {width} px wide")
    found += await violations(page)
    found += opened.complaints
    opened.complaints.clear()
    return [f"{path}: {fault}" for fault in found]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("role", TOUR)
async def test_every_page_works_for_everyone(
    browser: Browser, lived_in: Nuanlian, role: str, lang: Language
) -> None:
    known, found = await names(lived_in), list[str]()
    async with window(browser, lived_in, role, lang) as opened:
        for pattern in TOUR[role]:
            found += await faults(opened, pattern.format(**known), lang, role == "worker")
            name = re.sub(r"\W+", "-", f"{role or 'anyone'}{pattern}").strip("-")
            await opened.page.screenshot(path=SCREENS / lang / f"{name}.png", full_page=True)
    assert not found, "\n".join(found)


async def test_the_interface_is_documented_without_leaving_the_house(
    browser: Browser, lived_in: Nuanlian
) -> None:
    asked: set[str] = set()
    async with window(browser, lived_in) as stranger:
        await stranger.go("/api/docs")
        await expect(stranger.page.locator("#password")).to_be_visible()
    async with window(browser, lived_in, "admin") as opened:
        opened.page.on("request", lambda request: asked.add(request.url))
        await opened.go("/accounts/me")
        await opened.press("接口文档")
        await expect(opened.page.locator("#swagger .opblock-tag")).to_have_count(len(ALL))
        await opened.page.screenshot(path=SCREENS / "zh-CN" / "admin-api-docs.png", full_page=True)
    assert all(url.startswith((lived_in.url, "data:")) for url in asked), asked


FRAGMENTS = {"/contact", "/more", "/new", "/progress", "/running"}  # parts of a page, fetched by it
REDIRECTS = {"/accounts/home"}


def screens(router: APIRouter) -> Iterator[str]:
    """The paths of every GET route of a service's pages, those of routers inside it too."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield from [route.path] if "GET" in (route.methods or ()) else []
        elif isinstance(inner := getattr(route, "original_router", None), APIRouter):
            yield from screens(inner)


def test_the_tour_leaves_no_page_out() -> None:
    toured = {
        re.sub(r"\{\w+\}|(?<=entries/)1", "{}", path).partition("?")[0]
        for paths in TOUR.values()
        for path in paths
    }
    served = {
        f"/{service.name}" + re.sub(r"\{\w+\}", "{}", path)
        for service in ALL
        if service.pages
        for path in screens(service.pages)
    }
    left_out = {
        path for path in served - toured - REDIRECTS if not any(path.endswith(end) for end in FRAGMENTS)
    }
    assert not left_out
