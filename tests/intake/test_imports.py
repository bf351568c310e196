"""Whole workbooks: look, write all, or write what is right; twice is once."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.import_households import _groups
from services.intake.imports import forget_refused, run_import
from services.intake.layouts import HOUSEHOLDS, NEEDS
from shared import sheets
from shared.access import NOBODY
from shared.events import (
    ConsentWithdrawn,
    HouseholdChanged,
    HouseholdRegistered,
    NeedNoted,
    NeedRaised,
    VisitRecorded,
)
from shared.pii import Keyring
from shared.sheets import Row
from tests.house import House
from tests.intake.invented import (
    API,
    LUOJING,
    NOW,
    TOWN_B,
    household_rows,
    households_file,
    need_rows,
    needs_file,
    upload,
)


def _counts(answer: Any) -> tuple[int, int, int, int]:
    body = answer.json()
    return body["rows"], body["written"], body["unchanged"], body["refused"]


async def _count(house: House, table: str) -> int:
    count: int = await house.db.pool.fetchval(f"select count(*) from intake.{table}")
    return count


async def test_a_preview_writes_nothing(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    answer = await upload(worker, "households", households_file(household_rows(3)), "preview")
    assert _counts(answer) == (6, 0, 0, 0) and answer.json()["added"] == 6
    assert answer.json()["run_id"] is None
    assert await _count(house, "household") == await _count(house, "import_run") == 0


async def test_the_same_files_twice_change_nothing(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    files = [("households", households_file(household_rows(2))), ("needs", needs_file(need_rows(8)))]
    first = [_counts(await upload(worker, kind, content, "whole")) for kind, content in files]
    assert first == [(4, 4, 0, 0), (8, 8, 0, 0)]
    assert len(await house.events(HouseholdRegistered)) == 2
    assert len(await house.events(VisitRecorded)) == 2  # one a household and day
    assert (len(await house.events(NeedRaised)), len(await house.events(NeedNoted))) == (6, 2)
    before = await house.db.pool.fetchval("select count(*) from bus.event")
    second = [_counts(await upload(worker, kind, content, "whole")) for kind, content in files]
    assert second == [(4, 0, 4, 0), (8, 0, 8, 0)]
    assert await house.db.pool.fetchval("select count(*) from bus.event") == before
    visits = await house.events(VisitRecorded)
    assert sum(len(visit.data["need_ids"]) for visit in visits) == 8


async def test_one_file_twice_at_once_is_written_once(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    content = households_file(household_rows(5))
    answers = await asyncio.gather(*(upload(worker, "households", content, "whole") for _ in range(3)))
    assert sorted(_counts(answer) for answer in answers) == [(10, 0, 10, 0), (10, 0, 10, 0), (10, 10, 0, 0)]
    assert len(await house.events(HouseholdRegistered)) == 5


async def test_a_wrong_row_refuses_the_whole_file(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    rows = household_rows(2)
    rows[3] |= {"address": "示例路 99 号"}
    answer = await upload(worker, "households", households_file(rows), "whole")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["written"] == 0 and body["refused"] == 2
    assert [(f["row"], f["column"], f["rule"]) for f in body["faults"]] == [
        (4, "", "household_refused"),
        (5, "地址", "disagrees"),
    ]
    assert "示例路" not in answer.text
    assert await _count(house, "household") == 0


async def test_right_rows_are_written_and_the_others_come_back_marked(house: House) -> None:
    worker, colleague = await house.person("worker", LUOJING), await house.person("worker", LUOJING)
    rows = household_rows(2)
    rows[2] |= {"phone": "not a phone"}
    answer = await upload(worker, "households", households_file(rows), "right_rows")
    assert _counts(answer) == (4, 2, 0, 2)
    path = f"{API}/imports/{answer.json()['run_id']}/refused"
    assert (await colleague.get(path)).status_code == 404
    back = sheets.read((await worker.get(path)).content, "x.xlsx", HOUSEHOLDS)
    assert [row.values["member_name"] for row in back.rows] == ["李示例1甲", "李示例1乙"]
    sealed = await house.db.pool.fetchval("select refused_file_enc from intake.import_run")
    assert b"PK" not in sealed[:40]
    await house.db.pool.execute("update intake.import_run set expires_at = now() - interval '1 second'")
    assert (await worker.get(path)).status_code == 404
    mended = [dict(row.values) | {"phone": "00000000055"} for row in back.rows]
    assert _counts(await upload(worker, "households", households_file(mended), "whole")) == (2, 2, 0, 0)


async def test_a_newer_sheet_brings_the_file_up_to_date(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await upload(worker, "households", households_file(household_rows(2)), "whole")
    newer = household_rows(2)
    newer[0] |= {"consent": "refused", "consent_on": None}
    newer[1] |= {"consent": "refused", "consent_on": None, "member_vulnerabilities": ("DIS_SEVERE",)}
    assert _counts(await upload(worker, "households", households_file(newer), "whole")) == (4, 2, 2, 0)
    assert len(await house.events(ConsentWithdrawn)) == 1
    [changed] = await house.events(HouseholdChanged)
    assert changed.data["vulnerabilities"] == ["DIBAO", "DIS_SEVERE"] and changed.data["members"] == 2


async def test_an_older_sheet_does_not_overrule_what_was_changed_here_since(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await upload(worker, "households", households_file(household_rows(2)), "whole")
    number = household_rows(2)[0]["case_number"]
    known = await house.db.pool.fetchval("select id from intake.household where case_number = $1", number)
    await worker.request("DELETE", f"/api/intake/v1/households/{known}/consent?version=1")
    older = household_rows(2)
    older[0] |= {"village": "另一个示例村"}
    older[1] |= {"village": "另一个示例村"}
    answer = await upload(worker, "households", households_file(older), "whole")
    assert "changed_since_import" in {fault["rule"] for fault in answer.json()["faults"]}
    kept = await house.db.pool.fetchval("select consent from intake.household where id = $1", known)
    assert kept is False


async def test_consent_that_a_sheet_took_back_is_given_again_only_by_a_later_date(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    given = households_file(household_rows(1))
    await upload(worker, "households", given, "whole")
    await upload(worker, "households", households_file(household_rows(1, consent="refused")), "whole")
    answer = await upload(worker, "households", given, "whole")
    assert {fault["rule"] for fault in answer.json()["faults"]} >= {"withdrawn_since"}
    assert await house.db.pool.fetchval("select consent from intake.household") is False
    await house.db.pool.execute("update intake.household set consent_withdrawn_on = '2024-01-04'")
    assert (await upload(worker, "households", given, "whole")).status_code == 200
    assert await house.db.pool.fetchval("select consent from intake.household") is True


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"case_number": "YF-NONE"}, "档号", "case_unknown"),
    ({"case_number": None}, "档号", "beneficiary_missing"),
    ({"category": None, "quantity": None}, "类别", "category_or_text"),
    ({"quantity": None}, "数量", "required"),
    ({"visited_on": (NOW + timedelta(days=3)).date()}, "走访日期", "future"),
    ({"needed_by": (NOW - timedelta(days=30)).date()}, "最迟日期", "before_visit"),
    ({"need_number": "X-00000"}, "需求编号", "number_used"),
    (
        {"case_number": None, "beneficiary_kind": "site", "beneficiary_name": "示例河段", "area": TOWN_B},
        "镇街",
        "not_your_area",
    ),
]


async def test_what_is_wrong_with_a_need_is_named_by_row_column_and_rule(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await upload(worker, "households", households_file(household_rows(2)), "whole")
    await upload(worker, "needs", needs_file(need_rows(1)), "whole")
    base = need_rows(2)[1]
    rows = [base | {"need_number": f"W-{n}"} | changes for n, (changes, _, _) in enumerate(WRONG)]
    answer = await upload(worker, "needs", needs_file(rows), "preview")
    found = [(f["row"], f["column"], f["rule"]) for f in answer.json()["faults"]]
    assert found == [(n + 2, column, rule) for n, (_, column, rule) in enumerate(WRONG)]
    english = await worker.post(
        f"{API}/imports/needs",
        files={"file": ("n.xlsx", needs_file(rows))},
        headers={"accept-language": "en"},
    )
    assert not any(
        "\u4e00" <= letter <= "\u9fff" for fault in english.json()["faults"] for letter in fault["message"]
    )


async def test_another_town_is_refused(house: House) -> None:
    worker, neighbour = await house.person("worker", LUOJING), await house.person("worker", TOWN_B)
    await upload(worker, "households", households_file(household_rows(1)), "whole")
    answer = await upload(neighbour, "households", households_file(household_rows(1)), "right_rows")
    assert _counts(answer) == (2, 0, 0, 2)
    moved = await upload(
        neighbour, "households", households_file(household_rows(1, area=TOWN_B)), "right_rows"
    )
    assert moved.json()["faults"][0]["rule"] == "number_unusable"
    needs = await upload(neighbour, "needs", needs_file(need_rows(1)), "preview")
    assert needs.json()["faults"][0]["rule"] == "case_unknown"


async def test_sites_and_accepted_readings(house: House, keyring: Keyring) -> None:
    place = {
        "case_number": None,
        "beneficiary_kind": "institution",
        "beneficiary_name": "示例敬老院",
        "area": LUOJING,
    }
    rows = [row | place for row in need_rows(8)]
    async with house.db.transaction("nuanlian_intake_system") as conn:
        report = await run_import(
            conn,
            "needs",
            needs_file(rows),
            "needs.xlsx",
            "whole",
            NOBODY,
            keyring,
            accept_readings=True,
            everywhere=True,
        )
    assert (report.written, report.refused) == (8, 0)
    assert (len(await house.events(NeedRaised)), len(await house.events(NeedNoted))) == (8, 0)
    assert await _count(house, "beneficiary_site") == await _count(house, "visit") == 1
    beds = [e for e in await house.events(NeedRaised) if e.data["category"] == "FUR-BED"]
    assert [bed.data["quantity"] for bed in beds] == [1, 1]


async def test_a_file_that_is_none_says_what_to_do(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    for content in (b"", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0 old", b"\x00\x01\x02"):
        answer = await upload(worker, "needs", content, "whole")
        assert answer.status_code == 422
        assert [f["row"] for f in answer.json()["faults"]] == [0]


async def test_templates_fit_their_import(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    for kind, layout in (("households", HOUSEHOLDS), ("needs", NEEDS)):
        answer = await worker.get(f"{API}/imports/{kind}/template.xlsx")
        assert {fault.rule for fault in sheets.read(answer.content, "t.xlsx", layout).faults} == {
            "empty_file"
        }


async def test_two_thousand_needs_take_seconds(house: House, keyring: Keyring) -> None:
    """A tenth of a large import; the bound is loose, since machines differ."""
    async with house.db.transaction("nuanlian_intake_system") as conn:
        content = households_file(household_rows(500))
        await run_import(conn, "households", content, "", "whole", NOBODY, keyring, everywhere=True)
    began = time.perf_counter()
    async with house.db.transaction("nuanlian_intake_system") as conn:
        content = needs_file(need_rows(2000, 500))
        report = await run_import(conn, "needs", content, "", "whole", NOBODY, keyring, everywhere=True)
    assert report.written == 2000
    assert time.perf_counter() - began < 10


@given(st.lists(st.sampled_from(["A", "B", "C", None]), max_size=30))
@settings(max_examples=60, deadline=None)
def test_rows_of_one_case_number_meet_wherever_they_stand(numbers: list[str | None]) -> None:
    rows = [Row(n, {"case_number": number}) for n, number in enumerate(numbers, start=2)]
    groups = _groups(rows)
    assert sorted(row.number for found in groups.values() for row in found) == [
        row.number for row in rows if row.values["case_number"]
    ]
    assert all(row.values["case_number"] == number for number, found in groups.items() for row in found)


async def test_forgotten_rows_are_gone(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    rows = household_rows(1, phone="not a phone")
    run_id = (await upload(worker, "households", households_file(rows), "right_rows")).json()["run_id"]
    await house.db.pool.execute(
        "update intake.import_run set expires_at = $1", datetime.now(UTC) - timedelta(seconds=1)
    )
    async with house.db.transaction("nuanlian_intake_system") as conn:
        await forget_refused(conn, house.job("intake.forget_refused"))
    left = await house.db.pool.fetchval(
        "select num_nulls(refused_file_enc, data_key) from intake.import_run where id = $1", UUID(run_id)
    )
    assert left == 2


def _set_rows() -> list[dict[str, Any]]:
    """Two needs of one household that only help together, one alone, and one of another household under the same number."""
    rows = need_rows(3, households=2, quantity=1)
    rows[0] |= {"category": "FUR-BED", "bundle": 1, "whole": True}
    rows[2] |= {"category": "FUR-MATT", "bundle": 1}
    return rows


async def _bundles(house: House) -> dict[str, Any]:
    rows = await house.db.pool.fetch("select need_number, whole, bundle_id from intake.need")
    return {row["need_number"]: (row["whole"], row["bundle_id"]) for row in rows}


async def test_rows_with_one_set_number_are_a_bundle_however_often_they_come(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await upload(worker, "households", households_file(household_rows(2)), "whole")
    for _ in range(2):
        assert (await upload(worker, "needs", needs_file(_set_rows()), "whole")).status_code == 200
    found = await _bundles(house)
    assert found["X-00000"][1] == found["X-00002"][1] is not None
    assert [found[number][0] for number in sorted(found)] == [True, False, False]
    assert found["X-00001"][1] is None
    raised = {event.data["bundle_id"] for event in await house.events(NeedRaised)}
    assert raised == {None, str(found["X-00000"][1])}


async def test_a_bundle_in_a_sheet_comes_in_whole_or_not_at_all(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await upload(worker, "households", households_file(household_rows(2)), "whole")
    alone, torn, words = _set_rows(), _set_rows(), _set_rows()
    alone[1] |= {"bundle": 1}
    torn[2] |= {"needed_by": (NOW - timedelta(days=9)).date()}
    words[2] |= {"category": None, "text": "还要一张床垫"}
    for rows, faults in (
        (alone, [(3, "bundle_of_one")]),
        (torn, [(2, "bundle_torn"), (4, "before_visit")]),
        (words, [(2, "bundle_torn"), (4, "bundle_needs_category")]),
    ):
        answer = await upload(worker, "needs", needs_file(rows), "preview")
        assert [(f["row"], f["rule"]) for f in answer.json()["faults"]] == faults
    await upload(worker, "needs", needs_file(torn), "right_rows")
    assert set(await _bundles(house)) == {"X-00001"}
