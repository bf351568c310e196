"""What can go wrong for a caller, as RFC 9457 problems that say what to do next."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic_core import ErrorDetails

Say = Callable[[str, Mapping[str, object] | None], str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field: where it stands, the rule it breaks, and a sentence (Chinese, with `params`) that says how to mend it."""

    field: str
    rule: str
    message: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def render(self, say: Say) -> dict[str, Any]:
        return {"field": self.field, "rule": self.rule, "message": say(self.message, self.params)}


class AidError(Exception):
    """A request that can't be done. The class docstring is its default message; `status` its HTTP status."""

    status: ClassVar[int] = 400
    kind: ClassVar[str] = "error"
    title: ClassVar[str] = "请求未能完成"

    def __init__(self, message: str = "", *, faults: tuple[Fault, ...] = (), **params: Any) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.faults = faults
        self.params = params
        super().__init__(self.message)

    def problem(self, say: Say) -> dict[str, Any]:
        """The problem+json object in the caller's language; `params` stand beside the sentence for machines."""
        body: dict[str, Any] = {
            "type": f"urn:nuanlian:problem:{self.kind}",
            "title": say(self.title, None),
            "status": self.status,
            "detail": say(self.message, self.params),
        }
        if self.faults:
            body["errors"] = [fault.render(say) for fault in self.faults]
        return body | {key: value for key, value in self.params.items() if key not in body}


class Invalid(AidError):
    """有内容需要更正，请按每一项的说明修改后再提交。"""

    status, kind, title = 422, "invalid", "内容有误"


class Missing(AidError):
    """找不到这条记录，或者您无权查看。请核对编号。"""

    status, kind, title = 404, "not-found", "未找到"


class Unauthenticated(AidError):
    """请先登录。"""

    status, kind, title = 401, "unauthenticated", "需要登录"


class Forbidden(AidError):
    """您的角色不能做这件事。如确有需要，请联系管理员。"""

    status, kind, title = 403, "forbidden", "没有权限"


class Conflict(AidError):
    """这条记录刚刚被别人改过，请刷新后再试。"""

    status, kind, title = 409, "conflict", "状态冲突"


class Unavailable(AidError):
    """系统暂时无法保存，请稍后再试；您的内容没有写入一半。"""

    status, kind, title = 503, "unavailable", "暂时不可用"


class TooMany(AidError):
    """尝试次数过多，请在 {seconds} 秒后再试。"""

    status, kind, title = 429, "too-many", "请稍候"


RULES = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段，请删去或核对拼写",
    "int_type": "请填整数",
    "int_parsing": "请填整数",
    "int_from_float": "请填整数，不能有小数",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "必须小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "string_too_short": "至少 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_type": "请填文字",
    "string_pattern_mismatch": "格式不对",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "literal_error": "只能是 {expected} 之一",
    "enum": "只能是 {expected} 之一",
    "bool_parsing": "请填是或否",
    "bool_type": "请填是或否",
    "uuid_parsing": "不是有效的编号",
    "uuid_type": "不是有效的编号",
    "timezone_aware": "时间必须带时区，例如 2026-01-31T09:30:00+08:00",
    "datetime_parsing": "不是有效的时间，例如 2026-01-31T09:30:00+08:00",
    "datetime_from_date_parsing": "不是有效的时间，例如 2026-01-31T09:30:00+08:00",
    "datetime_type": "不是有效的时间，例如 2026-01-31T09:30:00+08:00",
    "date_parsing": "不是有效的日期，例如 2026-01-31",
    "date_from_datetime_parsing": "不是有效的日期，例如 2026-01-31",
    "date_type": "不是有效的日期，例如 2026-01-31",
    "json_invalid": "不是有效的 JSON",
    "model_attributes_type": "请填一个对象",
    "dict_type": "请填一个对象",
    "list_type": "请填一个列表",
    "tuple_type": "请填一个列表",
}


def fault_of(error: ErrorDetails) -> Fault:
    """A pydantic error as a fault. A `ValueError` raised by one of our validators says its own sentence."""
    where = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path"))
    rule, context = error["type"], dict(error.get("ctx") or {})
    if rule == "value_error":
        raised = context.get("error")
        if isinstance(raised, RuleBroken):
            return Fault(raised.field or where, raised.rule, raised.message, raised.params)
        return Fault(where, rule, "内容不符合要求")
    return Fault(where, rule, RULES.get(rule, "内容不符合要求"), context)


class RuleBroken(ValueError):
    """Raised inside a pydantic validator: a named rule with its own sentence."""

    def __init__(self, rule: str, message: str, *, field: str = "", **params: object) -> None:
        super().__init__(message)
        self.rule, self.message, self.field, self.params = rule, message, field, params
