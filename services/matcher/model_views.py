"""Models as a person reads them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from matching.learning import DRIFT_ACT, DRIFT_WATCH
from services.matcher.champion import SQL
from services.matcher.schemas import FeatureDrift, ModelDetail, ModelInForce, Models, ModelShown
from shared.db import Connection
from shared.errors import Missing
from shared.paging import next_cursor, read_cursor

MEASURES = ("auc", "ndcg5", "brier")


async def models(conn: Connection, cursor: str | None, limit: int) -> Models:
    """Up to `limit` models, latest first."""
    (after,) = read_cursor(cursor, int) or (None,)
    rows = await SQL.models(conn, after=after, most=limit + 1)
    champion = await SQL.champion(conn)
    return Models(
        in_force=ModelInForce(
            model_id=champion["id"] if champion else None, number=champion["number"] if champion else None
        ),
        items=tuple(ModelShown.model_validate(_plain(row)) for row in rows[:limit]),
        next=next_cursor(rows, limit, "number"),
    )


async def model(conn: Connection, model_id: UUID) -> ModelDetail:
    """One model with its card. Raises `Missing`."""
    row = await SQL.model(conn, id=model_id)
    if row is None:
        raise Missing
    return ModelDetail.model_validate(
        _plain(row)
        | {
            "card": row["card"],
            "shapes": row["shapes"]["shapes"] if row["shapes"] else {},
            "drift": [_drift(feature, index) for feature, index in (row["drift"] or {}).items()],
        }
    )


def _drift(feature: str, index: float) -> FeatureDrift:
    level: Literal["steady", "watch", "act"] = "steady"
    if index >= DRIFT_WATCH:
        level = "act" if index >= DRIFT_ACT else "watch"
    return FeatureDrift(feature=feature, index=index, level=level)


def _plain(row: Any) -> dict[str, Any]:
    card = row["card"] or {}
    told = card.get("measures", {})
    pairs = {
        name: tuple(told.get(side, {}).get(name) for side in ("champion", "challenger")) for name in MEASURES
    }
    return {
        **row,
        **pairs,
        "model_id": row["id"],
        "champion": card.get("champion", ""),
        "learned": card.get("learned", {}).get("rows", 0),
        "checked": card.get("checked", {}).get("rows", 0),
        "worse_for": told.get("worse_for", ()),
    }
