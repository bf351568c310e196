"""Offers from a sheet: nothing by halves, nothing twice, and every fault where it stands."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.offers.imports import run_import
from services.offers.layouts import OFFERS
from shared import bus
from shared.access import NOBODY
from shared.events import CharityRegistered, OfferChanged, OfferRegistered
from shared.imports import ImportReport
from shared.sheets import read, write
from tests.house import House
from tests.offers.giving import CITY, COUNTY, OTHER_COUNTY, TOWN, approved, charity, giver, offer

ADDRESS = "/api/offers/v1/imports/offers"


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    values = dict.fromkeys(column.key for column in OFFERS.columns) | {
        "offer_number": f"F-{number}",
        "charity": "暖阳示例慈善会",
        "charity_kind": "charity",
        "category": "APP-FAN",
        "quantity": 10,
        "origin_area": TOWN,
        "service_areas": (),
        "pickup": "delivery",
        "designated": (),
        "licences": (),
    }
    return values | changes


async def send(client: httpx.AsyncClient, mode: str, *rows: dict[str, Any], **headers: str) -> httpx.Response:
    return await client.post(
        ADDRESS, params={"mode": mode}, files={"file": ("offers.xlsx", write(OFFERS, rows))}, headers=headers
    )


async def test_a_preview_writes_nothing(house: House) -> None:
    office = await house.person("coordinator", CITY)
    answer = await send(office, "preview", row(1), row(2))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["added"], told["written"], told["run_id"]) == (2, 0, None)
    assert await house.db.pool.fetchval("select count(*) from offers.offer") == 0
    assert await house.events(OfferRegistered) == []


async def test_the_same_file_twice_changes_nothing(house: House) -> None:
    office = await house.person("coordinator", CITY)
    rows = [row(n, unit_value_yuan=Decimal("12.50"), available_until=date(2035, 1, 1)) for n in range(1, 4)]
    first, second = [(await send(office, "whole", *rows)).json() for _ in range(2)]
    assert (first["added"], first["written"]) == (3, 3)
    assert (second["unchanged"], second["written"]) == (3, 0)
    assert len(await house.events(OfferRegistered)) == 3
    assert len(await house.events(CharityRegistered)) == 1
    stored = await house.db.pool.fetchrow("select unit_value_fen, available_until from offers.offer limit 1")
    assert stored is not None
    assert stored["unit_value_fen"] == 1250
    assert stored["available_until"].isoformat() == "2035-01-01T15:59:59+00:00", (
        "the last day is given in full"
    )


async def test_a_changed_row_changes_its_offer(house: House) -> None:
    office = await house.person("coordinator", CITY)
    await send(office, "whole", row(1), row(2))
    told = (await send(office, "whole", row(1), row(2, quantity=20))).json()
    assert (told["changed"], told["unchanged"]) == (1, 1)
    (event,) = await house.events(OfferChanged)
    assert (event.data["quantity"], event.data["version"]) == (20, 2)


async def test_a_wrong_row_stops_the_whole_but_not_the_right_ones(house: House) -> None:
    office = await house.person("coordinator", CITY)
    rows = [row(1), row(2, quantity=-1), row(3, expires_on=date(2020, 1, 1)), row(1, quantity=5)]
    whole = await send(office, "whole", *rows)
    assert whole.status_code == 422
    assert [(fault["row"], fault["column"], fault["rule"]) for fault in whole.json()["faults"]] == [
        (3, "数量", "too_small"),
        (4, "保质期至", "expired"),
        (5, "资源编号", "twice_in_file"),
    ]
    assert await house.db.pool.fetchval("select count(*) from offers.offer") == 0
    right = (await send(office, "right_rows", *rows)).json()
    assert (right["added"], right["refused"]) == (1, 3)
    refused = await office.get(f"/api/offers/v1/imports/{right['run_id']}/refused")
    again = read(refused.content, "refused.xlsx", OFFERS)
    assert len(again.rows) == 3, "the refused rows come back in the same layout"
    other = await house.person("coordinator", CITY)
    assert (await other.get(f"/api/offers/v1/imports/{right['run_id']}/refused")).status_code == 404


async def test_refused_rows_are_forgotten_after_a_week(house: House) -> None:
    office = await house.person("coordinator", CITY)
    run_id = (await send(office, "right_rows", row(1), row(2, quantity=-1))).json()["run_id"]
    await house.db.pool.execute("update offers.import_run set expires_at = now()")
    assert (await office.get(f"/api/offers/v1/imports/{run_id}/refused")).status_code == 404
    async with house.db.transaction(bus.SYSTEM) as conn:
        await conn.execute(
            "insert into bus.job (id, kind, key) values (gen_random_uuid(), 'offers.forget_refused', 'timer')"
        )
    await house.settle()
    assert await house.db.pool.fetchval("select count(refused_file) from offers.import_run") == 0


async def test_faults_are_said_in_the_readers_language(house: House) -> None:
    office = await house.person("coordinator", CITY)
    answer = await send(office, "preview", row(1, expires_on=date(2020, 1, 1)), **{"accept-language": "en"})
    (fault,) = answer.json()["faults"]
    assert fault["column"] == "Expires on"
    assert fault["message"] == "The expiry date must be after today. What has expired cannot be given."


async def test_licensed_work_without_the_licence_is_a_warning(house: House) -> None:
    office = await house.person("coordinator", CITY)
    told = (await send(office, "whole", row(1, category="APP-CEILFAN"))).json()
    assert (told["added"], told["faults"]) == (1, [])
    assert [(warning["row"], warning["rule"]) for warning in told["warnings"]] == [(2, "licence_missing")]


async def test_a_charity_imports_for_itself_only(house: House) -> None:
    client, _ = await giver(house)
    await charity(house, "另一示例慈善会")
    rows = [row(1), row(2, charity="另一示例慈善会"), row(3, charity="没有登记的示例会")]
    told = (await send(client, "right_rows", *rows)).json()
    assert (told["added"], [fault["rule"] for fault in told["faults"]]) == (1, ["not_yours", "not_yours"])


async def test_a_coordinator_imports_the_own_area_only(house: House) -> None:
    office = await house.person("coordinator", COUNTY)
    told = (await send(office, "right_rows", row(1), row(2, origin_area=OTHER_COUNTY))).json()
    assert (told["added"], [(fault["row"], fault["rule"]) for fault in told["faults"]]) == (
        1,
        [(3, "not_yours")],
    )


async def test_nothing_goes_below_what_is_promised_or_wakes_what_is_withdrawn(house: House) -> None:
    client, charity_id = await giver(house)
    one, two = await offer(client), await offer(client, offer_number="F-2")
    await house.deliver_twice("offers", approved(one["offer_id"], charity_id))
    await client.post(
        f"/api/offers/v1/offers/{two['offer_id']}/withdraw", json={"reason": "other", "version": 1}
    )
    told = (await send(client, "whole", row(1, quantity=3), row(2, quantity=3))).json()
    assert [fault["rule"] for fault in told["faults"]] == ["below_promised", "withdrawn"]


async def test_what_is_no_sheet_is_refused_with_what_to_do(house: House) -> None:
    office = await house.person("coordinator", CITY)
    answer = await office.post(
        ADDRESS, params={"mode": "right_rows"}, files={"file": ("x.xlsx", b"\x00\x01 no sheet")}
    )
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["row"] == 0
    assert (await send(await house.person("auditor", CITY), "preview", row(1))).status_code == 403


async def test_what_is_exported_can_be_imported_and_changes_nothing(house: House) -> None:
    client, _ = await giver(house)
    rows = [
        row(
            1,
            radius_km=12,
            unit_value_yuan=Decimal("3.20"),
            expires_on=date(2035, 1, 1),
            designated=("DIBAO",),
        ),
        row(
            2,
            available_from=date(2026, 1, 1),
            available_until=date(2035, 1, 1),
            vetted=True,
            per_household_limit=2,
            per_day_limit=6,
        ),
    ]
    await send(client, "whole", *rows)
    limits = [event.data["per_day_limit"] for event in await house.events(OfferRegistered)]
    assert sorted(limits, key=str) == [6, None]
    exported = await client.get("/api/offers/v1/offers.xlsx")
    told = (
        await client.post(ADDRESS, params={"mode": "whole"}, files={"file": ("o.xlsx", exported.content)})
    ).json()
    assert (told["rows"], told["unchanged"]) == (2, 2), told
    template = await client.get("/api/offers/v1/imports/offers/template.xlsx")
    assert template.content[:2] == b"PK"


async def import_all(house: House, content: bytes) -> ImportReport:
    async with house.db.transaction("nuanlian_offers_system") as conn:
        return await run_import(conn, content, "offers.xlsx", "whole", NOBODY, everywhere=True)


async def test_the_command_line_may_enter_everything_and_quickly(house: House) -> None:
    rows = [
        row(n, charity=f"示例慈善会{n % 12}", origin_area=(TOWN, OTHER_COUNTY)[n % 2]) for n in range(1200)
    ]
    content = write(OFFERS, rows)
    report = await import_all(house, content)
    assert (report.added, report.written) == (1200, 1200)
    assert (await import_all(house, content)).unchanged == 1200
    charities = await house.events(CharityRegistered)
    assert len(charities) == 12
    known = {UUID(envelope.data["charity_id"]) for envelope in charities}
    assert {UUID(envelope.data["charity_id"]) for envelope in await house.events(OfferRegistered)} == known


@pytest.mark.parametrize("mode", ["whole", "right_rows"])
async def test_a_csv_is_as_good(house: House, mode: str) -> None:
    office = await house.person("coordinator", CITY)
    text = (
        "资源编号,机构名称,机构类型,类别,数量,所在地,方式\nF-1,示例社,慈善组织,电风扇,3,罗定市罗镜镇,自提\n"
    )
    file = {"file": ("offers.csv", io.BytesIO(text.encode("gb18030")))}
    told = (await office.post(ADDRESS, params={"mode": mode}, files=file)).json()
    assert told["added"] == 1, told


@pytest.mark.parametrize("served", [CITY, OTHER_COUNTY])
async def test_a_coordinator_elsewhere_takes_no_offer_over_by_a_sheet(house: House, served: str) -> None:
    client, _ = await giver(house)
    await send(client, "whole", row(1, service_areas=(served,)))
    elsewhere = await house.person("coordinator", OTHER_COUNTY)
    taken = row(1, quantity=1, origin_area=OTHER_COUNTY, service_areas=(OTHER_COUNTY,))
    answer = await send(elsewhere, "whole", taken)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [fault["rule"] for fault in answer.json()["faults"]] == ["not_yours"]
    told = answer.json()
    assert (told["status"], told["rows"], told["refused"], told["written"]) == (422, 1, 1, 0)
    assert [error["rule"] for error in told["errors"]] == ["not_yours"]
    stored = await house.db.pool.fetchval("select origin_area from offers.offer")
    assert stored != OTHER_COUNTY


async def test_a_sheet_of_the_office_does_not_change_whom_an_offer_is_meant_for(house: House) -> None:
    client, _ = await giver(house)
    await send(client, "whole", row(1, designated=("ORPHAN",)))
    office = await house.person("coordinator", COUNTY)
    told = (await send(office, "whole", row(1, designated=()))).json()
    assert [fault["rule"] for fault in told["faults"]] == ["designation_fixed"]
    assert (await send(office, "whole", row(1, quantity=5, designated=("ORPHAN",)))).json()["changed"] == 1
    assert (await send(client, "whole", row(1, quantity=5, designated=()))).json()["changed"] == 1
