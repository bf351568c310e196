"""What each command does, between its arguments and the services."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

from deploy import postgres
from deploy.errors import SetupError, bilingual
from deploy.local import master_key, parts, serve_embedded
from deploy.ports import chosen_port
from deploy.processes import locked, make_folder
from deploy.sample import write as write_sample
from deploy.supervisor import serve_full
from services.accounts import operator
from services.audit.verification import verify
from services.compose import ALL
from services.intake.imports import LAYOUTS, Kind
from services.intake.imports import refused_file as intake_refused
from services.intake.imports import run_import as import_intake
from services.offers.handlers import SQL as OFFERS
from services.offers.imports import run_import as import_offers
from services.offers.layouts import OFFERS as OFFERS_LAYOUT
from shared import asyncapi
from shared.access import NOBODY, Role
from shared.bus import SQL, SYSTEM
from shared.db import Connection, Database
from shared.errors import AidError
from shared.i18n import Language, merge, say
from shared.imports import ImportReport, Mode
from shared.pii import Keyring
from shared.service import SHARED, create_app, prepare
from shared.settings import Settings
from shared.sheets import Layout

Result = TypeVar("Result")
SHEETS: Mapping[str, Layout] = {str(kind): layout for kind, layout in LAYOUTS.items()} | {
    "offers": OFFERS_LAYOUT
}
UNUSED_KEY = "0" * 64


def up(
    data: Path,
    database_url: str | None,
    broker_url: str | None,
    full: bool,
    host: str,
    port: int,
    concurrency: int,
) -> None:
    """Start the parts and every service, and serve until Ctrl-C."""
    with parts(data, database_url, broker_url, full) as started:
        port = chosen_port(port)
        if full:
            asyncio.run(serve_full(started, host, port, concurrency))
        else:
            asyncio.run(serve_embedded(started, host, port))


@contextmanager
def database(data: Path, database_url: str | None, there: bool = False) -> Iterator[Settings]:
    """A database for one command: the given one, the one that a running Nuanlian uses, or this folder's own, stopped again afterwards.

    `there`: one is looked at, not begun; raises `SetupError` when the folder has none.
    """
    data = data.resolve()
    if there and not database_url and not (data / "postgres").exists():
        raise SetupError("目录 {folder} 里没有暖链的数据。请用 --data 指定数据目录。", folder=data)
    make_folder(data, 0o711)
    if database_url:
        yield Settings(database_url=database_url, master_key=master_key(data), data=data)
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(data / "run.lock", 0))
            running = False
        except SetupError:
            running = True  # somebody serves from this folder: use their server and leave it alone
        server = postgres.start(data)
        if not running:
            stack.callback(server.stop)
        yield Settings(database_url=server.local_dsn, master_key=master_key(data), data=data)


def with_database(
    data: Path,
    database_url: str | None,
    work: Callable[[Settings, Database], Awaitable[Result]],
    there: bool = False,
) -> Result:
    """Migrate and run one piece of work."""

    async def run(settings: Settings) -> Result:
        await prepare(settings.database_url, ALL)
        async with opened(settings) as db:
            return await work(settings, db)

    with database(data, database_url, there) as settings:
        return asyncio.run(run(settings))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.connect(settings.database_url, 4)
    try:
        yield db
    finally:
        await asyncio.sleep(0.01)  # lets the last wake-up go out
        await db.close()


def migrate(data: Path, database_url: str | None) -> list[str]:
    """Apply what is new; the names of the files applied."""
    with database(data, database_url) as settings:
        return asyncio.run(prepare(settings.database_url, ALL))


def import_file(
    data: Path,
    database_url: str | None,
    kind: Kind | Literal["offers"],
    file: Path,
    mode: Mode,
    accept_readings: bool,
    refused: Path | None,
) -> int:
    """Import a sheet as the operator of this machine. Prints what happened; 0 when every row is right, 1 otherwise."""
    refused = refused or file.with_name(f"{file.stem}-refused.xlsx")
    if not os.access(refused.parent, os.W_OK):
        raise SetupError(
            "目录 {folder} 不能写入，退回的行没有地方存放。请用 --refused 指定别的文件。",
            folder=refused.parent,
        )
    content = file.read_bytes()

    async def work(settings: Settings, db: Database) -> tuple[ImportReport, bytes | None]:
        keyring = Keyring(bytes.fromhex(settings.master_key))
        if kind == "offers":
            async with db.transaction("nuanlian_offers_system") as conn:
                report = await import_offers(conn, content, file.name, mode, NOBODY, everywhere=True)
                return report, await OFFERS.refused_file(
                    conn, id=report.run_id
                ) if report.run_id and report.refused else None
        async with db.transaction("nuanlian_intake_system") as conn:
            found = await import_intake(
                conn, kind, content, file.name, mode, NOBODY, keyring, accept_readings, everywhere=True
            )
            return found, (await intake_refused(conn, found.run_id, keyring))[
                1
            ] if found.run_id and found.refused else None

    report, wrong_rows = with_database(data, database_url, work)
    counts = {name: getattr(report, name) for name in ("rows", "written", "unchanged", "refused")}
    print(json.dumps(counts | {"faults": len(report.faults)}))
    say = words()
    for fault in report.faults:
        heading = SHEETS[kind].heading(fault.column, language()) if fault.column else ""
        where = say("第 {row} 行 {column}", {"row": fault.row, "column": heading})
        print(f"{where}  [{fault.rule}]  {say(fault.message, fault.params)}", file=sys.stderr)
    if wrong_rows:
        refused.write_bytes(wrong_rows)
        print(bilingual("退回的行已存到 {file}，改好后可以再导入。", file=refused), file=sys.stderr)
    return 1 if report.faults else 0


def language() -> Language:
    """The terminal's language."""
    return "en" if os.environ.get("LANG", "").startswith("en") else "zh-CN"


