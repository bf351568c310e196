"""The screen that takes offers from a sheet."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from services.offers.api import do_import, giver
from services.offers.handlers import SQL
from services.offers.schemas import Wish
from shared.access import Call
from shared.errors import AidError
from shared.imports import NoFile, chosen_file
from shared.web.forms import parse, problem_of
from shared.web.pages import Pages

router = APIRouter()
PAGES = Pages(Path(__file__).parent)


@router.get("/imports")
async def show_imports(request: Request, call: Call = giver) -> Response:
    return await _imports(request, call)


@router.post("/imports")
async def post_import(request: Request, call: Call = giver) -> Response:
    """First the file for a preview, then its content again from the preview's form, with what to do."""
    form = await request.form(max_part_size=request.app.state.settings.max_body_bytes)
    try:
        if "file" in form:
            content, filename = await chosen_file(form)
        else:
            content, filename = _sent_again(form), str(form.get("filename", ""))
        mode = parse(Wish, {"mode": form.get("mode", "preview")}).mode
        answer = await do_import(call, content, filename, mode)
    except AidError as error:
        return await _imports(request, call, error.status, problem=problem_of(request, error))
    again = b64encode(content).decode() if not answer.applied else ""
    return await _imports(request, call, report=answer, content=again, filename=filename)


def _sent_again(form: FormData) -> bytes:
    """The file that was looked at before, as the preview's form brings it back. Raises `NoFile`."""
    try:
        return b64decode(str(form.get("content") or "!"), validate=True)
    except ValueError as error:
        raise NoFile from error


async def _imports(
    request: Request,
    call: Call,
    status: int = 200,
    report: Any = None,
    content: str = "",
    filename: str = "",
    problem: dict[str, Any] | None = None,
) -> Response:
    async with call.transaction() as conn:
        runs = await SQL.import_runs(conn, most=20)
    return PAGES.render(
        request,
        "offers/imports.html",
        status,
        None,
        runs=runs,
        report=report,
        content=content,
        filename=filename,
        problem=problem,
    )
