"""What would turn a rank or a refusal, as sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from matching.model import Edge, Reason
from matching.turning import Bid, Turn, Turning
from services.matcher.schemas import ChangeShown, LiftShown, TurnShown
from shared.reasons import Words

MILLI = 1_000

CHANGES: dict[str, str] = {
    "distance": "从 {km} 公里以内的地方送出",
    "town": "就在{area}备货送出",
    "free": "剩余数量有 {units}",
    "ends": "须在 {date} 前用上",
    "designation": "捐方指定帮扶：{vulnerability}",
    "delivery": "改为送货上门",
    "urgency": "紧急程度是“{level}”",
    "due": "最迟日期是 {date}",
    "raised": "早 {days} 天提出（{date}）",
    "share": "{area}已满足的比例只有 {percent}%",
    "served": "服务范围包括{area}",
    "radius": "服务半径是 {km} 公里，而不是 {was_km} 公里",
    "until": "能提供到 {date}",
    "from": "{date} 起就能提供",
    "needed_by": "最迟日期可以到 {date}",
    "expires": "保质期到 {date} 或更晚",
    "held": "查明属于（任一）：{vulnerabilities}",
    "open": "捐方不再限定帮扶对象",
    "licence": "资源方有{licence}",
    "vetting": "服务者通过背景核查",
    "limit": "每户上限是 {units}",
    "decision": "协调员改变决定，人工建议这一配对",
}
"""Each change of `matching.turning`: what would be different."""


def bids_of(rows: Iterable[Any], offers: Mapping[str, Any], stability_points: int) -> dict[str, Bid]:
    """The scores to pass of the offers that are proposed to others whole. What waits on the board moves for a gain alone."""
    return {
        str(row["offer_id"]): Bid(row["beats"] + MILLI * stability_points, row["kin"])
        for row in rows
        if str(row["offer_id"]) in offers and row["units"] >= offers[str(row["offer_id"])]["quantity"]
    }


def firsts(turning: Turning, edges: tuple[Edge, ...], words: Words) -> dict[str, TurnShown]:
    """By offer, what would make it the first."""
    return {turn.offer_id: _turn(turn, edges[0].score, words) for turn in turning.first}


def aheads(turning: Turning, bids: Mapping[str, Bid], words: Words) -> dict[str, TurnShown]:
    """By offer, what would bring the need before one of those that it is proposed to."""
    return {turn.offer_id: _turn(turn, bids[turn.offer_id].beats, words) for turn in turning.ahead}


def lifts(turning: Turning, words: Words) -> Mapping[str, tuple[LiftShown, ...]]:
    """By offer, what would lift the rule that refuses it."""
    found: dict[str, tuple[LiftShown, ...]] = defaultdict(tuple)
    for lift in turning.lifts:
        then = words.rule(lift.then) if lift.then else ""
        found[lift.offer_id] += (LiftShown(**_said(lift.change, words), then=lift.then, then_sentence=then),)
    return found


def _turn(turn: Turn, beats: int, words: Words) -> TurnShown:
    changes = tuple(ChangeShown(**_said(change, words)) for change in turn.changes)
    return TurnShown(beats=beats, missing=turn.missing, changes=changes)


def _said(change: Reason, words: Words) -> dict[str, Any]:
    params = dict(change.params)
    return {"code": change.code, "params": params, "sentence": words.filled(CHANGES[change.code], params)}
