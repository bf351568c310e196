"""A whole Nuanlian on one machine: its data folder, the servers beside it, and what each mode runs."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from deploy import postgres, rabbitmq
from deploy.errors import SetupError
from deploy.processes import found, locked, make_folder, write_private
from services.compose import ALL
from shared import bus, jobs
from shared.db import Database, Listener
from shared.service import Service, create_app, local_send, prepare
from shared.settings import Settings

KEY_FILE = "master_key"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """A private server: `start` takes over the one that runs, or starts it, and gives its process number."""

    name: str
    start: Callable[[], int]

    async def keep(self, seconds: float = 2.0) -> None:
        """Start it again whenever it is gone, for ever."""
        pid = await asyncio.to_thread(self.start)
        while True:
            await asyncio.sleep(seconds)
            if found(pid) is None:
                log.error("server.died", server=self.name)
                try:
                    pid = await asyncio.to_thread(self.start)
                    log.warning("server.started_again", server=self.name)
                except SetupError:
                    log.exception("server.not_started", server=self.name)


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a run finds its servers, and those among them that it started and keeps."""

    settings: Settings
    kept: tuple[Kept, ...]


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
    """PostgreSQL, and RabbitMQ when `broker`, private to `data` unless given by address; whatever was started here is stopped on every
    way out, SIGTERM included, which counts as Ctrl-C from here on.

    Raises `SetupError` with what to do when a part can't be had.
    """
    data = data.resolve()
    make_folder(data, 0o711)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with ExitStack() as stack:
        stack.enter_context(locked(data / "run.lock", 3))
        kept: list[Kept] = []
        if not database_url:
            stack.callback(
                postgres.stop, data
            )  # before its start: a start that is interrupted leaves a server too
            database_url = postgres.start(data).local_dsn
            kept.append(Kept("postgresql", lambda: postgres.start(data).pid))
        if broker and not broker_url:
            stack.callback(rabbitmq.stop, data)
            broker_url = rabbitmq.start(data).url
            kept.append(Kept("rabbitmq", lambda: rabbitmq.start(data).pid))
        settings = Settings(
            database_url=database_url, broker_url=broker_url, master_key=master_key(data), data=data
        )
        yield Parts(settings, tuple(kept))


@asynccontextmanager
async def keeping(servers: Sequence[Kept]) -> AsyncIterator[None]:
    """Look after the private servers while the block runs: one that died is started again with its data and its ports."""
    tasks = [asyncio.create_task(server.keep()) for server in servers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
            log_config=None,
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


async def serve_embedded(started: Parts, host: str, port: int) -> None:
    """Migrate, serve, and stop cleanly at Ctrl-C."""
    await prepare(started.settings.database_url, ALL)
    async with keeping(started.kept), serving(embedded_app(started.settings), host, port):
        print(f"暖链 Nuanlian: http://{host}:{port}/", flush=True)
        await until_stopped()
