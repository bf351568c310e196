"""The sample goes through the real imports whole, and a second time changes nothing."""

from datetime import datetime
from zoneinfo import ZoneInfo

from deploy import sample
from services.intake.imports import Kind
from services.intake.imports import run_import as import_intake
from services.offers.imports import run_import as import_offers
from shared.access import NOBODY
from shared.db import Database
from shared.pii import Keyring

HOUSEHOLDS = 60
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
KINDS: tuple[Kind, ...] = ("households", "needs")


async def bring_in(
    db: Database, keyring: Keyring, files: dict[str, bytes]
) -> dict[str, tuple[int, int, int]]:
    """(rows, written, refused) of each workbook, faults shown where there are any."""
    found: dict[str, tuple[int, int, int]] = {}
    async with db.transaction("nuanlian_offers_system") as conn:
        offers = await import_offers(conn, files["offers"], "offers.xlsx", "whole", NOBODY, everywhere=True)
        assert offers.faults == ()
        found["offers"] = (offers.rows, offers.written, offers.refused)
    for kind in KINDS:
        async with db.transaction("nuanlian_intake_system") as conn:
            report = await import_intake(
                conn,
                kind,
                files[kind],
                f"{kind}.xlsx",
                "whole",
                NOBODY,
                keyring,
                accept_readings=True,
                everywhere=True,
            )
        assert report.faults == ()
        found[kind] = (report.rows, report.written, report.refused)
    return found


async def test_a_fresh_sample_is_imported_without_a_fault_and_only_once(
    db: Database, keyring: Keyring
) -> None:
    files = sample.files(HOUSEHOLDS, 1, TODAY)
    first = await bring_in(db, keyring, files)
    assert first["needs"] == (HOUSEHOLDS * 4 // 3, HOUSEHOLDS * 4 // 3, 0)
    assert first["offers"] == (HOUSEHOLDS // 5, HOUSEHOLDS // 5, 0)
    again = await bring_in(db, keyring, files)
    assert {kind: written for kind, (_, written, _) in again.items()} == {
        "offers": 0,
        "households": 0,
        "needs": 0,
    }


async def test_the_committed_sample_is_imported_without_a_fault(db: Database, keyring: Keyring) -> None:
    files = sample.files(HOUSEHOLDS, 1, sample.REFERENCE, sample.KEEPS)
    first = await bring_in(db, keyring, files)
    assert first["needs"][1] == HOUSEHOLDS * 4 // 3
