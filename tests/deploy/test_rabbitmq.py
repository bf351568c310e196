"""The private RabbitMQ keeps what it confirmed, whatever is killed, and meets no other node."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import amqp
import kombu
import psutil
import pytest

from deploy import rabbitmq
from deploy.processes import working_in
from tests.servers import open_folder

QUEUE = kombu.Queue("kept", durable=True, queue_arguments={"x-queue-type": "quorum"})


@pytest.fixture(scope="module")
def server() -> Iterator[rabbitmq.Server]:
    folder = open_folder()
    yield rabbitmq.start(folder)
    rabbitmq.stop(folder)
    shutil.rmtree(folder)


def put(url: str, text: str) -> None:
    with kombu.Connection(url, transport_options={"confirm_publish": True}) as connection:
        kombu.Producer(connection).publish(text, routing_key=QUEUE.name, declare=[QUEUE], delivery_mode=2)


def take(url: str) -> list[str]:
    texts: list[str] = []
    with kombu.Connection(url) as connection:
        queue = QUEUE(connection.default_channel)
        queue.declare()
        while message := queue.get():
            texts.append(str(message.decode()))
            message.ack()
    return texts


def listening(pid: int) -> set[str]:
    return {c.laddr.ip for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN}


def test_what_was_confirmed_survives_a_clean_stop_and_a_kill(data: Path) -> None:
    first = rabbitmq.start(data)
    put(first.url, "one")
    first.stop()
    second = rabbitmq.start(data)
    assert second.url == first.url
    put(second.url, "two")
    os.kill(second.pid, signal.SIGKILL)
    third = rabbitmq.start(data)
    assert take(third.url) == ["one", "two"]
    third.stop()
    home = data / "rabbitmq" / "node"
    assert working_in(home, "beam.smp") + working_in(home, "epmd") == []
    third.stop()


def test_a_node_left_by_a_killed_run_is_taken_over(server: rabbitmq.Server) -> None:
    assert rabbitmq.start(server.data) == server


def test_two_side_by_side(server: rabbitmq.Server, rabbitmq_server: rabbitmq.Server) -> None:
    put(server.url, "mine")
    assert "kept" in server.ctl("list_queues", "name")
    assert "kept" not in rabbitmq_server.ctl("list_queues", "name")
    assert server.port != rabbitmq_server.port


def test_it_listens_on_loopback_alone(rabbitmq_server: rabbitmq.Server) -> None:
    epmd = working_in(rabbitmq_server.data / "rabbitmq" / "node", "epmd")
    assert len(epmd) == 1
    assert listening(rabbitmq_server.pid) == {"127.0.0.1"}
    assert listening(epmd[0].pid) <= {"127.0.0.1", "::1"}


def test_guest_is_gone_and_the_password_private(rabbitmq_server: rabbitmq.Server) -> None:
    assert rabbitmq_server.ctl("list_users", "--no-table-headers").split() == ["nuanlian", "[administrator]"]
    with (
        pytest.raises(amqp.AccessRefused),
        kombu.Connection(f"amqp://guest:guest@127.0.0.1:{rabbitmq_server.port}//") as connection,
    ):
        connection.connect()
    base = rabbitmq_server.data / "rabbitmq"
    assert (
        stat.S_IMODE((base / "password").stat().st_mode)
        == stat.S_IMODE((base / "node" / "rabbitmq.conf").stat().st_mode)
        == 0o600
    )
    assert "amqp://" not in repr(rabbitmq_server)


def test_a_reset_node_lets_its_clients_back_in(server: rabbitmq.Server) -> None:
    put(server.url, "gone")
    for command in ("stop_app", "reset", "start_app"):
        server.ctl(command)
    assert take(server.url) == []


def test_a_node_that_missed_the_first_signal_is_asked_again(data: Path) -> None:
    home = data / "rabbitmq" / "node"
    home.mkdir(parents=True)
    node = shutil.copy("/bin/sh", home / "beam.smp")
    deaf = "trap 'trap - TERM' TERM; echo listens; while true; do sleep 0.05; done"
    process = subprocess.Popen([node, "-c", deaf], cwd=home, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"listens\n"
    rabbitmq.stop(data)
    assert process.wait(5) == -signal.SIGTERM
    process.stdout.close()
