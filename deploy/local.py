"""A whole Nuanlian on one machine: its data folder, the servers beside it, and what each mode runs."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from deploy import postgres, rabbitmq
from deploy.processes import locked, make_folder, write_private
from services.compose import ALL
from shared import bus, jobs
from shared.db import Database, Listener
from shared.service import Service, create_app, local_send, prepare
from shared.settings import Settings

KEY_FILE = "master_key"


@dataclass(frozen=True, slots=True)
class Parts:
    """The servers that this run started or was given."""

    settings: Settings
    database_started: bool
    broker_started: bool


def master_key(data: Path) -> str:
    """The master key of this data folder, made on the first run; keep a copy elsewhere: without it no name can be read again."""
    if given := os.environ.get("NUANLIAN_MASTER_KEY"):
        return given
    path = data / KEY_FILE
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text().strip()


@contextmanager
def parts(data: Path, database_url: str | None, broker_url: str | None, broker: bool) -> Iterator[Parts]:
    """PostgreSQL, and RabbitMQ when `broker`, private to `data` unless given by address; whatever was started here is stopped at the end.

    Raises `SetupError` with what to do when a part can't be had.
    """
    data = data.resolve()
    make_folder(data, 0o711)
    with locked(data / "run.lock", 3):
        database = None if database_url else postgres.start(data)
        queue = rabbitmq.start(data) if broker and not broker_url else None
        try:
            yield Parts(
                Settings(
                    database_url=database_url or (database.local_dsn if database else ""),
                    broker_url=broker_url or (queue.url if queue else None),
                    master_key=master_key(data),
                    data=data,
                ),
                database is not None,
                queue is not None,
            )
        finally:
            if queue:
                queue.stop()
            if database:
                database.stop()


@asynccontextmanager
async def engine_room(settings: Settings, db: Database, services: Sequence[Service]) -> AsyncIterator[None]:
    """The embedded mode's background: a relay for each service, job workers and timers, all in this process."""
    listener = Listener(settings.database_url)
    # The engine runs in a thread beside the requests: it gives way to them after half a millisecond instead of five.
    sys.setswitchinterval(0.0005)
    await jobs.end_leases(db, list(jobs.kinds(services)))
    send, run = local_send(db, {service.name: service for service in services}), jobs.local_jobs(db, services)
    tasks = [
        asyncio.create_task(bus.relay(db, listener, [s.name], send), name=f"relay.{s.name}")
        for s in services
        if s.listens
    ]
    tasks.append(
        asyncio.create_task(jobs.relay_jobs(db, listener, list(jobs.kinds(services)), run), name="jobs")
    )
    tasks.append(asyncio.create_task(jobs.local_timers(db, services), name="timers"))
    try:
        yield
    finally:
        await listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def embedded_app(settings: Settings, services: Sequence[Service] = ALL) -> FastAPI:
    """Every service's pages and APIs with the engine room beside them."""

    @asynccontextmanager
    async def background(app: FastAPI) -> AsyncIterator[None]:
        async with engine_room(settings, app.state.db, services):
            yield

    return create_app(settings, *services, lifespan=background)


class Server(uvicorn.Server):
    """uvicorn inside our own loop; whoever runs it decides what Ctrl-C means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http_server(app: FastAPI, host: str, port: int) -> Server:
    """A server that gives running requests two seconds when told to stop: an open event stream would hold it for ever."""
    return Server(
        uvicorn.Config(
            app,
            host,
            port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
            server_header=False,
            forwarded_allow_ips=app.state.settings.trusted_proxies,
        )
    )


def settle_memory() -> None:
    """Set what start-up made aside for good: walking through it stops everything for 100 ms and more at each full collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@asynccontextmanager
async def serving(app: FastAPI, host: str, port: int) -> AsyncIterator[None]:
    """Serve `app` while the block runs; entered once it answers."""
    server = http_server(app, host, port)
    settle_memory()
    running = asyncio.create_task(server.serve())
    while not server.started:
        if running.done():
            await running
            raise RuntimeError("the HTTP server ended before it answered")
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await running


async def until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def serve_embedded(settings: Settings, host: str, port: int) -> None:
    """Migrate, serve, and stop cleanly at Ctrl-C."""
    await prepare(settings.database_url, ALL)
    async with serving(embedded_app(settings), host, port):
        print(f"暖链 Nuanlian: http://{host}:{port}/", flush=True)
        await until_stopped()
