"""Every statement fits the migrated schema, and without a session no row is seen."""

from __future__ import annotations

from services.intake.standing import SQL
from shared.db import Database
from tests.house import House
from tests.intake.invented import LUOJING, one_need

TABLES = (
    "household",
    "member",
    "visit",
    "need",
    "commitment",
    "follow_up",
    "import_run",
    "upload",
    "beneficiary_site",
    "told_apart",
)


async def test_every_statement_can_be_prepared(db: Database) -> None:
    async with db.pool.acquire() as conn:
        for name in SQL.available_queries:
            if not name.endswith("_cursor"):
                await conn.prepare(getattr(SQL, name).sql)


async def test_no_session_sees_no_row(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await one_need(worker)
    async with house.db.transaction("nuanlian_intake") as conn:
        for table in TABLES:
            assert await conn.fetchval(f"select count(*) from intake.{table}") == 0


async def test_every_table_is_guarded(db: Database) -> None:
    rows = await db.pool.fetch(
        "select relname, relrowsecurity and relforcerowsecurity as guarded from pg_class "
        "where relnamespace = 'intake'::regnamespace and relkind = 'r'"
    )
    assert rows and all(row["guarded"] for row in rows)
