"""Who may hold which roles together, how long a login waits after wrong passwords, where a person starts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

# Seconds to wait after the nth wrong password in a row; the last one stays: never a permanent lock.
DELAYS = (0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300)
SESSION_HOURS = 12
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

# The first screen of each role, in the order in which a person with several roles is sent.
FIRST_SCREENS = (
    ("worker", "/intake/"),
    ("coordinator", "/coordination/"),
    ("charity", "/offers/"),
    ("auditor", "/audit/"),
    ("admin", "/accounts/people"),
)


def delay(failures: int) -> int:
    """Seconds that a login waits after `failures` wrong passwords in a row (1 or more)."""
    return DELAYS[min(failures, len(DELAYS)) - 1]


def clash(held: Iterable[str], wanted: str) -> bool:
    """Whether `wanted` may not be given to somebody with the roles `held`: an administrator keeps accounts, never cases."""
    return any((role == "admin") != (wanted == "admin") for role in held)


def first_screen(roles: Iterable[str]) -> str:
    """Where a person with these roles starts; their own account when they hold none."""
    held = set(roles)
    return next((path for role, path in FIRST_SCREENS if role in held), "/accounts/me")


def local_path(wanted: str | None) -> str:
    """`wanted` when it is a path on this site, else the home page: a login form must not send people elsewhere."""
    text = wanted or ""
    plain = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if plain and text.isprintable() and " " not in text else "/accounts/home"


def random_password() -> str:
    """Sixteen characters that are not mistaken for each other, about 79 bits: 'abcd-efgh-jkmn-pqrs'."""
    letters = [secrets.choice(ALPHABET) for _ in range(16)]
    return "-".join("".join(letters[i : i + 4]) for i in range(0, 16, 4))
