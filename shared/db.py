"""PostgreSQL: the pool, the one edge that commits, named SQL, migrations."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiosql
import asyncpg
from aiosql.adapters.asyncpg import AsyncPGAdapter

from shared.errors import Unavailable

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
CHANNEL = "nuanlian"
_wanted: ContextVar[list[bool]] = ContextVar("wake_wanted")

# What says that the database is away or that the outcome of a COMMIT is unknown: the caller tries again with the same key.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DiskFullError,
    asyncpg.QueryCanceledError,
)


class _Rows(AsyncPGAdapter):
    """aiosql's asyncpg adapter, with plain selects as awaitable lists instead of asynchronous generators."""

    is_aio_driver = False  # its wrappers then hand on what `select` returns, which is a coroutine

    async def select(
        self, conn: Connection, query_name: str, sql: str, parameters: Any, record_class: Any = None
    ) -> list[asyncpg.Record]:
        ordered: Sequence[Any] = AsyncPGAdapter.maybe_order_params(self, query_name, parameters)
        return list(await conn.fetch(sql, *ordered))


def queries(folder: Path, name: str = "queries.sql") -> Any:
    """The named statements of one `.sql` file: `await queries.add_need(conn, need_id=...)`; a plain select gives a list of rows."""
    logging.getLogger("aiosql").setLevel(
        logging.ERROR
    )  # it warns of every UPDATE … RETURNING that gives rows
    return aiosql.from_path(folder / name, cast(Any, _Rows), mandatory_parameters=False)


def want_wake() -> None:
    """Say that the transaction under way leaves work behind, so that someone is woken after its commit."""
    _wanted.get([]).append(True)


async def _prepare(conn: asyncpg.Connection) -> None:
    await conn.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _keep(_: Any) -> None:
    """No reset between uses: everything a transaction sets is set LOCAL, so it ends with the transaction."""


class Database:
    """A pool and the transactions on it. Nothing runs outside `transaction`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self._wake_due = asyncio.Event()
        self._waker = asyncio.create_task(self._wake_others())

    @classmethod
    async def connect(cls, dsn: str, size: int = 12) -> Database:
        """Open a pool of up to `size` connections; a statement may take 60 seconds, getting a connection 10."""
        pool = await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, init=_prepare, reset=_keep, command_timeout=60, timeout=10
        )
        return cls(pool)

    async def close(self) -> None:
        self._waker.cancel()
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def transaction(self, role: str, token_hash: str = "") -> AsyncIterator[Connection]:
        """One transaction as `role`, seeing what the session behind `token_hash` may see; it commits when the block ends well.

        Raises `Unavailable` when the database is away or a commit's outcome is unknown.
        """
        wanted: list[bool] = []
        mark = _wanted.set(wanted)
        try:
            async with self.pool.acquire(timeout=10) as conn, conn.transaction():
                await conn.execute(
                    "select set_config('nuanlian.token', $1, true), set_config('role', $2, true)",
                    token_hash,
                    role,
                )
                yield conn
        except AWAY as error:
            if isinstance(
                error, ValueError
            ):  # asyncpg's word for an argument of the wrong type: a fault of ours
                raise
            raise Unavailable from error
        finally:
            _wanted.reset(mark)
        if wanted:
            self._wake_due.set()

    async def _wake_others(self) -> None:
        """NOTIFY outside the hot transactions, at most every few milliseconds: inside, it would serialise their commits."""
        while True:
            await self._wake_due.wait()
            self._wake_due.clear()
            with suppress(*AWAY):  # a lost wake-up is harmless: whoever waits also sweeps
                await self.pool.execute(f"notify {CHANNEL}")
            await asyncio.sleep(0.003)


class Listener:
    """One LISTEN connection per process, shared by all who wait. It reconnects by itself; every waiter also sweeps."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiters: set[asyncio.Event] = set()
        self._task = asyncio.create_task(self._listen())

    def subscribe(self) -> asyncio.Event:
        """An event that is set at every wake-up; the waiter clears it."""
        event = asyncio.Event()
        self._waiters.add(event)
        return event

    def _wake(self, *_: object) -> None:
        for event in self._waiters:
            event.set()

    async def _listen(self) -> None:
        while True:
            try:
                conn = await asyncpg.connect(self._dsn, timeout=10)
                try:
                    await conn.add_listener(CHANNEL, self._wake)
                    while not conn.is_closed():
                        await conn.execute("select 1")
                        await asyncio.sleep(5)
                finally:
                    conn.terminate()
            except AWAY:
                await asyncio.sleep(0.5)

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for a wake-up, but no longer than `seconds`."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    event.clear()


