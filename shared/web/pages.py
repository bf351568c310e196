"""Server-rendered pages: one frame, the words of the reader's language, labels for codes, times as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from shared import tables
from shared.access import Caller, language_of
from shared.bus import new_id
from shared.clock import LOCAL
from shared.i18n import Language, say
from shared.labels import LABELS

FRAME = Path(__file__).parent / "templates"

# Who sees which entry of the menu; the paths are the services' public addresses.
MENU = (
    ("今日工作", "/intake/", ("worker",)),
    ("登记需求", "/intake/visits/new", ("worker",)),
    ("户档案", "/intake/households", ("worker", "coordinator", "auditor")),
    ("需求", "/intake/needs", ("worker", "coordinator", "auditor")),
    ("我的资源", "/offers/", ("charity",)),
    ("资源台账", "/offers/", ("coordinator", "auditor")),
    ("对接审批", "/coordination/", ("coordinator", "auditor")),
    ("匹配轮次", "/matcher/", ("coordinator", "auditor")),
    ("派送", "/delivery/", ("worker", "charity", "coordinator", "auditor")),
    ("审计", "/audit/", ("coordinator", "auditor")),
    ("人员账号", "/accounts/people", ("admin",)),
)


class Pages:
    """The templates of one service on top of the frame's."""

    def __init__(self, folder: Path | None = None) -> None:
        folders = [folder / "templates"] if folder else []
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(path) for path in (*folders, FRAME)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """`template` with the frame's words and labels; a page with a token in a form is never cached."""
        words = self._environment.get_template(template).render(self._context(request) | context)
        return HTMLResponse(words, status, dict(headers or {}) | {"content-language": language_of(request)})

    def _context(self, request: Request) -> dict[str, Any]:
        language = language_of(request)
        messages: Mapping[str, str] = request.app.state.words
        caller: Caller | None = getattr(request.state, "caller", None)

        def translate(message: str, **params: object) -> str:
            return say(messages, language, message, params)

        def label(kind: str, code: str | None) -> str:
            return translate(LABELS[kind].get(code, code)) if code else ""

        return {
            "_": translate,
            "lang": language,
            "path": request.url.path,
            "caller": caller,
            "menu": [(label, path) for label, path, roles in MENU if caller and caller.has(*roles)],
            "new_key": lambda: str(new_id()),
            "label": label,
            "labels": LABELS,
            "area_name": lambda code: tables.area_label(code, language),
            "category_name": lambda code: tables.category_label(code, language),
            "unit": lambda code, quantity=2: tables.unit_label(code, language, quantity),
            "vulnerability_name": lambda code: tables.vulnerability_label(code, language),
            "when": lambda value: when(value, language),
            "day": lambda value: day(value, language),
        }


def when(value: datetime | None, language: Language) -> str:
    """A time in the office's zone: 2026年11月23日 14:05."""
    if value is None:
        return ""
    local = value.astimezone(LOCAL)
    return f"{day(local.date(), language)} {local:%H:%M}"


def day(value: date | datetime | None, language: Language) -> str:
    """A day in the office's zone: 2026年11月23日, or 23 Nov 2026."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(LOCAL).date()
    return f"{value.day} {value:%b %Y}" if language == "en" else f"{value.year}年{value.month}月{value.day}日"
