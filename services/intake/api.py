"""The HTTP interface of intake."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile

from services.intake import duplicates, handlers, households, imports, needs, views
from services.intake.answers import (
    Contact,
    Duplicates,
    FollowUpItem,
    HouseholdDetail,
    HouseholdItem,
    HouseholdState,
    NeedDetail,
    NeedItem,
    NeedState,
    VisitAnswer,
    Worklist,
)
from services.intake.schemas import (
    AddMember,
    ChangeHousehold,
    ChangeNeed,
    CloseNeed,
    ConfirmCategory,
    FindHouseholds,
    GiveConsent,
    RecordVisit,
    TellApart,
    WithdrawConsent,
    WithdrawNeed,
)
from shared import sheets
from shared.access import Call, calls
from shared.fields import AreaFilter, Cursor, Limit
from shared.imports import ImportAnswer, Mode, import_sheet, unless_refused
from shared.openapi import CREATES, problems
from shared.paging import Page
from shared.sheets import download

router = APIRouter(responses=problems({409: "Changed by someone else, or no longer possible"}))
role = calls("intake")
worker = role("worker")
reader = role("worker", "coordinator", "auditor")
decider = role("worker", "coordinator")
deliverer = role("worker", "coordinator", "charity")
Words = Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")]
CategoryCode = Annotated[str, Query(pattern=r"^[A-Z0-9_-]{0,24}$")]
StatusCode = Annotated[str, Query(pattern=r"^[a-z_]{0,20}$")]
FollowUpState = Literal["due", "overdue", "answered", "all"]


@router.post("/visits", status_code=201, openapi_extra=CREATES)
async def post_visit(body: RecordVisit, call: Call = worker) -> VisitAnswer:
    return VisitAnswer.model_validate(
        await call.create(body, partial(handlers.record_visit, keyring=call.keyring))
    )


@router.get("/households")
async def get_households(
    q: Words = "", area: AreaFilter = "", cursor: Cursor = None, limit: Limit = 50, call: Call = reader
) -> Page[HouseholdItem]:
    async with call.transaction() as conn:
        return await views.list_households(
            conn, views.Filter(q=q, area=area, cursor=cursor, limit=limit), call.keyring
        )


@router.post("/households/search")
async def post_search(body: FindHouseholds, call: Call = reader) -> Page[HouseholdItem]:
    """Find households by words that must not stand in an address: an exact name, phone or ID number."""
    async with call.transaction() as conn:
        return await views.list_households(
            conn, views.Filter(cursor=body.cursor, limit=body.limit), call.keyring, body.words
        )


@router.get("/households/{household_id}")
async def get_household(household_id: UUID, response: Response, call: Call = reader) -> HouseholdDetail:
    async with call.transaction() as conn:
        found = await views.household(conn, household_id, call.caller, call.keyring)
    response.headers["etag"] = f'"{found.version}"'
    return found


@router.patch("/households/{household_id}")
async def patch_household(household_id: UUID, body: ChangeHousehold, call: Call = worker) -> HouseholdState:
    command = partial(households.change_household, household_id=household_id, keyring=call.keyring)
    return HouseholdState.model_validate(await call.do(body, command))


@router.post("/households/{household_id}/members", status_code=201, openapi_extra=CREATES)
async def post_member(household_id: UUID, body: AddMember, call: Call = worker) -> HouseholdState:
    command = partial(households.add_member, household_id=household_id, keyring=call.keyring)
    return HouseholdState.model_validate(await call.create(body, command))


@router.post("/households/{household_id}/consent")
async def post_consent(household_id: UUID, body: GiveConsent, call: Call = worker) -> HouseholdState:
    return HouseholdState.model_validate(
        await call.do(body, partial(households.give_consent, household_id=household_id))
    )


@router.delete("/households/{household_id}/consent")
async def delete_consent(
    household_id: UUID, version: Annotated[int, Query(ge=1, le=2_147_483_647)], call: Call = worker
) -> HouseholdState:
    body = WithdrawConsent(version=version)
    return HouseholdState.model_validate(
        await call.do(body, partial(households.withdraw_consent, household_id=household_id))
    )


@router.get("/needs")
async def get_needs(
    status: StatusCode = "",
    area: AreaFilter = "",
    category: CategoryCode = "",
    cursor: Cursor = None,
    limit: Limit = 50,
    call: Call = reader,
) -> Page[NeedItem]:
    wanted = views.Filter(status=status, area=area, category=category, cursor=cursor, limit=limit)
    async with call.transaction() as conn:
        return await views.list_needs(conn, wanted)


@router.get("/needs/{need_id}")
async def get_need(need_id: UUID, response: Response, call: Call = reader) -> NeedDetail:
    async with call.transaction() as conn:
        found = await views.need(conn, need_id, call.caller, call.keyring)
    response.headers["etag"] = f'"{found.version}"'
    return found


@router.patch("/needs/{need_id}")
async def patch_need(need_id: UUID, body: ChangeNeed, call: Call = worker) -> NeedState:
    return NeedState.model_validate(await call.do(body, partial(needs.change_need, need_id=need_id)))


@router.post("/needs/{need_id}/category")
async def post_category(need_id: UUID, body: ConfirmCategory, call: Call = worker) -> NeedState:
    return NeedState.model_validate(await call.do(body, partial(needs.confirm_category, need_id=need_id)))


@router.post("/needs/{need_id}/withdraw")
async def post_withdraw(need_id: UUID, body: WithdrawNeed, call: Call = worker) -> NeedState:
    return NeedState.model_validate(await call.do(body, partial(needs.withdraw_need, need_id=need_id)))


@router.post("/needs/{need_id}/close")
async def post_close(need_id: UUID, body: CloseNeed, call: Call = worker) -> NeedState:
    return NeedState.model_validate(await call.do(body, partial(needs.close_need, need_id=need_id)))


@router.get("/duplicates")
async def get_duplicates(area: AreaFilter = "", call: Call = reader) -> Duplicates:
    """Unfinished needs that are probably told twice. Withdraw the later one with the reason `duplicate`, or tell them apart."""
    async with call.transaction() as conn:
        return await duplicates.likely(conn, call.keyring, views.Filter(area=area).area_like)


@router.post("/needs/{need_id}/apart")
async def post_apart(need_id: UUID, body: TellApart, call: Call = decider) -> NeedState:
    """Two needs that look like one are two; they are not asked about again."""
    return NeedState.model_validate(await call.do(body, partial(duplicates.tell_apart, need_id=need_id)))


@router.get("/worklist")
async def get_worklist(call: Call = worker) -> Worklist:
    async with call.transaction() as conn:
        return await views.worklist(conn, call.keyring, call.caller)


@router.get("/follow-ups")
async def get_follow_ups(
    state: FollowUpState = "due", cursor: Cursor = None, limit: Limit = 50, call: Call = reader
) -> Page[FollowUpItem]:
    async with call.transaction() as conn:
        return await views.follow_ups(conn, state, cursor, limit)


@router.get("/commitments/{commitment_id}/contact")
async def get_contact(commitment_id: UUID, call: Call = deliverer) -> Contact:
    async with call.transaction() as conn:
        return await views.contact(conn, commitment_id, call.caller, call.keyring)


async def do_import(
    call: Call, kind: imports.Kind, content: bytes, filename: str, mode: Mode, accept_readings: bool
) -> ImportAnswer:
    """Import as the caller."""
    run = partial(imports.run_import, kind=kind, filename=filename, keyring=call.keyring)
    return await import_sheet(
        call, imports.LAYOUTS[kind], content, mode, run, accept_readings=accept_readings
    )


@router.post("/imports/{kind}")
async def post_import(
    kind: imports.Kind,
    file: Annotated[UploadFile, File()],
    mode: Mode = "preview",
    accept_readings: bool = False,
    call: Call = worker,
) -> ImportAnswer:
    """Import a workbook (.xlsx or .csv). In mode whole a wrong row refuses the file: 422 with every fault, nothing written; right_rows writes the right ones."""
    content = await file.read()
    return unless_refused(await do_import(call, kind, content, file.filename or "", mode, accept_readings))


@router.get("/imports/{run_id:uuid}/refused")
async def get_refused(run_id: UUID, call: Call = worker) -> Response:
    async with call.transaction() as conn:
        kind, workbook = await imports.refused_file(conn, run_id, call.keyring)
    return download(workbook, f"{kind}-refused.xlsx")


@router.get("/imports/{kind}/template.xlsx")
async def get_template(kind: imports.Kind, call: Call = worker) -> Response:
    return download(sheets.template(imports.LAYOUTS[kind], language=call.language), f"{kind}.xlsx")
