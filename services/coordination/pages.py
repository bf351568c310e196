"""The coordinator's screens: the board, one proposal, what was decided."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.coordination import approvals, board, rules
from services.coordination.api import spoken
from services.coordination.handlers import SQL
from services.coordination.schemas import (
    ApprovalsAnswer,
    ApproveMany,
    ApproveProposal,
    DeclineProposal,
    ProposalShown,
)
from shared.access import Call, calls
from shared.db import Connection
from shared.errors import AidError
from shared.labels import LABELS
from shared.paging import Page, next_cursor, read_cursor
from shared.reasons import words_of
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
PAGES = Pages(Path(__file__).parent)
needs = calls("coordination")
ROWS = 50


@router.get("/")
async def get_board(request: Request, call: Call = needs("coordinator", "auditor")) -> HTMLResponse:
    """Pending proposals, best first."""
    return await _board(request, call)


@router.get("/new")
async def get_new(
    request: Request, since: datetime, call: Call = needs("coordinator", "auditor")
) -> HTMLResponse:
    """How many proposals came since the board was drawn: a chip, so that no row jumps under a finger."""
    filters, _ = _filters(request)
    async with call.transaction() as conn:
        count = await SQL.new_since(conn, since=since, **filters.sql())
    return PAGES.render(request, "coordination/new.html", count=count, link=_link(filters))


@router.get("/proposals/{proposal_id}")
async def get_proposal(
    request: Request, proposal_id: UUID, call: Call = needs("worker", "coordinator", "auditor")
) -> HTMLResponse:
    """One proposal with every reason and alternative."""
    return await _proposal(request, call, proposal_id)


@router.get("/proposals/{proposal_id}/more")
async def get_more(
    request: Request, proposal_id: UUID, call: Call = needs("worker", "coordinator", "auditor")
) -> HTMLResponse:
    """The lesser reasons and the alternatives of one row, fetched when somebody opens it."""
    async with call.transaction() as conn:
        shown = await board.one(conn, proposal_id, words_of(call))
    return PAGES.render(request, "coordination/more.html", row=shown)


@router.post("/proposals/{proposal_id}/approve")
async def post_approve(request: Request, proposal_id: UUID, call: Call = needs("coordinator")) -> Response:
    return await _decide(
        request,
        call,
        ApproveProposal,
        partial(approvals.approve, proposal_id=proposal_id, language=call.language),
    )


@router.post("/proposals/{proposal_id}/decline")
async def post_decline(request: Request, proposal_id: UUID, call: Call = needs("coordinator")) -> Response:
    return await _decide(request, call, DeclineProposal, partial(approvals.decline, proposal_id=proposal_id))


@router.post("/approvals/summary")
async def post_summary(request: Request, call: Call = needs("coordinator")) -> HTMLResponse:
    """What approving the ticked rows would do, and the rest of their bundles with them; nothing is done yet."""
    try:
        body = parse(ApproveMany, await fields(request))
    except AidError as error:
        return await _board(request, call, error)
    async with call.transaction() as conn:
        ticked = await board.some(conn, body.proposal_ids, words_of(call))
        beside = {found for row in ticked.values() if row.status == "pending" for found in row.all_ids}
        added = await board.some(conn, sorted(beside - set(body.proposal_ids)), words_of(call))
    rows = [*ticked.values(), *added.values()]
    filters, _ = _filters(request)
    return PAGES.render(
        request,
        "coordination/summary.html",
        rows=[row for row in rows if row.status == "pending"],
        gone=len(body.proposal_ids) - sum(row.status == "pending" for row in ticked.values()),
        added=len(added),
        totals=rules.totals(rows),
        query=_link(filters).partition("?")[2],
        back=_link(filters),
    )


@router.post("/approvals")
async def post_approvals(request: Request, call: Call = needs("coordinator")) -> HTMLResponse:
    """Approve the ticked rows; the answer says what was approved and what was not, and why."""
    try:
        body = parse(ApproveMany, {**await fields(request)})
        answer = spoken(
            call, await call.create(body, partial(approvals.approve_many, language=call.language))
        )
    except AidError as error:
        return await _board(request, call, error)
    async with call.transaction() as conn:
        rows = await board.some(conn, _named(answer), words_of(call))
    return PAGES.render(request, "coordination/approvals.html", answer=answer, rows=rows)


@router.get("/decided")
async def get_decided(
    request: Request, cursor: str | None = None, call: Call = needs("coordinator", "auditor")
) -> HTMLResponse:
    """What was approved or declined, latest first."""
    at, after = read_cursor(cursor, datetime, UUID) or (None, None)
    async with call.transaction() as conn:
        rows = await SQL.decided(conn, at=at, after=after, most=ROWS + 1)
    more = next_cursor(rows, ROWS, "decided_at", "id")
    return PAGES.render(request, "coordination/decided.html", rows=rows[:ROWS], more=more)


def _filters(request: Request) -> tuple[board.Filters, str | None]:
    """The filters that the URL carries; an empty field is none."""
    asked = {key: request.query_params.get(key) or None for key in ("area", "category", "urgency", "cursor")}
    return board.Filters(asked["area"], asked["category"], asked["urgency"]), asked["cursor"]


def _link(filters: board.Filters, cursor: str | None = None) -> str:
    parts = {"area": filters.area, "category": filters.category, "urgency": filters.urgency, "cursor": cursor}
    query = urlencode({key: value for key, value in parts.items() if value})
    return f"/coordination/?{query}" if query else "/coordination/"


async def _board(request: Request, call: Call, error: AidError | None = None) -> HTMLResponse:
    filters, cursor = _filters(request)
    async with call.transaction() as conn:
        shown = await board.page(conn, filters, words_of(call), "pending", cursor, ROWS, brief=True)
        context = await _frame(conn, filters)
    problem = problem_of(request, error) if error else None
    more = _link(filters, shown.next) if shown.next else None
    return _render(
        request,
        error.status if error else 200,
        shown,
        context | {"problem": problem, "more": more, "call": call},
    )


def _render(
    request: Request, status: int, shown: Page[ProposalShown], context: dict[str, Any]
) -> HTMLResponse:
    return PAGES.render(request, "coordination/board.html", status, page=shown, **context)


async def _frame(conn: Connection, filters: board.Filters) -> dict[str, Any]:
    facets = await SQL.facets(conn)
    return {
        "filters": filters,
        "areas": sorted({row["area"] for row in facets}),
        "categories": sorted({row["category"] for row in facets}),
        "waiting": sum(row["waiting"] for row in facets),
        "since": (await SQL.clock(conn)).isoformat(),
        "query": _link(filters).partition("?")[2],
        "decline_reasons": LABELS["decline_reason"],
    }


async def _proposal(
    request: Request, call: Call, proposal_id: UUID, error: AidError | None = None
) -> HTMLResponse:
    async with call.transaction() as conn:
        shown = await board.one(conn, proposal_id, words_of(call))
    problem = problem_of(request, error) if error else None
    context: dict[str, Any] = {"row": shown, "problem": problem, "decline_reasons": LABELS["decline_reason"]}
    return PAGES.render(request, "coordination/proposal.html", error.status if error else 200, **context)


async def _decide(request: Request, call: Call, model: Any, command: Any) -> Response:
    """Decide one row, then back to the board as it was; a refusal is said above the board."""
    try:
        await call.do(parse(model, await fields(request)), command)
    except AidError as error:
        return await _board(request, call, error)
    filters, _ = _filters(request)
    return RedirectResponse(_link(filters), 303)


def _named(answer: ApprovalsAnswer) -> list[UUID]:
    return [item.proposal_id for item in answer.approved] + [item.proposal_id for item in answer.refused]
