"""Verdicts over invented pairs of texts: `tuned` ones that the words were found with, and others held aside."""

from datetime import date
from functools import cache

from matching.model import Category
from matching.pairs import Verdict, World, verdict
from matching.text import carried
from shared import tables
from tests.matching.told import rows, terms

TODAY = date(2024, 8, 20)


@cache
def world() -> World:
    """The project's own tables, as verdicts take them."""
    catalogue = {
        c.code: Category(
            c.code, c.group, c.kind, c.consumable, c.licence, c.safety_class, c.shelf_margin_days, c.accepts, c.incompatible
        )
        for c in tables.categories().values()
    }  # fmt: skip
    places: dict[str, tuple[str, ...]] = {}
    for area in tables.areas().values():
        for name in (area.zh, *area.aliases):
            places[name] = (*places.get(name, ()), area.code)
    return World(terms(), catalogue, TODAY, places, carried())


@cache
def verdicts(part: str) -> tuple[tuple[str, bool, str, Verdict], ...]:
    """Per pair: its id, whether it is a match and why, and the verdict."""
    told = (
        rows("pairs.jsonl") if part == "first" else [r for r in rows("pairs_told.jsonl") if r["part"] == part]
    )
    return tuple(
        (r["id"], r["match"], r["reason_code"], verdict(r["need_text"], r["offer_text"], world()))
        for r in told
    )


def judged(part: str) -> list[tuple[bool, bool]]:
    """(true, said) of every pair."""
    return [(true, said.match) for _, true, _, said in verdicts(part)]
