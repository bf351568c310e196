"""Commands: what they change and which facts they publish."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.access import Role, hash_token
from shared.clock import today
from shared.events import (
    ConsentGiven,
    ConsentWithdrawn,
    FollowUpAnswered,
    HouseholdChanged,
    NeedChanged,
    NeedClosed,
    NeedNoted,
    NeedRaised,
    NeedWithdrawn,
    VisitRecorded,
)
from tests.house import House
from tests.intake.invented import API, LUOJING, NOW, Story, household, one_need, post, visit

OTHER_TOWN = "445381101000"


async def test_a_visit_is_durable_and_says_what_is_lacking(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    answer = await post(worker, "/visits", visit())
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["case_number"].startswith("H-445381100-")
    [raised] = await house.events(NeedRaised)
    assert raised.data["need_id"] == body["need_ids"][0]
    assert (raised.data["category"], raised.data["quantity"], raised.data["urgency"]) == (
        "APP-FAN",
        2,
        "high",
    )
    assert raised.data["vulnerabilities"] == ["DIBAO", "ORPHAN"]
    assert raised.data["minor"] is True and raised.data["consent"] is True
    [recorded] = await house.events(VisitRecorded)
    assert recorded.data["need_ids"] == body["need_ids"]
    assert len(await house.events(ConsentGiven)) == 1


async def test_no_personal_word_leaves_intake(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await post(worker, "/visits", visit(needs=[{"text": "张示例二需要一张单人床"}]))
    kept = await house.db.pool.fetch("select data::text as said from bus.event")
    token = hash_token(worker.headers["authorization"].removeprefix("Bearer "))
    async with house.db.transaction("nuanlian_intake", token) as conn:
        answers = await conn.fetch("select response::text as said from access.idempotency")
    assert answers
    kept += answers
    kept += await house.db.pool.fetch(
        "select to_jsonb(h)::text || to_jsonb(m)::text as said from intake.household h, intake.member m"
    )
    kept += await house.db.pool.fetch(
        "select to_jsonb(v)::text || to_jsonb(n)::text as said from intake.visit v, intake.need n"
    )
    for row in kept:
        assert not any(
            word in row["said"] for word in ("示例", "00000000001", "19500301", "1950-03", "外婆", "111.51")
        )


async def test_a_refused_consent_is_recorded_and_not_matched(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    await one_need(worker, beneficiary={"household": household(consent={"given": False})})
    [raised] = await house.events(NeedRaised)
    assert raised.data["consent"] is False
    assert await house.events(ConsentGiven) == []


async def test_a_need_may_be_for_no_household(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    site = {"kind": "institution", "name": "示例敬老院", "area": LUOJING}
    first = await one_need(worker, beneficiary={"site": site})
    second = await one_need(worker, beneficiary={"site": site})
    third = await one_need(worker, beneficiary={"site_id": first["beneficiary_id"]})
    assert first["beneficiary_id"] == second["beneficiary_id"] == third["beneficiary_id"]
    assert first["beneficiary_kind"] == "institution" and first["case_number"].startswith("S-445381100-")
    assert (await house.events(NeedRaised))[0].data["consent"] is True


async def test_words_alone_wait_for_a_person(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    answer = await post(
        worker, "/visits", visit(needs=[{"text": "床板塌了一角,需要一张单人床,床垫她自己有"}])
    )
    assert answer.json()["notes"][0]["suggested_category"] == "FUR-BED"
    assert await house.events(NeedRaised) == []
    [noted] = await house.events(NeedNoted)
    assert noted.data["confidence_milli"] > 400
    [item] = (await worker.get(f"{API}/worklist")).json()["to_confirm"]
    assert item["text"].startswith("床板塌了")
    path = f"{API}/needs/{item['need_id']}/category"
    body = {"category": "FUR-BED", "quantity": 1, "urgency": "high", "version": item["version"]}
    assert (await worker.post(path, json=body)).json()["status"] == "open"
    assert (await worker.post(path, json=body | {"version": 2})).status_code == 409
    [raised] = await house.events(NeedRaised)
    assert raised.data["category"] == "FUR-BED" and raised.aggregateversion == 2
    assert (await worker.get(f"{API}/worklist")).json()["to_confirm"] == []


async def test_words_beside_a_category_ask_nobody(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker, needs=[{"category": "APP-FAN", "text": "屋里闷热"}])
    assert (need["status"], need["quantity"], need["text"]) == ("open", 1, "屋里闷热")


async def test_withdrawn_consent_takes_open_needs_out_and_consent_brings_them_back(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    path = f"{API}/households/{need['beneficiary_id']}/consent"
    assert (await worker.delete(path, params={"version": 1})).json() == {
        "household_id": need["beneficiary_id"], "version": 2, "consent": False,
    }  # fmt: skip
    assert len(await house.events(ConsentWithdrawn)) == 1
    [changed] = await house.events(NeedChanged)
    assert changed.data["consent"] is False and changed.aggregateversion == 2
    assert (await worker.post(path, json={"version": 1})).status_code == 409
    assert (await worker.post(path, json={"by_guardian": True, "version": 2})).status_code == 200
    assert [e.data["consent"] for e in await house.events(NeedChanged)] == [False, True]


async def test_a_changed_household_changes_its_open_needs(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(
        worker, beneficiary={"household": household(members=[{"name": "王示例"}], vulnerabilities=[])}
    )
    assert (await house.events(NeedRaised))[0].data["minor"] is False
    path = f"{API}/households/{need['beneficiary_id']}"
    body = {"vulnerabilities": ["DIBAO"], "phone": "00000000099", "version": 1}
    assert (await worker.patch(path, json=body)).json()["version"] == 2
    child = {"name": "王示例小", "birth_date": f"{NOW.year - 5}-01-01", "version": 2}
    assert (await post(worker, f"/households/{need['beneficiary_id']}/members", child)).status_code == 201
    changes = [(e.data["vulnerabilities"], e.data["minor"]) for e in await house.events(NeedChanged)]
    assert changes == [(["DIBAO"], False), (["DIBAO"], True)]
    assert [e.data["members"] for e in await house.events(HouseholdChanged)] == [1, 2]
    full = (await worker.get(path)).json()
    assert full["phone"] == "00000000099" and full["address"] == "示例路 1 号"
    leave = {"members": [{"member_id": full["members"][1]["member_id"], "left": True}], "version": 3}
    assert (await worker.patch(path, json=leave)).status_code == 200
    assert (await house.events(NeedChanged))[-1].data["minor"] is False
    last = {"members": [{"member_id": full["members"][0]["member_id"], "left": True}], "version": 4}
    assert (await worker.patch(path, json=last)).status_code == 422
    assert len((await worker.get(path)).json()["members"]) == 1


async def test_a_quantity_never_falls_below_what_is_promised(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker, needs=[{"category": "APP-FAN", "quantity": 5}])
    await house.deliver_twice("intake", Story(need).approved(3))
    path = f"{API}/needs/{need['need_id']}"
    assert (await worker.patch(path, json={"quantity": 2, "version": 1})).status_code == 422
    assert (await worker.patch(path, json={"quantity": 3, "version": 1})).json()["status"] == "met"
    assert (await worker.patch(path, json={"quantity": 4, "version": 2})).json()["status"] == "partly_met"


async def test_a_withdrawn_need_stays_withdrawn(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    path = f"{API}/needs/{need['need_id']}"
    assert (
        await worker.post(f"{path}/withdraw", json={"reason": "because", "version": 1})
    ).status_code == 422
    assert (await worker.post(f"{path}/withdraw", json={"reason": "solved", "version": 1})).json()[
        "status"
    ] == "withdrawn"
    [fact] = await house.events(NeedWithdrawn)
    assert fact.aggregateversion == 2 and fact.data["reason"] == "solved"
    await house.deliver_twice("intake", Story(need).approved(2))
    assert (await worker.get(path)).json()["status"] == "withdrawn"
    assert (await worker.post(f"{path}/withdraw", json={"reason": "solved", "version": 2})).status_code == 409


async def _follow(house: House, worker: httpx.AsyncClient, story: Story, received: int) -> UUID:
    follow_up_id = uuid4()
    short = 2 - received
    facts: list[Any] = [story.approved(2), story.received(received, short), story.due(follow_up_id)]
    await house.deliver_twice("intake", *facts)
    return follow_up_id


def _answer(
    need: dict[str, Any], follow_up_id: UUID, outcome: str, needs: list[Any] | None = None
) -> dict[str, Any]:
    return visit(
        beneficiary={"household_id": need["beneficiary_id"]},
        needs=needs or [],
        follow_up={"follow_up_id": str(follow_up_id), "outcome": outcome},
        visited_at=(NOW - timedelta(minutes=5)).isoformat(),
    )


async def test_a_good_answer_closes_a_need_that_was_received_whole(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    follow_up_id = await _follow(house, worker, Story(need), 2)
    body = _answer(need, follow_up_id, "helped")
    assert (await post(worker, "/visits", body)).status_code == 201
    [answered] = await house.events(FollowUpAnswered)
    assert answered.data["outcome"] == "helped"
    [closed] = await house.events(NeedClosed)
    assert closed.data["follow_up_id"] == str(follow_up_id) and closed.aggregateversion == 2
    assert (await worker.get(f"{API}/needs/{need['need_id']}")).json()["status"] == "closed"
    assert (await worker.get(f"{API}/worklist")).json()["follow_ups"] == []
    again = await post(worker, "/visits", body)
    assert again.status_code == 409
    assert len(await house.events(VisitRecorded)) == 2


@pytest.mark.parametrize("next_need", [False, True])
async def test_a_poor_answer_keeps_the_need_until_the_next_one_is_raised(
    house: House, next_need: bool
) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    follow_up_id = await _follow(house, worker, Story(need), 2)
    wanted = [{"category": "APP-CEILFAN", "quantity": 1}] if next_need else []
    body = _answer(need, follow_up_id, "not_helped", wanted)
    assert (await post(worker, "/visits", body)).status_code == 201
    assert len(await house.events(NeedClosed)) == next_need
    assert len(await house.events(NeedRaised)) == 1 + next_need
    status = (await worker.get(f"{API}/needs/{need['need_id']}")).json()["status"]
    assert status == ("closed" if next_need else "received")


async def test_an_unhappy_need_waits_for_the_worker_until_a_later_visit_raises_the_next(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    follow_up_id = await _follow(house, worker, Story(need), 2)
    await post(worker, "/visits", _answer(need, follow_up_id, "partly"))
    [waiting] = (await worker.get(f"{API}/worklist")).json()["unhappy"]
    assert waiting["need_id"] == need["need_id"]
    await post(worker, "/visits", visit(beneficiary={"household_id": need["beneficiary_id"]}))
    assert (await worker.get(f"{API}/worklist")).json()["unhappy"] == []
    [closed] = await house.events(NeedClosed)
    assert closed.data["follow_up_id"] == str(follow_up_id)


async def test_an_unhappy_need_is_closed_with_a_reason_once_it_was_asked_after(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    path = f"{API}/needs/{need['need_id']}"
    body = {"reason": "nothing_fits", "version": 1}
    assert (await worker.post(f"{path}/close", json=body)).status_code == 409
    follow_up_id = await _follow(house, worker, Story(need), 2)
    assert (await worker.post(f"{path}/close", json=body)).status_code == 409
    await post(worker, "/visits", _answer(need, follow_up_id, "not_helped"))
    coordinator = await house.person("coordinator", LUOJING)
    assert (await coordinator.post(f"{path}/close", json=body)).status_code == 403
    assert (await worker.post(f"{path}/close", json=body | {"version": 9})).status_code == 409
    assert (await worker.post(f"{path}/close", json=body)).json()["status"] == "closed"
    assert (await worker.get(path)).json()["close_reason"] == "nothing_fits"
    assert len(await house.events(NeedClosed)) == 1
    assert (await worker.post(f"{path}/close", json=body | {"version": 2})).status_code == 409


async def test_less_asked_for_than_before_may_close_the_need(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    story = Story(need)
    follow_up_id = await _follow(house, worker, story, 1)
    await house.deliver_twice("intake", story.released(1))
    await post(worker, "/visits", _answer(need, follow_up_id, "helped"))
    answer = await worker.patch(f"{API}/needs/{need['need_id']}", json={"quantity": 1, "version": 1})
    assert answer.json() == {"need_id": need["need_id"], "status": "closed", "version": 3}
    assert [fact.aggregateversion for fact in await house.events(NeedClosed)] == [3]


async def test_a_visit_before_the_receipt_answers_no_follow_up(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    follow_up_id = await _follow(house, worker, Story(need), 2)
    body = _answer(need, follow_up_id, "helped") | {"visited_at": "2020-01-05T09:00:00+08:00"}
    answer = await post(worker, "/visits", body)
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, "before_receipt")


async def test_a_phones_mark_belongs_to_one_visit(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    body = visit() | {"client_ref": "phone-1"}
    first = await post(worker, "/visits", body)
    assert (await post(worker, "/visits", body)).json() == first.json()
    other = await post(worker, "/visits", body | {"note": "另一次"})
    assert (other.status_code, other.json()["errors"][0]["rule"]) == (422, "used")


async def test_a_guardian_agrees_for_a_child(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    child = {"name": "示例孩子", "birth_date": f"{today().year - 8}-01-01"}
    home = {"area": LUOJING, "members": [child]}
    for consent, status in (
        ({"given": True}, 422),
        ({"given": True, "by_guardian": True}, 201),
        ({"given": False}, 201),
    ):
        body = visit() | {"beneficiary": {"household": home | {"consent": consent}}}
        assert (await post(worker, "/visits", body)).status_code == status, consent


async def test_a_guardian_agrees_too_when_a_child_joins_or_consent_comes_later(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    adult = {"area": LUOJING, "members": [{"name": "示例大人"}], "consent": {"given": True}}
    made = (await post(worker, "/visits", visit(beneficiary={"household": adult}))).json()
    path = f"/households/{made['beneficiary_id']}"
    child = {"name": "示例孩子", "birth_date": f"{today().year - 8}-01-01"}
    refused = await post(worker, f"{path}/members", child | {"version": 1})
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "guardian_needed")
    consent = {"by_guardian": True, "version": 1}
    assert (await worker.post(f"{API}{path}/consent", json=consent)).status_code == 200
    assert (await post(worker, f"{path}/members", child | {"version": 2})).status_code == 201
    again = await worker.post(f"{API}{path}/consent", json={"version": 3})
    assert (again.status_code, again.json()["errors"][0]["rule"]) == (422, "guardian_needed")


async def test_reading_a_town_is_not_writing_it(house: House) -> None:
    """The second line: raw SQL in the session of somebody who may only look."""
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    await _follow(house, worker, Story(need), 2)
    site = {"kind": "site", "name": "示例站", "area": LUOJING}
    assert (await post(worker, "/visits", visit(beneficiary={"site": site}))).status_code == 201
    tables = ("household", "member", "need", "visit", "beneficiary_site", "commitment", "follow_up")
    kept = {
        table: await house.db.pool.fetchval(f"select to_jsonb(t) from intake.{table} t limit 1")
        for table in tables
    }
    people: tuple[tuple[Role, str, bool], ...] = (
        ("auditor", LUOJING, True),
        ("coordinator", LUOJING, True),
        ("worker", OTHER_TOWN, False),
    )
    for role, area, seen in people:
        client = await house.person(role, area)
        token = hash_token(client.headers["authorization"].removeprefix("Bearer "))
        for table in tables:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with house.db.transaction("nuanlian_intake", token) as conn:
                    await conn.execute(
                        f"insert into intake.{table} select * from jsonb_populate_record("
                        f"null::intake.{table}, $1)",
                        kept[table] | {"id": str(uuid4()), "commitment_id": str(uuid4())},
                    )
            async with house.db.transaction("nuanlian_intake", token) as conn:
                assert bool(await conn.fetchval(f"select count(*) from intake.{table}")) is seen
                assert await conn.execute(f"update intake.{table} set area = area") == "UPDATE 0"
        async with house.db.transaction("nuanlian_intake", token) as conn:
            assert await conn.execute("delete from intake.member") == "DELETE 0"


async def test_a_short_receipt_keeps_the_need_open_whatever_the_answer(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker)
    story = Story(need)
    follow_up_id = await _follow(house, worker, story, 1)
    await house.deliver_twice("intake", story.released(1))
    await post(worker, "/visits", _answer(need, follow_up_id, "helped"))
    assert await house.events(NeedClosed) == []
    assert (await worker.get(f"{API}/needs/{need['need_id']}")).json()["status"] == "partly_met"


async def test_a_follow_up_of_somebody_else_is_refused(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need, other = await one_need(worker), await one_need(worker)
    follow_up_id = await _follow(house, worker, Story(need), 2)
    assert (await post(worker, "/visits", _answer(other, follow_up_id, "helped"))).status_code == 422
    assert (await post(worker, "/visits", _answer(need, uuid4(), "helped"))).status_code == 404
    assert await house.events(FollowUpAnswered) == []


SET: list[dict[str, Any]] = [
    {"category": "FUR-BED", "bundle": 1, "whole": True},
    {"category": "FUR-MATT", "bundle": 1},
    {"category": "APP-FAN", "quantity": 2},
]


async def test_needs_of_one_number_are_one_bundle_and_stay_so(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    ids = (await post(worker, "/visits", visit(needs=SET))).json()["need_ids"]
    bed, mattress, fan = [event.data for event in await house.events(NeedRaised)]
    assert bed["bundle_id"] == mattress["bundle_id"] is not None
    assert (bed["whole"], mattress["whole"], fan["whole"], fan["bundle_id"]) == (True, False, False, None)
    told = (await worker.get(f"{API}/needs/{ids[0]}")).json()
    assert (told["whole"], told["bundle_id"]) == (True, bed["bundle_id"])
    assert [other["need_id"] for other in told["bundled_with"]] == [ids[1]]
    answer = await worker.patch(f"{API}/needs/{ids[0]}", json={"urgency": "high", "version": 1})
    assert answer.status_code == 200, answer.text
    [changed] = await house.events(NeedChanged)
    assert (changed.data["whole"], changed.data["bundle_id"]) == (True, bed["bundle_id"])
    gone = await worker.post(f"{API}/needs/{ids[1]}/withdraw", json={"reason": "solved", "version": 1})
    assert gone.status_code == 200, gone.text
    told = (await worker.get(f"{API}/needs/{ids[0]}")).json()
    assert (told["bundle_id"], told["bundled_with"][0]["status"]) == (bed["bundle_id"], "withdrawn")


async def test_two_visits_with_the_same_number_are_two_bundles(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    for _ in range(2):
        await post(worker, "/visits", visit(needs=SET[:2]))
    assert len({event.data["bundle_id"] for event in await house.events(NeedRaised)}) == 2


@pytest.mark.parametrize(
    ("needs", "field", "rule"),
    [
        (SET[1:], "needs.0.bundle", "bundle_of_one"),
        ([*SET[:2], {"category": "APP-FAN", "bundle": 3}], "needs.2.bundle", "bundle_of_one"),
        ([SET[0], {"text": "还要一张床垫", "bundle": 1}], "needs.1", "bundle_needs_category"),
        ([SET[0] | {"bundle": 10}, SET[1]], "needs.0.bundle", "less_than_equal"),
    ],
)
async def test_a_bundle_has_two_parts_and_each_a_category(
    house: House, needs: list[dict[str, Any]], field: str, rule: str
) -> None:
    worker = await house.person("worker", LUOJING)
    answer = await post(worker, "/visits", visit(needs=needs))
    assert answer.status_code == 422
    assert (field, rule) in [(e["field"], e["rule"]) for e in answer.json()["errors"]]


async def test_words_that_must_come_whole_are_raised_so(house: House) -> None:
    worker = await house.person("worker", LUOJING)
    need = await one_need(worker, needs=[{"text": "说不清的东西", "whole": True}])
    body = {"category": "APP-FAN", "quantity": 3, "urgency": "normal", "version": need["version"]}
    assert (await post(worker, f"/needs/{need['need_id']}/category", body)).status_code == 200
    [raised] = await house.events(NeedRaised)
    assert (raised.data["whole"], raised.data["quantity"]) == (True, 3)
