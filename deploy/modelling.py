"""What the commands around learned models do, as the operator of this machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from deploy.commands import with_database
from services.matcher import model_views, models
from services.matcher.champion import SQL
from services.matcher.learning import learn
from services.matcher.schemas import ModelInForce, PromoteModel
from shared.access import NOBODY
from shared.bus import new_id
from shared.db import Connection, Database
from shared.errors import Invalid, Missing, fault_of
from shared.settings import Settings

Result = TypeVar("Result")
MOST = 1_000


def as_system(
    data: Path, database_url: str | None, work: Callable[[Connection], Awaitable[Result]]
) -> Result:
    """Work in one transaction as the matcher itself, on the data of a folder or a database that is there."""

    async def run(_: Settings, db: Database) -> Result:
        async with db.transaction("nuanlian_matcher_system") as conn:
            return await work(conn)

    return with_database(data, database_url, run, there=True)


async def _shown(conn: Connection) -> list[dict[str, Any]]:
    page = await model_views.models(conn, None, MOST)
    return [item.model_dump(mode="json") for item in page.items]


def listed(data: Path, database_url: str | None) -> list[dict[str, Any]]:
    """Every model with its measures, latest first."""
    return as_system(data, database_url, _shown)


def train(data: Path, database_url: str | None) -> dict[str, Any]:
    """Learn a challenger now; how it fared, or why nothing was learned."""

    async def work(conn: Connection) -> dict[str, Any]:
        model_id = new_id()
        number = await SQL.ask_model(conn, id=model_id, asked_by=NOBODY.person_id)
        await learn(conn, model_id, number)
        return (await _shown(conn))[0]

    return as_system(data, database_url, work)


def promote(data: Path, database_url: str | None, number: int, reason: str) -> dict[str, Any]:
    """Put a model in force. Raises what `models.put_in_force` raises."""

    async def work(conn: Connection) -> ModelInForce:
        found = {row["number"]: row["id"] for row in await SQL.models(conn, after=None, most=MOST)}
        if number not in found:
            raise Missing
        return await models.put_in_force(conn, _command(found[number], reason), NOBODY.person_id)

    return as_system(data, database_url, work).model_dump(mode="json")


def _command(model_id: Any, reason: str) -> PromoteModel:
    try:
        return PromoteModel(model_id=model_id, reason=reason)
    except ValidationError as error:
        raise Invalid(faults=tuple(fault_of(one) for one in error.errors())) from error


def rules(data: Path, database_url: str | None) -> dict[str, Any]:
    """Back to the office's own rules."""

    async def work(conn: Connection) -> ModelInForce:
        return await models.back_to_rules(conn, NOBODY.person_id)

    return as_system(data, database_url, work).model_dump(mode="json")
