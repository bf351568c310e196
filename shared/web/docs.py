"""The interface's documentation as a page of our own: nothing from elsewhere, nothing inline."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from shared.access import authenticate
from shared.web.pages import Pages

router = APIRouter(include_in_schema=False)
PAGES = Pages()


@router.get("/api/docs")
async def show_docs(request: Request) -> Response:
    """Swagger UI over /api/openapi.json, for people who are signed in; what they try there they do in their own name."""
    caller = await authenticate(request.app.state.db, request)
    if caller is None:
        return RedirectResponse("/accounts/login?next=/api/docs", 303)
    request.state.caller = caller
    return PAGES.render(request, "docs.html")
