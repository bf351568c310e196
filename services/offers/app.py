"""Offers: who gives, what they pledge, and what became of it."""

from pathlib import Path

from services.offers import api, pages
from services.offers.handlers import (
    note_commitment,
    note_delivered,
    note_failed,
    note_received,
    note_release,
    note_scheduled,
)
from services.offers.jobs import forget_refused
from shared.events import (
    CommitmentReleased,
    DeliveryDelivered,
    DeliveryFailed,
    DeliveryReceived,
    DeliveryScheduled,
    ProposalApproved,
)
from shared.service import Service

SERVICE = Service(
    name="offers",
    folder=Path(__file__).parent,
    api=api.router,
    pages=pages.router,
    on={
        ProposalApproved: note_commitment,
        CommitmentReleased: note_release,
        DeliveryScheduled: note_scheduled,
        DeliveryDelivered: note_delivered,
        DeliveryFailed: note_failed,
        DeliveryReceived: note_received,
    },
    jobs={"offers.forget_refused": forget_refused},
    timers={"offers.forget_refused": 3600.0},
)
