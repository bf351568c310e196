"""The whole story, told once for each mode: a need seen on a visit becomes help received, checked and provable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.audit.verification import verify
from shared.events import EVENTS, Event
from tests.journey.conftest import Person, Running
from tests.published import faults_of

TOWN, COUNTY = "445381100000", "445381000000"
SECRETS = ("示例外婆", "示例姐姐", "示例村三组", "00000000123")


def visit(needs: list[dict[str, Any]]) -> dict[str, Any]:
    """Two orphans with their grandmother (invented)."""
    child = {"relation": "孙", "birth_date": "2014-05-01", "vulnerabilities": ["ORPHAN"]}
    members = [
        {"name": SECRETS[0], "relation": "户主", "sex": "2", "birth_date": "1950-03-02"},
        {"name": SECRETS[1], "sex": "2", **child},
    ]
    household = {
        "area": TOWN,
        "address": SECRETS[2],
        "phone": SECRETS[3],
        "vulnerabilities": ["DIBAO"],
        "consent": {"given": True, "on": "2026-01-05", "by_guardian": True},
        "members": members,
    }
    return {
        "beneficiary": {"household": household},
        "visited_at": datetime.now(UTC).isoformat(),
        "needs": needs,
    }


NEEDS: list[dict[str, Any]] = [
    {"category": "HSE-WIRE", "quantity": 1, "urgency": "critical"},
    {"category": "APP-FAN", "quantity": 2, "urgency": "high"},
    {"text": "孩子睡硬木板，想要一张床垫，床架家里有。"},
]


async def pledge(
    running: Running, coordinator: Person, name: str, offer: dict[str, Any]
) -> tuple[Person, str]:
    """A charity registers and pledges; its person and the offer's id."""
    charity = {"name": name, "kind": "company", "area": COUNTY}
    charity_id = (await coordinator.post("/api/offers/v1/charities", charity, 201))["charity_id"]
    await running.settle()
    giver = await running.sign_in(f"giver{charity_id[-6:]}", "charity", COUNTY, name)
    terms = {"origin_area": TOWN, "service_areas": [COUNTY], "pickup": "delivery", "condition": "new"}
    return giver, (await giver.post("/api/offers/v1/offers", terms | offer, 201))["offer_id"]


async def board(coordinator: Person, need_id: str) -> list[dict[str, Any]]:
    page = await coordinator.get("/api/coordination/v1/proposals", limit="200")
    return [item for item in page["items"] if item["need_id"] == need_id]


async def approve_one(running: Running, coordinator: Person, need_id: str) -> dict[str, Any]:
    """Approve the need's one pending proposal; what was promised."""
    [proposal] = await board(coordinator, need_id)
    answer = await coordinator.post(f"/api/coordination/v1/proposals/{proposal['proposal_id']}/approve", {})
    await coordinator.post(f"/api/coordination/v1/proposals/{proposal['proposal_id']}/approve", {}, 409)
    await running.settle()
    return dict(answer)


async def bring(
    running: Running, giver: Person, worker: Person, need_id: str, receipt: dict[str, Any]
) -> dict[str, Any]:
    """Dispatch, deliver and receive what is on its way to the need."""
    page = await giver.get("/api/delivery/v1/deliveries", status="scheduled")
    [item] = [item for item in page["items"] if item["need_id"] == need_id]
    path, version = f"/api/delivery/v1/deliveries/{item['id']}", item["version"]
    for step in ("dispatch", "deliver"):
        version = (await giver.post(f"{path}/{step}", {"version": version}))["version"]
    await worker.post(f"{path}/receive", {"version": version, **receipt})
    await running.settle()
    return dict(item)


async def need(worker: Person, need_id: str) -> dict[str, Any]:
    return dict(await worker.get(f"/api/intake/v1/needs/{need_id}"))


