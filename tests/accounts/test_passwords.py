"""Hashing: argon2id, and a login that does not exist costs as much as one that does."""

from __future__ import annotations

from argon2 import Type, extract_parameters

from services.accounts.passwords import HASHER, NOBODYS, hashed, matches


async def test_the_right_password_matches_and_others_do_not() -> None:
    stored = await hashed("春天的电风扇 2026")
    assert extract_parameters(stored).type is Type.ID
    assert await matches(stored, "春天的电风扇 2026")
    assert not await matches(stored, "春天的电风扇 2027")


async def test_nobody_has_a_password() -> None:
    assert not await matches(None, "anything")
    assert not await matches("not a hash", "anything")


def test_nobodys_hash_costs_the_same_as_anybodys() -> None:
    assert not HASHER.check_needs_rehash(NOBODYS)
