"""What every import of a sheet answers: one report, said in the reader's words, and one problem when nothing was written."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import FormData, UploadFile

from shared import errors
from shared.access import Call, Caller
from shared.db import Connection
from shared.errors import Invalid
from shared.reasons import words_of
from shared.sheets import Fault, Layout

Mode = Literal["preview", "whole", "right_rows"]
"""preview writes nothing; whole writes only when no row is wrong; right_rows writes the right rows and keeps the wrong ones."""
BATCH = 500
Item = TypeVar("Item")


class Counts(BaseModel):
    """What an import did, or in a preview would do, in rows: `rows` = added + changed + unchanged + refused.

    `written` is added + changed, or 0 when nothing was written. `run_id` when something was kept: the refused rows can be had under
    it for seven days.
    """

    model_config = ConfigDict(frozen=True)
    run_id: UUID | None
    mode: Mode
    rows: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    written: int = 0

    @property
    def applied(self) -> bool:
        return self.run_id is not None

    @property
    def right(self) -> int:
        """The rows that are written, or in a preview could be."""
        return self.added + self.changed


class ImportReport(Counts):
    """An import with its faults as they were found. A warning stands against a row that is right all the same."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


class CellFault(BaseModel):
    """A wrong or doubtful cell in the reader's words: row and heading as the sheet shows them; row 0 is the whole file."""

    row: int
    column: str
    rule: str
    message: str


class ImportAnswer(Counts):
    """An import as its reader sees it."""

    faults: tuple[CellFault, ...]
    warnings: tuple[CellFault, ...]


class SheetAsked(BaseModel):
    """What an Idempotency-Key is held to: the file by its hash (hexadecimal), since the file itself is not kept."""

    layout: str
    mode: Mode
    sha256: str
    terms: dict[str, Any]


class NoFile(Invalid):
    """请先选择一个 .xlsx 或 .csv 文件。"""


async def import_sheet(
    call: Call,
    layout: Layout,
    content: bytes,
    mode: Mode,
    run: Callable[..., Awaitable[ImportReport]],
    **terms: Any,
) -> ImportAnswer:
    """Import a file as the caller, in one transaction; under the same Idempotency-Key the same file is answered from memory.

    `run(conn, content=, mode=, by=, language=, say=, **terms)` does it: language and say are for the file of refused rows.
    """

    async def command(conn: Connection, _: SheetAsked, by: Caller) -> ImportReport:
        say = words_of(call).say
        return await run(conn, content=content, mode=mode, by=by, language=call.language, say=say, **terms)

    digest = hashlib.sha256(content).hexdigest()
    asked = SheetAsked(layout=layout.name, mode=mode, sha256=digest, terms=terms)
    return _spoken(call, layout, ImportReport.model_validate(await call.do(asked, command)))


def _spoken(call: Call, layout: Layout, report: ImportReport) -> ImportAnswer:
    shown = partial(_shown, call, layout)
    return ImportAnswer(
        **report.model_dump(exclude={"faults", "warnings"}),
        faults=tuple(map(shown, report.faults)),
        warnings=tuple(map(shown, report.warnings)),
    )


def _shown(call: Call, layout: Layout, fault: Fault) -> CellFault:
    heading, message = layout.heading(fault.column, call.language), call.say(fault.message, **fault.params)
    return CellFault(row=fault.row, column=heading, rule=fault.rule, message=message)


def unless_refused(answer: ImportAnswer) -> ImportAnswer:
    """The answer itself. Raises `Invalid` when rows were to be written and none was.

    The report's own members stand then beside the first 500 faults in the form of every problem.
    """
    if answer.mode == "preview" or answer.applied:
        return answer
    faults = tuple(
        errors.Fault(f"{f.row} {f.column}".strip(), f.rule, "{text}", {"text": f.message})
        for f in answer.faults[:500]
    )
    problem = Invalid("有 {refused} 行不对，一行也没有写入。", faults=faults)
    problem.params |= answer.model_dump(mode="json")
    raise problem


async def chosen_file(form: FormData) -> tuple[bytes, str]:
    """Content and name of the file that a form brings. Raises `NoFile`."""
    file = form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    if not isinstance(file, UploadFile) or not content:
        raise NoFile
    return content, file.filename or ""


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    """The items, so many in one statement."""
    return (items[start : start + size] for start in range(0, len(items), size))
