"""Who may hold which roles together, how long a login waits after wrong passwords, where a person starts."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

# Seconds to wait after the nth wrong password in a row from one address; the last one stays: never a permanent lock.
DELAYS = (0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300)
# The same for a login's tries from all addresses in a day: mild, since a stranger can bring them about.
DELAYS_ANYWHERE = (0,) * 50 + (2, 4, 6, 8, 10)
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
    """Seconds that a login waits at one address after `failures` wrong passwords in a row there (1 or more)."""
    return DELAYS[min(failures, len(DELAYS)) - 1]


def origin(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, which a single line has all of (RFC 6177)."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or ip_network((known, 64), strict=False))
    return str(known)


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
