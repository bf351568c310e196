"""What each event says about how long a need takes: pure, one mark an event."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from shared import events as ev


@dataclass(frozen=True, slots=True)
class Mark:
    """One step of one need. `version` is the need's, 0 where the event is not the need's own; sums are what it adds."""

    need_id: UUID
    area: str
    version: int = 0
    case_number: str | None = None
    category: str | None = None
    urgency: str | None = None
    quantity: int | None = None
    promised: int = 0
    received: int = 0
    noted_at: datetime | None = None
    raised_at: datetime | None = None
    proposed_at: datetime | None = None
    approved_at: datetime | None = None
    dispatched_at: datetime | None = None
    delivered_at: datetime | None = None
    received_at: datetime | None = None
    closed_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def row(self) -> dict[str, Any]:
        """JSON values, by column."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def mark_of(event: ev.Event, time: datetime) -> Mark | None:
    """The step that `event` is for a need, or None. `time` is when it was published, for events that carry no time of their own."""
    match event:
        case ev.NeedRaised():
            return _raised(event)
        case ev.NeedNoted():
            return Mark(event.need_id, event.area, event.version, noted_at=event.noted_at)
        case ev.NeedWithdrawn():
            return Mark(event.need_id, event.area, withdrawn_at=time)
        case ev.NeedClosed():
            return Mark(event.need_id, event.area, closed_at=time)
        case _:
            return _served(event, time)


def _served(event: ev.Event, time: datetime) -> Mark | None:
    match event:
        case ev.ProposalMade():
            return Mark(event.need_id, event.area, proposed_at=time)
        case ev.ProposalApproved():
            return Mark(event.need_id, event.area, promised=event.quantity, approved_at=event.approved_at)
        case ev.CommitmentReleased():
            return Mark(event.need_id, event.area, promised=-event.quantity)
        case ev.DeliveryDispatched():
            return Mark(event.need_id, event.area, dispatched_at=event.at)
        case ev.DeliveryDelivered():
            return Mark(event.need_id, event.area, delivered_at=event.at)
        case ev.DeliveryReceived() if event.received:
            return Mark(event.need_id, event.area, received=event.received, received_at=event.at)
        case _:
            return None


def _raised(event: ev.NeedRaised) -> Mark:
    """A need as it is raised, or as it stands after a change."""
    return Mark(
        event.need_id,
        event.area,
        event.version,
        event.case_number,
        event.category,
        event.urgency,
        event.quantity,
        raised_at=event.raised_at,
    )
