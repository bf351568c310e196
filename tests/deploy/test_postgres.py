"""The private PostgreSQL keeps its data, whatever is killed, and meets nobody else's."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy import postgres, unprivileged
from deploy.errors import SetupError
from deploy.processes import alive, end, wait_for, working_in
from tests.servers import open_folder


async def write(dsn: str, value: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()


async def read(dsn: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    values = [row["value"] for row in await connection.fetch("SELECT value FROM kept ORDER BY value")]
    await connection.close()
    return values


async def setting(dsn: str, name: str) -> str:
    connection = await asyncpg.connect(dsn)
    value = await connection.fetchval("SELECT current_setting($1)", name)
    await connection.close()
    return str(value)


def listening(pid: int) -> set[str]:
    return {c.laddr.ip for c in psutil.Process(pid).net_connections("inet") if c.status == psutil.CONN_LISTEN}


async def test_a_clean_restart_keeps_data_and_port(data: Path) -> None:
    first = postgres.start(data)
    await write(first.dsn, 1)
    first.stop()
    assert not psutil.pid_exists(first.pid) or not alive(psutil.Process(first.pid))
    second = postgres.start(data)
    assert await read(second.dsn) == [1]
    assert second.port == first.port


async def test_both_ways_in_lead_to_the_same_database(postgres_server: postgres.Server) -> None:
    for dsn in (postgres_server.dsn, postgres_server.local_dsn):
        connection = await asyncpg.connect(dsn)
        assert (
            await connection.fetchval("SELECT current_database() || ' ' || current_user")
            == "nuanlian nuanlian"
        )
        await connection.close()


async def test_the_owner_is_no_superuser_but_may_make_roles_and_databases(
    postgres_server: postgres.Server,
) -> None:
    connection = await asyncpg.connect(postgres_server.dsn)
    role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
    await connection.close()
    assert role is not None
    assert (role["rolsuper"], role["rolbypassrls"], role["rolcreaterole"], role["rolcreatedb"]) == (
        False,
        False,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fsync", "on"),
        ("data_checksums", "on"),
        ("jit", "off"),
        ("max_connections", "200"),
        ("server_encoding", "UTF8"),
    ],
)
async def test_settings(postgres_server: postgres.Server, name: str, value: str) -> None:
    assert await setting(postgres_server.dsn, name) == value


async def test_chinese_and_accented_letters_fold_by_unicode(postgres_server: postgres.Server) -> None:
    connection = await asyncpg.connect(postgres_server.dsn)
    assert await connection.fetchval("SELECT upper('é䓣塘镇')") == "É䓣塘镇"
    await connection.close()


@pytest.mark.parametrize("user", ["nuanlian", "postgres"])
async def test_nobody_gets_in_without_the_password(postgres_server: postgres.Server, user: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1", port=postgres_server.port, user=user, password="guess", database="nuanlian"
        )


def test_it_listens_on_loopback_alone(postgres_server: postgres.Server) -> None:
    assert listening(postgres_server.pid) == {"127.0.0.1"}


def test_secrets_are_private(postgres_server: postgres.Server) -> None:
    base = postgres_server.data / "postgres"
    assert stat.S_IMODE((base / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((base / "server").stat().st_mode) == 0o700
    assert "postgresql://" not in repr(postgres_server)


async def test_what_was_committed_survives_a_kill(data: Path) -> None:
    first = postgres.start(data)
    await write(first.dsn, 1)
    os.kill(first.pid, signal.SIGKILL)
    second = postgres.start(data)
    assert second.pid != first.pid
    assert await read(second.dsn) == [1]


async def test_children_that_outlive_a_killed_head_are_ended(data: Path) -> None:
    first = postgres.start(data)
    await write(first.dsn, 1)
    folder = data / "postgres" / "server" / "cluster"
    child = next(p for p in working_in(folder, "postgres") if p.pid != first.pid)
    child.suspend()
    os.kill(first.pid, signal.SIGKILL)
    second = postgres.start(data)
    assert not alive(child)
    assert await read(second.dsn) == [1]


def test_a_server_left_by_a_killed_run_is_taken_over(data: Path) -> None:
    assert postgres.start(data) == postgres.start(data)


async def test_a_pid_file_that_names_a_strangers_process_is_no_obstacle(data: Path) -> None:
    first = postgres.start(data)
    await write(first.dsn, 1)
    os.kill(first.pid, signal.SIGKILL)
    pid_file = data / "postgres" / "server" / "cluster" / "postmaster.pid"
    assert wait_for(lambda: not working_in(pid_file.parent, "postgres"), 10)
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    assert await read(postgres.start(data).dsn) == [1]


async def test_an_interrupted_first_start_begins_anew(data: Path) -> None:
    torn = data / "postgres" / "server" / "new-torn"
    torn.mkdir(parents=True)
    (torn / "PG_VERSION").write_text("18\n")
    await write(postgres.start(data).dsn, 1)
    assert not torn.exists()


async def test_a_lost_password_file_is_made_anew(data: Path) -> None:
    first = postgres.start(data)
    await write(first.dsn, 1)
    (data / "postgres" / "password").unlink()
    second = postgres.start(data)
    assert second.dsn != first.dsn
    assert await read(second.dsn) == [1]


async def test_two_side_by_side(data: Path, postgres_server: postgres.Server) -> None:
    other = postgres.start(data)
    await write(other.dsn, 7)
    assert other.port != postgres_server.port
    connection = await asyncpg.connect(postgres_server.dsn)
    assert await connection.fetchval("SELECT to_regclass('kept')") is None
    await connection.close()


def test_a_taken_port_is_left_to_its_owner(data: Path) -> None:
    first = postgres.start(data)
    first.stop()
    other = open_folder()
    (other / "postgres").mkdir(mode=0o711)
    (other / "postgres" / "state.json").write_text((data / "postgres" / "state.json").read_text())
    taking = postgres.start(other)
    try:
        assert taking.port == first.port
        assert postgres.start(data).port != first.port
    finally:
        taking.stop()
        shutil.rmtree(other)


async def test_a_long_path_moves_the_socket(data: Path) -> None:
    deep = data / ("x" * 60) / ("y" * 60)
    server = postgres.start(deep)
    try:
        await write(server.local_dsn, 1)
        assert await read(server.dsn) == [1]
    finally:
        server.stop()


def test_a_folder_that_cannot_be_had_is_said(data: Path) -> None:
    (data / "file").write_text("")
    with pytest.raises(SetupError, match="不能写入"):
        postgres.start(data / "file")


def test_another_majors_data_is_refused_and_left_alone(data: Path) -> None:
    postgres.start(data).stop()
    mark = data / "postgres" / "server" / "cluster" / "PG_VERSION"
    mark.write_text("12\n")
    with pytest.raises(SetupError, match="PostgreSQL 12"):
        postgres.start(data)
    assert mark.read_text() == "12\n"


async def test_root_below_a_closed_folder_keeps_its_data_elsewhere(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unprivileged, "ELSEWHERE", data / "elsewhere")
    closed = data / "closed"
    closed.mkdir(mode=0o700)
    first = postgres.start(closed)
    await write(first.dsn, 1)
    first.stop()
    moved = closed.rename(data / "moved")
    second = postgres.start(moved)
    assert await read(second.dsn) == [1]
    assert (moved / "postgres" / "elsewhere").exists() == (os.geteuid() == 0)
    second.stop()


async def test_programs_below_a_closed_folder_are_copied(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, with the project below a folder like /root, PostgreSQL's user can't run the programs where they lie."""
    monkeypatch.setattr(unprivileged, "ELSEWHERE", data / "elsewhere")
    open_parent = unprivileged.Account.closed_parent

    def closed_parent(account: unprivileged.Account, path: Path) -> Path | None:
        return path if "site-packages" in path.parts else open_parent(account, path)

    monkeypatch.setattr(unprivileged.Account, "closed_parent", closed_parent)
    server = postgres.start(data)
    await write(server.dsn, 1)
    program = psutil.Process(server.pid).exe()
    assert program.startswith(str(data / "elsewhere")) == (os.geteuid() == 0)


def test_stopping_what_does_not_run_is_nothing(data: Path) -> None:
    postgres.stop(data)
    server = postgres.start(data)
    server.stop()
    server.stop()
    assert end(working_in(data / "postgres" / "server" / "cluster", "postgres"), signal.SIGKILL, 0) == []
