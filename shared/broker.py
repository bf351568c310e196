"""RabbitMQ as the way that events take between processes. It may vanish at any time: Postgres alone knows what is undone.

What must be set, and why: confirms are pipelined and `mandatory`, since a publish that cannot be routed is otherwise confirmed all the
same; after any error the connection is thrown away, since a late confirm would be credited to the next message; quorum queues with an
explicit delivery limit and a dead-letter exchange, since the broker's own defaults differ from release to release.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import amqp
import structlog
from kombu import Connection, Consumer, Exchange, Queue

from shared import bus
from shared.bus import SQL, SYSTEM, Claimed
from shared.db import Database
from shared.service import Service, deliver

EVENTS = Exchange("nuanlian.events", "direct", durable=True)
DEAD = Exchange("nuanlian.dead", "fanout", durable=True)
DEAD_QUEUE = Queue("nuanlian.dead", DEAD, durable=True, queue_arguments={"x-queue-type": "quorum"})
QUORUM = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 20,
    "x-dead-letter-exchange": DEAD.name,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
CONFIRM_SECONDS = 10.0
PREFETCH = 200
log = structlog.get_logger()


def queue_of(consumer: str) -> Queue:
    """The queue of one consuming service."""
    return Queue(
        f"nuanlian.{consumer}", EVENTS, routing_key=consumer, durable=True, queue_arguments=dict(QUORUM)
    )


def declare(channel: Any, consumers: Sequence[str]) -> None:
    """Exchanges and queues, made again after a wipe."""
    DEAD_QUEUE(channel).declare()
    for consumer in consumers:
        queue_of(consumer)(channel).declare()


def connect(url: str, heartbeat: int) -> Connection:
    """A connection whose reads and writes end: without both time-outs a dead network holds a thread for ever."""
    options = {"read_timeout": 15, "write_timeout": 15, "confirm_publish": False}
    return Connection(url, heartbeat=heartbeat, connect_timeout=5, transport_options=options)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event for one consumer, as the structured CloudEvent in JSON."""

    consumer: str
    event_id: UUID
    body: bytes


class Unconfirmed(Exception):
    """The broker did not take every message of a batch; each is tried again from Postgres."""


class Publisher:
    """Sends batches with pipelined confirms. One thread only: py-amqp connections are not thread-safe."""

    def __init__(self, url: str, consumers: Sequence[str]) -> None:
        self._url, self._consumers = url, consumers
        self._connection: Connection | None = None
        self._channel: Any = None
        self._sent = 0
        self._open_tags: set[int] = set()
        self._refused = 0

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Publish and wait until the broker has stored all of them. Raises `Unconfirmed` or a connection error; then nothing is assumed."""
        try:
            if self._channel is None:
                self._open()
            for outgoing in batch:
                self._publish(outgoing)
            self._await_confirms()
        except Exception:
            self.drop()
            raise

    def drop(self) -> None:
        """Throw the connection away without waiting for the broker: a close would block under a memory alarm."""
        if self._connection is not None:
            self._connection.collect()
        self._connection = self._channel = None

    def _open(self) -> None:
        self._connection = connect(self._url, heartbeat=0)
        self._connection.connect()
        declare(self._connection.default_channel, self._consumers)
        self._channel = self._connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._sent = self._refused = 0
        self._open_tags.clear()

    def _publish(self, outgoing: Outgoing) -> None:
        message = amqp.Message(
            outgoing.body,
            content_type="application/cloudevents+json",
            delivery_mode=2,
            message_id=str(outgoing.event_id),
        )
        self._channel.basic_publish(message, EVENTS.name, outgoing.consumer, mandatory=True)
        self._sent += 1
        self._open_tags.add(self._sent)

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        """Acknowledgements come in any order when several queues store a batch; `multiple` means all tags up to this one."""
        if multiple:
            self._open_tags = {tag for tag in self._open_tags if tag > delivery_tag}
        else:
            self._open_tags.discard(delivery_tag)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        """A full or broken queue refused: nothing to wait for."""
        self._refused += 1
        self._on_ack(delivery_tag, multiple)

    def _on_return(self, *_: object) -> None:
        self._refused += 1

    def _await_confirms(self) -> None:
        until = time.monotonic() + CONFIRM_SECONDS
        while self._open_tags:
            left = until - time.monotonic()
            if left <= 0:
                raise Unconfirmed(
                    f"{len(self._open_tags)} messages without a confirm after {CONFIRM_SECONDS} s"
                )
            assert self._connection is not None
            self._connection.drain_events(timeout=left)
        if self._refused:
            raise Unconfirmed(f"{self._refused} messages were refused or had no queue to go to")


def broker_send(db: Database, publisher: Publisher) -> bus.Send:
    """The relay's `send` over RabbitMQ. A confirm only postpones the next try; the consumer marks a delivery done."""
    thread = ThreadPoolExecutor(1, "publisher")

    async def send(batch: Sequence[Claimed]) -> None:
        async with db.transaction(SYSTEM) as conn:
            rows = await SQL.envelopes(conn, ids=[claimed.event_id for claimed in batch])
        bodies = {row["id"]: bus.envelope(row).model_dump_json().encode() for row in rows}
        outgoing = [
            Outgoing(claimed.consumer, claimed.event_id, bodies[claimed.event_id]) for claimed in batch
        ]
        await asyncio.get_running_loop().run_in_executor(thread, publisher.send, outgoing)

    return send


