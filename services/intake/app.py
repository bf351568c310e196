"""Intake: households, visits, needs, the worker's worklist."""

from pathlib import Path

from services.intake import api, copies, imports, pages
from shared.events import (
    CommitmentReleased,
    DeliveryReceived,
    DeliveryScheduled,
    FollowUpDue,
    FollowUpOverdue,
    ProposalApproved,
)
from shared.service import Service

SERVICE = Service(
    name="intake",
    folder=Path(__file__).parent,
    api=api.router,
    pages=pages.router,
    on={
        ProposalApproved: copies.note_approval,
        CommitmentReleased: copies.note_release,
        DeliveryScheduled: copies.note_schedule,
        DeliveryReceived: copies.note_receipt,
        FollowUpDue: copies.plan_visit,
        FollowUpOverdue: copies.mark_overdue,
    },
    jobs={"intake.forget_refused": imports.forget_refused},
    timers={"intake.forget_refused": 3600},
)
