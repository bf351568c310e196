"""Does the ledger say what happened? The chain is followed from its first entry and every entry is compared with its event."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from services.audit.handlers import SQL
from services.audit.rules import Break, Link, Place, export_line, follow
from shared.db import Connection

CHUNK = 2000
SYSTEM_ROLE = "nuanlian_audit_system"
# The first entry that is wrong, and how: Chinese, with `seq` and `event_id` to fill in.
REASONS: Mapping[str, str] = {
    "gap": "第 {seq} 条应在此处却没有：编号不连续，有条目被删除或挪动。",
    "link": "第 {seq} 条与前一条接不上：有条目被调换、插入或改动。",
    "hash": "第 {seq} 条的内容与它的哈希不符：内容或哈希被改动。",
    "altered": "第 {seq} 条与它记录的事件不一致：条目或事件被改动。",
    "orphan": "第 {seq} 条没有对应的事件：条目是伪造的，或事件被删除。",
    "lost": "事件 {event_id} 没有条目，也不在送往账本的路上；它应在第 {seq} 条的位置。",
    "quarantined": "事件 {event_id} 一直记不进账本，已被隔离；它应在第 {seq} 条的位置。请查明原因后执行 nuanlian events replay。",
}


class Verdict(BaseModel):
    """What a check found. `waiting` events are on their way to the ledger, which is no fault; `last_hash` is the chain's end."""

    model_config = ConfigDict(frozen=True)
    entries: int
    ok: bool
    waiting: int
    seconds: float
    last_hash: str
    first_bad_seq: int | None = None
    reason: str | None = None
    params: dict[str, int | str] = {}


@dataclass(frozen=True, slots=True)
class _Finding:
    seq: int
    fault: str
    event_id: str = ""


async def verify(conn: Connection) -> Verdict:
    """Check the whole ledger (role nuanlian_audit_system: it has to see every entry). Names the first bad entry.

    Found are: a missing or moved number, a broken link, a wrong hash, an entry or event that was altered, an entry without an event,
    an event that has no entry and is not on its way to one.
    """
    started = time.monotonic()
    end = await _follow_chain(conn)
    findings = [_Finding(end.seq, end.fault)] if isinstance(end, Break) else []
    findings += await _compare_with_events(conn)
    extent = await SQL.extent(conn)
    first = min(findings, key=lambda finding: finding.seq, default=None)
    return Verdict(
        entries=extent["entries"],
        ok=first is None,
        waiting=extent["waiting"],
        seconds=time.monotonic() - started,
        last_hash=end.hash.hex() if isinstance(end, Place) else "",
        first_bad_seq=first.seq if first else None,
        reason=REASONS[first.fault] if first else None,
        params={"seq": first.seq, "event_id": first.event_id} if first else {},
    )


async def export(conn: Connection) -> AsyncIterator[str]:
    """The whole chain as lines of JSON, for `rules.verify_export` on another machine."""
    async for row in conn.cursor(SQL.chain.sql, prefetch=CHUNK):
        yield export_line(Link(row["seq"], row["prev_hash"], row["hash"], row["content"]))


async def _follow_chain(conn: Connection) -> Place | Break:
    place: Place | Break = Place()
    cursor = await conn.cursor(SQL.chain.sql)
    while isinstance(place, Place) and (rows := await cursor.fetch(CHUNK)):
        place = follow(rows, place)
    return place


async def _compare_with_events(conn: Connection) -> list[_Finding]:
    findings = []
    altered = await SQL.altered(conn)
    if altered["seq"] is not None:
        findings.append(
            _Finding(altered["seq"], "orphan" if altered["seq"] == altered["orphan"] else "altered")
        )
    if lost := await SQL.lost(conn):
        fault = "quarantined" if lost["quarantined"] else "lost"
        findings.append(_Finding(lost["seq"], fault, str(lost["event_id"])))
    return findings
