"""What a person asks about models: learn one, put one in force, go back to the rules. None ever changes by itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.matcher import rules
from services.matcher.champion import SQL, in_force
from services.matcher.handlers import mark
from services.matcher.learning import TRAIN
from services.matcher.schemas import AskModel, BackToRules, ModelAsked, ModelInForce, PromoteModel
from shared import jobs
from shared.access import Caller
from shared.bus import new_id, publish
from shared.db import Connection
from shared.errors import Conflict, Fault, Forbidden, Invalid, Missing
from shared.events import ModelPromoted, RulesRestored


def may_promote(by: Caller) -> bool:
    """Whether the caller coordinates a whole city or wider: a model ranks for every county, so no county decides alone.

    An administrator keeps accounts and decides nothing about aid.
    """
    return _coordinates(by, "0" * 8)


def may_restore(by: Caller) -> bool:
    """Whether the caller coordinates a county or wider: stopping a model must not wait for the city."""
    return _coordinates(by, "0" * 6)


def _coordinates(by: Caller, zeros: str) -> bool:
    return any(grant.role == "coordinator" and grant.area.endswith(zeros) for grant in by.grants)


async def ask_model(conn: Connection, _: AskModel, by: Caller) -> ModelAsked:
    """Leave the learning for the worker. Raises `Forbidden`."""
    if not may_promote(by):
        raise Forbidden("学习和启用模型影响全市，请市级协调员来做。")
    model_id = new_id()
    number = await SQL.ask_model(conn, id=model_id, asked_by=by.person_id)
    payload = {"model_id": str(model_id), "number": number}
    await jobs.enqueue(conn, TRAIN, key=str(model_id), payload=payload)
    return ModelAsked(model_id=model_id, number=number)


async def promote(conn: Connection, command: PromoteModel, by: Caller) -> ModelInForce:
    """Put a model in force for all rounds and rankings. Raises `Forbidden`, and what `put_in_force` raises."""
    if not may_promote(by):
        raise Forbidden("学习和启用模型影响全市，请市级协调员来做。")
    return await put_in_force(conn, command, by.person_id)


async def put_in_force(conn: Connection, command: PromoteModel, by: UUID) -> ModelInForce:
    """Raises `Missing`, `Conflict` for a model that can't be put in force, and `Invalid` when it serves a group worse, or was never
    compared with what ranks now, and no reason is given."""
    await SQL.lock_models(conn)
    row = await SQL.model(conn, id=command.model_id)
    if row is None:
        raise Missing
    if row["state"] not in ("challenger", "retired"):
        raise Conflict("这个模型现在不能启用：它已在使用，或还没有学成。请刷新后再看。")
    worse = worse_for(row)
    if not command.reason:
        _without_harm(worse, row["card"]["champion"], (await in_force(conn)).model.name)
    replaced = await SQL.retire(conn, by=by)
    put = await SQL.promote(conn, id=command.model_id, by=by, reason=command.reason)
    await mark(conn, *rules.catalogue())
    await publish(
        conn,
        ModelPromoted(
            version=put["version"],
            model_id=put["id"],
            number=put["number"],
            replaces=replaced["id"] if replaced else None,
            worse_for=worse,
            promoted_by=by,
        ),
    )
    return ModelInForce(model_id=put["id"], number=put["number"])


def worse_for(row: Any) -> tuple[str, ...]:
    """The groups that a stored model would serve worse than the one it was compared with."""
    return tuple(row["card"]["measures"]["worse_for"])


def _without_harm(worse: tuple[str, ...], compared_with: str, ranks_now: str) -> None:
    if worse:
        message = (
            "这个模型会让 {count} 类困难对象得到的服务变差。不建议启用；如确有必要，请写明理由，理由会存档。"
        )
        fault = Fault("reason", "serves_group_worse", message, {"count": len(worse)})
        raise Invalid(faults=(fault,), rule=fault.rule, worse_for=list(worse))
    if compared_with != ranks_now:
        message = "这个模型没有和现在的排序比过，不知道哪类对象会变差。请重新学一个；如确有必要，请写明理由，理由会存档。"
        fault = Fault("reason", "compared_with_another", message)
        raise Invalid(faults=(fault,), rule=fault.rule, compared_with=compared_with, ranks_now=ranks_now)


async def restore_rules(conn: Connection, _: BackToRules, by: Caller) -> ModelInForce:
    """Back to the office's own rules at once. Raises `Forbidden`."""
    if not may_restore(by):
        raise Forbidden("停用模型会影响各镇街的排序，请县级或以上的协调员来做。")
    return await back_to_rules(conn, by.person_id)


async def back_to_rules(conn: Connection, by: UUID) -> ModelInForce:
    """Retire the champion, if there is one."""
    await SQL.lock_models(conn)
    row = await SQL.retire(conn, by=by)
    if row is not None:
        await mark(conn, *rules.catalogue())
        await publish(
            conn,
            RulesRestored(version=row["version"], model_id=row["id"], number=row["number"], restored_by=by),
        )
    return ModelInForce(model_id=None, number=None)
