"""Offers from a sheet: preview, all or nothing, or the right rows with the refused ones given back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.offers import rules
from services.offers.handlers import (
    SQL,
    charity_registered,
    gives,
    offer_changed,
    offer_registered,
    redesignates,
)
from services.offers.layouts import OFFERS
from services.offers.rows import Draft, drafts
from shared.access import Caller
from shared.bus import new_id, publish
from shared.clock import LOCAL
from shared.db import Connection
from shared.errors import Conflict, Say
from shared.i18n import Language
from shared.imports import ImportReport, Mode, batches
from shared.sheets import Fault, Sheet, chinese, read, write

NOT_YOURS = "只能导入本机构的资源；协调员只能导入本地区的资源。请核对机构名称和所在地"


@dataclass
class Plan:
    """What would be done with a sheet. `charities`: rows of those that are new, by name."""

    charities: dict[str, dict[str, str]] = field(default_factory=dict)
    added: list[Draft] = field(default_factory=list)
    changed: list[tuple[Draft, Mapping[str, Any]]] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


async def run_import(
    conn: Connection,
    content: bytes,
    filename: str,
    mode: Mode,
    by: Caller,
    everywhere: bool = False,
    language: Language = "zh-CN",
    say: Say = chinese,
) -> ImportReport:
    """Read a sheet and, unless it is a preview, enter what it says in the transaction that `conn` is in.

    `whole` enters nothing when one row is wrong; `right_rows` enters the right ones and keeps the others for seven days. The same
    file a second time changes nothing. `everywhere` lifts the caller's limits, for the command line (role nuanlian_offers_system).
    `language` and `say` are for the file of refused rows. A charity's people import for their own charity only; coordinators also enter charities that are not known yet.
    """
    sheet = read(content, filename, OFFERS)
    await SQL.lock_imports(conn)
    known: dict[str, Mapping[str, Any]] = {}
    plan = await _plan(conn, sheet, by, everywhere, known)
    wrong = {fault.row for fault in plan.faults}
    applied = mode != "preview" and not (wrong if mode == "whole" else 0 in wrong)
    run_id = new_id() if applied else None
    report = _report(sheet, plan, run_id, mode)
    if run_id:
        await _write(conn, plan, known)
        refused = [row for row in sheet.rows if row.number in wrong]
        file = write(OFFERS, refused, faults=plan.faults, language=language, say=say) if refused else None
        await _keep_run(conn, report, hashlib.sha256(content).digest(), by, file)
    return report


async def _plan(
    conn: Connection, sheet: Sheet, by: Caller, everywhere: bool, known: dict[str, Mapping[str, Any]]
) -> Plan:
    found, faults = drafts(sheet)
    plan = Plan(faults=faults)
    names = list({draft.charity for draft in found})
    known |= {row["name"]: row for row in await SQL.charities_named(conn, names=names)}
    allowed = [draft for draft in found if _settle_charity(draft, plan, known, by, everywhere)]
    keys = [draft for draft in allowed if draft.charity in known]
    stored = await SQL.offers_numbered(
        conn,
        charity_ids=[known[draft.charity]["id"] for draft in keys],
        numbers=[draft.number for draft in keys],
    )
    by_place = {(row["charity_id"], row["offer_number"]): row for row in stored}
    now = datetime.now(LOCAL)
    for draft in allowed:
        charity = known.get(draft.charity)
        before = by_place.get((charity["id"], draft.number)) if charity else None
        if before and not everywhere and (fault := _not_theirs(draft, before, by)):
            plan.faults.append(fault)
        else:
            _settle(draft, plan, before, now)
    return plan


def _settle_charity(
    draft: Draft, plan: Plan, known: Mapping[str, Mapping[str, Any]], by: Caller, everywhere: bool
) -> bool:
    """Whether the caller may enter offers of this row's charity, which may have to be entered first."""
    charity = known.get(draft.charity)
    if not everywhere and not gives(by, charity["id"] if charity else None, draft.terms.origin_area):
        plan.faults.append(Fault(draft.row.number, "charity", "not_yours", NOT_YOURS))
        return False
    if charity is None and draft.charity not in plan.charities:
        area = draft.terms.origin_area
        plan.charities[draft.charity] = {
            "id": str(new_id()),
            "name": draft.charity,
            "kind": draft.kind,
            "area": area,
        }
    return True