def words() -> Callable[..., str]:
    """Sentences in the terminal's language: English where LANG says so, Chinese otherwise."""
    catalogue = merge([SHARED, SHARED / "web", *(service.folder for service in ALL)])
    return lambda message, params=None: say(catalogue, language(), message, params)


def sample(households: int, seed: int, out: Path) -> None:
    """Write the three workbooks of an invented sample."""
    write_sample(households, seed, out)
    print(bilingual("虚构样例已写入 {folder}。", folder=out))


def create_account(
    data: Path, database_url: str | None, login: str, name: str, role: Role, area: str, charity: str | None
) -> str:
    """Create an account and return its password, which is kept nowhere."""

    async def work(settings: Settings, db: Database) -> str:
        keyring = Keyring(bytes.fromhex(settings.master_key))
        async with db.transaction("nuanlian_accounts_system") as conn:
            return await operator.create_account(conn, keyring, login, name, role, area, charity)

    return with_database(data, database_url, work)


def new_password(data: Path, database_url: str | None, login: str) -> str:
    """A new password for somebody who forgot theirs."""

    async def work(settings: Settings, db: Database) -> str:
        async with db.transaction("nuanlian_accounts_system") as conn:
            return await operator.new_password(conn, login)

    return with_database(data, database_url, work)


def explained(error: AidError) -> str:
    """An error of the services as the terminal's reader needs it: what is wrong, and every fault."""
    say = words()
    faults = [f"{fault.field}: {say(fault.message, fault.params)}" for fault in error.faults]
    return "\n".join([say(error.message, error.params), *faults])


def verify_ledger(data: Path, database_url: str | None) -> dict[str, Any]:
    """The verdict on chain and outbox as JSON values."""

    async def work(settings: Settings, db: Database) -> dict[str, Any]:
        async with db.transaction("nuanlian_audit_system") as conn:
            return (await verify(conn)).model_dump(mode="json")

    return with_database(data, database_url, work, there=True)


async def _given_up(conn: Connection, most: int = 1000) -> list[dict[str, Any]]:
    rows = [*await SQL.quarantined(conn, most=most), *await SQL.failed_jobs(conn, most=most)]
    return [dict(row) for row in rows]


def quarantined(data: Path, database_url: str | None) -> list[dict[str, Any]]:
    """Deliveries and jobs that failed too often, oldest first."""

    async def work(settings: Settings, db: Database) -> list[dict[str, Any]]:
        async with db.transaction(SYSTEM) as conn:
            return await _given_up(conn)

    return with_database(data, database_url, work, there=True)


def replay(data: Path, database_url: str | None, consumer: str) -> int:
    """Free quarantined deliveries; how many there were. A running relay takes them at once."""

    async def work(settings: Settings, db: Database) -> list[UUID]:
        async with db.transaction(SYSTEM) as conn:
            return [row["event_id"] for row in await SQL.replay(conn, consumer=consumer)]

    return len(with_database(data, database_url, work, there=True))


def write_documents(out: Path) -> None:
    """Write openapi.json and asyncapi.json."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in documents().items():
        (out / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def documents() -> dict[str, Any]:
    """The published descriptions of the HTTP APIs and of the events, as the code has them."""
    settings = Settings(database_url="postgresql://", master_key=UNUSED_KEY)
    consumers = {service.name: service.listens for service in ALL}
    return {
        "openapi.json": create_app(settings, *ALL).openapi(),
        "asyncapi.json": asyncapi.document(consumers),
    }
