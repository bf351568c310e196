"""Debian's Chromium in front of a whole embedded Nuanlian: the browser once a session, the application once a test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import iscoroutinefunction
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from deploy.debian import program
from deploy.demo import import_sample
from deploy.demo_walk import walk
from deploy.local import embedded_app, serving
from deploy.ports import free_port
from services.matcher.champion import SQL as MODELS
from services.matcher.learning import learn
from shared.access import NOBODY
from shared.bus import new_id
from shared.db import Database
from shared.pii import Keyring
from shared.settings import Settings
from tests.browser.people import CITY, DEMO, Nuanlian
from tests.house import MASTER_KEY, TEMPLATE, on_database
from tests.matcher.history import plant
from tests.servers import open_folder

GIVER = "select c.name from delivery.delivery d join delivery.charity c on c.id = d.charity_id group by 1 order by count(*) desc, 1 limit 1"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives in the session's event loop, so its tests do too."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = program("chromium")
    assert path, "没有 Chromium：请执行 make system-packages。No Chromium: run make system-packages."
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield started
        await started.close()


@asynccontextmanager
async def nuanlian(server: str) -> AsyncIterator[Nuanlian]:
    """The application on a fresh, migrated database of that server; both are gone afterwards."""
    name, folder = f"browser_{new_id().hex}", open_folder()
    conn = await asyncpg.connect(server)
    await conn.execute(f"create database {name} template {TEMPLATE}")
    dsn, port = on_database(server, name), free_port()
    settings = Settings(database_url=dsn, master_key=MASTER_KEY, data=folder)
    db = await Database.connect(dsn, 6)
    async with serving(embedded_app(settings), "127.0.0.1", port):
        yield Nuanlian(f"http://127.0.0.1:{port}", db, Keyring(bytes.fromhex(MASTER_KEY)), settings)
    await db.close()
    await conn.execute(f"drop database {name} with (force)")
    await conn.close()
    shutil.rmtree(folder)


@pytest_asyncio.fixture(loop_scope="session")
async def site(template: str) -> AsyncIterator[Nuanlian]:
    """An empty Nuanlian."""
    async with nuanlian(template) as made:
        yield made


async def learned(db: Database) -> None:
    """A challenger learned from what was decided."""
    async with db.transaction("nuanlian_matcher_system") as conn:
        model_id = new_id()
        await learn(conn, model_id, await MODELS.ask_model(conn, id=model_id, asked_by=NOBODY.person_id))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lived_in(template: str) -> AsyncIterator[Nuanlian]:
    """A Nuanlian with the sample imported, a few cases walked to their end and a model learned: something in every list."""
    async with nuanlian(template) as made:
        await import_sample(made.settings, made.db)
        await made.settle()
        for role, area in DEMO.items():
            await made.account(role, area)
        await walk(made.url, made.accounts, made.db)
        await made.settle()
        await made.account("charity", CITY, await made.db.pool.fetchval(GIVER))
        await plant(made.db)
        await learned(made.db)
        yield made
