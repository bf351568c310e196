"""The screens of deliveries: the list with the next step at hand, one delivery, the sheet to take along."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.delivery import handlers, rules
from services.delivery.api import anybody, mover, page_of
from services.delivery.handlers import SQL
from services.delivery.schemas import Deliver, Dispatch, Fail, FailReason, Receive, Schedule, ShortReason
from shared.access import Call
from shared.clock import LOCAL
from shared.errors import AidError, Invalid, Missing
from shared.fields import AreaFilter, Cursor
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
PAGES = Pages(Path(__file__).parent)
STEPS: dict[rules.Step, tuple[type[Any], Any]] = {
    "schedule": (Schedule, handlers.schedule),
    "dispatch": (Dispatch, handlers.dispatch),
    "deliver": (Deliver, handlers.deliver),
    "fail": (Fail, handlers.fail),
    "receive": (Receive, handlers.receive),
}
REASONS: dict[str, Any] = {"fail_reasons": get_args(FailReason), "short_reasons": get_args(ShortReason)}


@router.get("/")
async def show_deliveries(
    request: Request,
    status: rules.Status | None = None,
    area: AreaFilter = "",
    overdue: bool = False,
    cursor: Cursor = None,
    call: Call = anybody,
) -> Response:
    rows, following = await page_of(
        call, status=status, area=area, mine=False, overdue=overdue, cursor=cursor, limit=50
    )
    async with call.transaction() as conn:
        counts = {row["status"]: row for row in await SQL.counts(conn)}
        towns = [row["area"] for row in await SQL.towns(conn)]
    return PAGES.render(
        request,
        "delivery/list.html",
        rows=[(row, _steps(call, row)) for row in rows],
        counts=counts,
        towns=towns,
        late=sum(row["overdue"] for row in counts.values()),
        chosen={"status": status or "", "area": area, "overdue": overdue},
        following=following,
    )


@router.get("/sheet")
async def show_sheet(
    request: Request, mine: Annotated[bool, Query()] = False, call: Call = anybody
) -> Response:
    async with call.transaction() as conn:
        rows = await SQL.to_dispatch(conn, mine=mine, most=500)
    return PAGES.render(request, "delivery/sheet.html", rows=rows, now=datetime.now(LOCAL))


@router.get("/{delivery_id}")
async def show_delivery(request: Request, delivery_id: UUID, call: Call = anybody) -> Response:
    return await _detail(request, call, delivery_id)


@router.post("/{delivery_id}/{step}")
async def take_step(request: Request, delivery_id: UUID, step: rules.Step, call: Call = mover) -> Response:
    values = await fields(request)
    back = values.pop("back", "")
    model, command = STEPS[step]
    try:
        body = parse(model, _with_zone(values))
        await call.do(body, partial(command, delivery_id=delivery_id))
    except Missing:
        raise
    except AidError as error:
        problem = problem_of(request, error)
        return await _detail(request, call, delivery_id, error.status, problem=problem, entered=values)
    target = f"/delivery/?status={back}" if back in get_args(rules.Status) else f"/delivery/{delivery_id}"
    return RedirectResponse("/delivery/" if back == "all" else target, 303)


def _with_zone(values: dict[str, Any]) -> dict[str, Any]:
    """A browser's local time is the office's."""
    if "scheduled_for" not in values:
        return values
    try:
        moment = datetime.fromisoformat(values["scheduled_for"])
    except ValueError as error:
        raise Invalid("约定时间的格式不对，请从日历中选择。") from error
    return values | {"scheduled_for": moment.replace(tzinfo=moment.tzinfo or LOCAL).isoformat()}


def _steps(call: Call, row: Any) -> tuple[rules.Step, ...]:
    return rules.next_steps(row["status"], handlers.part_of(call.caller, row))


async def _detail(
    request: Request,
    call: Call,
    delivery_id: UUID,
    status: int = 200,
    problem: dict[str, Any] | None = None,
    entered: dict[str, Any] | None = None,
) -> Response:
    async with call.transaction() as conn:
        row = await SQL.delivery(conn, id=delivery_id)
    if row is None:
        raise Missing
    return PAGES.render(
        request,
        "delivery/detail.html",
        status,
        delivery=row,
        steps=_steps(call, row),
        entered=entered or {},
        problem=problem,
        **REASONS,
    )
