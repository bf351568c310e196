"""RabbitMQ on the way: confirmed, acknowledged after the commit, and dispensable."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import amqp
import pytest
from fastapi import APIRouter

from deploy.rabbitmq import Server
from shared import bus
from shared.broker import (
    DEAD_QUEUE,
    EVENTS,
    BatchConsumer,
    Outgoing,
    Publisher,
    Unconfirmed,
    broker_send,
    connect,
    consume,
    declare,
)
from shared.bus import new_id
from shared.db import Connection, Database
from shared.events import NeedWithdrawn
from shared.service import Service

NAME = "delivery"


@pytest.fixture
def url(rabbitmq_server: Server) -> str:
    """A broker with the topology declared and its queues empty."""
    with connect(rabbitmq_server.url, 0) as connection:
        channel: Any = connection.channel()
        declare(channel, [NAME])
        for queue in (f"nuanlian.{NAME}", DEAD_QUEUE.name):
            channel.queue_purge(queue)
    return rabbitmq_server.url


def waiting(url: str, queue: str) -> int:
    with connect(url, 0) as connection:
        channel: Any = connection.channel()
        return int(channel.queue_declare(queue, passive=True).message_count)


async def published(db: Database, count: int) -> list[bus.Claimed]:
    """`count` events for one subscriber, claimed."""
    await db.pool.execute("delete from bus.subscription")
    await db.pool.execute("insert into bus.subscription values ($1, $2)", NeedWithdrawn.TYPE, NAME)
    async with db.transaction(bus.SYSTEM) as conn:
        await bus.publish(
            conn,
            *[NeedWithdrawn(need_id=new_id(), area="445381100000", reason="solved") for _ in range(count)],
        )
    return await bus.claim(db, [NAME])


@asynccontextmanager
async def consuming(db: Database, url: str, seen: list[NeedWithdrawn]) -> AsyncIterator[None]:
    async def handler(conn: Connection, event: NeedWithdrawn) -> None:
        seen.append(event)

    stop = asyncio.Event()
    services = {NAME: Service(NAME, Path(), APIRouter(), on={NeedWithdrawn: handler})}
    running = asyncio.create_task(consume(db, url, services, stop))
    yield
    stop.set()
    await running


async def all_done(db: Database) -> None:
    async with asyncio.timeout(20):
        while await db.pool.fetchval("select exists (select from bus.delivery where done_at is null)"):
            await asyncio.sleep(0.02)


async def taken(url: str) -> None:
    """Wait until the consumer has taken the second round too."""
    async with asyncio.timeout(20):
        while await asyncio.to_thread(waiting, url, f"nuanlian.{NAME}"):
            await asyncio.sleep(0.05)


async def test_every_event_arrives_once_although_it_is_sent_twice(db: Database, url: str) -> None:
    batch, seen = await published(db, 50), list[NeedWithdrawn]()
    publisher = Publisher(url, [NAME])
    send = broker_send(db, publisher)
    async with consuming(db, url, seen):
        await send(batch)
        await send(batch)
        await all_done(db)
        await taken(url)
    publisher.drop()
    assert len(seen) == 50


def test_confirms_may_come_in_any_order(url: str) -> None:
    publisher = Publisher(url, [NAME])
    publisher._open_tags = {1, 2, 3, 4}
    publisher._on_ack(3, False)
    publisher._on_ack(2, True)
    assert publisher._open_tags == {4}
    publisher._on_nack(4, False)
    assert publisher._open_tags == set() and publisher._refused == 1


async def test_a_confirm_marks_nothing_done(db: Database, url: str) -> None:
    batch = await published(db, 3)
    publisher = Publisher(url, [NAME])
    await broker_send(db, publisher)(batch)
    publisher.drop()
    assert waiting(url, f"nuanlian.{NAME}") == 3
    assert await db.pool.fetchval("select count(*) from bus.delivery where done_at is null") == 3


async def test_a_wiped_queue_costs_time_but_no_event(db: Database, url: str) -> None:
    batch, seen = await published(db, 5), list[NeedWithdrawn]()
    publisher = Publisher(url, [NAME])
    send = broker_send(db, publisher)
    await send(batch)
    with connect(url, 0) as connection:
        channel: Any = connection.channel()
        channel.queue_delete(f"nuanlian.{NAME}")
    await bus.wake_all(db, [NAME])
    again = await bus.claim(db, [NAME])
    with pytest.raises(Unconfirmed):  # nowhere to go: a plain confirm would have hidden it
        await send(again)
    async with consuming(db, url, seen):
        await send(again)  # a fresh connection declares the queue again
        await all_done(db)
    publisher.drop()
    assert len(seen) == 5


def test_a_message_without_an_id_is_set_aside_and_the_next_one_goes_on(url: str) -> None:
    good, seen, stop = new_id(), list[UUID](), threading.Event()
    with connect(url, 0) as connection:
        channel: Any = connection.channel()
        channel.basic_publish(amqp.Message(b"\x80pickle"), EVENTS.name, NAME)
    publisher = Publisher(url, [NAME])
    publisher.send([Outgoing(NAME, good, b"{}")])
    publisher.drop()

    def handle(consumer: str, ids: Sequence[UUID]) -> None:
        seen.extend(ids)
        stop.set()

    BatchConsumer(url, [NAME], handle, stop).run()
    assert seen == [good]
    until = time.monotonic() + 10
    while waiting(url, DEAD_QUEUE.name) == 0 and time.monotonic() < until:
        time.sleep(0.05)  # dead-lettering is asynchronous
    assert waiting(url, DEAD_QUEUE.name) == 1
