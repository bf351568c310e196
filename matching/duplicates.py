"""Needs that are probably told twice. Values in, pairs out; a person decides."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

from matching.text import Signs

Why = Literal["same_household", "same_words", "same_household_same_words"]


@dataclass(frozen=True, slots=True)
class Told:
    """A need as it was told. `beneficiary` is empty where no household stands behind it; `category` where nobody knows yet."""

    id: str
    beneficiary: str
    area: str
    category: str
    quantity: int | None
    text: str
    day: date


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two needs that are probably one, the smaller id first; `score` is 0 to 1, `likeness` that of their words."""

    one: str
    other: str
    score: float
    why: Why
    likeness: float


def duplicates(
    needs: Iterable[Told],
    *,
    within_days: int = 28,
    near_identical: float = 0.8,
    least: float = 0.6,
    of: str | None = None,
) -> list[Duplicate]:
    """The probable duplicates, the surest first; `of` one need alone where it is named.

    Of one household: the same category within `within_days`. Of one area: words that are `near_identical`, be it filed
    for nobody or for two households. Different amounts make a pair less sure. Pairs under `least` are left out.
    """
    told = list(needs)
    pairs = {
        (a.id, b.id): (a, b)
        for a, b in _neighbours(told)
        if abs((a.day - b.day).days) <= within_days and of in (None, a.id, b.id)
    }
    words = {need.id: Signs.of(need.text) for need in told}
    found = [_judged(a, b, words, near_identical) for a, b in pairs.values()]
    return sorted(
        (d for d in found if d is not None and d.score >= least), key=lambda d: (-d.score, d.one, d.other)
    )


def _neighbours(needs: Sequence[Told]) -> Iterator[tuple[Told, Told]]:
    # Only needs of one household or of one area and category are compared: all with all would not end.
    groups: dict[tuple[str, ...], list[Told]] = defaultdict(list)
    for need in sorted(needs, key=lambda n: n.id):
        groups["area", need.area, need.category].append(need)
        if need.beneficiary:
            groups["household", need.beneficiary].append(need)
    for group in groups.values():
        yield from combinations(group, 2)


def _judged(one: Told, other: Told, words: Mapping[str, Signs], near_identical: float) -> Duplicate | None:
    likeness = round(words[one.id].likeness(words[other.id]), 6)
    together = bool(one.beneficiary) and one.beneficiary == other.beneficiary
    alike = likeness >= near_identical
    if together and alike:
        why: Why = "same_household_same_words"
    elif together and one.category and one.category == other.category:
        why = "same_household"
    elif alike and one.area == other.area:
        why = "same_words"
    else:
        return None
    return Duplicate(one.id, other.id, _score(one, other, why, likeness), why, likeness)


def _score(one: Told, other: Told, why: Why, likeness: float) -> float:
    base = {"same_household_same_words": 0.9, "same_household": 0.7, "same_words": 0.6}[why]
    amounts = {one.quantity, other.quantity} - {None}
    differ = 0.1 if len(amounts) == 2 else 0.0
    strangers = 0.1 if one.beneficiary and other.beneficiary and one.beneficiary != other.beneficiary else 0.0
    return round(min(1.0, max(0.0, base + 0.2 * likeness - differ - strangers)), 3)
