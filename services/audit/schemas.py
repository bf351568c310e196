"""What the audit service answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class Entry(BaseModel):
    """One entry of the ledger; hashes are hexadecimal."""

    seq: int
    event_id: UUID
    type: str
    time: datetime
    subject: str
    area: str | None
    prev_hash: str
    hash: str
    recorded_at: datetime


class EntryDetail(Entry):
    """`content` is the text that was hashed, `event` the same as JSON."""

    content: str
    event: dict[str, Any]


class Story(BaseModel):
    """Everything that the ledger knows about one id, or one case number (`id` is null then), in order; `next` continues it."""

    id: UUID | None
    entries: tuple[EntryDetail, ...]
    next: str | None


class VerdictAnswer(BaseModel):
    """The outcome of a check: `reason` says in the caller's language what is wrong with the first bad entry."""

    entries: int
    ok: bool
    first_bad_seq: int | None
    reason: str | None
    waiting: int
    seconds: float
    last_hash: str


class Figures(BaseModel):
    """Needs of one area by state; `median_days` from raising to full receipt. `area` is null in the total."""

    area: str | None
    needs: int
    open: int
    partly_met: int
    met: int
    received: int
    closed: int
    withdrawn: int
    median_days: float | None
    overdue: int


class Overview(BaseModel):
    total: Figures
    areas: tuple[Figures, ...]


class FollowUp(BaseModel):
    """A follow-up that waits for an answer."""

    id: UUID
    kind: str
    need_id: UUID
    beneficiary_id: UUID
    delivery_id: UUID
    area: str
    due_at: datetime
    overdue: bool
    case_number: str | None
    category: str | None
    urgency: str | None
