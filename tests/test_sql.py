"""Every named statement is valid on the migrated schema, and every table with a household's data is under row-level security."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.compose import ALL
from shared.access import hash_token
from shared.db import Database, queries
from shared.service import SHARED, Service
from tests.house import House

FILES = [
    *sorted(SHARED.glob("*.sql")),
    *(path for service in ALL for path in sorted(service.folder.glob("*.sql"))),
]
# Tables with an area that say nothing of a household: public lists, and the engine's own figures.
NO_HOUSEHOLD = {"accounts.organisation", "offers.charity"}


def statements(path: Path) -> dict[str, Any]:
    loaded = queries(path.parent, path.name)
    return {name: getattr(loaded, name) for name in loaded.available_queries if not name.endswith("_cursor")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
async def test_every_statement_can_be_prepared(db: Database, path: Path) -> None:
    found = statements(path)
    assert found
    async with db.pool.acquire() as conn:
        for statement in found.values():
            await conn.prepare(statement.sql)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_statement_is_used(path: Path) -> None:
    code = "".join(
        source.read_text()
        for folder in (SHARED, *(s.folder for s in ALL), SHARED.parent / "deploy")
        for source in folder.rglob("*.py")
    )
    assert not [name for name in statements(path) if f".{name}" not in code]


async def test_tables_with_an_area_are_under_forced_row_level_security(db: Database) -> None:
    rows = await db.pool.fetch(
        """select n.nspname || '.' || c.relname as name, c.relrowsecurity and c.relforcerowsecurity as safe
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where c.relkind = 'r' and a.attname in ('area', 'household_id', 'beneficiary_id') and n.nspname <> 'access'
        group by 1, 2"""
    )
    assert len(rows) >= 15
    assert {row["name"] for row in rows if not row["safe"]} <= NO_HOUSEHOLD


@pytest.mark.parametrize("service", ALL, ids=lambda service: service.name)
async def test_without_a_session_no_table_under_row_level_security_shows_a_row(
    db: Database, service: Service
) -> None:
    tables = await db.pool.fetch(
        """select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and c.relrowsecurity and n.nspname = $1""",
        service.name,
    )
    async with db.transaction(f"nuanlian_{service.name}") as conn:
        for table in tables:
            assert await conn.fetchval(f"select count(*) from {table['name']}") == 0


async def test_service_roles_neither_own_tables_nor_bypass_policies(db: Database) -> None:
    rows = await db.pool.fetch(
        "select rolname, rolsuper, rolbypassrls from pg_roles where rolname like 'nuanlian\\_%'"
    )
    assert rows and not [row["rolname"] for row in rows if row["rolsuper"] or row["rolbypassrls"]]
    owners = {
        row["owner"]
        for row in await db.pool.fetch(
            "select distinct tableowner as owner from pg_tables where schemaname <> 'pg_catalog'"
        )
    }
    assert not owners & {row["rolname"] for row in rows}


async def test_no_service_may_read_anothers_tables(db: Database) -> None:
    reach = await db.pool.fetch(
        """select r.rolname, n.nspname from pg_roles r cross join pg_namespace n
        where r.rolname like 'nuanlian\\_%' and n.nspname = any ($1) and has_schema_privilege(r.oid, n.oid, 'usage')""",
        [service.name for service in ALL],
    )
    assert {
        (row["rolname"].removeprefix("nuanlian_").removesuffix("_system"), row["nspname"]) for row in reach
    } == {(service.name, service.name) for service in ALL}


@pytest.mark.parametrize("service", ALL, ids=lambda service: service.name)
async def test_whoever_serves_a_request_reads_nothing_of_the_bus(db: Database, service: Service) -> None:
    for table in ("bus.event", "bus.delivery", "bus.job"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction(f"nuanlian_{service.name}") as conn:
                await conn.fetch(f"select * from {table}")


async def test_another_persons_stored_answers_are_not_there(house: House) -> None:
    one, other = await house.person("coordinator"), await house.person("coordinator")
    body = {"name": "示例机构（虚构）", "kind": "company", "area": "445381000000"}
    answer = await one.post("/api/offers/v1/charities", json=body, headers={"idempotency-key": "k" * 20})
    assert answer.status_code == 201
    for client, found in ((one, 1), (other, 0)):
        token = hash_token(client.headers["authorization"].removeprefix("Bearer "))
        async with house.db.transaction("nuanlian_offers", token) as conn:
            assert await conn.fetchval("select count(*) from access.idempotency") == found
