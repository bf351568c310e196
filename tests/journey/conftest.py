"""The same Nuanlian twice: in one process, and as a process per role over RabbitMQ."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import embedded_app, serving
from deploy.ports import free_port
from deploy.settling import settled
from deploy.supervisor import Supervisor
from services.accounts.operator import grant_of, set_account
from shared.access import Role
from shared.bus import new_id
from shared.db import Database
from shared.pii import Keyring
from shared.settings import Settings
from tests.house import MASTER_KEY


class Person:
    """Somebody signed in, who reads JSON and expects the status they name."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, status: int = 200, /, **query: str) -> Any:
        return self._read(await self.client.get(path, params=query), status)

    async def post(self, path: str, body: object, status: int = 200, key: str | None = None) -> Any:
        headers = {"idempotency-key": key or str(new_id())}
        return self._read(await self.client.post(path, json=body, headers=headers), status)

    @staticmethod
    def _read(response: httpx.Response, status: int) -> Any:
        assert response.status_code == status, (response.url.path, response.status_code, response.text[:600])
        return response.json() if response.content else None


@dataclass
class Running:
    """A running Nuanlian and its database."""

    url: str
    db: Database
    keyring: Keyring
    mode: str

    async def sign_in(self, login: str, role: Role, area: str, charity: str | None = None) -> Person:
        """A new account of that role, signed in over HTTP; the client lives as long as the test."""
        async with self.db.transaction("nuanlian_accounts_system") as conn:
            grant = await grant_of(conn, role, area, charity)
            password = await set_account(conn, self.keyring, login, f"示例{login}", [grant])
        client = httpx.AsyncClient(base_url=self.url, timeout=30)
        person = Person(client)
        await person.post("/api/accounts/v1/sessions", {"login": login, "password": password}, 201)
        return person

    async def settle(self) -> None:
        await settled(self.db, 60)


@pytest.fixture(params=["embedded", "rabbitmq"])
async def running(
    request: pytest.FixtureRequest, dsn: str, db: Database, tmp_path: Path
) -> AsyncIterator[Running]:
    """Nuanlian in each of its two modes."""
    broker = request.getfixturevalue("rabbitmq_server").url if request.param == "rabbitmq" else None
    settings = Settings(database_url=dsn, broker_url=broker, master_key=MASTER_KEY, data=tmp_path)
    port = free_port()
    made = Running(f"http://127.0.0.1:{port}", db, Keyring(bytes.fromhex(MASTER_KEY)), request.param)
    if broker is None:
        async with serving(embedded_app(settings), "127.0.0.1", port):
            yield made
    else:
        async with Supervisor(settings, "127.0.0.1", port):
            yield made
