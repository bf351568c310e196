"""How well free text is read: on invented texts that nothing was learned from and nothing was tuned on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

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
        _figure("text-urgency", macro_f1(needs), 0.80, texts=len(needs)),
        _figure("pairs", f1(judged("aside")), 0.90, pairs=len(judged("aside"))),
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


def macro_f1(pairs: Iterable[tuple[str, str]]) -> float:
    """The mean over the classes of the F1 of (true, read) pairs."""
    told = list(pairs)
    hit = Counter(true for true, said in told if true == said)
    true, said = Counter(t for t, _ in told), Counter(s for _, s in told)
    classes = true.keys() | said.keys()
    return sum(2 * hit[c] / (true[c] + said[c]) for c in classes) / len(classes)


def f1(pairs: Iterable[tuple[bool, bool]]) -> float:
    """The F1 of (true, said) verdicts, a match being what is looked for."""
    told = list(pairs)
    hit = sum(true and said for true, said in told)
    asked = sum(true for true, _ in told) + sum(said for _, said in told)
    return 2 * hit / asked if asked else 0.0
