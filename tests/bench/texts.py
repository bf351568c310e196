"""How well free text is read: on invented texts that nothing was learned from and nothing was tuned on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn.metrics import f1_score

from matching.text import Reading
from tests.matching.judging import judged
from tests.matching.told import Told, aside, reading


async def measure() -> list[dict[str, Any]]:
    """Category, urgency, sure and wrong, and verdicts over pairs, each against its bar."""
    read = [(told, reading(told)) for told in aside()]
    needs = [(told.urgency, found.urgency) for told, found in read if told.side == "need"]
    sure = [(told, found) for told, found in read if found.sure]
    wrong = sum(found.category != told.category for told, found in sure) / max(1, len(sure))
    return [
        _figure("text-category", _first(read), 0.92, texts=len(read)),
        _figure("text-urgency", f1_score(*zip(*needs, strict=True), average="macro"), 0.80, texts=len(needs)),
        _figure("pairs", f1_score(*zip(*judged("aside"), strict=True)), 0.90, pairs=len(judged("aside"))),
        _figure("text-confidently-wrong", wrong, 0.02, at_most=True, confident=len(sure), texts=len(read)),
    ]


def _figure(name: str, value: float, bar: float, at_most: bool = False, **more: int) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 4),
        "unit": "share",
        "against": "held aside, invented",
        "ratio": round(value / bar, 3),
        "bar": bar,
        "met": value <= bar if at_most else value >= bar,
        **more,
    }


def _first(read: Iterable[tuple[Told, Reading]]) -> float:
    right = [bool(found.alternatives) and found.alternatives[0][0] == told.category for told, found in read]
    return sum(right) / len(right)
