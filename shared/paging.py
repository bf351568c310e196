"""Keyset pages: a list answers {"items": [...], "next": cursor or null}, and the cursor says where the next page begins."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar, overload
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from shared.errors import Fault, Invalid

Item = TypeVar("Item")
A = TypeVar("A", str, int, UUID, datetime)
B = TypeVar("B", str, int, UUID, datetime)
SAID = TypeAdapter(tuple[str, ...])
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
# Each within what PostgreSQL can hold: a cursor that somebody made up must not fail there.
KINDS: Mapping[type[Any], TypeAdapter[Any]] = {
    str: TypeAdapter(Annotated[str, Field(pattern=r"^[^\x00]*$")]),
    int: TypeAdapter(Annotated[int, Field(ge=-(2**63), lt=2**63)]),
    UUID: TypeAdapter(UUID),
    datetime: TypeAdapter(Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]),
}


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is the cursor of the following one, null at the end."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    items: tuple[Item, ...]
    next: str | None


def write_cursor(*parts: str | int | UUID | datetime) -> str:
    """Where a page ends, as an opaque text that may stand in an address as it is."""
    said = SAID.dump_json(
        tuple(part.astimezone(UTC).isoformat() if isinstance(part, datetime) else str(part) for part in parts)
    )
    return base64.urlsafe_b64encode(said).decode().rstrip("=")


@overload
def read_cursor(cursor: str | None, first: type[A], /) -> tuple[A] | None: ...
@overload
def read_cursor(cursor: str | None, first: type[A], second: type[B], /) -> tuple[A, B] | None: ...
def read_cursor(cursor: str | None, /, *kinds: type[Any]) -> tuple[Any, ...] | None:
    """The parts of a cursor, of these kinds; None for the first page. Raises `Invalid` for anything that no page ended with."""
    if not cursor:
        return None
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        said = zip(kinds, SAID.validate_json(content), strict=True)
        return tuple(KINDS[kind].validate_strings(text) for kind, text in said)
    except ValueError as error:
        raise Invalid(faults=(Fault("cursor", "cursor", "翻页位置无效，请从第一页重新开始。"),)) from error


def next_cursor(rows: Sequence[Mapping[str, Any]], limit: int, *columns: str) -> str | None:
    """The cursor of the next page, made of the columns that the list is ordered by; None when no more than `limit` rows were found."""
    return write_cursor(*(rows[limit - 1][name] for name in columns)) if len(rows) > limit else None
