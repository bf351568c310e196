"""The screens of an import: choose a file, look at what it would do, decide."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.intake import imports
from services.intake.api import do_import, worker
from services.intake.schemas import DecideImport
from shared.access import Call
from shared.errors import AidError
from shared.imports import ImportAnswer, chosen_file
from shared.web.forms import fields, parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
PAGES = Pages(Path(__file__).parent)


@router.get("/imports")
async def show_imports(request: Request, call: Call = worker) -> Response:
    return _show(request)


def _show(
    request: Request,
    answer: ImportAnswer | None = None,
    kind: str = "",
    upload_id: UUID | None = None,
    error: AidError | None = None,
    accept_readings: bool = False,
) -> Response:
    return PAGES.render(
        request,
        "intake/imports.html",
        error.status if error else 200,
        problem=problem_of(request, error) if error else None,
        answer=answer,
        kind=kind,
        upload_id=upload_id,
        accept_readings=accept_readings,
    )


@router.post("/imports/{kind}")
async def look_at_file(request: Request, kind: imports.Kind, call: Call = worker) -> Response:
    """Read the file and show what it would do; it is kept, sealed, until the worker decides."""
    form = await request.form()
    try:
        content, filename = await chosen_file(form)
        accept = form.get("accept_readings") == "true"
        answer = await do_import(call, kind, content, filename, "preview", accept)
        async with call.transaction() as conn:
            upload_id = await imports.keep_upload(conn, kind, content, call.caller.person_id, call.keyring)
    except AidError as error:
        return _show(request, error=error)
    return _show(request, answer, kind, upload_id if answer.right else None, accept_readings=accept)


@router.post("/imports/uploads/{upload_id}")
async def decide(request: Request, upload_id: UUID, call: Call = worker) -> Response:
    """Write the whole file, or its right rows."""
    try:
        body = parse(DecideImport, await fields(request))
        async with call.transaction() as conn:
            kind, content = await imports.kept_upload(conn, upload_id, call.keyring)
        answer = await do_import(call, kind, content, "", body.mode, body.accept_readings)
    except AidError as error:
        return _show(request, error=error)
    return _show(request, answer, kind)
