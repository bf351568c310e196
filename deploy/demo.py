"""`make demo`: the whole job on invented data, from an empty folder to a verified ledger."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy import sample
from deploy.demo_walk import Account, Walk, walk
from deploy.local import embedded_app, keeping, parts, serving, until_stopped
from deploy.ports import chosen_port
from deploy.settling import settled
from services.accounts.operator import grant_of, set_account
from services.audit.verification import verify
from services.compose import ALL
from services.intake.imports import run_import as import_intake
from services.offers.imports import run_import as import_offers
from shared.access import NOBODY, Role
from shared.clock import today
from shared.db import Database
from shared.pii import Keyring
from shared.service import prepare
from shared.settings import Settings

HOUSEHOLDS, SEED = 300, 1
LUODING, YUNFU = "445381000000", "445300000000"
PEOPLE: tuple[tuple[str, str, Role, str], ...] = (
    ("worker", "示例社工", "worker", LUODING),
    ("coordinator", "示例协调员", "coordinator", YUNFU),
    ("auditor", "示例审计员", "auditor", YUNFU),
    ("admin", "示例管理员", "admin", YUNFU),
)
console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the last line of `--once` says. `gap` is the plan's certified distance from the optimum, as a share of the objective."""

    needs: int
    proposals: int
    approved: int
    received: int
    events: int
    ledger_verified: bool
    gap: float
    seconds: float


def say(text: str) -> None:
    console.print(text)


async def run_demo(data: Path, database_url: str | None, once: bool, host: str, port: int) -> None:
    """Run the demo. Raises `SystemExit` with 1 when the ledger does not verify or nothing arrived."""
    began = time.monotonic()
    say("[bold]暖链 Nuanlian[/bold]  虚构数据演示 · a demonstration on invented data")
    with parts(data, database_url, None, broker=False) as started:
        say(f"  PostgreSQL {'已启动 · started' if started.kept else '已连接 · connected'}")
        await prepare(started.settings.database_url, ALL)
        port = chosen_port(port)
        async with keeping(started.kept), serving(embedded_app(started.settings), host, port):
            summary, accounts = await _story(started.settings, f"http://{host}:{port}", began)
            _show(summary, accounts, f"http://{host}:{port}/")
            if once:
                print(json.dumps(asdict(summary)), flush=True)
            else:
                say("  按 Ctrl-C 停止 · Ctrl-C stops")
                await until_stopped()
    if not (summary.ledger_verified and summary.received):
        raise SystemExit(1)


async def _story(settings: Settings, url: str, began: float) -> tuple[Summary, list[Account]]:
    db = await Database.connect(settings.database_url, 4)
    try:
        await import_sample(settings, db)
        await settled(db)
        accounts = await make_accounts(settings, db)
        say("  已导入样例并完成一轮匹配 · sample imported, one round done")
        walked = await walk(url, {account.login: account for account in accounts}, db)
        await settled(db)
        async with db.transaction("nuanlian_audit_system") as conn:
            verdict = await verify(conn)
        return await _summary(db, walked, verdict.ok, began), accounts
    finally:
        await db.close()


async def import_sample(settings: Settings, db: Database) -> None:
    """The sample as of the day of the first run, so that its dates fit; a folder that has it already keeps it."""
    marker = settings.data / "sample-day"
    if not marker.exists():
        marker.write_text(f"{today():%Y-%m-%d}")
    day = datetime.fromisoformat(marker.read_text().strip()).date()
    files = sample.files(HOUSEHOLDS, SEED, day)
    keyring = Keyring(bytes.fromhex(settings.master_key))
    async with db.transaction("nuanlian_offers_system") as conn:
        await import_offers(conn, files["offers"], "offers.xlsx", "whole", NOBODY, everywhere=True)
    for kind in ("households", "needs"):
        async with db.transaction("nuanlian_intake_system") as conn:
            await import_intake(
                conn,
                kind,
                files[kind],
                f"{kind}.xlsx",
                "whole",
                NOBODY,
                keyring,
                accept_readings=True,
                everywhere=True,
            )


async def make_accounts(settings: Settings, db: Database) -> list[Account]:
    """The demo's people with random passwords, one of them of the charity that comes first by name."""
    keyring = Keyring(bytes.fromhex(settings.master_key))
    accounts = []
    async with db.transaction("nuanlian_accounts_system") as conn:
        charity = await conn.fetchval("select name from accounts.organisation order by name limit 1")
        for login, name, role, area in (*PEOPLE, ("charity", "示例机构经办人", "charity", YUNFU)):
            grant = await grant_of(conn, role, area, charity if role == "charity" else None)
            accounts.append(
                Account(login, await set_account(conn, keyring, login, name, [grant]), role, area)
            )
    return accounts


async def _summary(db: Database, walked: Walk, verified: bool, began: float) -> Summary:
    counts = await db.pool.fetchrow(
        """select (select count(*) from intake.need) needs, (select count(*) from coordination.proposal) proposals,
            (select count(*) from bus.event) events,
            (select max((certificate->>'gap')::float8) from matcher.round) gap"""
    )
    assert counts is not None
    return Summary(
        counts["needs"], counts["proposals"], walked.approved, walked.received, counts["events"], verified,
        float(counts["gap"] or 0), round(time.monotonic() - began, 1),
    )  # fmt: skip


def _show(summary: Summary, accounts: list[Account], url: str) -> None:
    figures = Table(title="结果 · What happened", show_header=False)
    for label, value in (
        ("需求 · needs", summary.needs),
        ("匹配建议 · proposals", summary.proposals),
        ("已批准 · approved", summary.approved),
        ("已签收 · received", summary.received),
        ("事件 · events", summary.events),
        ("审计链 · ledger", "核对无误 · verified" if summary.ledger_verified else "有问题 · NOT verified"),
        ("与最优的差距 · gap to the optimum", f"{summary.gap:.6%}"),
        ("用时（秒） · seconds", summary.seconds),
    ):
        figures.add_row(label, str(value))
    logins = Table(title=f"{url}  （只在本机 · on this machine only）")
    for heading in ("账号 · login", "密码 · password", "角色 · role", "地区 · area"):
        logins.add_column(heading, no_wrap=True)
    for account in accounts:
        logins.add_row(account.login, account.password, account.role, account.area)
    console.print(figures)
    console.print(logins)
