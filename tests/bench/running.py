"""A Nuanlian of its own for a bench, with the sample in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.demo import import_sample
from deploy.local import embedded_app, parts, serving
from deploy.ports import free_port
from deploy.settling import settled
from deploy.supervisor import Supervisor
from services.accounts.operator import grant_of, set_account
from services.compose import ALL
from shared.access import Role
from shared.db import Database
from shared.pii import Keyring
from shared.service import prepare
from shared.settings import Settings

YUNFU = "445300000000"


@dataclass(frozen=True, slots=True)
class Place:
    """Where it runs: address, settings and database."""

    url: str
    settings: Settings
    db: Database

    @asynccontextmanager
    async def client(self, login: str, role: Role) -> AsyncIterator[httpx.AsyncClient]:
        """A signed-in client of a new person for the whole city."""
        async with self.db.transaction("nuanlian_accounts_system") as conn:
            grant = await grant_of(conn, role, YUNFU, None)
            password = await set_account(
                conn, Keyring(bytes.fromhex(self.settings.master_key)), login, login, [grant]
            )
        async with httpx.AsyncClient(
            base_url=self.url, timeout=60, limits=httpx.Limits(max_connections=64)
        ) as client:
            answer = await client.post(
                "/api/accounts/v1/sessions", json={"login": login, "password": password}
            )
            answer.raise_for_status()
            yield client


@contextmanager
def folder() -> Iterator[Path]:
    """A data folder that is gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="nuanlian-bench-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def embedded() -> AsyncIterator[Place]:
    """The embedded mode, in this process."""
    with folder() as data, parts(data, None, None, broker=False) as started:
        await prepare(started.settings.database_url, ALL)
        port = free_port()
        async with serving(embedded_app(started.settings), "127.0.0.1", port), opened(started.settings) as db:
            yield Place(f"http://127.0.0.1:{port}", started.settings, db)


@asynccontextmanager
async def full(workers: int = 1) -> AsyncIterator[Place]:
    """The full mode: a process per role over RabbitMQ, and so many Celery processes."""
    with folder() as data, parts(data, None, None, broker=True) as started:
        port = free_port()
        async with Supervisor(started.settings, "127.0.0.1", port, workers), opened(started.settings) as db:
            yield Place(f"http://127.0.0.1:{port}", started.settings, db)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.connect(settings.database_url, 4)
    try:
        yield db
    finally:
        await db.close()


async def with_sample(place: Place) -> None:
    """The 300 households, 400 needs and 60 offers, matched."""
    await import_sample(place.settings, place.db)
    await settled(place.db)
