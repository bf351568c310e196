"""The matching worker: keeps its own copy of open needs and offers, runs rounds, and learns from what was decided."""

from pathlib import Path

from services.matcher import api, pages
from services.matcher.decisions import note_approved, note_follow_up, note_refused
from services.matcher.handlers import (
    copy_need,
    copy_offer,
    drop_need,
    drop_offer,
    note_aid,
    release_commitment,
)
from services.matcher.learning import train, watch_drift
from services.matcher.rounds import run_round, sweep
from shared.events import (
    CommitmentReleased,
    DeliveryReceived,
    FollowUpAnswered,
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
        ProposalApproved: note_approved,
        ProposalDeclined: note_refused,
        CommitmentReleased: release_commitment,
        DeliveryReceived: note_aid,
        FollowUpAnswered: note_follow_up,
    },
    jobs={
        "matcher.round": run_round,
        "matcher.sweep": sweep,
        "matcher.train": train,
        "matcher.drift": watch_drift,
    },
    timers={"matcher.sweep": 60, "matcher.drift": 86_400},
)
