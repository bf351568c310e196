"""How urgent a told need or offer is: by its words and dates, and by what labelled texts taught about such words."""

from collections.abc import Mapping
from datetime import date
from typing import get_args

import numpy as np

from matching.learned import Numbers
from matching.lexicon import CALM, CRITICAL, HIGH, LOW, URGENCY_OF
from matching.model import Urgency
from matching.numerals import dates

LEVELS: tuple[Urgency, ...] = get_args(Urgency)
SOON = 14
MARK, USUAL = 0.15, 0.5
DANGER = 1.5
"""A missed danger costs more than a false alarm: its probability counts this many times."""


def usual(category: str | None) -> Urgency:
    """How urgent a category is when the words do not say."""
    return URGENCY_OF.get(category or "", "normal")


def by_rules(said: str, category: str | None, today: date | None) -> Urgency:
    """The urgency of a need by the words of the lexicon alone."""
    low, critical, high, _, _, soon, _ = _hits(said, today)
    if low:
        return "low"
    if critical:
        return "critical"
    return "high" if high or soon else usual(category)


def of_offer(said: str, today: date | None) -> Urgency:
    """The urgency of an offer is that of its end: 14 days high, 60 normal, else low."""
    ends = [(day - today).days for day in dates(said, today)] if today else []
    left = max((days for days in ends if days >= 0), default=None)
    if left is None:
        return "low"
    return "high" if left <= SOON else "normal" if left <= 60 else "low"


def marks(said: str, chances: Mapping[str, float], today: date | None) -> Numbers:
    """What is learned from beside the signs: the lexicon's words, the dates, and how urgent the likely categories are."""
    levels = dict.fromkeys(LEVELS, 0.0)
    for code, chance in chances.items():
        levels[usual(code)] += chance
    hits = [MARK * hit for hit in _hits(said, today)]
    return np.array([*hits, *(USUAL * share for share in levels.values())], dtype=np.float32)


def likeliest(logarithms: Numbers) -> Urgency:
    """The level to take for the logarithms of the levels' probabilities."""
    weighed = logarithms + np.array([np.log(DANGER) if level == "critical" else 0.0 for level in LEVELS])
    return LEVELS[int(weighed.argmax())]


def _hits(said: str, today: date | None) -> tuple[bool, ...]:
    for word in CALM:
        said = said.replace(word, "")
    low, critical, high = (sum(word in said for word in words) for words in (LOW, CRITICAL, HIGH))
    left = [(day - today).days for day in dates(said, today)] if today else []
    soon, later = any(0 <= days <= SOON for days in left), any(days > SOON for days in left)
    return low > 0, critical > 0, high > 0, critical > 1, high > 1, soon, later
