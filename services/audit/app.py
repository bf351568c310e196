"""The audit service: the ledger, the fulfilment clock, follow-ups, the check."""

from pathlib import Path

from services.audit import api, handlers, pages
from shared.service import Service

SERVICE = Service(
    name="audit",
    folder=Path(__file__).parent,
    api=api.router,
    pages=pages.router,
    on_every=handlers.append,
    jobs={"audit.mark_overdue": handlers.mark_overdue},
    timers={"audit.mark_overdue": 60},
)
