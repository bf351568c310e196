"""The full mode on one machine: a process per role, started, watched, started again when one dies, stopped together."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog

from deploy.errors import SetupError
from deploy.local import Parts, keeping, until_stopped
from deploy.processes import tail
from deploy.roles import LASTING, SUPERVISOR, RoleName
from services.compose import ALL
from shared.broker import connect, queue_of
from shared.service import prepare
from shared.settings import Settings
from shared.worker import QUEUE

STOP_SECONDS = 20.0
READY_SECONDS = 60.0
QUEUES_SECONDS = 60.0
log = structlog.get_logger()


@dataclass
class Child:
    """One role's process; `restarts` grows each time it died by itself."""

    role: RoleName
    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    stopping: bool = False
    watcher: asyncio.Task[None] | None = field(default=None, repr=False)

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services", "run", self.role, *self.arguments,
                stdout=output, stderr=output, env=self.environment, start_new_session=True,
            )  # fmt: skip

    async def watch(self) -> None:
        """Start again, a little later each time, until stopping."""
        while not self.stopping:
            assert self.process is not None
            code = await self.process.wait()
            if self.stopping:
                return
            self.restarts += 1
            log.warning("process.died", role=self.role, code=code, restarts=self.restarts)
            await asyncio.sleep(min(0.2 * 2**self.restarts, 10))
            try:
                await self.start()
            except OSError:
                log.exception("process.not_started", role=self.role)

    async def stop(self) -> None:
        self.stopping = True
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()


def children(settings: Settings, host: str, port: int, concurrency: int) -> list[Child]:
    """The roles' processes; secrets go by environment, never on a command line that others can list."""
    environment = os.environ | {
        "NUANLIAN_DATABASE_URL": settings.database_url,
        "NUANLIAN_BROKER_URL": settings.broker_url or "",
        "NUANLIAN_MASTER_KEY": settings.master_key,
        "NUANLIAN_DATA": str(settings.data),
        SUPERVISOR: str(os.getpid()),
    }
    logs = settings.data / "logs"
    logs.mkdir(exist_ok=True)
    arguments: dict[RoleName, list[str]] = {
        "api": ["--host", host, "--port", str(port)],
        "worker": ["--concurrency", str(concurrency)],
    }
    return [Child(role, arguments.get(role, []), environment, logs / f"{role}.log") for role in LASTING]


async def ready(url: str, api: Child) -> None:
    """Wait until the API answers that its database does too. Raises `SetupError` with the end of its log otherwise."""
    async with httpx.AsyncClient() as client:
        for _ in range(int(READY_SECONDS / 0.1)):
            try:
                if (await client.get(f"{url}/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise SetupError(
        "HTTP 服务在 {seconds} 秒内没有就绪。它最后的记录：\n{log}",
        seconds=int(READY_SECONDS),
        log=tail(api.log),
    )


async def consuming(broker_url: str) -> None:
    """Wait until every queue has somebody who takes from it: the consumers and the Celery worker. Raises `SetupError` otherwise."""
    names = [queue_of(service.name).name for service in ALL if service.listens] + [QUEUE]
    until = time.monotonic() + QUEUES_SECONDS
    while time.monotonic() < until:
        if await asyncio.to_thread(all_taken, broker_url, names):
            return
        await asyncio.sleep(0.2)
    raise SetupError(
        "消费者在 {seconds} 秒内没有就绪。请查看数据目录 logs 里的记录。", seconds=int(QUEUES_SECONDS)
    )


def all_taken(broker_url: str, names: Sequence[str]) -> bool:
    """Whether each of these queues exists and has a consumer."""
    try:
        with connect(broker_url, 0) as connection:
            connection.connect()  # tries once; left to itself a channel would try for ever
            channel: Any = connection.channel()
            return all(channel.queue_declare(name, passive=True).consumer_count for name in names)
    except Exception:  # whatever is wrong with a broker that is still coming up, the answer is: not yet
        log.debug("broker.not_ready", exc_info=True)
        return False


class Supervisor:
    """All roles of the full mode."""

    def __init__(self, settings: Settings, host: str, port: int, concurrency: int = 1) -> None:
        self.settings = settings
        self.url = f"http://{host}:{port}"
        self.children = children(settings, host, port, concurrency)

    async def __aenter__(self) -> Supervisor:
        try:
            await prepare(self.settings.database_url, ALL)
            for child in self.children:
                await child.start()
                child.watcher = asyncio.create_task(child.watch())
            await ready(self.url, next(child for child in self.children if child.role == "api"))
            if self.settings.broker_url:
                await consuming(self.settings.broker_url)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in self.children:
            child.stopping = True
        await asyncio.gather(*(child.stop() for child in self.children))
        await asyncio.gather(
            *(child.watcher for child in self.children if child.watcher), return_exceptions=True
        )


async def serve_full(started: Parts, host: str, port: int, concurrency: int) -> None:
    """Migrate, start every role, wait until ready, stop all at Ctrl-C."""
    async with keeping(started.kept), Supervisor(started.settings, host, port, concurrency) as running:
        print(f"暖链 Nuanlian: {running.url}/", flush=True)
        await until_stopped()
