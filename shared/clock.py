"""The office's day and zone, whatever the machine's own: a server in another zone must not call today tomorrow."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """The day in the office's zone."""
    return datetime.now(LOCAL).date()
