"""Locks, notes and private files hold under a second run and a torn write."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from deploy import processes
from deploy.errors import SetupError

Usage = namedtuple("Usage", "total used free")


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(child.pid)
    assert processes.wait_for(lambda: not processes.alive(process), 10)
    assert process.status() == psutil.STATUS_ZOMBIE
    assert processes.found(child.pid) is None
    child.wait()


def test_a_second_run_is_told_that_the_folder_is_busy(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        processes.locked(lock, 0),
        pytest.raises(SetupError, match="Another program"),
        processes.locked(lock, 0),
    ):
        pytest.fail("two runs held the lock at once")
    with processes.locked(lock, 0):
        assert lock.exists()


def test_a_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.processes.shutil.disk_usage", lambda _: Usage(10**9, 10**9, 0))
    with pytest.raises(SetupError, match="300 MB"):
        processes.make_folder(tmp_path / "new", 0o700)


@pytest.mark.parametrize("note", ["", "{", "[1]", '{"port": "x"}', '{"port": null}'])
def test_a_torn_note_is_no_note(tmp_path: Path, note: str) -> None:
    (tmp_path / "state.json").write_text(note)
    assert processes.remembered(tmp_path / "state.json") == {}


def test_a_secret_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "password"
    secret = processes.password_in(path)
    assert len(secret) >= 40
    assert processes.password_in(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["password"]


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("line\n" * 10)
    processes.start_log(log, keep=100)
    assert processes.tail(log, 2) == "line\nline"
    processes.start_log(log, keep=10)
    assert not log.exists()
    assert processes.tail(log) == ""
