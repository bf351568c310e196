"""The accounts service: people, organisations, roles for areas, signing in."""

from pathlib import Path

from services.accounts import api, handlers, pages
from shared.events import CharityRegistered
from shared.service import Service

SERVICE = Service(
    name="accounts",
    folder=Path(__file__).parent,
    api=api.router,
    pages=pages.router,
    on={CharityRegistered: handlers.copy_charity},
    jobs={"accounts.forget_old_tries": handlers.forget_old_tries},
    timers={"accounts.forget_old_tries": 3600},
)
