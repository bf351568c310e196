"""A private RabbitMQ node on the loopback address, from the system's package, all its files in a folder of ours.

Below the data folder: `rabbitmq/password` (mode 0600), `rabbitmq/node/` (database, logs, configuration, cookie) and
`rabbitmq/state.json` (the ports, kept from run to run while they are free). Name, cookie, epmd and ports are its own, so that it meets
no other node of the machine.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from deploy.debian import need
from deploy.errors import SetupError
from deploy.ports import LOOPBACK, answers, free_port
from deploy.processes import (
    end,
    found,
    locked,
    make_folder,
    password_in,
    remembered,
    spawn,
    start_log,
    tail,
    wait_for,
    working_in,
    write_private,
)

HERE = Path(__file__).parent
# Debian's and RabbitMQ's own packages, then the generic archive: the scripts themselves, since the wrappers on PATH change the user.
SCRIPTS = (Path("/usr/lib/rabbitmq/bin"), Path("/opt/rabbitmq/sbin"), Path("/usr/local/sbin"))
NODE = "nuanlian@localhost"
USER = "nuanlian"
BOOT = 180
"""Seconds that a boot may take, recovery of queues included."""
GREETING, REPLY = b"AMQP\x00\x00\x09\x01", b"\x01\x00\x00"
LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"
BECOMING = ("rabbitmq-server", "sh", "erl", "erlexec", "beam.smp")
"""What the script is called on its way to becoming the node."""
PORTS = ("amqp", "distribution", "epmd", "tools")


@dataclass(frozen=True, slots=True)
class Server:
    """A running node. `url` is what kombu and Celery take."""

    url: str = field(repr=False)
    pid: int
    port: int
    data: Path

    def ctl(self, *arguments: str) -> str:
        """What `rabbitmqctl` answers. Raises SetupError with its own words when it fails."""
        base = (self.data / "rabbitmq").resolve()
        command = [str(_scripts() / "rabbitmqctl"), "--quiet", "--node", NODE, *arguments]
        environment = _environment(base, remembered(base / "state.json"))
        done = subprocess.run(
            command, env=environment, cwd=base / "node", check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise SetupError(
                "rabbitmqctl {command} 失败：{reason}",
                command=" ".join(arguments),
                reason=done.stderr.strip(),
            )
        return done.stdout

    def stop(self) -> None:
        """Stop the node cleanly: its queues are on disk."""
        stop(self.data)


def start(data: Path) -> Server:
    """Start the node whose data lie in `data / "rabbitmq"`, or take over the one that still runs there.

    Installs the package when it is missing and we are root. Raises SetupError with what to do when the node can't come up.
    """
    base = (data / "rabbitmq").resolve()
    make_folder(base, 0o700)
    with locked(base / "lock", BOOT):
        ports = remembered(base / "state.json")
        if not _adopted(base, ports):
            _sweep(base)
            ports = _launch(base, ports)
        return _server(base, ports)


def stop(data: Path) -> None:
    """Stop the node of this data folder, if one runs, and its epmd."""
    base = (data / "rabbitmq").resolve()
    if base.exists():
        with locked(base / "lock", BOOT):
            _sweep(base)


def _adopted(base: Path, ports: dict[str, int]) -> bool:
    """Whether a node of an earlier run is there and takes connections, after the time that its boot may need."""
    ours = {p.pid for p in working_in(base / "node", "beam.smp")}
    if ports.get("pid") not in ours or not working_in(base / "node", "epmd"):
        return False
    return wait_for(
        lambda: answers(ports["amqp"], GREETING, REPLY) or found(ports["pid"]) is None, BOOT
    ) and bool(found(ports["pid"]))


def _sweep(base: Path) -> None:
    """End whatever runs in the node's folder: cleanly if it listens, epmd last, as a node that stops still asks it."""
    home = base / "node"
    for _ in range(30):  # a node whose boot has just begun doesn't hear the first
        if not end(working_in(home, "beam.smp"), signal.SIGTERM, 2):
            break
    if left := end(working_in(home, *BECOMING, "epmd"), signal.SIGKILL, 10):
        raise SetupError("RabbitMQ 的进程 {pid} 结束不了。请重新启动本机。", pid=left[0].pid)


