"""The HTTP interface of intake."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, File, Query, Response, UploadFile
from pydantic import BaseModel

from services.intake import handlers, households, imports, needs, views
from services.intake.answers import (
    Contact,
    FaultItem,
    FollowUpItem,
    HouseholdDetail,
    HouseholdItem,
    HouseholdState,
    ImportAnswer,
    NeedDetail,
    NeedItem,
    NeedState,
    Page,
    VisitAnswer,
    Worklist,
)
from services.intake.imports import ImportReport
from services.intake.schemas import (
    AddMember,
    ChangeHousehold,
    ChangeNeed,
    ConfirmCategory,
    FindHouseholds,
    GiveConsent,
    RecordVisit,
    WithdrawConsent,
    WithdrawNeed,
)
from shared import sheets
from shared.access import Call, Caller, calls
from shared.db import Connection
from shared.errors import Fault, Invalid
from shared.openapi import CREATES

PROBLEM: dict[str, Any] = {"content": {"application/problem+json": {}}}
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
router = APIRouter(
    responses={
        401: PROBLEM | {"description": "Not signed in"},
        403: PROBLEM | {"description": "Not this role's, or not this town's"},
        404: PROBLEM | {"description": "Missing or not visible"},
        409: PROBLEM | {"description": "Changed by someone else, or no longer possible"},
        422: PROBLEM | {"description": "Something has to be corrected"},
    }
)
role = calls("intake")
worker = role("worker")
reader = role("worker", "coordinator", "auditor")
deliverer = role("worker", "coordinator", "charity")
Limit = Annotated[int, Query(ge=1, le=200)]
Words = Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")]
AreaCode = Annotated[str, Query(pattern=r"^([0-9]{12})?$")]
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
    q: Words = "", area: AreaCode = "", cursor: Words = "", limit: Limit = 50, call: Call = reader
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
    household_id: UUID, version: Annotated[int, Query(ge=1, le=2_000_000_000)], call: Call = worker
) -> HouseholdState:
    body = WithdrawConsent(version=version)
    return HouseholdState.model_validate(
        await call.do(body, partial(households.withdraw_consent, household_id=household_id))
    )


@router.get("/needs")
async def get_needs(
    status: StatusCode = "",
    area: AreaCode = "",
    category: CategoryCode = "",
    cursor: Words = "",
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


@router.get("/worklist")
async def get_worklist(call: Call = worker) -> Worklist:
    async with call.transaction() as conn:
        return await views.worklist(conn, call.keyring, call.caller)


@router.get("/follow-ups")
async def get_follow_ups(
    state: FollowUpState = "due", cursor: Words = "", limit: Limit = 50, call: Call = reader
) -> Page[FollowUpItem]:
    async with call.transaction() as conn:
        return await views.follow_ups(conn, state, cursor, limit)


@router.get("/commitments/{commitment_id}/contact")
async def get_contact(commitment_id: UUID, call: Call = deliverer) -> Contact:
    async with call.transaction() as conn:
        return await views.contact(conn, commitment_id, call.caller, call.keyring)


class ImportRequest(BaseModel):
    """What an Idempotency-Key is held to: the file by its hash, since the file itself is not kept."""

    kind: imports.Kind
    mode: imports.Mode
    file_sha256: str
    accept_readings: bool


def import_answer(call: Call, report: ImportReport) -> ImportAnswer:
    """The report in the caller's language, columns by their headings."""
    layout = imports.LAYOUTS[report.kind]
    return ImportAnswer(
        **{name: getattr(report, name) for name in ImportAnswer.model_fields if name != "faults"},
        faults=[
            FaultItem(
                row=fault.row,
                column=layout.heading(fault.column, call.language),
                rule=fault.rule,
                message=call.say(fault.message, **fault.params),
            )
            for fault in report.faults
        ],
    )


async def do_import(
    call: Call, kind: imports.Kind, content: bytes, filename: str, mode: imports.Mode, accept_readings: bool
) -> ImportAnswer:
    """Run an import as the caller, in one transaction."""

    async def command(conn: Connection, body: ImportRequest, by: Caller) -> ImportAnswer:
        say = partial(_say, call)
        report = await imports.run_import(
            conn, kind, content, filename, mode, by, call.keyring, accept_readings, say=say
        )
        return import_answer(call, report)

    digest = hashlib.sha256(content).hexdigest()
    body = ImportRequest(kind=kind, mode=mode, file_sha256=digest, accept_readings=accept_readings)
    return ImportAnswer.model_validate(await call.do(body, command))


def _say(call: Call, message: str, params: Any = None) -> str:
    return call.say(message, **(params or {}))


@router.post("/imports/{kind}")
async def post_import(
    kind: imports.Kind,
    file: Annotated[UploadFile, File()],
    mode: imports.Mode = "preview",
    accept_readings: bool = False,
    call: Call = worker,
) -> ImportAnswer:
    """Import a workbook (.xlsx or .csv). In mode whole a wrong row refuses the file: 422 with every fault, nothing written."""
    answer = await do_import(call, kind, await file.read(), file.filename or "", mode, accept_readings)
    if mode == "whole" and answer.faults:
        raise nothing_written(answer)
    return answer


def nothing_written(answer: ImportAnswer) -> Invalid:
    """A refused file as a problem: the report's own members stand beside the first 500 faults in the form of every problem."""
    faults = tuple(
        Fault(f"{f.row} {f.column}".strip(), f.rule, "{text}", {"text": f.message})
        for f in answer.faults[:500]
    )
    problem = Invalid("有 {refused} 行不对，一行也没有写入。", faults=faults)
    problem.params |= answer.model_dump(mode="json")
    return problem


@router.get("/imports/{run_id:uuid}/refused")
async def get_refused(run_id: UUID, call: Call = worker) -> Response:
    async with call.transaction() as conn:
        kind, workbook = await imports.refused_file(conn, run_id, call.keyring)
    return sheet(workbook, f"{kind}-refused.xlsx")


@router.get("/imports/{kind}/template.xlsx")
async def get_template(kind: imports.Kind, call: Call = worker) -> Response:
    return sheet(sheets.template(imports.LAYOUTS[kind], language=call.language), f"{kind}.xlsx")


def sheet(content: bytes, name: str) -> Response:
    return Response(
        content, media_type=SHEET, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
