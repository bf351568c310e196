"""A planted history of decisions, as the matcher would have kept them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from matching.features import NAMES
from matching.learning import Decision
from shared.bus import new_id
from shared.db import Database
from tests.matcher import facts
from tests.matching.deciding import NOW, decisions

INSERT = """insert into matcher.decision
    (proposal_id, commitment_id, need_id, offer_id, area, category, vulnerabilities, outcome, reason, features, decided_at)
    values ($1, $2, $3, $4, $5, 'APP-FAN', $6, $7, $8, $9, $10)"""


async def plant(db: Database, some: list[Decision] | None = None) -> None:
    """Store decisions, moved so that the last ones were taken of late."""
    moved = datetime.now(UTC) - NOW
    async with db.transaction("nuanlian_matcher_system") as conn:
        await conn.executemany(
            INSERT,
            [
                (
                    new_id(), new_id() if one.approved else None, new_id(), new_id(), facts.LUOJING, list(one.vulnerabilities),
                    "approved" if one.approved else "declined", one.reason, dict(zip(NAMES, one.features, strict=True)), one.at + moved,
                )
                for one in some or decisions(800)
            ],
        )  # fmt: skip


def favouring_no_orphans() -> list[Decision]:
    """Decisions that go against the office's rules: orphans are nearly always turned away, but the last quarter helps them.

    What was learned before then puts their good pairs last.
    """
    far = {"vulnerability": 102.0}
    made = []
    for n, one in enumerate(decisions(800)):
        values = dict(zip(NAMES, one.features, strict=True))
        orphan = "ORPHAN" in one.vulnerabilities
        values |= far if orphan else {"vulnerability": min(80.0, values["vulnerability"])}
        yes = (n >= 600 or n % 40 == 0) if orphan else one.approved
        made.append(
            replace(
                one,
                approved=yes,
                reason="" if yes else "not_suitable",
                features=tuple(values[name] for name in NAMES),
                at=one.at + timedelta(seconds=n),
            )
        )
    return made