def _launch(base: Path, kept: dict[str, int]) -> dict[str, int]:
    """Boot the node and wait until it greets a client; new ports when those of the last run are taken."""
    home = base / "node"
    ports = _choose(kept)
    _configure(base, ports)
    environment, log = _environment(base, ports), home / "start.log"
    start_log(log)
    spawn(["epmd", "-address", LOOPBACK, "-port", str(ports["epmd"])], log, home, environment)
    pid = spawn([_scripts() / "rabbitmq-server"], log, home, environment)
    ports["pid"] = pid
    write_private(base / "state.json", json.dumps(ports))
    wait_for(lambda: answers(ports["amqp"], GREETING, REPLY) or found(pid) is None, BOOT, 0.1)
    if found(pid) is None or not answers(ports["amqp"], GREETING, REPLY):
        _sweep(base)
        raise SetupError("RabbitMQ 没有启动。请看日志 {log}：\n{tail}", log=log, tail=tail(log))
    return ports


def _choose(kept: dict[str, int]) -> dict[str, int]:
    chosen: dict[str, int] = {}
    for name in PORTS:
        chosen[name] = free_port(kept.get(name), frozenset(chosen.values()))
    return chosen


def _configure(base: Path, ports: dict[str, int]) -> None:
    """The node's files. The password stays that of the first boot, as the node's database has it."""
    home = base / "node"
    make_folder(home, 0o700)
    settings = (
        (HERE / "rabbitmq.conf")
        .read_text()
        .format(amqp=ports["amqp"], password=password_in(base / "password"))
    )
    write_private(home / "rabbitmq.conf", settings)
    write_private(home / "enabled_plugins", "[].\n")
    write_private(home / "environment", "")
    cookie = home / ".erlang.cookie"
    if not cookie.exists():
        write_private(cookie, secrets.token_hex(32))
        cookie.chmod(0o400)


def _environment(base: Path, ports: dict[str, int]) -> dict[str, str]:
    """All that the scripts read; nothing of ours leaks in, so that another node's settings don't either."""
    home = str(base / "node")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "LC_ALL": "C.UTF-8",
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_CRASH_DUMP": f"{home}/crash.dump",
        "RABBITMQ_NODENAME": NODE,
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_CONF_ENV_FILE": f"{home}/environment",
        "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
        "RABBITMQ_CONFIG_FILES": f"{home}/conf.d",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{home}/advanced.config",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
        "RABBITMQ_MNESIA_BASE": f"{home}/database",
        "RABBITMQ_LOG_BASE": f"{home}/log",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK_ONLY,
        "RABBITMQ_CTL_ERL_ARGS": LOOPBACK_ONLY,
        "RABBITMQ_CTL_DIST_PORT_MIN": str(ports["tools"]),
        "RABBITMQ_CTL_DIST_PORT_MAX": str(ports["tools"] + 20),
        # The script then becomes the node instead of staying its parent, and a signal reaches the node itself.
        "RUNNING_UNDER_SYSTEMD": "true",
    }


def _scripts() -> Path:
    """The folder of RabbitMQ's own scripts, the package being installed first when it is missing and we may."""
    there = [folder for folder in SCRIPTS if (folder / "rabbitmq-server").exists()]
    if not there:
        need("rabbitmq-server")
    return there[0] if there else SCRIPTS[0]


def _server(base: Path, ports: dict[str, int]) -> Server:
    url = f"amqp://{USER}:{password_in(base / 'password')}@{LOOPBACK}:{ports['amqp']}//"
    return Server(url=url, pid=ports["pid"], port=ports["amqp"], data=base.parent)
