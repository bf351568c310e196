"""What FastAPI does not say by itself in the OpenAPI document: problems, keys for creation, and how to sign in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.types import Receive, Scope, Send

from shared.access import COOKIE
from shared.errors import Fault, Invalid
from shared.web.frame import TooLarge, answer

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details; title, detail and messages are in the caller's language (Accept-Language: zh-CN or en).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "rule", "message")},
            },
        },
    },
}
NUL = b"%00"
NO_NUL = Fault("query", "control_character", "格式不对")
USUAL = {
    401: "Not signed in",
    403: "Not this role's to do, or not in the caller's areas",
    404: "Missing, or not visible to the caller",
    422: "Something has to be corrected",
}
NEEDS_KEY = "x-needs-key"
CREATES: dict[str, Any] = {NEEDS_KEY: True}
"""`openapi_extra=CREATES` on a route that answers through `Call.create`."""
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 200},
    "description": "A new value for each new thing; the same value on a retry gives the first answer again, another body is 422.",
}
SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token from POST /api/accounts/v1/me/tokens",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}


def problems(more: Mapping[int, str] | None = None) -> dict[int | str, dict[str, Any]]:
    """`APIRouter(responses=problems({409: "…"}))`: the answers that are problems, with what a service says of its own."""
    return {
        status: {"description": said, **_problem_content()}
        for status, said in sorted((USUAL | dict(more or {})).items())
    }


class App(FastAPI):
    """FastAPI with a document that says how to sign in, what problems look like and where a key is needed, and with a size limit."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what says that it is too large before anything reads it; what grows too large unsaid is FastAPI's to stop."""
        if scope["type"] == "http":
            request = Request({**scope, "app": self})
            length = request.headers.get("content-length", "0")
            if length.isdigit() and int(length) > self.state.settings.max_body_bytes:
                await answer(request, TooLarge())(scope, receive, send)
                return
            if NUL in scope["query_string"] or NUL in scope["raw_path"]:
                await answer(request, Invalid(faults=(NO_NUL,)))(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The document, built when first asked for."""
        if not self.openapi_schema:
            self.openapi_schema = _whole(
                get_openapi(title=self.title, version=self.version, routes=self.routes)
            )
        return self.openapi_schema


def _whole(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = SECURITY
    document["security"] = [{name: []} for name in SECURITY]
    for path in document["paths"].values():
        for method, operation in path.items():
            _complete(method, operation)
    return document


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses["default"] = {"description": "What went wrong and what to do", **_problem_content()}
    if "422" in responses:
        responses["422"] = {"description": "What has to be corrected, field by field", **_problem_content()}
    if method == "post":
        operation.setdefault("parameters", []).append(KEY | {"required": operation.pop(NEEDS_KEY, False)})


def _problem_content() -> dict[str, Any]:
    return {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
