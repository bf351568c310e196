"""Accounts from the command line: nobody's password changes by a slip."""

from __future__ import annotations

import pytest

from services.accounts import operator
from shared.db import Database
from shared.errors import Conflict, Invalid, Missing
from shared.pii import Keyring

ROLE, TOWN = "nuanlian_accounts_system", "445381100000"


async def create(db: Database, keyring: Keyring, login: str, name: str = "示例", area: str = TOWN) -> str:
    async with db.transaction(ROLE) as conn:
        return await operator.create_account(conn, keyring, login, name, "worker", area, None)


async def hashes(db: Database) -> list[str]:
    return [row["password_hash"] for row in await db.pool.fetch("select password_hash from accounts.person")]


async def test_a_login_that_exists_keeps_its_password(db: Database, keyring: Keyring) -> None:
    await create(db, keyring, "worker")
    before = await hashes(db)
    with pytest.raises(Conflict):
        await create(db, keyring, "Worker")
    assert await hashes(db) == before


@pytest.mark.parametrize(
    ("login", "name", "area"),
    [
        ("", "示例", TOWN),
        ("A B", "示例", TOWN),
        ("坏名字", "示例", TOWN),
        ("good", "", TOWN),
        ("good", "示例", "1"),
    ],
)
async def test_what_the_api_refuses_is_refused_here(
    db: Database, keyring: Keyring, login: str, name: str, area: str
) -> None:
    with pytest.raises(Invalid):
        await create(db, keyring, login, name, area)
    assert await hashes(db) == []


async def test_a_new_password_is_asked_for_by_name(db: Database, keyring: Keyring) -> None:
    first = await create(db, keyring, "worker")
    before = await hashes(db)
    async with db.transaction(ROLE) as conn:
        assert await operator.new_password(conn, "Worker") != first
    assert await hashes(db) != before
    with pytest.raises(Missing):
        async with db.transaction(ROLE) as conn:
            await operator.new_password(conn, "nobody")
