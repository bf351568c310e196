"""Tampering by whoever owns the database is found at the entry where it was done."""

from __future__ import annotations

from typing import Any

import pytest

from services.audit.rules import Place, digest, verify_export
from services.audit.verification import REASONS, SYSTEM_ROLE, Verdict, export, verify
from shared.bus import new_id
from shared.events import NeedWithdrawn
from tests.audit.facts import Case, round_completed
from tests.house import House

TRIGGERS_OFF = "alter table audit.entry disable trigger user; alter table audit.about disable trigger user"
FAULT = {reason: fault for fault, reason in REASONS.items()}


@pytest.fixture
async def ledger(house: House) -> House:
    """A house with 13 entries: two whole cases and a round."""
    events = [*Case().whole(), round_completed(), *Case().whole()]
    await house.deliver("audit", await house.publish(*events))
    return house


async def check(house: House) -> Verdict:
    async with house.db.transaction(SYSTEM_ROLE) as conn:
        return await verify(conn)


async def tamper(house: House, *statements: str) -> None:
    """What somebody with the owner's login can do: put the triggers aside and write."""
    async with house.db.pool.acquire() as conn, conn.transaction():
        await conn.execute(TRIGGERS_OFF)
        for statement in statements:
            await conn.execute(statement)
        await conn.execute(
            "alter table audit.entry enable trigger user; alter table audit.about enable trigger user"
        )


async def rechain(house: House) -> None:
    """Recompute every number and hash, as somebody does who knows how the chain is made."""
    rows = await house.db.pool.fetch("select seq, content from audit.entry order by seq")
    await tamper(house, "delete from audit.about")
    last = bytes(32)
    for seq, row in enumerate(rows, 1):
        following = digest(last, row["content"])
        await tamper(
            house,
            f"update audit.entry set seq = {seq}, prev_hash = '\\x{last.hex()}', hash = '\\x{following.hex()}' "
            f"where seq = {row['seq']}",
        )
        last = following


