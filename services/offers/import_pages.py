"""The screen that takes offers from a sheet."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from services.offers.api import giver, import_sheet, say_report
from services.offers.handlers import SQL
from services.offers.schemas import Wish
from shared.access import Call
from shared.errors import AidError, Invalid
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
    file = form.get("file")
    try:
        if isinstance(file, UploadFile):
            content, filename = await file.read(), file.filename or ""
        else:
            content, filename = (
                b64decode(str(form.get("content", "")), validate=True),
                str(form.get("filename", "")),
            )
        if not content:
            raise ValueError("no file")
        report = await import_sheet(
            call, content, filename, parse(Wish, {"mode": form.get("mode", "preview")}).mode
        )
    except ValueError:
        return await _imports(
            request, call, 422, problem=problem_of(request, Invalid("请选择一个 .xlsx 或 .csv 文件。"))
        )
    except AidError as error:
        return await _imports(request, call, error.status, problem=problem_of(request, error))
    again = b64encode(content).decode() if not report.applied else ""
    answer = say_report(call, report)
    return await _imports(request, call, report=answer, content=again, filename=filename)


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
