"""People made by the command line, and the copies of the charities."""

from __future__ import annotations

import pytest

from services.accounts.handlers import create_person
from shared.access import Grant
from shared.bus import new_id
from shared.errors import Conflict, Invalid
from shared.events import CharityRegistered
from shared.pii import Keyring
from tests.accounts.people import COUNTY, TOWN, make
from tests.house import House


async def test_a_person_may_be_made_with_several_roles(house: House, keyring: Keyring) -> None:
    grants = [Grant("worker", TOWN), Grant("charity", COUNTY, new_id())]
    async with house.db.transaction("nuanlian_accounts_system") as conn:
        person_id, password = await create_person(conn, keyring, "Zhang.Shili", "张示例", grants)
    rows = await house.db.pool.fetch(
        "select role, area, charity_id from access.role_grant where person_id = $1", person_id
    )
    assert {tuple(row) for row in rows} == {(grant.role, grant.area, grant.charity_id) for grant in grants}
    assert await house.db.pool.fetchval("select login from accounts.person") == "zhang.shili"
    assert len(password) >= 16


async def test_a_person_is_not_made_twice_nor_with_roles_that_do_not_go_together(
    house: House, keyring: Keyring
) -> None:
    await make(house, keyring, "zhang.shili")
    with pytest.raises(Conflict):
        await make(house, keyring, "zhang.shili")
    async with house.db.transaction("nuanlian_accounts_system") as conn:
        grants = [Grant("admin", COUNTY), Grant("worker", TOWN)]
        with pytest.raises(Invalid):
            await create_person(conn, keyring, "li.shili", "李示例", grants)
    assert await house.db.pool.fetchval("select count(*) from accounts.person") == 1


async def test_a_charity_is_copied_and_an_older_version_changes_nothing(house: House) -> None:
    known = new_id()
    old = CharityRegistered(charity_id=known, name="示例慈善会", kind="charity", area=TOWN)
    new = CharityRegistered(charity_id=known, name="示例慈善总会", kind="charity", area=COUNTY, version=2)
    await house.deliver_twice("accounts", old, new)
    row = await house.db.pool.fetchrow("select name, area, version from accounts.organisation")
    assert row is not None
    assert tuple(row) == ("示例慈善总会", COUNTY, 2)
