"""Delivery: what was promised is dispatched, delivered and confirmed."""

from pathlib import Path

from services.delivery import api, pages
from services.delivery.handlers import copy_charity, end_need, note_consent, open_delivery
from shared.events import CharityRegistered, NeedChanged, NeedClosed, NeedWithdrawn, ProposalApproved
from shared.service import Service

SERVICE = Service(
    name="delivery",
    folder=Path(__file__).parent,
    api=api.router,
    pages=pages.router,
    on={
        CharityRegistered: copy_charity,
        ProposalApproved: open_delivery,
        NeedWithdrawn: end_need,
        NeedClosed: end_need,
        NeedChanged: note_consent,
    },
)
