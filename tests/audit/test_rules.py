"""The chain: whatever is done to it shows at the right place. Follow-ups: who comes back by when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.audit.rules import (
    Break,
    FollowUpTimes,
    Link,
    Place,
    area_of,
    canonical,
    export_line,
    extend,
    follow,
    follow_up_id,
    follow_ups,
    ids_in,
    verify_export,
)
from shared.events import Envelope

NOW = datetime(2026, 3, 1, 8, 0, 0, 120, tzinfo=UTC)
TIMES = FollowUpTimes({"critical": 3, "high": 7, "normal": 14, "low": 30}, 1, 30)
CONTENTS = st.lists(st.text(max_size=20), min_size=1, max_size=12)


def chain(contents: list[str]) -> list[Link]:
    return list(extend(Place(), contents))


def check(links: list[Link]) -> Place | Break:
    return follow([(link.seq, link.prev_hash, link.hash, link.content) for link in links], Place())


@given(CONTENTS)
def test_an_honest_chain_holds_to_its_end(contents: list[str]) -> None:
    links = chain(contents)
    assert check(links) == Place(len(links), links[-1].hash)


@given(CONTENTS, st.integers(0, 11))
def test_a_chain_may_be_checked_in_pieces(contents: list[str], cut: int) -> None:
    links = chain(contents)
    rows = [(link.seq, link.prev_hash, link.hash, link.content) for link in links]
    middle = follow(rows[:cut], Place())
    assert isinstance(middle, Place)
    assert follow(rows[cut:], middle) == check(links)


@given(CONTENTS, st.data())
def test_an_edit_shows_where_it_was_made(contents: list[str], data: st.DataObject) -> None:
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 1))
    other = data.draw(st.text(max_size=20))
    assume(other != links[at].content)
    links[at] = replace(links[at], content=other)
    assert check(links) == Break(at + 1, "hash")


@given(CONTENTS, st.data())
def test_an_edit_with_its_hash_recomputed_shows_at_the_next(contents: list[str], data: st.DataObject) -> None:
    assume(len(contents) > 1)
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 2))
    other = data.draw(st.text(max_size=20))
    assume(other != links[at].content)
    links[at] = next(extend(Place(at, links[at].prev_hash), [other]))
    assert check(links) == Break(at + 2, "link")


@given(CONTENTS, st.data())
def test_a_removed_entry_leaves_a_gap(contents: list[str], data: st.DataObject) -> None:
    assume(len(contents) > 1)
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 2))
    del links[at]
    assert check(links) == Break(at + 1, "gap")


@given(CONTENTS, st.data())
def test_a_removed_entry_shows_even_when_renumbered(contents: list[str], data: st.DataObject) -> None:
    assume(len(contents) > 1)
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 2))
    del links[at]
    assert check([replace(link, seq=n) for n, link in enumerate(links, 1)]) == Break(at + 1, "link")


@given(CONTENTS, st.data())
def test_swapped_entries_show_at_the_first(contents: list[str], data: st.DataObject) -> None:
    assume(len(contents) > 1)
    links = chain(contents)
    one, two = sorted(
        data.draw(st.lists(st.integers(0, len(links) - 1), min_size=2, max_size=2, unique=True))
    )
    links[one], links[two] = replace(links[two], seq=one + 1), replace(links[one], seq=two + 1)
    assert check(links) == Break(one + 1, "link")


@given(CONTENTS, st.text(max_size=20), st.data())
def test_an_inserted_entry_shows(contents: list[str], forged: str, data: st.DataObject) -> None:
    links = chain(contents)
    at = data.draw(st.integers(0, len(links) - 1))
    before = links[at].prev_hash
    links[at:at] = list(extend(Place(at, before), [forged]))
    renumbered = [replace(link, seq=n) for n, link in enumerate(links, 1)]
    assert check(renumbered) == Break(at + 2, "link")


@given(CONTENTS)
def test_an_export_is_checked_without_a_database(contents: list[str]) -> None:
    links = chain(contents)
    lines = [export_line(link) for link in links]
    assert verify_export(lines) == Place(len(links), links[-1].hash)
    edited = json.loads(lines[0]) | {"content": links[0].content + "!"}
    assert verify_export([json.dumps(edited), *lines[1:]]) == Break(1, "hash")


def test_the_canonical_text_is_fixed() -> None:
    """Ledgers of years hang on this text: a change of it breaks them all."""
    envelope = Envelope(
        id=UUID(int=1),
        source="/nuanlian/intake",
        type="need.withdrawn.v1",
        time=NOW.astimezone(),
        subject=str(UUID(int=2)),
        correlationid=UUID(int=3),
        causationid=None,
        aggregateversion=2,
        data={"reason": "已解决", "need_id": str(UUID(int=2)), "gap": 0.5},
    )
    assert canonical(envelope) == (
        '{"aggregateversion":2,"causationid":null,"correlationid":"00000000-0000-0000-0000-000000000003",'
        '"data":{"gap":0.5,"need_id":"00000000-0000-0000-0000-000000000002","reason":"已解决"},'
        '"datacontenttype":"application/json","id":"00000000-0000-0000-0000-000000000001","source":"/nuanlian/intake",'
        '"specversion":"1.0","subject":"00000000-0000-0000-0000-000000000002","time":"2026-03-01T08:00:00.000120Z",'
        '"type":"need.withdrawn.v1"}'
    )


def test_an_event_is_about_its_own_ids_and_not_about_nested_ones() -> None:
    one, two, three, four = (str(UUID(int=n)) for n in range(1, 5))
    data = {
        "need_id": one,
        "need_ids": [two, one],
        "raised_by": three,
        "round_id": None,
        "case_number": "YF-1",
        "needed_by": "2026-03-01T08:00:00Z",
        "alternatives": [{"offer_id": four}],
    }
    assert ids_in(data) == (UUID(one), UUID(two), UUID(three))


@pytest.mark.parametrize(
    ("data", "area"),
    [
        ({"area": "445381100000"}, "445381100000"),
        ({"origin_area": "445300000000"}, "445300000000"),
        ({"needs": 3}, None),
    ],
)
def test_the_area_of_an_event(data: dict[str, object], area: str | None) -> None:
    assert area_of(data) == area


@pytest.mark.parametrize(("urgency", "days"), [("critical", 3), ("high", 7), ("normal", 14), ("low", 30)])
def test_a_follow_up_is_due_by_urgency(urgency: str, days: int) -> None:
    assert follow_ups(TIMES, False, urgency, NOW) == (("outcome", NOW + timedelta(days=days)),)


def test_work_on_a_home_is_looked_at_the_next_day_and_after_a_month() -> None:
    expected = (("safety", NOW + timedelta(days=1)), ("outcome", NOW + timedelta(days=30)))
    assert follow_ups(TIMES, True, "critical", NOW) == expected
    assert follow_ups(TIMES, False, "high", NOW) == (("outcome", NOW + timedelta(days=7)),)


def test_a_follow_up_has_one_id_for_its_delivery_and_kind() -> None:
    delivery = UUID(int=7)
    assert (
        follow_up_id(delivery, "safety")
        == follow_up_id(delivery, "safety")
        != follow_up_id(delivery, "outcome")
    )
