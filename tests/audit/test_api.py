"""/api/audit/v1: who sees which entries, stories, figures and follow-ups."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from services.audit import views
from services.audit.rules import follow_up_id
from shared.events import ConsentWithdrawn, HouseholdRegistered
from tests.audit.facts import OTHER_TOWN, TOWN, Case, round_completed
from tests.house import House

API = "/api/audit/v1"
CITY, COUNTY, OTHER_COUNTY = "445300000000", "445381000000", "445321000000"


async def record(house: House, *cases: Case) -> None:
    for case in cases:
        await house.deliver("audit", await house.publish(*case.whole()))


async def seqs(client: httpx.AsyncClient, query: str = "") -> list[int]:
    answer = await client.get(f"{API}/entries{query}")
    assert answer.status_code == 200
    return [item["seq"] for item in answer.json()["items"]]


async def test_entries_are_seen_by_those_whose_area_they_concern(house: House) -> None:
    await record(house, Case(), Case(area=OTHER_TOWN))
    await house.deliver("audit", await house.publish(round_completed()))
    everything, ours, theirs = list(range(13, 0, -1)), [6, 5, 4, 3, 2, 1], [12, 11, 10, 9, 8, 7]
    assert await seqs(await house.person("auditor", CITY)) == everything
    assert await seqs(await house.person("auditor", COUNTY)) == ours
    assert await seqs(await house.person("coordinator", OTHER_COUNTY)) == theirs
    assert await seqs(await house.person("coordinator", CITY)) == everything[1:]
    assert await seqs(await house.person("auditor", "445302000000")) == []


async def test_other_roles_are_refused(house: House) -> None:
    for client in (await house.person("worker", CITY), await house.person("admin", CITY)):
        assert (await client.get(f"{API}/entries")).status_code == 403


async def test_nobody_unknown_reads_the_ledger(house: House) -> None:
    assert (await house.anyone().get(f"{API}/entries")).status_code == 401


async def test_pages_of_the_ledger_follow_each_other(house: House) -> None:
    await record(house, Case(), Case())
    auditor = await house.person("auditor")
    found, cursor = [], ""
    while True:
        page = (await auditor.get(f"{API}/entries?limit=5{cursor}")).json()
        found += [item["seq"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == list(range(12, 0, -1))
    assert await seqs(auditor, "?type=need.raised.v1") == [8, 2]


async def test_an_entry_shows_what_was_hashed(house: House) -> None:
    case = Case()
    await record(house, case)
    entry = (await (await house.person("auditor")).get(f"{API}/entries/2")).json()
    assert entry["event"]["data"]["need_id"] == str(case.need)
    assert (entry["type"], entry["subject"], entry["area"]) == ("need.raised.v1", str(case.need), TOWN)
    assert len(entry["hash"]) == len(entry["prev_hash"]) == 64


async def test_an_entry_of_elsewhere_is_as_missing_as_one_that_is_not_there(house: House) -> None:
    await record(house, Case())
    auditor = await house.person("auditor", OTHER_COUNTY)
    for seq in ("2", "99", "0", "-1", "9999999999999999999999"):
        answer = await auditor.get(f"{API}/entries/{seq}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:nuanlian:problem:not-found")


async def test_a_needs_story_goes_from_its_visit_to_its_follow_up(house: House) -> None:
    case, other = Case(), Case()
    await record(house, case, other)
    await house.settle()
    answer = await (await house.person("coordinator", COUNTY)).get(f"{API}/stories/{case.need}")
    types = [entry["type"] for entry in answer.json()["entries"]]
    assert types[:6] == [event.TYPE for event in case.whole()]
    assert "followup.due.v1" in types
    assert all(str(other.need) not in entry["content"] for entry in answer.json()["entries"])


async def test_everything_has_a_story(house: House) -> None:
    case = Case()
    await record(house, case)
    auditor = await house.person("auditor")
    for known in (case.household, case.offer, case.delivery, case.proposal, case.visit, case.person):
        assert (await auditor.get(f"{API}/stories/{known}")).json()["entries"]


async def test_a_story_of_elsewhere_is_missing(house: House) -> None:
    case = Case()
    await record(house, case)
    elsewhere = await house.person("auditor", OTHER_COUNTY)
    assert (await elsewhere.get(f"{API}/stories/{case.need}")).status_code == 404
    assert (await elsewhere.get(f"{API}/stories/{UUID(int=5)}")).status_code == 404


async def test_an_auditor_checks_the_ledger(house: House) -> None:
    await record(house, Case())
    await house.settle()
    auditor = await house.person("auditor", COUNTY)
    verdict = (await auditor.post(f"{API}/verifications")).json()
    assert (verdict["ok"], verdict["first_bad_seq"], verdict["waiting"]) == (True, None, 0)
    assert (await (await house.person("coordinator")).post(f"{API}/verifications")).status_code == 403


async def test_a_verdict_says_what_is_wrong_in_the_callers_language(house: House) -> None:
    await record(house, Case())
    await house.db.pool.execute("update bus.event set subject = 'x' where seq = 3")
    auditor = await house.person("auditor")
    chinese = (await auditor.post(f"{API}/verifications")).json()
    english = (await auditor.post(f"{API}/verifications", headers={"accept-language": "en"})).json()
    assert (chinese["ok"], chinese["first_bad_seq"]) == (False, 3)
    assert chinese["reason"].startswith("第 3 条")
    assert english["reason"].startswith("Entry 3")


async def test_the_overview_counts_by_state_and_town(house: House) -> None:
    received, closed, open_need, short = (
        Case(),
        Case(),
        Case(area=OTHER_TOWN),
        Case(area=OTHER_TOWN, quantity=4),
    )
    await record(house, received, closed)
    await house.deliver(
        "audit",
        await house.publish(
            closed.closed(follow_up_id(closed.delivery, "outcome")),
            open_need.raised(),
            *(short.raised(), short.approved(4), short.released(3), short.received(1, 3)),
        ),
    )
    overview = (await (await house.person("auditor")).get(f"{API}/overview")).json()
    total, towns = overview["total"], {row["area"]: row for row in overview["areas"]}
    assert (total["needs"], total["open"], total["partly_met"], total["met"]) == (4, 1, 1, 0)
    assert (total["received"], total["closed"], total["median_days"], total["area"]) == (1, 1, 3.0, None)
    assert (towns[TOWN]["needs"], towns[OTHER_TOWN]["needs"], towns[OTHER_TOWN]["median_days"]) == (
        2,
        2,
        None,
    )
    assert total["overdue"] == towns[TOWN]["overdue"] + towns[OTHER_TOWN]["overdue"] == 3


async def test_an_overview_of_nothing(house: House) -> None:
    overview = (await (await house.person("coordinator", COUNTY)).get(f"{API}/overview")).json()
    assert (overview["total"]["needs"], overview["areas"]) == (0, [])


async def test_follow_ups_are_listed_until_they_are_answered(house: House) -> None:
    late, answered, later = Case(), Case(), Case(urgency="low")
    await record(house, late, answered, later)
    await house.db.pool.execute(
        "update audit.follow_up set due_at = now() + $1 where delivery_id = $2",
        timedelta(days=1),
        later.delivery,
    )
    await house.deliver(
        "audit", await house.publish(answered.answered(follow_up_id(answered.delivery, "outcome")))
    )
    auditor = await house.person("auditor", COUNTY)

    async def listed(query: str) -> list[str]:
        return [
            item["delivery_id"] for item in (await auditor.get(f"{API}/follow-ups{query}")).json()["items"]
        ]

    assert await listed("?state=overdue") == [str(late.delivery)]
    assert await listed("?state=due") == [str(later.delivery)]
    assert await listed("") == [str(late.delivery), str(later.delivery)]
    first = (await auditor.get(f"{API}/follow-ups?limit=1")).json()
    assert first["items"][0]["case_number"] == "YF-示例-0001"
    assert await listed(f"?cursor={first['next']}") == [str(later.delivery)]
    elsewhere = await house.person("coordinator", OTHER_COUNTY)
    assert (await elsewhere.get(f"{API}/follow-ups")).json()["items"] == []


async def test_a_wrong_query_is_named(house: House) -> None:
    auditor = await house.person("auditor")
    for query in ("?cursor=x", "?cursor=2026-01-01_1", "?state=never", "?limit=0", "?limit=201"):
        answer = await auditor.get(f"{API}/follow-ups{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == query[1:].split("=")[0]


async def test_a_household_and_its_case_number_tell_everything_of_their_needs(house: House) -> None:
    case = Case()
    await record(house, case)
    auditor = await house.person("auditor")
    of_need = (await auditor.get(f"{API}/stories/{case.need}")).json()["entries"]
    of_household = (await auditor.get(f"{API}/stories/{case.household}")).json()
    types = [entry["type"] for entry in of_household["entries"]]
    assert {"proposal.made.v1", "delivery.dispatched.v1", "delivery.received.v1"} <= set(types)
    assert {entry["seq"] for entry in of_need} <= {entry["seq"] for entry in of_household["entries"]}
    by_number = await auditor.get(f"{API}/stories", params={"case_number": "YF-示例-0001"})
    assert {entry["seq"] for entry in of_need} == {entry["seq"] for entry in by_number.json()["entries"]}
    elsewhere = await house.person("auditor", OTHER_COUNTY)
    assert (await elsewhere.get(f"{API}/stories", params={"case_number": "YF-示例-0001"})).status_code == 404


async def test_a_case_number_tells_what_names_only_its_household(house: House) -> None:
    case, noted = Case(), Case()
    noted.household = case.household
    registered = HouseholdRegistered(household_id=case.household, area=TOWN, members=2, vulnerabilities=())
    later = ConsentWithdrawn(household_id=case.household, area=TOWN, version=2)
    await house.deliver("audit", await house.publish(case.proposed(), registered, *case.whole()[:2]))
    await house.deliver("audit", await house.publish(noted.noted(), later))
    auditor = await house.person("auditor")
    told = (await auditor.get(f"{API}/stories", params={"case_number": " YF-示例-0001 "})).json()["entries"]
    assert [entry["type"] for entry in told] == [
        "proposal.made.v1", "household.registered.v1", "visit.recorded.v1", "need.raised.v1", "need.noted.v1",
        "consent.withdrawn.v1",
    ]  # fmt: skip
    assert told == (await auditor.get(f"{API}/stories/{case.household}")).json()["entries"]


async def test_a_long_story_is_told_in_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "STORY_PAGE", 4)
    case = Case()
    await record(house, case)
    auditor = await house.person("auditor")
    first = (await auditor.get(f"{API}/stories/{case.need}")).json()
    rest = (await auditor.get(f"{API}/stories/{case.need}?cursor={first['next']}")).json()
    assert [len(first["entries"]), len(rest["entries"]), rest["next"]] == [4, 2, None]
    page = await auditor.get("/audit/stories", params={"case_number": "YF-示例-0001"})
    assert f"&amp;cursor={first['next']}" in page.text or f"&cursor={first['next']}" in page.text
