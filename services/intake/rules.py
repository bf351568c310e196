"""Decisions of intake that need no database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

Status = Literal["noted", "open", "partly_met", "met", "received", "closed", "withdrawn"]
ADULT = 18
CONSENT_PURPOSE = "matching"
CONSENT_TEXT = "2026-01"

# Categories of persons who are children whatever their birth date says or does not say.
CHILD_CODES = frozenset({"ORPHAN", "FACT_ORPHAN", "DIFFCHILD", "LEFTCHILD", "MIGCHILD", "MINOR_RISK"})


def eighteenth_birthday(born: date | None) -> date | None:
    """The day a person stops being a minor (民法典 art. 17); for 29 February, 1 March."""
    if born is None:
        return None
    try:
        return born.replace(year=born.year + ADULT)
    except ValueError:
        return date(born.year + ADULT, 3, 1)


def concerns_minor(minor_by_birth: bool, vulnerabilities: Iterable[str]) -> bool:
    """Whether a child lives in the household: by a member's birth date or by a category."""
    return minor_by_birth or not CHILD_CODES.isdisjoint(vulnerabilities)


def union(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes of a household and its members, each once, in a fixed order."""
    return tuple(sorted(set(codes)))


def closes(outcome: str, raised: bool) -> bool:
    """Whether a need that was received and asked after is over: it helped, or a visit raised the next need."""
    return outcome == "helped" or raised


def too_young(born: date | None, today: date) -> bool:
    """Whether a guardian has to agree for this person: under 14 (个人信息保护法 art. 31)."""
    return (
        born is not None
        and (today.year - born.year - ((today.month, today.day) < (born.month, born.day))) < 14
    )


def next_steps(status: Status) -> tuple[str, ...]:
    """What a worker may still do with a need."""
    match status:
        case "noted":
            return ("confirm", "withdraw")
        case "open" | "partly_met" | "met":
            return ("change", "withdraw")
        case "received":
            return ("follow_up", "close")
        case "closed" | "withdrawn":
            return ()
