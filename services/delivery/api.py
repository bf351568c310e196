"""The HTTP interface of deliveries."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.delivery import handlers
from services.delivery.handlers import SQL
from services.delivery.layouts import sheet_of
from services.delivery.rules import Status
from services.delivery.schemas import (
    Deliver,
    DeliveryAnswer,
    DeliveryState,
    Dispatch,
    Fail,
    Receive,
    Schedule,
)
from shared.access import Call, calls
from shared.errors import Missing
from shared.fields import AreaFilter, Cursor, Limit
from shared.openapi import problems
from shared.paging import Page, next_cursor, read_cursor
from shared.sheets import download

router = APIRouter(responses=problems({409: "The delivery stands elsewhere by now"}))
needs = calls("delivery")
anybody = needs("worker", "charity", "coordinator", "auditor")
mover = needs("worker", "charity", "coordinator")


async def page_of(
    call: Call,
    *,
    status: str | None,
    area: str,
    mine: bool,
    overdue: bool,
    cursor: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """One page of the list, and the cursor of the next (None at the end)."""
    (before,) = read_cursor(cursor, int) or (None,)
    async with call.transaction() as conn:
        rows = await SQL.deliveries(
            conn, before=before, status=status, area=area or None, mine=mine, overdue=overdue, most=limit + 1
        )
    return rows[:limit], next_cursor(rows, limit, "seq")


@router.get("/deliveries")
async def get_deliveries(
    status: Status | None = None,
    area: AreaFilter = "",
    mine: bool = False,
    overdue: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
    call: Call = anybody,
) -> Page[DeliveryAnswer]:
    rows, following = await page_of(
        call, status=status, area=area, mine=mine, overdue=overdue, cursor=cursor, limit=limit
    )
    return Page(items=tuple(DeliveryAnswer.model_validate(dict(row)) for row in rows), next=following)


@router.get("/deliveries.xlsx")
async def get_sheet(
    status: Status | None = None,
    area: AreaFilter = "",
    mine: bool = False,
    overdue: bool = False,
    call: Call = anybody,
) -> Response:
    """What the list shows, up to 5,000 rows, as a dispatch sheet: case numbers, no names or addresses."""
    rows, _ = await page_of(
        call, status=status, area=area, mine=mine, overdue=overdue, cursor=None, limit=5_000
    )
    return download(sheet_of(rows, call.language), "deliveries.xlsx")


@router.get("/deliveries/{delivery_id}")
async def get_delivery(delivery_id: UUID, call: Call = anybody) -> DeliveryAnswer:
    async with call.transaction() as conn:
        row = await SQL.delivery(conn, id=delivery_id)
    if row is None:
        raise Missing
    return DeliveryAnswer.model_validate(dict(row))


@router.post("/deliveries/{delivery_id}/schedule")
async def post_schedule(delivery_id: UUID, body: Schedule, call: Call = mover) -> DeliveryState:
    return DeliveryState.model_validate(
        await call.do(body, partial(handlers.schedule, delivery_id=delivery_id))
    )


@router.post("/deliveries/{delivery_id}/dispatch")
async def post_dispatch(delivery_id: UUID, body: Dispatch, call: Call = mover) -> DeliveryState:
    return DeliveryState.model_validate(
        await call.do(body, partial(handlers.dispatch, delivery_id=delivery_id))
    )


@router.post("/deliveries/{delivery_id}/deliver")
async def post_deliver(delivery_id: UUID, body: Deliver, call: Call = mover) -> DeliveryState:
    return DeliveryState.model_validate(
        await call.do(body, partial(handlers.deliver, delivery_id=delivery_id))
    )


@router.post("/deliveries/{delivery_id}/fail")
async def post_fail(delivery_id: UUID, body: Fail, call: Call = mover) -> DeliveryState:
    return DeliveryState.model_validate(await call.do(body, partial(handlers.fail, delivery_id=delivery_id)))


@router.post("/deliveries/{delivery_id}/receive")
async def post_receive(delivery_id: UUID, body: Receive, call: Call = mover) -> DeliveryState:
    return DeliveryState.model_validate(
        await call.do(body, partial(handlers.receive, delivery_id=delivery_id))
    )
