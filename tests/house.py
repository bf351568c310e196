"""A whole Nuanlian for a test: fresh database, every service, callers with roles, and time that passes only when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from deploy.postgres import Server
from services.compose import ALL
from shared import bus, jobs
from shared.access import Role, hash_token, new_token
from shared.bus import new_id
from shared.db import Database
from shared.events import Envelope, Event
from shared.pii import Keyring
from shared.service import Job, Service, create_app, deliver, local_send, prepare
from shared.settings import Settings

MASTER_KEY = "0f" * 32
TEMPLATE = "nuanlian_template"
DAY = timedelta(days=1)


def on_database(dsn: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


@dataclass
class House:
    """What tests hold: `db`, the application, and the means to move events along."""

    db: Database
    app: FastAPI
    settings: Settings
    services: dict[str, Service] = field(default_factory=lambda: {service.name: service for service in ALL})
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    async def person(
        self, role: Role, area: str = "445300000000", charity_id: UUID | None = None
    ) -> httpx.AsyncClient:
        """A client with a bearer token of a new person who holds `role` for `area`; `client.person_id` says who."""
        token, person_id = new_token(), new_id()
        async with self.db.pool.acquire() as conn:
            await conn.execute(
                "insert into access.session (id, token_hash, person_id, kind, expires_at) values ($1, $2, $3, 'token', now() + $4::interval)",
                new_id(), hash_token(token), person_id, DAY,
            )  # fmt: skip
            await conn.execute(
                "insert into access.role_grant (id, person_id, role, area, charity_id) values ($1, $2, $3, $4, $5)",
                new_id(), person_id, role, area, charity_id,
            )  # fmt: skip
        client = self.anyone({"authorization": f"Bearer {token}"})
        client.headers["x-person-id"] = str(person_id)
        return client

    def anyone(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client without a session, unless `headers` carry one."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(
            transport=transport, base_url="http://nuanlian.test", headers=headers or {}
        )
        self.clients.append(client)
        return client

    async def settle(self, rounds: int = 60) -> None:
        """Deliver what waits and run what is due, until nothing is left. Fails when it never ends or something was refused."""
        send, run = local_send(self.db, self.services), jobs.local_jobs(self.db, ALL)
        names = [name for service in ALL for name in service.jobs]
        for _ in range(rounds):
            batch = await bus.claim(self.db, list(self.services))
            ready = await jobs.due(self.db, names)
            if not batch and not ready and not await self._waiting():
                return await self._nothing_failed()
            await send(batch)
            await run(ready)
            if not batch and not ready:
                await asyncio.sleep(0.02)
        raise AssertionError("events and jobs go round in circles")

    async def _waiting(self) -> bool:
        return bool(
            await self.db.pool.fetchval(
                "select exists (select from bus.job where state = 'queued' and run_after < now() + interval '5 seconds')"
            )
        )

    async def _nothing_failed(self) -> None:
        rows = await self.db.pool.fetch(
            "select consumer, error from bus.delivery where failures > 0 and done_at is null"
        )
        rows += await self.db.pool.fetch("select kind, error from bus.job where error is not null")
        assert not rows, [dict(row) for row in rows]

    async def events(self, kind: type[Event] | str) -> list[Envelope]:
        """Every event of one type that was published, in order."""
        name = kind if isinstance(kind, str) else kind.TYPE
        return [
            bus.envelope(row)
            for row in await self.db.pool.fetch("select * from bus.event where type = $1 order by seq", name)
        ]

    def job(self, kind: str) -> Job:
        """A job of one kind, as its service's worker hands it over."""
        (service,) = (service for service in ALL if kind in service.jobs)
        return Job(new_id(), kind, "", {}, 1, 1, partial(self.db.transaction, service.system_role))

    async def publish(self, *events: Event) -> list[UUID]:
        """Put events on the bus as if their owner had; returns their ids."""
        async with self.db.transaction(bus.SYSTEM) as conn:
            before = await conn.fetchval("select coalesce(max(seq), 0) from bus.event")
            await bus.publish(conn, *events)
            return [
                row["id"]
                for row in await conn.fetch("select id from bus.event where seq > $1 order by seq", before)
            ]

    async def deliver_twice(self, service: str, *events: Event) -> None:
        """Publish `events`, deliver them to one service in order, then all of them again, last first."""
        ids = await self.publish(*events)
        await self.deliver(service, ids)
        await self.db.pool.execute(
            "update bus.delivery set done_at = null where consumer = $1 and event_id = any ($2)", service, ids
        )
        for event_id in reversed(ids):
            await self.deliver(service, [event_id])

    async def deliver(self, service: str, ids: Sequence[UUID]) -> None:
        """Deliver stored events to one service; a failure there fails the test."""
        await deliver(self.db, self.services[service], ids)
        await self._nothing_failed()


@pytest.fixture(scope="session")
def template(postgres_server: Server) -> str:
    """A migrated database that each test gets a copy of."""
    dsn = postgres_server.dsn

    async def build() -> None:
        conn = await asyncpg.connect(dsn)
        await conn.execute(f"create database {TEMPLATE}")
        await conn.close()
        await prepare(on_database(dsn, TEMPLATE), ALL)

    asyncio.run(build())
    return dsn


@pytest.fixture
async def dsn(template: str) -> AsyncIterator[str]:
    """A fresh, migrated database."""
    name = f"test_{new_id().hex}"
    conn = await asyncpg.connect(template)
    await conn.execute(f"create database {name} template {TEMPLATE}")
    yield on_database(template, name)
    await drop(conn, name)
    await conn.close()


async def drop(conn: asyncpg.Connection, name: str) -> None:
    """Drop a test's database; a process that was stopped a moment ago, or autovacuum, may hold it a little longer."""
    for _ in range(40):
        try:
            await conn.execute(f"drop database {name}")
            return
        except asyncpg.ObjectInUseError:
            await asyncio.sleep(0.25)
    await conn.execute(f"drop database {name} with (force)")


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Database]:
    database = await Database.connect(dsn, 24)
    yield database
    await database.close()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(bytes.fromhex(MASTER_KEY))


@pytest.fixture
async def house(dsn: str, db: Database) -> AsyncIterator[House]:
    settings = Settings(database_url=dsn, master_key=MASTER_KEY)
    app = create_app(settings, *ALL)
    app.state.db = db
    made = House(db, app, settings)
    yield made
    for client in made.clients:
        await client.aclose()
