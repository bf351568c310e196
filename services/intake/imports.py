"""Whole workbooks of households or needs: look first, then write all of it or the right rows; the wrong ones come back marked."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime
from functools import partial
from typing import Literal
from uuid import UUID

import asyncpg

from services.intake import import_households, import_needs
from services.intake.importing import Import
from services.intake.layouts import HOUSEHOLDS, NEEDS
from services.intake.standing import SQL
from shared import sheets
from shared.access import Caller
from shared.bus import new_id
from shared.db import Connection
from shared.errors import Conflict, Missing, Say
from shared.i18n import Language
from shared.imports import ImportReport, Mode
from shared.pii import Keyring
from shared.service import Job
from shared.sheets import Layout, chinese

Kind = Literal["households", "needs"]
LAYOUTS: dict[Kind, Layout] = {"households": HOUSEHOLDS, "needs": NEEDS}
PLANS = {"households": import_households.plan, "needs": import_needs.plan}


async def run_import(
    conn: Connection,
    kind: Kind,
    content: bytes,
    filename: str,
    mode: Mode,
    by: Caller,
    keyring: Keyring,
    accept_readings: bool = False,
    everywhere: bool = False,
    language: Language = "zh-CN",
    say: Say = chinese,
) -> ImportReport:
    """Import a workbook in the transaction of `conn`.

    preview: writes nothing. whole: writes only when no row is wrong. right_rows: writes the right rows and keeps the wrong ones, sealed.
    `accept_readings`: needs in words that the reader is sure of are raised at once instead of waiting for a person.
    `everywhere`: no check of the caller's towns, for the office's own command line. `language` and `say` are for the kept file.
    Nothing that a file says is raised; every fault names row, column and rule. Raises `Conflict` when a visit took a number meanwhile.
    """
    layout = LAYOUTS[kind]
    sheet = await asyncio.to_thread(sheets.read, content, filename, layout)
    if sheet.unusable:
        return ImportReport(
            run_id=None, mode=mode, rows=len(sheet.rows), refused=len(sheet.rows), faults=sheet.faults
        )
    run = Import(
        by.person_id,
        lambda area: everywhere or by.may("worker", area),
        keyring,
        datetime.now(UTC),
        accept_readings,
    )
    if mode != "preview":
        await SQL.lock_imports(conn)
    plan = await PLANS[kind](conn, sheet, run)
    wrong = {fault.row for fault in plan.faults}
    right = len(sheet.rows) - len(wrong) - len(plan.unchanged)
    writes = mode == "right_rows" or (mode == "whole" and not plan.faults)
    report = ImportReport(
        run_id=new_id() if writes else None,
        mode=mode,
        rows=len(sheet.rows),
        added=right - len(plan.changed),
        changed=len(plan.changed),
        written=right if writes else 0,
        unchanged=len(plan.unchanged),
        refused=len(wrong),
        faults=tuple(sorted(plan.faults, key=lambda fault: fault.row)),
    )
    if writes:
        try:
            await plan.write(conn)
        except asyncpg.UniqueViolationError as error:
            raise Conflict("导入时有人登记了同样的编号，一行也没有写入。请再导入一次。") from error
        wrong_rows = [row for row in sheet.rows if row.number in wrong]
        write = partial(sheets.write, layout, wrong_rows, report.faults, language=language, say=say)
        workbook = await asyncio.to_thread(write) if wrong_rows else None
        await _keep(conn, report, kind, content, workbook, by.person_id, keyring)
    return report


async def _keep(
    conn: Connection,
    report: ImportReport,
    kind: Kind,
    content: bytes,
    workbook: bytes | None,
    by: UUID,
    keyring: Keyring,
) -> None:
    run_id, key, sealed = report.run_id, None, None
    if workbook:
        key = keyring.new_data_key(str(run_id))
        sealed = keyring.seal(key, f"{run_id}|import_run|refused", base64.b64encode(workbook).decode())
    await SQL.add_import_run(
        conn,
        run_id=run_id,
        kind=kind,
        file_sha256=hashlib.sha256(content).hexdigest(),
        mode=report.mode,
        rows=report.rows,
        written=report.written,
        unchanged=report.unchanged,
        refused=report.refused,
        by_person=by,
        data_key=key,
        refused_file_enc=sealed,
    )


async def refused_file(conn: Connection, run_id: UUID, keyring: Keyring) -> tuple[Kind, bytes]:
    """The wrong rows of the caller's own import, marked, in the same layout. Raises `Missing` after seven days."""
    row = await SQL.refused_file(conn, run_id=run_id)
    if row is None:
        raise Missing
    text = keyring.open(row["data_key"], f"{run_id}|import_run|refused", row["refused_file_enc"])
    return row["kind"], base64.b64decode(text or "")


async def keep_upload(conn: Connection, kind: Kind, content: bytes, by: UUID, keyring: Keyring) -> UUID:
    """Keep a file, sealed, between the look at it and the decision to import it; for an hour."""
    upload_id = new_id()
    key = keyring.new_data_key(str(upload_id))
    sealed = keyring.seal(key, f"{upload_id}|upload|file", base64.b64encode(content).decode())
    await SQL.add_upload(conn, upload_id=upload_id, kind=kind, by_person=by, data_key=key, file_enc=sealed)
    return upload_id


async def kept_upload(conn: Connection, upload_id: UUID, keyring: Keyring) -> tuple[Kind, bytes]:
    """The file that the caller looked at before. Raises `Missing` after an hour."""
    row = await SQL.upload(conn, upload_id=upload_id)
    if row is None:
        raise Missing("这份文件已经过了一小时的保存期，请重新上传。")
    text = keyring.open(row["data_key"], f"{upload_id}|upload|file", row["file_enc"])
    return row["kind"], base64.b64decode(text or "")


async def forget_refused(conn: Connection, job: Job) -> None:
    """Delete uploaded rows whose time is over."""
    await SQL.forget_refused_files(conn)
    await SQL.forget_uploads(conn)
