"""People in front of screens: accounts, windows, and what a window complained about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Response

from deploy.demo_walk import Account
from deploy.settling import settled
from services.accounts.operator import grant_of, set_account
from shared.access import Role
from shared.db import Database
from shared.i18n import Language
from shared.pii import Keyring
from shared.settings import Settings

TOWN, COUNTY, CITY = "445381100000", "445381000000", "445300000000"
DEMO: dict[Role, str] = {"worker": COUNTY, "coordinator": CITY, "auditor": CITY, "admin": CITY}
PHONE, DESKTOP = (390, 844), (1280, 900)


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
    """A page of somebody's browser, with everything it complained about."""

    site: Nuanlian
    page: Page
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> Response:
        response = await self.page.goto(self.site.url + path)
        assert response, path
        return response

    def note(self, message: ConsoleMessage) -> None:
        """A violated content policy arrives here too. A page that is meant to refuse something is no error of the page."""
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@asynccontextmanager
async def window(browser: Browser, site: Nuanlian, role: str = "", lang: Language = "zh-CN") -> AsyncIterator[Window]:
    """A browser of that role's person, already signed in by typing; a phone for the worker, a desktop for the others."""
    width, height = PHONE if role in ("worker", "") else DESKTOP
    context: BrowserContext = await browser.new_context(
        locale=lang, viewport={"width": width, "height": height}, has_touch=role == "worker", timezone_id="America/New_York"
    )
    context.set_default_timeout(15_000)
    opened = Window(site, await context.new_page())
    opened.page.on("console", opened.note)
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    if role:
        account = site.accounts[role]
        await opened.go("/accounts/login")
        await opened.page.fill("#login", account.login)
        await opened.page.fill("#password", account.password)
        await opened.page.click("main button.btn-primary")
        await opened.page.wait_for_url(lambda url: "/login" not in url)
    yield opened
    await context.close()
