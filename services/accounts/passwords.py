"""Password hashing: argon2id (RFC 9106, second recommended option), in two threads, since one hash takes 64 MiB and a core."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
# Checked when a login does not exist, so that it takes as long as one that does. Nobody's password.
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$7GBbk6kkQXG7zORDy/3/sg$ZE0HqEe2ZVKi+rAI/EaW0AApHT14NrXmwCWrCiG5e98"
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hashed(password: str) -> str:
    """The hash to store, its parameters and salt included."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, HASHER.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the one behind `stored`; with None it takes as long and is False."""
    right = await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, stored or NOBODYS, password)
    return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
