"""One process per role, as the full mode and the containers run them: api, relay, consumers, worker, beat, and migrate, which ends by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from deploy.errors import SetupError
from deploy.local import serving, settle_memory, until_stopped
from services.compose import ALL
from shared import bus, jobs
from shared.broker import Publisher, broker_send, consume
from shared.db import Database, Listener
from shared.service import Service, create_app, prepare
from shared.settings import Settings
from shared.worker import celery_app, celery_send

RoleName = Literal["api", "relay", "consumers", "worker", "beat", "migrate"]
SUPERVISOR = "NUANLIAN_SUPERVISOR"
LASTING: tuple[RoleName, ...] = ("api", "relay", "consumers", "worker", "beat")


def chosen(names: Sequence[str]) -> tuple[Service, ...]:
    """The services with these names; none named: all. Raises `SetupError` for a name that no service has."""
    known = {service.name: service for service in ALL}
    if unknown := [name for name in names if name not in known]:
        raise SetupError(
            "没有叫 {names} 的服务。可选：{known}", names="、".join(unknown), known="、".join(known)
        )
    return tuple(known[name] for name in names) or ALL


def broker_of(settings: Settings) -> str:
    if settings.broker_url is None:
        raise SetupError(
            "这个角色需要 RabbitMQ。请设置 NUANLIAN_BROKER_URL，或用 `nuanlian up --broker rabbitmq` 一起启动。"
        )
    return settings.broker_url


async def run_api(settings: Settings, services: Sequence[Service], host: str, port: int) -> None:
    """HTTP only: it never talks to the broker."""
    async with serving(create_app(settings, *services), host, port):
        await until_stopped()


async def run_relay(settings: Settings) -> None:
    """From the outbox to RabbitMQ, and waiting jobs to Celery."""
    names = [service.name for service in ALL if service.listens]
    db, listener = await Database.connect(settings.database_url, 4), Listener(settings.database_url)
    publisher = Publisher(broker_of(settings), names)
    app = celery_app(settings, ALL)
    await _until_stopped(
        lambda: bus.relay(db, listener, names, broker_send(db, publisher)),
        lambda: jobs.relay_jobs(db, listener, list(jobs.kinds(ALL)), celery_send(app)),
    )
    publisher.drop()
    await listener.close()
    await db.close()


async def run_consumers(settings: Settings, services: Sequence[Service]) -> None:
    """From RabbitMQ to the services' handlers."""
    settle_memory()
    db, stop = await Database.connect(settings.database_url, settings.pool_size), asyncio.Event()
    listening = {service.name: service for service in services if service.listens}
    running = asyncio.create_task(consume(db, broker_of(settings), listening, stop))
    await until_stopped()
    stop.set()
    await running
    await db.close()


async def _until_stopped(*work: Callable[[], Awaitable[None]]) -> None:
    tasks = [asyncio.ensure_future(start()) for start in work]
    await until_stopped()
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)


def run_worker(settings: Settings, concurrency: int) -> None:
    """A Celery worker; it runs jobs by id."""
    broker_of(settings)
    celery_app(settings, ALL).worker_main(
        ["worker", "--pool=prefork", f"--concurrency={concurrency}", "--loglevel=WARNING", "--without-gossip", "--without-mingle",
         "--max-tasks-per-child=5000", "-n", "nuanlian@%h"]
    )  # fmt: skip


def run_beat(settings: Settings) -> None:
    """Celery beat: leaves the timers' jobs."""
    broker_of(settings)
    schedule = settings.data / "beat-schedule"
    celery_app(settings, ALL).start(["beat", "--loglevel=WARNING", f"--schedule={schedule}", "--pidfile="])


def leave_with(supervisor: int) -> None:
    """End this process once its supervisor was killed: another one will start roles of its own."""
    while os.getppid() == supervisor:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def run_role(
    role: RoleName, settings: Settings, services: Sequence[str], host: str, port: int, concurrency: int
) -> None:
    """Run one role until it is told to stop, or until the supervisor that started it is gone."""
    if supervisor := os.environ.get(SUPERVISOR):
        threading.Thread(target=leave_with, args=(int(supervisor),), name="supervisor", daemon=True).start()
    match role:
        case "api":
            asyncio.run(run_api(settings, chosen(services), host, port))
        case "relay":
            asyncio.run(run_relay(settings))
        case "consumers":
            asyncio.run(run_consumers(settings, chosen(services)))
        case "worker":
            run_worker(settings, concurrency)
        case "beat":
            run_beat(settings)
        case "migrate":
            asyncio.run(prepare(settings.database_url, ALL))