def _not_theirs(draft: Draft, stored: Mapping[str, Any], by: Caller) -> Fault | None:
    """What bars the caller from changing an offer that is there already, whatever the row says of it."""
    if not gives(by, stored["charity_id"], stored["origin_area"]):
        return Fault(draft.row.number, "charity", "not_yours", NOT_YOURS)
    if redesignates(by, stored, draft.terms):
        message = "定向对象只能由捐助机构自己修改（慈善法第五十六条）。"
        return Fault(draft.row.number, "designated", "designation_fixed", message)
    return None


def _settle(draft: Draft, plan: Plan, stored: Mapping[str, Any] | None, now: datetime) -> None:
    """Put a row where it belongs: new, changed, as it was, or wrong."""
    if stored and stored["content_hash"] == draft.terms.stored()["content_hash"]:
        plan.unchanged += 1
        return
    if faults := _refused(draft, stored, now):
        plan.faults += faults
        return
    if stored:
        plan.changed.append((draft, stored))
    else:
        plan.added.append(draft)
    for note in rules.warnings(draft.terms.category, draft.terms.licences):
        plan.warnings.append(Fault(draft.row.number, note.field, note.rule, note.message, note.params))


def _refused(draft: Draft, stored: Mapping[str, Any] | None, now: datetime) -> list[Fault]:
    number, terms = draft.row.number, draft.terms
    faults = [
        Fault(number, late.field, late.rule, late.message, late.params)
        for late in rules.stale(terms.expires_on, terms.available_until, now)
    ]
    if stored and stored["status"] == "withdrawn":
        message = "这个编号的资源已经撤回。如仍要提供，请换一个编号"
        faults.append(Fault(number, "offer_number", "withdrawn", message))
    if stored and terms.quantity < stored["taken"]:
        message = "已有 {taken} 承诺或送出，数量不能比它少"
        faults.append(Fault(number, "quantity", "below_promised", message, {"taken": stored["taken"]}))
    return faults


async def _write(conn: Connection, plan: Plan, known: dict[str, Mapping[str, Any]]) -> None:
    needed = {draft.charity for draft in plan.added}
    new = [row for name, row in plan.charities.items() if name in needed]
    if new:
        entered = await SQL.add_charities(conn, charities=new)
        if len(entered) < len(new):
            raise Conflict("有机构刚刚被别人登记，请再导入一次。")
        known |= {row["name"]: row for row in entered}
    await publish(conn, *(charity_registered(row) for row in new))
    for some in batches(plan.added):
        await _add(conn, [_entry(draft, known, new_id()) for draft in some])
    for several in batches(plan.changed):
        await _change(
            conn, [_entry(draft, known, old["id"]) | {"version": old["version"]} for draft, old in several]
        )


def _entry(draft: Draft, known: Mapping[str, Mapping[str, Any]], offer_id: UUID) -> dict[str, Any]:
    ids = {"id": str(offer_id), "offer_number": draft.number, "charity_id": str(known[draft.charity]["id"])}
    return draft.terms.stored() | ids | {"charity_name": draft.charity}


async def _add(conn: Connection, entries: Sequence[dict[str, Any]]) -> None:
    if len(await SQL.add_offers(conn, offers=entries)) < len(entries):
        raise Conflict("有资源编号已被占用，而您无权修改那些资源。请换一个编号，或联系机构所在地的协调员。")
    await publish(conn, *(offer_registered(entry, entry["charity_name"], 1) for entry in entries))


async def _change(conn: Connection, entries: Sequence[dict[str, Any]]) -> None:
    changed = {str(row["id"]): row["version"] for row in await SQL.change_offers(conn, offers=entries)}
    if len(changed) < len(entries):
        raise Conflict
    await publish(
        conn, *(offer_changed(entry, entry["charity_name"], changed[entry["id"]]) for entry in entries)
    )


async def _keep_run(
    conn: Connection, report: ImportReport, sha256: bytes, by: Caller, file: bytes | None
) -> None:
    counts = report.model_dump(include={"mode", "rows", "added", "changed", "unchanged", "refused"})
    await SQL.add_import_run(
        conn, id=report.run_id, sha256=sha256, by_person=by.person_id, refused_file=file, **counts
    )


def _report(sheet: Sheet, plan: Plan, run_id: UUID | None, mode: Mode) -> ImportReport:
    added, changed = len(plan.added), len(plan.changed)
    return ImportReport(
        run_id=run_id,
        mode=mode,
        rows=len(sheet.rows),
        added=added,
        changed=changed,
        unchanged=plan.unchanged,
        refused=len({fault.row for fault in plan.faults if fault.row}),
        written=added + changed if run_id else 0,
        faults=tuple(sorted(plan.faults, key=lambda fault: fault.row)),
        warnings=tuple(sorted(plan.warnings, key=lambda fault: fault.row)),
    )
