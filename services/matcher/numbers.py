"""Which rows a person means by an id or a number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.db import Connection, queries

SQL = queries(Path(__file__).parent, "numbers.sql")


async def needs_called(conn: Connection, words: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """For each word that is an open need's id or case number, the ids meant."""
    return _by_word(await SQL.needs_called(conn, words=list(words)))


async def offers_called(conn: Connection, words: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """For each word that is an open offer's id or number, the ids meant."""
    return _by_word(await SQL.offers_called(conn, words=list(words)))


def _by_word(rows: Iterable[Any]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for word in (str(row["id"]), row["number"]):
            found[word].add(str(row["id"]))
    return {word: frozenset(ids) for word, ids in found.items()}
