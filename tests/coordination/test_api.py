"""The board over HTTP: who sees what, who may decide, and what each refusal says."""

from __future__ import annotations

from uuid import UUID

from shared.bus import new_id
from shared.events import ProposalApproved, ProposalDeclined
from tests.coordination.build import APPROVE, DECLINE, approve, pair, quantities, row, tell
from tests.house import House
from tests.matcher import facts

BOARD = "/api/coordination/v1/proposals"
MANY = "/api/coordination/v1/approvals"


async def test_the_board_is_ranked_and_read_page_by_page(house: House) -> None:
    offer = facts.offer(quantity=50)
    needs = [facts.need() for _ in range(5)]
    made = [
        facts.proposal(need, offer, score=score)
        for need, score in zip(needs, (30, 50, 10, 50, 40), strict=True)
    ]
    await tell(house, offer, *needs, *made)
    client = await house.person("coordinator", facts.COUNTY)
    seen, cursor = [], None
    while True:
        page = (await client.get(BOARD, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [item["score"] for item in seen] == [50, 50, 40, 30, 10]
    assert len({item["proposal_id"] for item in seen}) == 5


async def test_reasons_are_sentences_in_the_readers_language_and_add_up(house: House) -> None:
    _, _, made = await pair(house)
    client = await house.person("coordinator", facts.COUNTY)
    item = (await client.get(f"{BOARD}/{made.proposal_id}")).json()
    assert sum(reason["points"] for reason in item["reasons"]) == item["score"] == 91_000
    assert item["reasons"][0]["sentence"] == "困难类别：孤儿"
    english = (await client.get(f"{BOARD}/{made.proposal_id}", headers={"accept-language": "en"})).json()
    assert english["reasons"][0]["sentence"] == "Hardship: Orphan"


async def test_filters(house: House) -> None:
    offer = facts.offer()
    fan, urgent = facts.need(), facts.need(area=facts.RONGGUI, urgency="critical", category="APP-CEILFAN")
    await tell(house, offer, fan, urgent, facts.proposal(fan, offer), facts.proposal(urgent, offer))
    client = await house.person("coordinator", facts.COUNTY)

    async def found(**params: str) -> list[str]:
        return [item["need_id"] for item in (await client.get(BOARD, params=params)).json()["items"]]

    assert (
        await found(area=facts.RONGGUI)
        == await found(urgency="critical")
        == await found(category="APP-CEILFAN")
        == [str(urgent.need_id)]
    )
    assert len(await found(area=facts.COUNTY)) == 2
    assert await found(status="declined") == []
    assert (await client.get(BOARD, params={"area": "999999999999"})).status_code == 422
    assert (await client.get(BOARD, params={"cursor": "nonsense"})).status_code == 422


async def test_who_sees_and_who_decides(house: House) -> None:
    _, _, made = await pair(house)
    elsewhere = await house.person("coordinator", facts.OTHER_COUNTY)
    assert (await elsewhere.get(BOARD)).json()["items"] == []
    assert (await elsewhere.get(f"{BOARD}/{made.proposal_id}")).status_code == 404
    assert (await approve(elsewhere, made.proposal_id)).status_code == 404
    auditor = await house.person("auditor", facts.COUNTY)
    assert len((await auditor.get(BOARD)).json()["items"]) == 1
    assert (await approve(auditor, made.proposal_id)).status_code == 403
    charity = await house.person("charity", facts.COUNTY, new_id())
    assert (await charity.get(BOARD)).status_code == 403
    assert (await house.anyone().get(BOARD)).status_code == 401


async def test_approving_promises_and_tells_the_others(house: House) -> None:
    need, offer, made = await pair(house, 3)
    client = await house.person("coordinator", facts.COUNTY)
    answer = await approve(client, made.proposal_id, version=1)
    assert answer.status_code == 200
    assert {key: answer.json()[key] for key in ("quantity", "status", "offer_left", "need_left")} == {
        "quantity": 3, "status": "approved", "offer_left": 0, "need_left": 0,
    }  # fmt: skip
    assert await quantities(house, need, offer) == (3, 3)
    (event,) = await house.events(ProposalApproved)
    assert event.data["approved_by"] == client.headers["x-person-id"]
    assert event.data["beneficiary_id"] == str(need.beneficiary_id)
    commitments = (await client.get("/api/coordination/v1/commitments")).json()["items"]
    assert [(c["commitment_id"], c["status"]) for c in commitments] == [
        (answer.json()["commitment_id"], "active")
    ]


async def test_a_part_leaves_the_rest_open(house: House) -> None:
    need, offer, made = await pair(house, 3)
    client = await house.person("coordinator", facts.COUNTY)
    answer = await approve(client, made.proposal_id, quantity=2)
    assert (answer.json()["status"], answer.json()["need_left"]) == ("partly_approved", 1)
    assert await quantities(house, need, offer) == (2, 2)


async def test_refusals_change_nothing(house: House) -> None:
    need, offer, made = await pair(house, 3)
    client = await house.person("coordinator", facts.COUNTY)
    for body, status in (
        ({"quantity": 4}, 422),
        ({"quantity": 0}, 422),
        ({"quantity": 1.5}, 422),
        ({"quantity": "2"}, 422),
        ({"quantity": 1, "note": "x"}, 422),
        ({"version": 7}, 409),
    ):
        answer = await client.post(APPROVE.format(made.proposal_id), json=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert await quantities(house, need, offer) == (0, 0)
    assert (await approve(client, new_id())).status_code == 404


async def test_four_eyes(house: House) -> None:
    both = await house.person("coordinator", facts.COUNTY)
    mine = facts.need(raised_by=facts.person_of(both))
    theirs, offer = facts.need(), facts.offer()
    by_hand = facts.proposal(theirs, offer, round_id=None, proposed_by=facts.person_of(both))
    raised = facts.proposal(mine, offer)
    await tell(house, mine, theirs, offer, by_hand, raised)
    for made in (by_hand, raised):
        answer = await approve(both, made.proposal_id)
        assert answer.status_code == 403
        assert "另一位同事" in answer.json()["detail"]
    colleague = await house.person("coordinator", facts.COUNTY)
    assert (await approve(colleague, by_hand.proposal_id)).status_code == 200


async def test_withdrawn_consent_and_withdrawn_offers_stop_an_approval(house: House) -> None:
    need, offer, made = await pair(house)
    client = await house.person("coordinator", facts.COUNTY)
    await tell(house, facts.changed(need, consent=False))
    answer = await approve(client, made.proposal_id)
    assert (answer.status_code, answer.json()["rule"]) == (409, "consent_missing")
    await tell(house, facts.offer_withdrawn(offer))
    assert (await approve(client, made.proposal_id)).json()["rule"] == "decided"
    assert (await client.get(BOARD)).json()["items"] == []


async def test_declining_needs_a_reason_from_the_list(house: House) -> None:
    _, _, made = await pair(house)
    client = await house.person("coordinator", facts.COUNTY)
    assert (
        await client.post(DECLINE.format(made.proposal_id), json={"reason": "whatever"})
    ).status_code == 422
    assert (
        await client.post(DECLINE.format(made.proposal_id), json={"reason": "too_far", "version": 9})
    ).status_code == 409
    answer = await client.post(DECLINE.format(made.proposal_id), json={"reason": "too_far", "version": 1})
    assert answer.json()["status"] == "declined"
    assert [event.data["reason"] for event in await house.events(ProposalDeclined)] == ["too_far"]
    assert (
        await client.post(DECLINE.format(made.proposal_id), json={"reason": "too_far"})
    ).status_code == 409
    assert (await client.post(DECLINE.format(new_id()), json={"reason": "too_far"})).status_code == 404


async def test_many_at_once_approves_what_can_be_and_names_the_rest(house: House) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    offer = facts.offer(quantity=2)
    needs = [facts.need() for _ in range(3)]
    mine = facts.need(raised_by=facts.person_of(client))
    made = [facts.proposal(need, offer) for need in (*needs, mine)]
    await tell(house, offer, *needs, mine, *made)
    ids = [str(one.proposal_id) for one in made]
    unknown = str(new_id())
    body = {"proposal_ids": [*ids, unknown], "key": "first"}
    answer = (await client.post(MANY, json=body)).json()
    assert [item["proposal_id"] for item in answer["approved"]] == ids[:2]
    assert {item["proposal_id"]: (item["rule"], item["status"]) for item in answer["refused"]} == {
        ids[2]: ("offer_short", 409), ids[3]: ("own_request", 403), unknown: ("missing", 404),
    }  # fmt: skip
    assert answer["refused"][0]["message"] == "电风扇余量不足，还剩 0 台。请减少数量或换一份资源。"
    again = await client.post(MANY, json=body)
    assert again.json() == answer
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await house.events(ProposalApproved)) == 2


async def test_many_needs_a_key_and_at_most_two_hundred(house: House) -> None:
    client = await house.person("coordinator", facts.COUNTY)
    assert (await client.post(MANY, json={"proposal_ids": [str(new_id())]})).status_code == 400
    assert (await client.post(MANY, json={"proposal_ids": [], "key": "k"})).status_code == 422
    assert (
        await client.post(MANY, json={"proposal_ids": [str(new_id()) for _ in range(201)], "key": "k"})
    ).status_code == 422


async def test_without_a_session_there_are_no_rows(house: House) -> None:
    await pair(house)
    async with house.db.transaction("nuanlian_coordination") as conn:
        for table in ("need", "proposal", "commitment"):
            assert await conn.fetchval(f"select count(*) from coordination.{table}") == 0
    assert (await row(house, "select count(*) as n from coordination.proposal"))["n"] == 1


async def _bed_and_mattress(house: House, proposed: int = 2) -> list[UUID]:
    """The proposals of a bundle of two needs, the first `proposed` of them on the board."""
    both = {"beneficiary_id": new_id(), "bundle_id": new_id(), "whole": True}
    needs = [facts.need(category=code, **both) for code in ("FUR-BED", "FUR-MATT")]
    offers = [facts.offer(category=need.category) for need in needs]
    made = [facts.proposal(need, offer) for need, offer in zip(needs, offers, strict=True)]
    await tell(house, *needs, *offers, *made[:proposed])
    return [one.proposal_id for one in made]


async def test_a_whole_need_is_not_approved_in_part(house: House) -> None:
    need, offer = facts.need(quantity=3, whole=True), facts.offer()
    made = facts.proposal(need, offer, quantity=3)
    await tell(house, need, offer, made)
    client = await house.person("coordinator", facts.COUNTY)
    answer = await approve(client, made.proposal_id, quantity=2)
    assert (answer.status_code, answer.json()["rule"]) == (422, "whole_in_part")
    assert "要批 3 台" in answer.json()["detail"]
    assert await quantities(house, need, offer) == (0, 0)
    assert (await approve(client, made.proposal_id)).status_code == 200


async def test_a_bundle_is_approved_together_or_not_at_all(house: House) -> None:
    bed, mattress = await _bed_and_mattress(house)
    client = await house.person("coordinator", facts.COUNTY)
    shown = (await client.get(f"{BOARD}/{bed}")).json()
    assert (shown["whole"], [other["category"] for other in shown["together"]]) == (True, ["FUR-MATT"])
    assert shown["together"][0]["proposal_ids"] == [str(mattress)]
    alone = await approve(client, bed)
    assert (alone.status_code, alone.json()["rule"], alone.json()["others"]) == (409, "bundle_others", 1)
    assert "还有 1 条建议" in alone.json()["detail"]
    torn = (await client.post(MANY, json={"proposal_ids": [str(bed)], "key": "one"})).json()
    assert [(no["rule"], no["status"]) for no in torn["refused"]] == [("bundle_others", 409)]
    assert await house.events(ProposalApproved) == []
    both = (await client.post(MANY, json={"proposal_ids": [str(bed), str(mattress)], "key": "two"})).json()
    assert (len(both["approved"]), both["refused"]) == (2, [])


async def test_what_is_left_of_a_bundle_waits_until_all_of_it_can_be_had(house: House) -> None:
    bed, mattress = await _bed_and_mattress(house)
    client = await house.person("coordinator", facts.COUNTY)
    await client.post(DECLINE.format(mattress), json={"reason": "too_far"})
    alone = await approve(client, bed)
    assert (alone.status_code, alone.json()["rule"]) == (409, "bundle_incomplete")
    (waiting,) = (await client.get(BOARD)).json()["items"]
    assert waiting["together"][0]["proposal_ids"] == []


async def test_the_rest_of_a_bundle_stands_when_a_part_is_withdrawn(house: House) -> None:
    both = {"beneficiary_id": new_id(), "bundle_id": new_id()}
    bed, mattress = (facts.need(category=code, **both) for code in ("FUR-BED", "FUR-MATT"))
    offer = facts.offer(category="FUR-BED")
    made = facts.proposal(bed, offer)
    await tell(house, bed, mattress, offer, made)
    client = await house.person("coordinator", facts.COUNTY)
    assert (await approve(client, made.proposal_id)).status_code == 409
    await tell(house, facts.withdrawn(mattress))
    assert (await approve(client, made.proposal_id)).status_code == 200
