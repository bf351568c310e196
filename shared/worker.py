"""Celery: carries job ids to workers and keeps the timers. The only bridge from its synchronous world into async code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import worker_process_init
from kombu import Exchange, Queue

from shared.broker import QUORUM
from shared.db import Database
from shared.jobs import SendJobs, kinds, run_job, tick
from shared.service import Service
from shared.settings import Settings

RUN, TICK, QUEUE = "nuanlian.run_job", "nuanlian.tick", "nuanlian.jobs"


class Bridge:
    """One event loop on a thread of its own, for the life of a worker process, with the process's database pool on it."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="async", daemon=True).start()
        self.db: Database = self.run(Database.connect(settings.database_url, 4))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def celery_app(settings: Settings, services: Sequence[Service]) -> Celery:
    """The Celery application: late acknowledgements, quorum queues, no results, no delayed messages (Postgres schedules)."""
    app = Celery("nuanlian", broker=settings.broker_url)
    app.conf.update(
        broker_heartbeat=10,
        broker_channel_error_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"confirm_publish": True, "read_timeout": 15, "write_timeout": 15},
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_queues=[
            Queue(QUEUE, Exchange(QUEUE, "direct"), routing_key=QUEUE, queue_arguments=dict(QUORUM))
        ],
        task_default_exchange=QUEUE,
        task_default_routing_key=QUEUE,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_hijack_root_logger=False,
        accept_content=["json"],
        enable_utc=True,
        beat_schedule={
            kind: {"task": TICK, "schedule": seconds, "args": [kind]}
            for service in services
            for kind, seconds in service.timers.items()
        },
    )
    _install_tasks(app, settings, services)
    return app


def _install_tasks(app: Celery, settings: Settings, services: Sequence[Service]) -> None:
    by_kind = kinds(services)
    bridges: list[Bridge] = []

    def bridge() -> Bridge:
        if not bridges:
            bridges.append(Bridge(settings))
        return bridges[0]

    @worker_process_init.connect(weak=False)
    def open_bridge(**_: object) -> None:
        bridges.clear()
        bridge()

    @app.task(name=RUN)
    def run(job_id: str) -> None:
        bridge().run(run_job(bridge().db, by_kind, UUID(job_id)))

    @app.task(name=TICK)
    def on_tick(kind: str) -> None:
        bridge().run(tick(bridge().db, kind))


def celery_send(app: Celery) -> SendJobs:
    """The job relay's `send` over RabbitMQ: ids only. A lost message is harmless, the sweep sends the job again."""
    thread = ThreadPoolExecutor(1, "celery-send")

    def send_all(ids: Sequence[UUID]) -> None:
        for job_id in ids:
            app.send_task(RUN, args=[str(job_id)], retry=False)

    async def send(ids: Sequence[UUID]) -> None:
        await asyncio.get_running_loop().run_in_executor(thread, send_all, ids)

    return send
