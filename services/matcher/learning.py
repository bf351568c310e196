"""The jobs around models: learn a challenger, and watch how far today's pairs drift from those learned from."""

from __future__ import annotations

import asyncio
from uuid import UUID

import numpy as np

from matching.features import NAMES
from matching.learning import Decision, drift
from services.matcher.champion import SQL, in_force
from services.matcher.decisions import decision_of
from services.matcher.handlers import SQL as COPIES
from shared.db import Connection
from shared.service import Job

TRAIN = "matcher.train"
MOST = 200_000
"""Decisions that a model learns from, the latest ones."""
DRIFT_DAYS, DRIFT_ROWS = 60, 30


async def train(conn: Connection, job: Job) -> None:
    """Learn the challenger that a person asked for."""
    await learn(conn, UUID(job.payload["model_id"]), job.payload["number"])


async def learn(conn: Connection, model_id: UUID, number: int) -> None:
    """Fill in a queued model, or say why nothing can be learned."""
    from matching.challenge import (  # scikit-learn takes a second: only where something is learned
        TooFew,
        challenge,
    )
    from matching.training import OneSided

    decisions = await history(conn)
    champion = (await in_force(conn)).model
    now = await COPIES.clock(conn)
    try:
        made = await asyncio.to_thread(challenge, decisions, champion, now, f"learned-{number}")
    except (TooFew, OneSided) as error:
        problem = "too_few" if isinstance(error, TooFew) else "one_sided"
        await SQL.refuse_model(conn, id=model_id, problem=problem)
        return
    await SQL.made_model(conn, id=model_id, shapes=made.model.to_dict(), card=made.card)


async def history(conn: Connection) -> list[Decision]:
    """Every decision whose features are known."""
    found = [decision_of(row) for row in await SQL.decisions(conn, most=MOST)]
    return [decision for decision in found if decision is not None]


async def watch_drift(conn: Connection, _: Job) -> None:
    """Note how the pairs decided of late differ from those the champion learned from; too few say nothing."""
    champion = await SQL.champion(conn)
    if champion is None:
        return
    rows = await SQL.recent_features(conn, days=DRIFT_DAYS, most=MOST)
    kept = [[row["features"][name] for name in NAMES] for row in rows if set(row["features"]) == set(NAMES)]
    if len(kept) >= DRIFT_ROWS:
        moved = drift(champion["card"]["profile"], np.array(kept, dtype=np.float64))
        await SQL.note_drift(conn, id=champion["id"], drift={name: round(v, 4) for name, v in moved.items()})
