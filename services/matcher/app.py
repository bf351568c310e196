"""The matching worker: keeps its own copy of open needs and offers, and runs rounds."""

from pathlib import Path

from services.matcher import api, pages
from services.matcher.handlers import (
    copy_need,
    copy_offer,
    drop_need,
    drop_offer,
    note_aid,
    note_commitment,
    note_declined,
    release_commitment,
)
from services.matcher.rounds import run_round, sweep
from shared.events import (
    CommitmentReleased,
    DeliveryReceived,
    NeedChanged,
    NeedClosed,
    NeedRaised,
    NeedWithdrawn,
    OfferChanged,
    OfferRegistered,
    OfferWithdrawn,
    ProposalApproved,
    ProposalDeclined,
)
from shared.service import Service

SERVICE = Service(
    name="matcher",
    folder=Path(__file__).parent,
    api=api.router,
    pages=pages.router,
    on={
        NeedRaised: copy_need,
        NeedChanged: copy_need,
        NeedWithdrawn: drop_need,
        NeedClosed: drop_need,
        OfferRegistered: copy_offer,
        OfferChanged: copy_offer,
        OfferWithdrawn: drop_offer,
        ProposalApproved: note_commitment,
        ProposalDeclined: note_declined,
        CommitmentReleased: release_commitment,
        DeliveryReceived: note_aid,
    },
    jobs={"matcher.round": run_round, "matcher.sweep": sweep},
    timers={"matcher.sweep": 60},
)
