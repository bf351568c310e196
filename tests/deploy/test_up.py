"""The commands that start everything, as a person starts and stops them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deploy import postgres
from deploy.ports import free_port
from deploy.processes import alive, found, wait_for
from tests.servers import open_folder

ROOT = Path(__file__).parents[2]
IMPATIENT = (
    "from deploy import supervisor; supervisor.QUEUES_SECONDS = 2; from services.__main__ import main; main()"
)
# What a start has done by then: it makes the database's files; it boots RabbitMQ; it starts the roles.
MOMENTS: Mapping[str, Callable[[Path], bool]] = {
    "database": lambda data: any((data / "postgres" / "server").glob("new-*")),
    "broker": lambda data: (data / "rabbitmq" / "state.json").exists(),
    "roles": lambda data: (data / "logs" / "consumers.log").exists(),
}


def command_of(data: Path, port: int, *options: str) -> list[str]:
    """The command line that starts everything."""
    return [sys.executable, "-m", "services", "up", "--data", str(data), "--port", str(port), *options]


@contextmanager
def up(data: Path, port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`nuanlian up` until the block ends; entered once it is ready."""
    command = command_of(data, port, *options)
    said = data / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        assert wait_for(lambda: b"http://" in said.read_bytes() or process.poll() is not None, 90, 0.1)
        assert process.poll() is None and answers(port), said.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def left_over(data: Path) -> list[str]:
    """Processes that still name the data folder, on their command line or as their working folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "pid"]):
        words = " ".join(process.info["cmdline"] or []) + str(process.info["cwd"])
        if str(data) in words and process.info["pid"] != os.getpid():
            found.append(words)
    return found


def verify(data: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "services", "ledger", "verify", "--data", str(data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    verdict: dict[str, object] = json.loads(done.stdout)
    return verdict


def test_it_survives_a_kill_keeps_its_data_and_leaves_nothing_running(data: Path) -> None:
    port = free_port()
    with up(data, port) as process:
        process.kill()
        process.wait(30)
    with up(data, port) as process:
        assert answers(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert left_over(data) == []
    assert verify(data)["ok"] is True
    assert left_over(data) == []


def roles(parent: int) -> dict[str, int]:
    """The role processes that a supervisor runs."""
    children = [child for child in psutil.Process(parent).children() if alive(child)]
    words = {child.pid: child.cmdline() for child in children}
    return {
        line[line.index("run") + 1]: pid
        for pid, line in words.items()
        if "run" in line and "services" in line
    }


def test_the_full_mode_restarts_what_dies_and_leaves_nothing_running(data: Path) -> None:
    """Roles leave with a supervisor that was killed; the next one has its own, and stops what it started again too."""
    port = free_port()
    with up(data, port, "--broker", "rabbitmq") as process:
        before = roles(process.pid)
        assert set(before) == {"api", "relay", "consumers", "worker", "beat"}
        process.kill()
        process.wait(30)
        assert wait_for(lambda: not any(found(pid) for pid in before.values()), 30, 0.2)
        assert not answers(port)
    with up(data, port, "--broker", "rabbitmq") as process:
        killed = roles(process.pid)["consumers"]
        os.kill(killed, signal.SIGKILL)
        assert wait_for(lambda: roles(process.pid).get("consumers", killed) != killed, 30, 0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert wait_for(lambda: not left_over(data), 10, 0.2), left_over(data)


@pytest.mark.timeout(300)
def test_the_demo_says_at_the_end_what_it_did(data: Path) -> None:
    command = [sys.executable, "-m", "services", "demo", "--data", str(data), "--once"]
    for expected in (403, 406):  # a second run keeps the data and records one more visit of three needs
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=140)
        assert done.returncode == 0, done.stderr[-2000:]
        summary = json.loads(done.stdout.splitlines()[-1])
        assert set(summary) == {
            "needs",
            "proposals",
            "approved",
            "received",
            "events",
            "ledger_verified",
            "gap",
            "seconds",
        }
        assert summary["needs"] == expected
        assert summary["ledger_verified"] is True and 0 <= summary["gap"] <= 1e-4
        assert summary["proposals"] > 150 and summary["approved"] > 10 and summary["received"] > 3
    assert left_over(data) == []


def test_a_port_in_use_is_said_so(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = command_of(data, port)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert str(port) in done.stderr and "Traceback" not in done.stderr
    assert left_over(data) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_start_that_is_interrupted_leaves_nothing_running(data: Path, number: int, moment: str) -> None:
    port = free_port()
    command = command_of(data, port, "--broker", "rabbitmq")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_for(lambda: MOMENTS[moment](data) or process.poll() is not None, 60, 0.005)
    assert process.poll() is None and not answers(port)
    process.send_signal(number)
    process.wait(60)
    assert wait_for(lambda: not left_over(data), 15, 0.2), left_over(data)


def test_a_broker_that_cannot_be_reached_is_said_so(data: Path) -> None:
    url = f"amqp://x:y@127.0.0.1:{free_port()}/"
    arguments = command_of(data, free_port(), "--broker-url", url)[3:]
    command = [sys.executable, "-c", IMPATIENT, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 2 and "logs" in done.stderr and "Traceback" not in done.stderr
    assert left_over(data) == []


@pytest.fixture(scope="module")
def embedded() -> Iterator[tuple[Path, int]]:
    """The data folder and port of one embedded Nuanlian, for the tests that leave it running."""
    data, port = open_folder(), free_port()
    with up(data, port):
        yield data, port
    assert left_over(data) == []
    shutil.rmtree(data)


def test_a_folder_in_use_is_said_so(embedded: tuple[Path, int]) -> None:
    data, port = embedded
    second = subprocess.run(
        command_of(data, free_port()), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 2
    assert str(data) in second.stderr and "Traceback" not in second.stderr
    assert answers(port)


def test_a_private_server_that_dies_is_started_again(embedded: tuple[Path, int]) -> None:
    data, port = embedded
    os.kill(postgres.start(data).pid, signal.SIGKILL)
    assert wait_for(lambda: not answers(port), 10, 0.05)
    assert wait_for(lambda: answers(port), 30, 0.2)