async def test_a_need_seen_on_a_visit_becomes_help_received_and_provable(running: Running) -> None:
    worker = await running.sign_in("worker", "worker", TOWN)
    coordinator = await running.sign_in("coordinator", "coordinator", COUNTY)
    shop, fans = await pledge(
        running, coordinator, "示例电器行（虚构）", {"category": "APP-FAN", "quantity": 3}
    )
    team, _ = await pledge(
        running, coordinator, "示例电工队（虚构）",
        {"category": "HSE-WIRE", "quantity": 5, "licences": ["低压电工作业证"], "vetted": True},
    )  # fmt: skip

    # A visit: uploaded twice it is one visit, with the same answer.
    body, key = visit(NEEDS), "5b1f7a5e-visit"
    recorded = await worker.post("/api/intake/v1/visits", body, 201, key)
    assert await worker.post("/api/intake/v1/visits", body, 201, key) == recorded
    wire, fan, mattress = recorded["need_ids"]
    await running.settle()

    # What was only written in words waits for the worker, with a suggestion; nobody can serve it yet, and the engine says why.
    noted = await need(worker, mattress)
    assert (noted["status"], noted["suggested_category"]) == ("noted", "FUR-MATT")
    confirmed = {"category": "FUR-MATT", "quantity": 1, "urgency": "normal", "version": noted["version"]}
    await worker.post(f"/api/intake/v1/needs/{mattress}/category", confirmed)
    await running.settle()
    assert "no_offer_of_category" in str(await coordinator.get(f"/api/matcher/v1/needs/{mattress}/why"))

    # The board: reasons add up to the score; only a coordinator decides.
    [proposal] = await board(coordinator, fan)
    assert proposal["quantity"] == 2
    assert sum(reason["points"] for reason in proposal["reasons"]) == proposal["score"] > 0
    await worker.post(f"/api/coordination/v1/proposals/{proposal['proposal_id']}/approve", {}, 403)

    promised = await approve_one(running, coordinator, fan)
    assert (promised["quantity"], promised["offer_left"], promised["need_left"]) == (2, 1, 0)
    wired = await approve_one(running, coordinator, wire)

    # Only the charity that promised may read where to bring it.
    contact = await shop.get(f"/api/intake/v1/commitments/{promised['commitment_id']}/contact")
    assert SECRETS[2] in str(contact)
    await team.get(f"/api/intake/v1/commitments/{promised['commitment_id']}/contact", 404)
    await shop.get(f"/api/intake/v1/commitments/{wired['commitment_id']}/contact", 404)

    # One of two fans arrives broken: the rest goes back to the need, and the last fan is proposed for it.
    short = {"received": 1, "short_reason": "damaged", "still_with_charity": False}
    await bring(running, shop, worker, fan, short)
    assert (await need(worker, fan))["status"] == "partly_met"
    again = await approve_one(running, coordinator, fan)
    assert (again["quantity"], again["offer_left"], again["need_left"]) == (1, 0, 0)
    await bring(running, shop, worker, fan, {"received": 1})
    await bring(running, team, worker, wire, {"received": 1})
    assert (await need(worker, fan))["status"] == "received"
    offer = await shop.get(f"/api/offers/v1/offers/{fans}")
    assert (offer["free"], offer["delivered"]) == (0, 2)

    await come_back(running, worker, recorded["beneficiary_id"], fan)
    await the_ledger_tells_it(running, coordinator, fan, mattress)
    await nothing_personal_left_intake(running)


async def come_back(running: Running, worker: Person, household_id: str, fan: str) -> None:
    """Follow-ups are on the worker's list; visits answer them and close what is whole."""
    due = (await worker.get("/api/intake/v1/follow-ups"))["items"]
    assert {item["kind"] for item in due} == {"outcome", "safety"}
    for item in due:
        answer = {
            "beneficiary": {"household_id": household_id},
            "visited_at": datetime.now(UTC).isoformat(),
            "follow_up": {"follow_up_id": item["follow_up_id"], "outcome": "helped"},
        }
        await worker.post("/api/intake/v1/visits", answer, 201)
    await running.settle()
    assert (await need(worker, fan))["status"] == "closed"
    assert (await worker.get("/api/intake/v1/follow-ups"))["items"] == []


async def the_ledger_tells_it(running: Running, coordinator: Person, fan: str, mattress: str) -> None:
    """The case's whole story in order, the chain unbroken, and every event as its contract says."""
    auditor = await running.sign_in("auditor", "auditor", COUNTY)
    story = await auditor.get(f"/api/audit/v1/stories/{fan}")
    told = [entry["type"].rsplit(".v", 1)[0] for entry in story["entries"]]
    in_order = ["visit.recorded", "need.raised", "proposal.made", "proposal.approved", "delivery.scheduled", "delivery.dispatched",
                "delivery.delivered", "delivery.received", "followup.due", "followup.answered", "need.closed"]  # fmt: skip
    assert [told.index(name) for name in in_order] == sorted(told.index(name) for name in in_order)
    assert "commitment.released" in told
    await coordinator.post("/api/audit/v1/verifications", {}, 403)
    verdict = await auditor.post("/api/audit/v1/verifications", {})
    assert verdict["ok"] and verdict["waiting"] == 0
    async with running.db.transaction("nuanlian_audit_system") as conn:
        assert (await verify(conn)).entries == await running.db.pool.fetchval(
            "select count(*) from bus.event"
        )


async def nothing_personal_left_intake(running: Running) -> None:
    """No event holds a name, an address or a phone; each is what the published schema says."""
    rows = await running.db.pool.fetch("select * from bus.event")
    assert not [secret for secret in SECRETS for row in rows if secret in str(row["data"])]
    assert not [fault for row in rows for fault in faults_of(row)]
    seen: set[type[Event]] = {event for event in EVENTS for row in rows if row["type"] == event.TYPE}
    assert len(seen) >= 16
