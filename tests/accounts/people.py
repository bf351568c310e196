"""People with a password, as the command line makes them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import httpx

from services.accounts.handlers import create_person
from shared.access import Grant, Role
from shared.bus import new_id
from shared.events import CharityRegistered
from shared.pii import Keyring
from tests.house import House

CITY, COUNTY, TOWN, OTHER_COUNTY = "445300000000", "445381000000", "445381100000", "445321000000"
API = "/api/accounts/v1"


@dataclass(frozen=True)
class Known:
    """A person and the password that they were given."""

    id: UUID
    login: str
    password: str


async def make(house: House, keyring: Keyring, login: str, role: Role = "worker", area: str = TOWN) -> Known:
    async with house.db.transaction("nuanlian_accounts_system") as conn:
        person_id, password = await create_person(conn, keyring, login, "张示例", [Grant(role, area)])
    return Known(person_id, login, password)


async def sign_in(house: House, person: Known, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A browser that is signed in: the cookie is in the client."""
    client = house.anyone(headers)
    answer = await client.post(f"{API}/sessions", json={"login": person.login, "password": person.password})
    assert answer.status_code == 201, answer.text
    return client


async def charity(house: House, area: str = TOWN) -> UUID:
    """An organisation that accounts has heard of."""
    known = new_id()
    fact = CharityRegistered(charity_id=known, name="示例慈善会", kind="charity", area=area)
    await house.deliver("accounts", await house.publish(fact))
    return known


def keyed(key: str = "") -> dict[str, str]:
    return {"idempotency-key": key or str(new_id())}
