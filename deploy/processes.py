"""Servers as processes: which are ours, whether they live, how they end, and what is remembered of them on disk."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.errors import SetupError

LEAST_DISK = 300_000_000
"""Bytes that must be free before a server is started: its first files and some write-ahead log."""


def alive(process: psutil.Process) -> bool:
    """Whether the process still runs. A zombie is dead, though its number still answers to signals."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def found(pid: int) -> psutil.Process | None:
    """The living process with this number."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return process if alive(process) else None


def working_in(folder: Path, *names: str) -> list[psutil.Process]:
    """Living processes with one of these names whose working folder is `folder`: so a server is told from all others here."""
    here = str(folder.resolve())
    seen = psutil.process_iter(["name", "cwd"])
    return [p for p in seen if p.info["name"] in names and p.info["cwd"] == here and alive(p)]


def end(processes: list[psutil.Process], number: int, seconds: float) -> list[psutil.Process]:
    """Send signal `number` to each, wait up to `seconds`, and return those that still live."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
    deadline = time.monotonic() + seconds
    while (left := [p for p in processes if alive(p)]) and time.monotonic() < deadline:
        reap(left)
        time.sleep(0.02)
    return left


def reap(processes: list[psutil.Process]) -> None:
    """Take the exit status of those that are our own children, so that no zombie stays behind."""
    for process in processes:
        try:
            os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:
            continue


def spawn(command: Sequence[str | Path], log: Path, cwd: Path, environment: Mapping[str, str]) -> int:
    """Start a server in the background that outlives us, its output appended to `log`, and return its process number.

    A shell between us takes it off our hands, so that it never becomes our zombie.
    """
    script = 'exec "$@" </dev/null >>"$0" 2>&1 & echo $!'
    words = ["/bin/sh", "-c", script, str(log), *map(str, command)]
    done = subprocess.run(
        words,
        cwd=cwd,
        env=environment,
        start_new_session=True,
        umask=0o077,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def wait_for(ready: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Ask `ready` until it says yes or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not (done := ready()) and time.monotonic() < deadline:
        time.sleep(pause)
    return done


def make_folder(folder: Path, mode: int) -> None:
    """The folder, writable and on a disk with room.

    Raises SetupError with what to do when it can't be had.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
        (probe := folder / f".probe-{os.getpid()}").touch()
        probe.unlink()
    except OSError as error:
        raise SetupError(
            "数据目录 {folder} 不能写入（{reason}）。请换一个目录，或修改它的权限。",
            folder=folder,
            reason=error.strerror,
        ) from error
    if shutil.disk_usage(folder).free < LEAST_DISK:
        raise SetupError(
            "数据目录 {folder} 所在磁盘空间不足，至少需要 {need} MB。请清理磁盘或换一个目录。",
            folder=folder,
            need=LEAST_DISK // 10**6,
        )


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock file, so that two runs never start the same server at once.

    Raises SetupError when another run holds it for longer than `seconds`.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        if not wait_for(lambda: _lock(file.fileno()), seconds, 0.1):
            raise SetupError(
                "另一个程序正在 {folder} 里启动或停止服务。请等它结束，或换一个数据目录。", folder=path.parent
            )
        yield


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, text: str) -> None:
    """Replace the file as a whole, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def password_in(path: Path) -> str:
    """The secret in this file; a new one is made (32 random bytes, safe in a URL) when there is none."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def remembered(path: Path) -> dict[str, int]:
    """Ports and process numbers of the last run; empty when there was none or the note is torn."""
    try:
        return {str(key): int(value) for key, value in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def start_log(path: Path, keep: int = 10_000_000) -> None:
    """Set a log of more than `keep` bytes aside before a start, so that logs stay bounded."""
    if path.exists() and path.stat().st_size > keep:
        path.replace(path.with_name(path.name + ".old"))