@dataclass(frozen=True, slots=True)
class Package:
    """Something that owns a schema: its name and the folder that holds `migrations/`."""

    name: str
    folder: Path
    schemas: tuple[str, ...]


_LOCK = "select pg_advisory_lock(hashtext('nuanlian.migrate'))"
_UNLOCK = "select pg_advisory_unlock(hashtext('nuanlian.migrate'))"
_TABLE = """create schema if not exists bus;
create table if not exists bus.migration (
    package text, name text, checksum text not null, applied_at timestamptz not null default now(), primary key (package, name))"""


async def _ensure_role(conn: asyncpg.Connection, role: str) -> None:
    """Roles belong to the whole server: another database may have made this one already."""
    await conn.execute(
        f"""do $$ begin create role {role} nologin; exception when duplicate_object or unique_violation then null; end $$"""
    )
    await conn.execute(f"grant {role} to current_user")


async def migrate(dsn: str, packages: Iterable[Package]) -> list[str]:
    """Bring the schema up to date, each file in its own transaction, one migrator at a time. Returns the files applied.

    Raises `RuntimeError` when a file that was applied has since been edited: write a new one instead.
    """
    conn = await asyncpg.connect(dsn)
    applied: list[str] = []
    try:
        await conn.execute(_LOCK)
        await _ensure_role(conn, "nuanlian_service")
        await _ensure_role(conn, "nuanlian_engine")
        await conn.execute("grant nuanlian_service to nuanlian_engine")
        await conn.execute(_TABLE)
        for package in packages:
            applied += await _migrate_package(conn, package)
        await conn.execute(_UNLOCK)
    finally:
        await conn.close()
    return applied


async def _migrate_package(conn: asyncpg.Connection, package: Package) -> list[str]:
    for role, group in (
        (f"nuanlian_{package.name}", "nuanlian_service"),
        (f"nuanlian_{package.name}_system", "nuanlian_engine"),
    ):
        await _ensure_role(conn, role)
        await conn.execute(f"grant {group} to {role}")
    for schema in package.schemas:
        await conn.execute(f"create schema if not exists {schema}")
        await conn.execute(
            f"grant usage on schema {schema} to nuanlian_{package.name}, nuanlian_{package.name}_system"
        )
    rows = await conn.fetch("select name, checksum from bus.migration where package = $1", package.name)
    done: dict[str, str] = {row["name"]: row["checksum"] for row in rows}
    applied = []
    for path in sorted((package.folder / "migrations").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        checksum = hashlib.sha256(text.encode()).hexdigest()
        if path.name not in done:
            await _apply(conn, package.name, path.name, checksum, text)
            applied.append(f"{package.name}/{path.name}")
        elif done[path.name] != checksum:
            raise RuntimeError(
                f"{path} was applied and then edited; put the change into a new migration file"
            )
    return applied


async def _apply(conn: asyncpg.Connection, package: str, name: str, checksum: str, text: str) -> None:
    async with conn.transaction():
        await conn.execute(text)
        await conn.execute(
            "insert into bus.migration (package, name, checksum) values ($1, $2, $3)", package, name, checksum
        )