Handle = Callable[[str, Sequence[UUID]], None]


class BatchConsumer:
    """Takes messages in batches, hands their ids over, and acknowledges once the database has committed.

    Only the id in a message is used: the event itself is read from Postgres, so a forged or garbled body changes nothing.
    """

    def __init__(self, url: str, consumers: Sequence[str], handle: Handle, stop: threading.Event) -> None:
        self._url, self._consumers, self._handle, self._stop = url, consumers, handle, stop
        self._held: list[tuple[str, UUID, Any]] = []

    def run(self) -> None:
        """Consume until told to stop, reconnecting whatever happens to the broker or the database."""
        while not self._stop.is_set():
            connection = connect(self._url, heartbeat=10)
            try:
                self._consume(connection)
            except Exception as error:
                log.warning("consumer.reconnecting", error=type(error).__name__)
                self._stop.wait(1)
            finally:
                self._held.clear()
                connection.collect()

    def _consume(self, connection: Connection) -> None:
        connection.connect()
        channel = connection.channel()
        declare(channel, self._consumers)
        queues = [queue_of(consumer)(channel) for consumer in self._consumers]
        with Consumer(channel, queues, on_message=self._hold, prefetch_count=PREFETCH):
            beat = time.monotonic()
            while not self._stop.is_set():
                self._fill(connection)
                self._flush()
                if time.monotonic() - beat > 3:
                    connection.heartbeat_check()
                    beat = time.monotonic()

    def _fill(self, connection: Connection) -> None:
        """Wait for a first message up to a second, then take what is there already."""
        wait = 1.0
        while len(self._held) < PREFETCH:
            try:
                connection.drain_events(timeout=wait)
                wait = 0.001
            except TimeoutError:
                return

    def _hold(self, message: Any) -> None:
        try:
            event_id = UUID(message.properties.get("message_id", ""))
        except ValueError:
            log.error("consumer.message_without_id", queue=message.delivery_info.get("routing_key"))
            message.reject()
            return
        self._held.append((message.delivery_info["routing_key"], event_id, message))

    def _flush(self) -> None:
        for consumer in dict.fromkeys(name for name, _, _ in self._held):
            self._handle(consumer, [event_id for name, event_id, _ in self._held if name == consumer])
        for _, _, message in self._held:
            message.ack()
        self._held.clear()


async def consume(db: Database, url: str, services: Mapping[str, Service], stop: asyncio.Event) -> None:
    """Run the consumer thread beside this loop until `stop`: the broker's world is synchronous, the handlers' is not."""
    loop, stopping = asyncio.get_running_loop(), threading.Event()

    def handle(consumer: str, ids: Sequence[UUID]) -> None:
        asyncio.run_coroutine_threadsafe(deliver(db, services[consumer], ids), loop).result(120)

    worker = BatchConsumer(url, list(services), handle, stopping)
    running = loop.run_in_executor(None, worker.run)
    await stop.wait()
    stopping.set()
    await running
