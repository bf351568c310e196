"""What a service is, the HTTP application around some of them, and how an event reaches one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from shared import bus
from shared.bus import SQL, Cause, cause
from shared.db import Connection, Database, Package, migrate
from shared.errors import Unavailable
from shared.events import Envelope, Event
from shared.i18n import merge
from shared.openapi import App
from shared.pii import Keyring
from shared.settings import Settings
from shared.web.frame import install_frame

SHARED = Path(__file__).parent
log = structlog.get_logger()

EventHandler = Callable[[Connection, Any], Awaitable[None]]
LedgerHandler = Callable[[Connection, Sequence[Envelope]], Awaitable[None]]
JobHandler = Callable[[Connection, "Job"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """Work that was left for later: `payload` holds ids and codes; `fence` tells this start from every other. `beside()` opens a
    transaction of its own, for what others shall see while the work goes on and whatever becomes of it.
    """

    id: UUID
    kind: str
    key: str
    payload: dict[str, Any]
    fence: int
    attempts: int
    beside: Callable[[], AbstractAsyncContextManager[Connection]] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Service:
    """A room of the house. `on` is its visible wiring: which event reaches which handler.

    `on_every` receives every event in batches (the ledger). `jobs` are kinds of work and what does them; `timers` name jobs and how
    many seconds lie between two runs.
    """

    name: str
    folder: Path
    api: APIRouter
    pages: APIRouter | None = None
    on: Mapping[type[Event], EventHandler] = field(default_factory=dict)
    on_every: LedgerHandler | None = None
    jobs: Mapping[str, JobHandler] = field(default_factory=dict)
    timers: Mapping[str, float] = field(default_factory=dict)

    @property
    def system_role(self) -> str:
        """The database role of its event handlers and jobs: it sees every area, since nobody is asking."""
        return f"nuanlian_{self.name}_system"

    @property
    def listens(self) -> tuple[str, ...]:
        return ("*",) if self.on_every else tuple(event.TYPE for event in self.on)


async def prepare(dsn: str, services: Sequence[Service]) -> list[str]:
    """Migrate every schema and write down who consumes what. Returns the migration files applied."""
    packages = [Package("shared", SHARED, ("bus", "access"))]
    packages += [Package(service.name, service.folder, (service.name,)) for service in services]
    applied = await migrate(dsn, packages)
    db = await Database.connect(dsn, 2)
    try:
        async with db.pool.acquire() as conn, conn.transaction():
            for service in services:
                await SQL.subscribe(conn, types=list(service.listens), consumer=service.name)
                await SQL.unsubscribe_others(conn, types=list(service.listens), consumer=service.name)
    finally:
        await db.close()
    return applied


async def deliver(db: Database, service: Service, ids: Sequence[UUID]) -> None:
    """Hand stored events to a service, each exactly once: its work and the mark on the delivery row are one transaction.

    Several go in one transaction while all is well; when one fails, each is tried alone, and the failing one is counted and kept.
    Raises `Unavailable` when the database is away: nothing was marked.
    """
    try:
        await _apply(db, service, ids)
    except Unavailable:
        raise
    except Exception as error:
        if len(ids) == 1:
            await bus.note_failure(db, service.name, ids[0], error)
            return
        for event_id in ids:
            await deliver(db, service, [event_id])


async def _apply(db: Database, service: Service, ids: Sequence[UUID]) -> None:
    async with db.transaction(service.system_role) as conn:
        envelopes = [bus.envelope(row) for row in await SQL.take(conn, consumer=service.name, ids=list(ids))]
        if service.on_every:
            await service.on_every(conn, envelopes)
            return
        for envelope in envelopes:
            mark = cause.set(Cause(service.name, envelope.correlationid, envelope.id))
            try:
                event = envelope.event()
                await service.on[type(event)](conn, event)
            finally:
                cause.reset(mark)


def local_send(db: Database, services: Mapping[str, Service]) -> bus.Send:
    """Delivery inside the process: what the embedded mode puts in the broker's place."""

    async def send(batch: Sequence[bus.Claimed]) -> None:
        for name in dict.fromkeys(claimed.consumer for claimed in batch):
            await deliver(
                db, services[name], [claimed.event_id for claimed in batch if claimed.consumer == name]
            )

    return send


def create_app(
    settings: Settings, *services: Service, lifespan: Callable[[FastAPI], Any] | None = None
) -> FastAPI:
    """The HTTP application of some services: their APIs under /api/<service>/v1, their pages under /<service>."""

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        app.state.db = await Database.connect(settings.database_url, settings.pool_size)
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            await app.state.db.close()

    app = App(
        title="Nuanlian 暖链",
        version="1",
        lifespan=live,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        max_body_size=settings.max_body_bytes,
        generate_unique_id_function=lambda route: (
            f"{str(route.tags[0]) if route.tags else 'pages'}_{route.name}"
        ),
    )
    app.state.settings = settings
    app.state.keyring = Keyring(bytes.fromhex(settings.master_key))
    app.state.words = merge([SHARED, SHARED / "web", *(service.folder for service in services)])
    app.state.services = tuple(service.name for service in services)
    install_frame(app)
    for service in services:
        app.include_router(service.api, prefix=f"/api/{service.name}/v1", tags=[service.name])
        if service.pages:
            app.include_router(service.pages, prefix=f"/{service.name}", include_in_schema=False)
    app.mount("/static", StaticFiles(directory=SHARED / "web" / "static"), name="static")
    return app
