"""People in front of screens: accounts, windows, and what a window complained about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Response, expect

from deploy.demo_walk import Account
from deploy.settling import settled
from services.accounts.operator import grant_of, set_account
from services.compose import ALL
from shared.access import Role
from shared.db import Database
from shared.i18n import Language, merge, say
from shared.pii import Keyring
from shared.service import SHARED
from shared.settings import Settings

TOWN, COUNTY, CITY = "445381100000", "445381000000", "445300000000"
DEMO: dict[Role, str] = {"worker": COUNTY, "coordinator": CITY, "auditor": CITY, "admin": CITY}
PHONE, DESKTOP = (390, 844), (1280, 900)
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
WORDS = merge([SHARED, SHARED / "web", *(service.folder for service in ALL)])


@dataclass
class Nuanlian:
    """A running Nuanlian, its database and its accounts by role."""

    url: str
    db: Database
    keyring: Keyring
    settings: Settings
    accounts: dict[str, Account] = field(default_factory=dict)

    async def account(self, role: Role, area: str, charity: str | None = None) -> Account:
        """A new account of that role; its login is the role's name."""
        async with self.db.transaction("nuanlian_accounts_system") as conn:
            grant = await grant_of(conn, role, area, charity)
            password = await set_account(conn, self.keyring, role, f"示例{role}", [grant])
        self.accounts[role] = Account(role, password, role, area)
        return self.accounts[role]

    async def settle(self) -> None:
        await settled(self.db, 60)


@dataclass
class Window:
    """A page of somebody's browser in one language, with everything it complained about."""

    site: Nuanlian
    page: Page
    lang: Language
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> Response:
        response = await self.page.goto(self.site.url + path)
        assert response, path
        return response

    def say(self, message: str, **params: object) -> str:
        """The message as this window shows it."""
        return say(WORDS, self.lang, message, params)

    async def press(self, message: str, within: Locator | None = None, **params: object) -> None:
        """Press the button, or follow the link, that says so."""
        name, place = self.say(message, **params), within or self.page.locator("main")
        await (
            place.get_by_role("button", name=name, exact=True)
            .or_(place.get_by_role("link", name=name, exact=True))
            .first.click()
        )

    async def menu(self, message: str) -> None:
        await self.press(message, self.page.locator("header nav"))

    async def comes(self, wanted: Locator, count: int, most: int = 40) -> None:
        """Look again until the page shows so many of them: what causes them runs in the background."""
        for _ in range(most):
            try:
                await expect(wanted).to_have_count(count, timeout=400)
            except AssertionError:
                await self.page.reload()
            else:
                return
        await expect(wanted).to_have_count(count)

    def note(self, message: ConsoleMessage) -> None:
        """A violated content policy arrives here too."""
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@asynccontextmanager
async def window(
    browser: Browser, site: Nuanlian, role: str = "", lang: Language = "zh-CN"
) -> AsyncIterator[Window]:
    """A browser of that role's person, signed in by typing; a phone for the worker, a desktop for the others.

    The browser's own clock is in another zone than the office: no page may rely on it.
    """
    width, height = PHONE if role in ("worker", "") else DESKTOP
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=role == "worker",
        locale="zh-CN",
        timezone_id="America/New_York",
    )
    context.set_default_timeout(15_000)
    opened = Window(site, await context.new_page(), lang)
    opened.page.on("console", opened.note)
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    await opened.go("/accounts/login")
    if lang == "en":
        await opened.page.get_by_role("link", name="English").click()
    if role:
        account = site.accounts[role]
        await opened.page.fill("#login", account.login)
        await opened.page.fill("#password", account.password)
        await opened.press("登录")
        await opened.page.wait_for_url(lambda url: "/login" not in url)
    yield opened
    assert not opened.complaints
    await context.close()
