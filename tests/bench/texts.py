"""How well free text is read: on invented texts that nothing was learned from and nothing was tuned on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sklearn.metrics import f1_score

from matching.text import Reading
from tests.matching.judging import judged
from tests.matching.told import Told, aside, reading, unseen

Read = Sequence[tuple[Told, Reading]]


async def measure() -> list[dict[str, Any]]:
    """Category, urgency, sure and wrong, and verdicts over pairs, each against its bar; the earlier texts have none."""
    pairs = judged("aside")
    return [
        *_figures(unseen(), ""),
        _figure("pairs", f1_score(*zip(*pairs, strict=True)), 0.90, pairs=len(pairs)),
        *({**figure, "bar": None, "met": None, "ratio": None} for figure in _figures(aside(), "-earlier")),
    ]


def _figures(texts: Iterable[Told], suffix: str) -> list[dict[str, Any]]:
    read = [(told, reading(told)) for told in texts]
    needs = [(told.urgency, found.urgency) for told, found in read if told.side == "need"]
    sure = [(told, found) for told, found in read if found.sure]
    wrong = sum(found.category != told.category for told, found in sure) / max(1, len(sure))
    urgency = f1_score(*zip(*needs, strict=True), average="macro")
    critical = [said == "critical" for true, said in needs if true == "critical"]
    return [
        _figure("text-category" + suffix, _first(read), 0.92, texts=len(read)),
        _figure(
            "text-urgency" + suffix,
            urgency,
            0.80,
            texts=len(needs),
            dangers=len(critical),
            seen=sum(critical),
        ),
        _figure(
            "text-confidently-wrong" + suffix, wrong, 0.02, at_most=True, confident=len(sure), texts=len(read)
        ),
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


def _first(read: Read) -> float:
    right = [bool(found.alternatives) and found.alternatives[0][0] == told.category for told, found in read]
    return sum(right) / len(right)
