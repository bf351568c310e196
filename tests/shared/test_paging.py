"""Cursors say where a page ended, and nothing else passes for one."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.paging import next_cursor, read_cursor, write_cursor

ID = UUID("018f0000-0000-7000-8000-000000000001")
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
ZONES = st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime.min.replace(year=1901), datetime.min.replace(year=8999), timezones=ZONES)


@given(TEXTS, st.uuids())
def test_a_text_and_an_id_come_back(text: str, known: UUID) -> None:
    cursor = write_cursor(text, known)
    assert read_cursor(cursor, str, UUID) == (text, known)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.integers(-(2**63), 2**63 - 1), TIMES)
def test_a_number_and_a_time_come_back(number: int, time: datetime) -> None:
    assert read_cursor(write_cursor(number), int) == (number,)
    assert read_cursor(write_cursor(time, number), datetime, int) == (time, number)


@pytest.mark.parametrize("cursor", [None, ""])
def test_no_cursor_is_the_first_page(cursor: str | None) -> None:
    assert read_cursor(cursor, int) is None


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    ("cursor", "kind"),
    [
        ("nonsense", int),
        ("!!", str),
        ("é", str),
        (write_cursor("a", "b"), str),
        (write_cursor("a\x00"), str),
        (write_cursor("five"), int),
        (write_cursor(2**63), int),
        (write_cursor("018f"), UUID),
        (write_cursor("2026-01-01T00:00:00"), datetime),
        (write_cursor("0001-01-01T00:00:00+14:00"), datetime),
        (write_cursor("9999-12-31T23:59:59-14:00"), datetime),
        (encoded(b'["\\ud800"]'), str),
        (encoded(b"[" * 100_000), str),
        (encoded(b'{"0":"a"}'), str),
    ],
)
def test_what_no_page_ended_with_is_refused(cursor: str, kind: type[Any]) -> None:
    with pytest.raises(Invalid) as caught:
        read_cursor(cursor, kind)
    assert [(fault.field, fault.rule) for fault in caught.value.faults] == [("cursor", "cursor")]


def test_a_next_page_is_named_only_when_there_is_one() -> None:
    rows = [{"id": ID, "at": datetime(2026, 1, n, tzinfo=UTC)} for n in (1, 2, 3)]
    assert next_cursor(rows, 3, "at", "id") is None
    assert read_cursor(next_cursor(rows, 2, "at", "id"), datetime, UUID) == (rows[1]["at"], ID)
