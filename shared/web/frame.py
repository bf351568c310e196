"""What surrounds every answer: errors as problems, headers that keep a browser safe, the language."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from shared.access import LANGUAGE_COOKIE, language_of
from shared.db import AWAY
from shared.errors import (
    AidError,
    Conflict,
    Forbidden,
    Invalid,
    Missing,
    Unauthenticated,
    Unavailable,
    fault_of,
)
from shared.i18n import say
from shared.web import docs
from shared.web.pages import Pages

PAGES = Pages()
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
log = structlog.get_logger()


class MethodWrong(AidError):
    """这个地址不接受这种请求方法。"""

    status, kind, title = 405, "method-not-allowed", "方法不对"


class TooLarge(AidError):
    """文件太大。请拆成几份再上传。"""

    status, kind, title = 413, "too-large", "文件太大"


class Broken(AidError):
    """系统出了问题，已经记录。请稍后再试；如反复出现，请把编号 {incident} 告诉管理员。"""

    status, kind, title = 500, "internal", "系统错误"


BY_STATUS: dict[int, type[AidError]] = {
    kind.status: kind
    for kind in (Unauthenticated, Forbidden, Missing, MethodWrong, Conflict, TooLarge, Invalid, Unavailable)
}


def answer(request: Request, error: AidError) -> Response:
    """The error as the caller can read it: problem+json for the API, a page for a browser."""
    words, language = request.app.state.words, language_of(request)
    problem = error.problem(lambda message, params: say(words, language, message, params))
    headers = {"retry-after": str(error.params.get("seconds", 2))} if error.status in (429, 503) else {}
    if request.url.path.startswith("/api/"):
        headers |= {"content-language": language, "vary": "accept-language, cookie"}
        return JSONResponse(problem, error.status, headers, media_type="application/problem+json")
    if error.status == 401 and request.method == "GET":
        return RedirectResponse(f"/accounts/login?next={request.url.path}", 303)
    return PAGES.render(request, "problem.html", error.status, headers, problem=problem)


def _aid_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AidError)
    return answer(request, error)


def _bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(request, Invalid(faults=tuple(fault_of(e) for e in error.errors())))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException | HTTPException)
    return answer(request, BY_STATUS.get(error.status_code, Invalid)())


def _away(request: Request, error: Exception) -> Response:
    return answer(request, Unavailable())


def _broken(request: Request, error: Exception) -> Response:
    incident = request.headers.get("x-request-id", "")[:36] or f"{id(request):x}"
    log.error(
        "request.failed",
        route=getattr(request.scope.get("route"), "path", ""),
        incident=incident,
        exc_info=error,
    )
    return answer(request, Broken(incident=incident))


def install_frame(app: FastAPI) -> None:
    """Error handlers, security headers, the language switch and the health checks of one application."""
    app.add_exception_handler(AidError, _aid_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(StarletteHTTPException, _http_error)
    for kind in AWAY:
        if not issubclass(kind, ValueError):
            app.add_exception_handler(kind, _away)
    app.add_exception_handler(Exception, _broken)
    app.middleware("http")(_guard)
    app.add_api_route("/health/live", _live, include_in_schema=False)
    app.add_api_route("/health/ready", _ready, include_in_schema=False)
    app.add_api_route("/language/{language}", _switch_language, include_in_schema=False)
    app.add_api_route("/", _home, include_in_schema=False)
    app.include_router(docs.router)


async def _guard(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("cache-control", "no-store")
    return response


async def _live() -> dict[str, str]:
    return {"status": "alive"}


async def _ready(request: Request) -> dict[str, str]:
    async with request.app.state.db.transaction("nuanlian_service") as conn:
        await conn.fetchval("select 1")
    return {"status": "ready"}


async def _switch_language(request: Request, language: str) -> Response:
    back = urlsplit(request.headers.get("referer", "/"))
    here = back.netloc in ("", request.headers.get("host"))
    response = RedirectResponse(urlunsplit(("", "", back.path or "/", back.query, "")) if here else "/", 303)
    response.set_cookie(
        LANGUAGE_COOKIE, "en" if language == "en" else "zh-CN", max_age=31_536_000, samesite="lax"
    )
    return response


async def _home() -> Response:
    return RedirectResponse("/accounts/home", 303)
