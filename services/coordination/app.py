"""Coordination: proposals, approvals, promises. The one owner of remaining quantities."""

from pathlib import Path

from services.coordination import api, pages
from services.coordination.handlers import (
    copy_need,
    copy_offer,
    end_need,
    end_offer,
    list_for_review,
    release_failed,
    settle_receipt,
    take_off_board,
)
from shared.events import (
    DeliveryFailed,
    DeliveryReceived,
    NeedChanged,
    NeedClosed,
    NeedRaised,
    NeedWithdrawn,
    OfferChanged,
    OfferRegistered,
    OfferWithdrawn,
    ProposalMade,
    ProposalSuperseded,
)
from shared.service import Service

SERVICE = Service(
    name="coordination",
    folder=Path(__file__).parent,
    api=api.router,
    pages=pages.router,
    on={
        NeedRaised: copy_need,
        NeedChanged: copy_need,
        NeedWithdrawn: end_need,
        NeedClosed: end_need,
        OfferRegistered: copy_offer,
        OfferChanged: copy_offer,
        OfferWithdrawn: end_offer,
        ProposalMade: list_for_review,
        ProposalSuperseded: take_off_board,
        DeliveryFailed: release_failed,
        DeliveryReceived: settle_receipt,
    },
)
