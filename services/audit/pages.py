"""/audit: figures, the ledger, a case as a story, follow-ups, the check."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.audit import story, views
from services.audit.schemas import EntryDetail, Story
from shared import tables
from shared.access import Call, calls
from shared.fields import Cursor
from shared.labels import LABELS
from shared.web.pages import Pages, when

router = APIRouter()
needs = calls("audit")
PAGES = Pages(Path(__file__).parent)


@router.get("/")
async def overview_page(request: Request, call: Call = needs("auditor", "coordinator")) -> Response:
    return await _overview(request, call)


async def _overview(request: Request, call: Call, verdict: Any = None) -> Response:
    figures = await views.overview(call)
    return PAGES.render(
        request, "audit/overview.html", total=figures.total, areas=figures.areas, verdict=verdict
    )


@router.post("/verifications")
async def verify_page(request: Request, call: Call = needs("auditor")) -> Response:
    return await _overview(request, call, await views.verification(call))


@router.get("/entries")
async def entries_page(
    request: Request, call: Call = needs("auditor", "coordinator"), cursor: Cursor = None
) -> Response:
    page = await views.entries(call, cursor, 50)
    return PAGES.render(request, "audit/entries.html", page=page)


@router.get("/entries/{seq}")
async def entry_page(request: Request, seq: int, call: Call = needs("auditor", "coordinator")) -> Response:
    entry = await views.entry(call, seq)
    return PAGES.render(request, "audit/entry.html", entry=entry, step=_step(call, entry))


@router.get("/stories")
async def story_of_case_page(
    request: Request, case_number: str, cursor: Cursor = None, call: Call = needs("auditor", "coordinator")
) -> Response:
    return _told(request, call, case_number, await views.story_of_case(call, case_number, cursor))


@router.get("/stories/{about_id}")
async def story_page(
    request: Request, about_id: UUID, cursor: Cursor = None, call: Call = needs("auditor", "coordinator")
) -> Response:
    return _told(request, call, str(about_id), await views.story(call, about_id, cursor))


def _told(request: Request, call: Call, about: str, found: Story) -> Response:
    steps = [_step(call, entry) for entry in found.entries]
    return PAGES.render(
        request, "audit/story.html", about=about, case=found.id is None, steps=steps, next=found.next
    )


@router.get("/follow-ups")
async def follow_ups_page(
    request: Request,
    call: Call = needs("auditor", "coordinator"),
    state: Literal["due", "overdue"] | None = None,
    cursor: Cursor = None,
) -> Response:
    page = await views.follow_ups(call, state, cursor, 100)
    return PAGES.render(request, "audit/follow_ups.html", page=page, state=state)


def _step(call: Call, entry: EntryDetail) -> dict[str, Any]:
    """One entry as the pages show it: a sentence in the reader's words, and what proves it."""
    role, message, params = story.sentence(entry.type, entry.event["data"], _words(call))
    who = call.say(LABELS["role"][role]) if role else call.say("系统")
    return {"entry": entry, "who": who, "words": call.say(message, **params)}


def _words(call: Call) -> story.Words:
    language = call.language
    return {
        "label": partial(_label, call),
        "category": partial(tables.category_label, language=language),
        "unit": partial(tables.unit_label, language=language),
        "moment": lambda text: when(datetime.fromisoformat(text), language),
    }


def _label(call: Call, kind: str, code: str) -> str:
    return call.say(LABELS[kind].get(code, code))
