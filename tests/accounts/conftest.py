"""Hashes that cost little, except where the cost itself is tested."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from services.accounts import passwords


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "house" in request.fixturenames:
        cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        monkeypatch.setattr(passwords, "HASHER", cheap)
        monkeypatch.setattr(passwords, "NOBODYS", cheap.hash("nobody's"))
