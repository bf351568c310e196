"""The model that rounds and rankings go by: the champion, or the office's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from matching.ranking import RULES, AdditiveModel
from shared.db import Connection, queries

SQL = queries(Path(__file__).parent, "models.sql")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InForce:
    """`id`: the stored model, None for the rules."""

    id: UUID | None
    model: AdditiveModel


async def in_force(conn: Connection) -> InForce:
    """The champion; the rules where there is none, or where it was made for features that this release does not have."""
    row = await SQL.champion(conn)
    if row is None:
        return InForce(None, RULES)
    try:
        return InForce(row["id"], AdditiveModel.from_dict(row["shapes"]))
    except ValueError as error:
        log.warning("model.unfit", model=str(row["id"]), error=str(error))
        return InForce(None, RULES)