def found(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.ok, verdict.first_bad_seq, FAULT[verdict.reason or ""]


async def test_an_untouched_ledger_is_intact(ledger: House) -> None:
    verdict = await check(ledger)
    assert (verdict.ok, verdict.entries, verdict.first_bad_seq, verdict.reason) == (True, 13, None, None)
    assert verdict.waiting == 2  # the two follow-ups that the ledger itself has published
    assert len(verdict.last_hash) == 64


async def test_an_empty_ledger_is_intact(house: House) -> None:
    assert (await check(house)).ok


async def test_a_settled_ledger_has_nothing_waiting(ledger: House) -> None:
    await ledger.settle()
    verdict = await check(ledger)
    events = await ledger.db.pool.fetchval("select count(*) from bus.event")
    assert (verdict.ok, verdict.waiting, verdict.entries) == (True, 0, events)


EDITS = (
    (
        "update audit.entry set content = replace(content, '\"received\":2', '\"received\":1') where seq = 6",
        6,
        "hash",
    ),
    ("update audit.entry set hash = sha256('x') where seq = 4", 4, "hash"),
    ("update audit.entry set prev_hash = sha256('x') where seq = 9", 9, "link"),
    ("delete from audit.about where seq = 5; delete from audit.entry where seq = 5", 5, "gap"),
    ("update audit.entry set type = 'need.closed.v1' where seq = 3", 3, "altered"),
    ("update audit.entry set area = '445302000000' where seq = 8", 8, "altered"),
    ("update audit.entry set time = time - interval '1 microsecond' where seq = 2", 2, "altered"),
    ("update bus.event set data = data || '{\"quantity\": 9}' where seq = 4", 4, "altered"),
    ("update bus.event set time = time + interval '1 second' where seq = 7", 7, "altered"),
    ("delete from bus.delivery where seq = 6; delete from bus.event where seq = 6", 6, "orphan"),
)


async def test_an_edit_is_found_at_its_entry(ledger: House) -> None:
    for statement, seq, fault in EDITS:
        async with ledger.db.pool.acquire() as conn:
            undo = conn.transaction()
            await undo.start()
            await conn.execute(f"{TRIGGERS_OFF}; {statement}")
            verdict = await verify(conn)
            await undo.rollback()
        assert found(verdict) == (False, seq, fault), statement
    assert (await check(ledger)).ok


async def test_a_cut_off_end_is_found(ledger: House) -> None:
    await tamper(ledger, "delete from audit.about where seq >= 12", "delete from audit.entry where seq >= 12")
    assert found(await check(ledger)) == (False, 12, "lost")


async def test_an_emptied_ledger_is_found(ledger: House) -> None:
    await tamper(ledger, "truncate audit.about, audit.entry")
    assert found(await check(ledger)) == (False, 1, "lost")


async def test_two_entries_swapped_are_found_at_the_first(ledger: House) -> None:
    await tamper(
        ledger,
        "delete from audit.about",
        "update audit.entry set seq = 1000 where seq = 3",
        "update audit.entry set seq = 3 where seq = 8",
        "update audit.entry set seq = 8 where seq = 1000",
    )
    assert found(await check(ledger)) == (False, 3, "link")


async def test_an_edit_with_the_whole_chain_recomputed_is_found(ledger: House) -> None:
    await tamper(
        ledger, "update audit.entry set content = replace(content, 'APP-FAN', 'APP-TV') where seq = 4"
    )
    await rechain(ledger)
    assert found(await check(ledger)) == (False, 4, "altered")


async def test_a_removal_with_the_whole_chain_recomputed_is_found_where_the_entry_stood(
    ledger: House,
) -> None:
    await tamper(ledger, "delete from audit.about", "delete from audit.entry where seq = 5")
    await rechain(ledger)
    verdict = await check(ledger)
    assert found(verdict) == (False, 5, "lost")
    missing = await ledger.db.pool.fetchval("select id from bus.event where seq = 5")
    assert verdict.params["event_id"] == str(missing)


async def test_a_forged_entry_at_the_end_is_found(ledger: House) -> None:
    await tamper(
        ledger,
        "insert into audit.entry (seq, event_id, type, time, subject, content, prev_hash, hash) "
        "select 14, gen_random_uuid(), 'need.closed.v1', now(), '', '{}', hash, "
        "sha256('nuanlian-ledger-v1'::bytea || hash || '{}'::bytea) from audit.entry where seq = 13",
    )
    assert found(await check(ledger)) == (False, 14, "orphan")


async def test_an_export_ends_as_the_ledger_does(ledger: House) -> None:
    async with ledger.db.transaction(SYSTEM_ROLE) as conn:
        lines = [line async for line in export(conn)]
    end = verify_export(lines)
    assert isinstance(end, Place)
    assert (end.seq, end.hash.hex()) == (13, (await check(ledger)).last_hash)


@pytest.mark.parametrize(
    ("meddling", "fault"),
    [
        ("delete from bus.delivery where consumer = 'audit' and seq = 14", "lost"),
        (
            "update bus.delivery set quarantined_at = now() where consumer = 'audit' and seq = 14",
            "quarantined",
        ),
        ("update bus.delivery set failures = 1 where consumer = 'audit' and seq = 14", None),
    ],
)
async def test_an_event_that_will_never_be_recorded_is_named(
    ledger: House, meddling: str, fault: str | None
) -> None:
    await ledger.publish(NeedWithdrawn(need_id=new_id(), area="445381100000", reason="solved"))
    await ledger.db.pool.execute(meddling)
    verdict = await check(ledger)
    assert (verdict.ok, verdict.first_bad_seq) == ((True, None) if fault is None else (False, 14))
    assert fault is None or found(verdict)[2] == fault
    assert verdict.waiting >= 1
