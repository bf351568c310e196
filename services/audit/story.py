"""A ledger entry as a sentence: who, by role, did what. The words are Chinese, the English stands in en.po."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# For each type of event the role that acts ('' when the system does) and the sentence.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "household.registered.v1": ("worker", "登记了一户，{members} 人"),
    "household.changed.v1": ("worker", "更新了户信息，{members} 人"),
    "consent.given.v1": ("worker", "记录了同意：需求可以告知捐赠方"),
    "consent.withdrawn.v1": ("worker", "记录了撤回同意"),
    "visit.recorded.v1": ("worker", "走访，记下 {count} 项需求"),
    "need.noted.v1": ("worker", "记下一项需求，类别待确认"),
    "need.raised.v1": ("worker", "提出需求：{category} {quantity}{unit}，{urgency}"),
    "need.changed.v1": ("worker", "更改需求：{category} {quantity}{unit}，{urgency}"),
    "need.withdrawn.v1": ("worker", "撤回需求：{reason}"),
    "need.closed.v1": ("worker", "结案：东西已收到，回访良好"),
    "followup.answered.v1": ("worker", "完成回访：{outcome}"),
    "charity.registered.v1": ("charity", "登记机构：{name}"),
    "offer.registered.v1": ("charity", "登记资源：{category} {quantity}{unit}"),
    "offer.changed.v1": ("charity", "更改资源：{category} {quantity}{unit}"),
    "offer.withdrawn.v1": ("charity", "撤回资源：{reason}"),
    "proposal.made.v1": ("", "提出匹配建议：数量 {quantity}，{points} 分"),
    "proposal.superseded.v1": ("", "匹配建议有更新"),
    "round.completed.v1": ("", "完成一轮匹配：{needs} 项需求，{offers} 项资源，建议 {proposed} 项"),
    "model.promoted.v1": ("coordinator", "启用第 {number} 号学习模型来排序"),
    "rules.restored.v1": ("coordinator", "停用第 {number} 号学习模型，恢复按规则排序"),
    "proposal.approved.v1": ("coordinator", "批准：{category} {quantity}{unit}"),
    "proposal.declined.v1": ("coordinator", "谢绝建议：{reason}"),
    "commitment.released.v1": ("", "退回未送成的数量：{quantity}"),
    "delivery.scheduled.v1": ("charity", "安排派送：{quantity}"),
    "delivery.dispatched.v1": ("charity", "已发出"),
    "delivery.delivered.v1": ("charity", "已送达，等待签收"),
    "delivery.failed.v1": ("charity", "未送成：{reason}"),
    "delivery.received.v1": ("worker", "签收：{category} 收到 {received}{unit}，少 {short}{unit}"),
    "followup.due.v1": ("", "安排{kind}，期限 {due}"),
    "followup.overdue.v1": ("", "回访逾期，期限 {due}"),
}
UNKNOWN = "发生事件 {type}"
# Which list of labels a reason's code is looked up in.
REASONS = {
    "need.withdrawn.v1": "withdraw_reason",
    "offer.withdrawn.v1": "withdraw_reason",
    "proposal.declined.v1": "decline_reason",
    "delivery.failed.v1": "fail_reason",
}

Words = Mapping[str, Callable[..., str]]


def sentence(kind: str, data: Mapping[str, Any], words: Words) -> tuple[str, str, dict[str, object]]:
    """The acting role ('' for the system), the message and its parameters.

    `words` turn codes into the reader's words: label(kind, code), category(code), unit(code), moment(text).
    """
    if kind not in SENTENCES:
        return "", UNKNOWN, {"type": kind}
    role, message = SENTENCES[kind]
    if kind == "proposal.made.v1" and data.get("proposed_by"):
        role = "coordinator"
    return role, message, dict(data) | _readable(kind, data, words)


def _readable(kind: str, data: Mapping[str, Any], words: Words) -> dict[str, object]:
    params: dict[str, object] = {
        "count": len(data.get("need_ids", ())),
        "points": data.get("score", 0) / 1000,
    }
    if "category" in data:
        params |= {"category": words["category"](data["category"]), "unit": words["unit"](data["category"])}
    if kind in REASONS:
        params["reason"] = words["label"](REASONS[kind], data["reason"])
    for field in ("urgency", "outcome"):
        if field in data:
            params[field] = words["label"](field, data[field])
    if "due_at" in data:
        params["due"] = words["moment"](data["due_at"])
        params["kind"] = words["label"]("follow_up_kind", data.get("kind", ""))
    return params
