"""What the words of a need suggest. The words stay inside intake: only a code and numbers leave this module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from matching.text import Terms, carried, read
from shared import tables
from shared.clock import today
from shared.events import Urgency


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A reading of a need's words. No category when the words do not tell; `alternatives` are what they may mean, the likeliest first.

    `confident`: the reader is sure of one thing and of one thing only; words that ask for several are for a person to part.
    """

    category: str | None = None
    quantity: int | None = None
    urgency: Urgency | None = None
    confidence_milli: int = 0
    confident: bool = False
    alternatives: tuple[tuple[str, float], ...] = ()


@cache
def terms() -> tuple[Terms, ...]:
    """The words of every category, as the reader takes them."""
    return tuple(
        Terms(code=c.code, synonyms=(c.zh, *c.synonyms), phrases=c.phrases, unit=c.unit_zh)
        for c in tables.categories().values()
    )


def read_need(text: str) -> Suggestion:
    """What the words ask for, never without a mark of how sure the reader is."""
    found = read(text, terms(), today=today(), learned=carried())
    quantity = found.quantity if found.quantity and found.quantity <= 10_000_000 else None
    return Suggestion(
        found.category,
        quantity,
        found.urgency,
        round(found.confidence * 1000),
        found.sure and not found.also,
        found.alternatives,
    )
