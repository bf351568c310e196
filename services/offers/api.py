"""The HTTP interface of charities, offers and their import."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile

from services.offers import handlers
from services.offers.answers import (
    CharityAnswer,
    CharityPage,
    FaultAnswer,
    ImportAnswer,
    ImportReport,
    NoteAnswer,
    OfferAnswer,
    OfferDetail,
    OfferPage,
    OfferStored,
    OfferStoredAnswer,
    SheetFault,
    State,
    TownShare,
)
from services.offers.handlers import SQL
from services.offers.imports import run_import
from services.offers.layouts import OFFERS
from services.offers.rows import row_of
from services.offers.schemas import (
    ChangeOffer,
    ImportOffers,
    Mode,
    RegisterCharity,
    RegisterOffer,
    WithdrawOffer,
)
from shared.access import Call, Caller, calls
from shared.db import Connection
from shared.errors import Fault, Invalid, Missing
from shared.openapi import CREATES
from shared.sheets import template, write

PROBLEM: dict[str, Any] = {"content": {"application/problem+json": {}}}
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
router = APIRouter(
    responses={
        401: PROBLEM | {"description": "Not signed in"},
        403: PROBLEM | {"description": "Not this role's to do"},
        404: PROBLEM | {"description": "Missing or not visible"},
        409: PROBLEM | {"description": "Changed by someone else, or promised already"},
        422: PROBLEM | {"description": "Something has to be corrected"},
    }
)
needs = calls("offers")
giver = needs("charity", "coordinator")
reader = needs("charity", "coordinator", "auditor")
office = needs("admin", "coordinator")
signed_in = needs()

Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("/charities", status_code=201, openapi_extra=CREATES)
async def post_charity(body: RegisterCharity, call: Call = office) -> CharityAnswer:
    return CharityAnswer.model_validate(await call.create(body, handlers.register_charity))


@router.get("/charities")
async def get_charities(
    cursor: Annotated[str | None, Query(max_length=80)] = None, limit: Limit = 50, call: Call = signed_in
) -> CharityPage:
    async with call.transaction() as conn:
        rows = await SQL.charities(conn, after=cursor, most=limit + 1)
    items = [CharityAnswer.model_validate({**row, "charity_id": row["id"]}) for row in rows[:limit]]
    return CharityPage(items=items, next=items[-1].name if len(rows) > limit else None)


@router.post("/offers", status_code=201, openapi_extra=CREATES)
async def post_offer(body: RegisterOffer, call: Call = giver) -> OfferStoredAnswer:
    return say_stored(call, await call.create(body, handlers.register_offer))


async def page_of(
    call: Call,
    *,
    state: str | None,
    category: str | None,
    charity_id: UUID | None,
    cursor: UUID | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """One page of the list, and the cursor of the next (None at the end)."""
    async with call.transaction() as conn:
        rows = await SQL.offers_page(
            conn, before=cursor, state=state, category=category, charity_id=charity_id, most=limit + 1
        )
    return rows[:limit], str(rows[limit - 1]["id"]) if len(rows) > limit else None


@router.get("/offers")
async def get_offers(
    status: State | None = None,
    category: Annotated[str | None, Query(max_length=24)] = None,
    charity_id: UUID | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
    call: Call = reader,
) -> OfferPage:
    rows, following = await page_of(
        call, state=status, category=category, charity_id=charity_id, cursor=cursor, limit=limit
    )
    return OfferPage(items=[OfferAnswer.model_validate(dict(row)) for row in rows], next=following)


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
    return sheet_answer(write(OFFERS, map(row_of, rows), language=call.language), "offers")


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
    report = await import_sheet(call, await file.read(), file.filename or "", mode)
    answer = say_report(call, report)
    if mode != "preview" and not report.applied:
        raise nothing_written(answer)
    return answer


@router.get("/imports/offers/template.xlsx")
async def get_template(call: Call = giver) -> Response:
    return sheet_answer(template(OFFERS, language=call.language), "offers-template")


@router.get("/imports/{run_id}/refused")
async def get_refused(run_id: UUID, call: Call = giver) -> Response:
    """The refused rows in the same layout, each with what is wrong; kept for seven days, for whoever imported."""
    async with call.transaction() as conn:
        content: bytes | None = await SQL.refused_file(conn, id=run_id)
    if content is None:
        raise Missing
    return sheet_answer(content, "offers-refused")


async def import_sheet(call: Call, content: bytes, filename: str, mode: Mode) -> ImportReport:
    """Import as the caller; the same file under the same Idempotency-Key is answered from memory."""

    async def command(conn: Connection, body: ImportOffers, by: Caller) -> ImportReport:
        return await run_import(
            conn, content, body.filename, body.mode, by, language=call.language, say=partial(_say, call)
        )

    body = ImportOffers(sha256=hashlib.sha256(content).hexdigest(), filename=filename[:200], mode=mode)
    return ImportReport.model_validate(await call.do(body, command))


def _say(call: Call, message: str, params: Any) -> str:
    return call.say(message, **(params or {}))


def sheet_answer(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.xlsx"'}
    return Response(content, media_type=SHEET, headers=headers)


def say_stored(call: Call, answer: dict[str, Any]) -> OfferStoredAnswer:
    """The stored answer with its warnings in the caller's language."""
    stored = OfferStored.model_validate(answer)
    warnings = [
        NoteAnswer(field=note.field, rule=note.rule, message=call.say(note.message, **note.params))
        for note in stored.warnings
    ]
    return OfferStoredAnswer.model_validate(stored.model_dump(exclude={"warnings"}) | {"warnings": warnings})


def nothing_written(answer: ImportAnswer) -> Invalid:
    """A refused file as a problem: the report's own members stand beside the first 500 faults in the form of every problem."""
    faults = tuple(
        Fault(f"{f.row} {f.column}".strip(), f.rule, "{text}", {"text": f.message})
        for f in answer.faults[:500]
    )
    problem = Invalid("有 {refused} 行不对，一行也没有写入。", faults=faults)
    problem.params |= answer.model_dump(mode="json")
    return problem


def say_report(call: Call, report: ImportReport) -> ImportAnswer:
    """The report with headings and sentences in the caller's language."""

    def shown(fault: SheetFault) -> FaultAnswer:
        heading = OFFERS.heading(fault.column, call.language)
        return FaultAnswer(
            row=fault.row, column=heading, rule=fault.rule, message=call.say(fault.message, **fault.params)
        )

    counts = report.model_dump(exclude={"faults", "warnings"})
    return ImportAnswer(
        **counts,
        written=report.written,
        faults=[shown(fault) for fault in report.faults],
        warnings=[shown(fault) for fault in report.warnings],
    )
