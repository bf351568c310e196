"""What the imports of households and of needs share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from shared.bus import publish
from shared.db import Connection
from shared.errors import RuleBroken, fault_of
from shared.events import Event
from shared.fields import known_town
from shared.imports import batches
from shared.pii import Keyring
from shared.sheets import Fault

NOT_YOURS = "这个镇街不在您的负责范围内"
NUMBER_USED = "这个编号不能使用：已有别的内容。请核对，或换一个编号"


@dataclass(frozen=True, slots=True)
class Import:
    """Who imports, when, and under which rules. `may_write` says whether a town is the caller's."""

    by: UUID
    may_write: Callable[[str], bool]
    keyring: Keyring
    now: datetime
    accept_readings: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sheet would do: its faults, the rows that are on file already, `write`, which writes the right rest, and the rows that change what is on file."""

    faults: Sequence[Fault]
    unchanged: frozenset[int]
    write: Callable[[Connection], Awaitable[None]]
    changed: frozenset[int] = frozenset()


@dataclass(slots=True)
class Faults:
    """Faults as they are found, and the rows that have one."""

    found: list[Fault] = field(default_factory=list)
    rows: set[int] = field(default_factory=set)

    def add(self, row: int, column: str, rule: str, message: str, /, **params: object) -> None:
        self.found.append(Fault(row, column, rule, message, params))
        self.rows.add(row)

    def add_invalid(self, error: ValidationError, place: Callable[[Sequence[Any]], tuple[int, str]]) -> None:
        """The request model's own faults, each at the row and column that `place` finds for its path."""
        for detail in error.errors():
            row, column = place(detail["loc"])
            fault = fault_of(detail)
            self.add(row, column, fault.rule, fault.message, **fault.params)


def check_town(faults: Faults, row: int, column: str, code: str | None, run: Import) -> bool:
    """Whether the area is a town that the caller may write for; otherwise a fault says so."""
    if not code:
        faults.add(row, column, "required", "必填")
        return False
    try:
        may = run.may_write(known_town(code))
    except RuleBroken as error:
        faults.add(row, column, error.rule, error.message, **error.params)
        return False
    if not may:
        faults.add(row, column, "not_your_area", NOT_YOURS)
    return may


def content_mark(run: Import, said: object) -> bytes | None:
    """A keyed mark of what a sheet says, to know it again without keeping it readable."""
    text = json.dumps(said, default=str, ensure_ascii=False, sort_keys=True)
    return run.keyring.blind("import", hashlib.sha256(text.encode()).hexdigest())


async def publish_all(conn: Connection, events: Sequence[Event]) -> None:
    """Publish many facts, some hundreds in one statement."""
    for some in batches(events):
        await publish(conn, *some)
