"""A private PostgreSQL on the loopback address, from the binaries that arrive with Python, its data in a folder of ours.

Below the data folder: `postgres/password` (the owner's, mode 0600), `postgres/server/` (the cluster and its log, owned by the user
that runs it) and `postgres/state.json` (the port, kept from run to run while it is free).
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.cluster import Cluster, programs
from deploy.errors import SetupError
from deploy.ports import LOOPBACK, answers, free_port
from deploy.processes import (
    end,
    locked,
    make_folder,
    password_in,
    remembered,
    start_log,
    tail,
    wait_for,
    working_in,
    write_private,
)
from deploy.unprivileged import home_for

RECOVERY = 300
"""Seconds that a start may take: after a crash the server first replays its log."""
SOCKET_PATH_LIMIT = 107
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements, their values and the details of errors may hold names and addresses, which no log may.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `dsn` goes over TCP, `local_dsn` over the unix socket; both log in as the owner of database `nuanlian`."""

    dsn: str = field(repr=False)
    local_dsn: str = field(repr=False)
    pid: int
    port: int
    data: Path

    def stop(self) -> None:
        """Stop it cleanly: open transactions are rolled back, everything committed is on disk."""
        stop(self.data)


def start(data: Path) -> Server:
    """Start the server whose data lie in `data / "postgres"`, or take over the one that still runs there; the first start makes them.

    Raises SetupError with what to do when the folder, the disk, the port or the user stands in the way.
    """
    base = (data / "postgres").resolve()
    make_folder(base, 0o711 if os.geteuid() == 0 else 0o700)
    with locked(base / "lock", RECOVERY):
        home, account = home_for(base)
        cluster = Cluster(home, account, programs(home, account))
        running = _running(cluster)
        _prepare(cluster, base, running)
        running = _running(cluster)
        if running is None:
            _launch(cluster, base)
            running = _running(cluster)
        if running is None:
            raise _refused(cluster)
        return _server(cluster, base, running)


def stop(data: Path) -> None:
    """Stop the server of this data folder, if one runs: fast shutdown first, the harder ways only when it hangs."""
    base = (data / "postgres").resolve()
    if not base.exists():
        return
    with locked(base / "lock", RECOVERY):
        pointer = base / "elsewhere"
        home = Path(pointer.read_text().strip()) if pointer.exists() else base / "server"
        head = _postmaster(home / "cluster")
        if head and end([head], signal.SIGINT, 60):
            end([head], signal.SIGQUIT, 10)
        _clear(home / "cluster")
        shutil.rmtree(_short_folder(home), ignore_errors=True)


def _prepare(cluster: Cluster, base: Path, running: psutil.Process | None) -> None:
    """A complete cluster whose owner has the password in the file."""
    secret = base / "password"
    if cluster.folder.exists() and secret.exists():
        return
    if running:
        end([running], signal.SIGINT, 60)
    _clear(cluster.folder)
    password = password_in(secret)
    if not cluster.folder.exists():
        cluster.create(password)
    else:
        cluster.single_user(cluster.folder, "postgres_password.sql", password)


def _postmaster(folder: Path) -> psutil.Process | None:
    """The living head process of the cluster. The pid file alone proves nothing: its number may be another program's by now."""
    lines = _pid_file(folder)
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    return next((p for p in working_in(folder, "postgres") if p.pid == pid), None)


def _pid_file(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _running(cluster: Cluster) -> psutil.Process | None:
    """The cluster's server once it takes connections; None when there is none, and then nothing of an earlier one is left."""
    folder = cluster.folder
    # A killed run may leave its pg_ctl or initdb, which would go on beside us; a server that pg_ctl just started may stay.
    end(working_in(cluster.home, "initdb", "pg_ctl", "postgres"), signal.SIGKILL, 5)
    wait_for(lambda: _postmaster(folder) is not None or not working_in(folder, "postgres"), 3)
    wait_for(lambda: _postmaster(folder) is None or _ready(folder), RECOVERY)
    head = _postmaster(folder)
    if head is None and folder.exists():
        _clear(folder)
    return head


def _ready(folder: Path) -> bool:
    lines = _pid_file(folder)
    return len(lines) >= 8 and lines[7].strip() == "ready" and answers(int(lines[3]))


def _clear(folder: Path) -> None:
    """Remove what a killed server left: children that outlive it, then the pid file, which may name a stranger's process."""
    left = end(working_in(folder, "postgres"), signal.SIGQUIT, 3)
    if end(left, signal.SIGKILL, 5):
        raise SetupError("{folder} 里还有结束不了的 PostgreSQL 进程。请重新启动本机。", folder=folder)
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _launch(cluster: Cluster, base: Path) -> None:
    """Start the server on the port of the last run or a free one; a port that is snatched away meanwhile is no reason to fail."""
    log, kept = cluster.home / "log", remembered(base / "state.json").get("port")
    start_log(log)
    for preferred in (kept, None, None):
        port = free_port(preferred)
        settings = SETTINGS | {
            "port": str(port),
            "unix_socket_directories": str(_socket_folder(cluster, port)),
        }
        options = shlex.join(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        done = cluster.run(
            "pg_ctl", "start", "-s", "-w", "-t", str(RECOVERY), "-D", cluster.folder, "-l", log, "-o", options
        )
        if done.returncode == 0:
            write_private(base / "state.json", json.dumps({"port": port}))
            return
        if "could not bind" not in tail(log) and "could not create any TCP/IP sockets" not in tail(log):
            break
    raise _refused(cluster)


def _refused(cluster: Cluster) -> SetupError:
    log = cluster.home / "log"
    return SetupError("PostgreSQL 没有启动。请看日志 {log}：\n{tail}", log=log, tail=tail(log))


def _socket_folder(cluster: Cluster, port: int) -> Path:
    """An empty folder for the socket, in the home, or in the temporary folder when that path is longer than the kernel allows."""
    folder = cluster.home / "socket"
    if len(os.fsencode(folder / f".s.PGSQL.{port}.lock")) > SOCKET_PATH_LIMIT:
        folder = _short_folder(cluster.home)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    if cluster.account:
        cluster.account.own(folder)
    return folder


def _short_folder(home: Path) -> Path:
    return Path(tempfile.gettempdir()) / f"nuanlian-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"


def _server(cluster: Cluster, base: Path, head: psutil.Process) -> Server:
    password, lines = password_in(base / "password"), _pid_file(cluster.folder)
    port, socket = int(lines[3]), lines[4]
    return Server(
        dsn=f"postgresql://nuanlian:{password}@{LOOPBACK}:{port}/nuanlian",
        local_dsn=f"postgresql://nuanlian:{password}@/nuanlian?host={socket}&port={port}",
        pid=head.pid,
        port=port,
        data=base.parent,
    )
