"""The HTTP interface of charities, offers and their import."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile

from services.offers import handlers
from services.offers.answers import (
    CharityAnswer,
    NoteAnswer,
    OfferAnswer,
    OfferDetail,
    OfferStored,
    OfferStoredAnswer,
    State,
    TownShare,
)
from services.offers.handlers import SQL
from services.offers.imports import run_import
from services.offers.layouts import OFFERS
from services.offers.rows import row_of
from services.offers.schemas import (
    ChangeOffer,
    RegisterCharity,
    RegisterOffer,
    WithdrawOffer,
)
from shared.access import Call, calls
from shared.errors import Missing
from shared.fields import Cursor, Limit
from shared.imports import ImportAnswer, Mode, import_sheet, unless_refused
from shared.openapi import CREATES, problems
from shared.paging import Page, next_cursor, read_cursor
from shared.sheets import download, template, write

router = APIRouter(responses=problems({409: "Changed by someone else, or promised already"}))
needs = calls("offers")
giver = needs("charity", "coordinator")
reader = needs("charity", "coordinator", "auditor")
office = needs("admin", "coordinator")
signed_in = needs()


@router.post("/charities", status_code=201, openapi_extra=CREATES)
async def post_charity(body: RegisterCharity, call: Call = office) -> CharityAnswer:
    return CharityAnswer.model_validate(await call.create(body, handlers.register_charity))


@router.get("/charities")
async def get_charities(
    cursor: Cursor = None, limit: Limit = 50, call: Call = signed_in
) -> Page[CharityAnswer]:
    (after,) = read_cursor(cursor, str) or (None,)
    async with call.transaction() as conn:
        rows = await SQL.charities(conn, after=after, most=limit + 1)
    items = tuple(CharityAnswer.model_validate({**row, "charity_id": row["id"]}) for row in rows[:limit])
    return Page(items=items, next=next_cursor(rows, limit, "name"))


@router.post("/offers", status_code=201, openapi_extra=CREATES)
async def post_offer(body: RegisterOffer, call: Call = giver) -> OfferStoredAnswer:
    return say_stored(call, await call.create(body, handlers.register_offer))


async def page_of(
    call: Call,
    *,
    state: str | None,
    category: str | None,
    charity_id: UUID | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """One page of the list, and the cursor of the next (None at the end)."""
    (before,) = read_cursor(cursor, UUID) or (None,)
    async with call.transaction() as conn:
        rows = await SQL.offers_page(
            conn, before=before, state=state, category=category, charity_id=charity_id, most=limit + 1
        )
    return rows[:limit], next_cursor(rows, limit, "id")


@router.get("/offers")
async def get_offers(
    status: State | None = None,
    category: Annotated[str | None, Query(max_length=24)] = None,
    charity_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    call: Call = reader,
) -> Page[OfferAnswer]:
    rows, following = await page_of(
        call, state=status, category=category, charity_id=charity_id, cursor=cursor, limit=limit
    )
    return Page(items=tuple(OfferAnswer.model_validate(dict(row)) for row in rows), next=following)


@router.get("/offers.xlsx")
async def get_offers_sheet(
    status: State | None = None,
    category: Annotated[str | None, Query(max_length=24)] = None,
    charity_id: UUID | None = None,
    call: Call = reader,
) -> Response:
    """What the list shows, up to 5,000 rows, in the layout that the import takes."""
    rows, _ = await page_of(
        call, state=status, category=category, charity_id=charity_id, cursor=None, limit=5_000
    )
    return download(write(OFFERS, map(row_of, rows), language=call.language), "offers.xlsx")


@router.get("/offers/{offer_id}")
async def get_offer(offer_id: UUID, call: Call = reader) -> OfferDetail:
    async with call.transaction() as conn:
        row = await SQL.offer(conn, id=offer_id)
        towns = await SQL.by_town(conn, offer_id=offer_id)
    if row is None:
        raise Missing
    return OfferDetail.model_validate(
        {**row, "towns": [TownShare.model_validate(dict(town)) for town in towns]}
    )


@router.patch("/offers/{offer_id}")
async def patch_offer(offer_id: UUID, body: ChangeOffer, call: Call = giver) -> OfferStoredAnswer:
    return say_stored(call, await call.do(body, partial(handlers.change_offer, offer_id=offer_id)))


@router.post("/offers/{offer_id}/withdraw")
async def post_withdraw(offer_id: UUID, body: WithdrawOffer, call: Call = giver) -> OfferStoredAnswer:
    return say_stored(call, await call.do(body, partial(handlers.withdraw_offer, offer_id=offer_id)))


@router.post("/imports/offers")
async def post_import(
    mode: Mode,
    file: Annotated[UploadFile, File(description="An .xlsx or .csv sheet in the template's layout")],
    call: Call = giver,
) -> ImportAnswer:
    """A preview enters nothing; `whole` answers 422 and enters nothing when a row is wrong; `right_rows` enters the right ones."""
    return unless_refused(await do_import(call, await file.read(), file.filename or "", mode))


@router.get("/imports/offers/template.xlsx")
async def get_template(call: Call = giver) -> Response:
    return download(template(OFFERS, language=call.language), "offers-template.xlsx")


@router.get("/imports/{run_id}/refused")
async def get_refused(run_id: UUID, call: Call = giver) -> Response:
    """The refused rows in the same layout, each with what is wrong; kept for seven days, for whoever imported."""
    async with call.transaction() as conn:
        content: bytes | None = await SQL.refused_file(conn, id=run_id)
    if content is None:
        raise Missing
    return download(content, "offers-refused.xlsx")


async def do_import(call: Call, content: bytes, filename: str, mode: Mode) -> ImportAnswer:
    """Import as the caller."""
    return await import_sheet(call, OFFERS, content, mode, partial(run_import, filename=filename))


def say_stored(call: Call, answer: dict[str, Any]) -> OfferStoredAnswer:
    """The stored answer with its warnings in the caller's language."""
    stored = OfferStored.model_validate(answer)
    warnings = [
        NoteAnswer(field=note.field, rule=note.rule, message=call.say(note.message, **note.params))
        for note in stored.warnings
    ]
    return OfferStoredAnswer.model_validate(stored.model_dump(exclude={"warnings"}) | {"warnings": warnings})
