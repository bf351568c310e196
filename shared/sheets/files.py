"""From the bytes of an uploaded file to rows of cells, without trusting the file."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from shared.sheets.unpacking import Unreadable, repacked

Cell = int | float | str | bool | time | date | datetime | timedelta
Cells = Sequence[Cell]

MAX_BYTES = 10_000_000
MAX_COLUMNS = 200
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


def grid(content: bytes, names: Sequence[str]) -> Iterator[Cells]:
    """The rows of the file, empty ones included. `names`: the worksheets to look for; otherwise the first visible one.

    Raises Unreadable with rule `too_big`, `too_many_rows`, `wrong_type`, `old_or_locked`, `broken_file` or `unsafe_file`.
    """
    if len(content) > MAX_BYTES:
        raise Unreadable(
            "too_big", "文件超过 {limit} MB。请拆成几个文件分别导入", limit=MAX_BYTES // 1_000_000
        )
    if content.startswith(b"PK\x03\x04"):
        return _workbook(repacked(content), names)
    if content.startswith(OLD_EXCEL):
        raise Unreadable(
            "old_or_locked", "这是旧版 .xls 或加了密码的文件。请在表格软件中去掉密码，另存为 .xlsx 再导入"
        )
    return _csv(_text(content))


def _workbook(content: bytes, names: Sequence[str]) -> Iterator[Cells]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            name = _worksheet(book, names)
            rows: list[Cells] = list(book.get_sheet_by_name(name).to_python(skip_empty_area=False))
    except CalamineError as error:
        raise Unreadable(
            "broken_file", "文件损坏，读不出来。请用表格软件打开，另存为 .xlsx 再导入"
        ) from error
    return iter(rows)


def _worksheet(book: CalamineWorkbook, names: Sequence[str]) -> str:
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    found = [name for name in visible if name in names] + visible
    if not found:
        raise Unreadable("wrong_type", "文件里没有工作表。请下载模板填写后再导入")
    return found[0]


def _text(content: bytes) -> str:
    """CSV text: UTF-16 with its mark, UTF-8 with or without, else GB18030, which spreadsheet programs in China write."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Unreadable("wrong_type", "这不是 .xlsx 或 .csv 表格。请下载模板填写，或另存为 .xlsx 再导入")


def _csv(text: str) -> Iterator[Cells]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            # A quote mark in front of a formula sign is how such text is kept from being run.
            yield [
                cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
                for cell in row
            ]
    except csv.Error as error:
        raise Unreadable(
            "broken_file", "第 {line} 行的引号不成对。请用表格软件另存为 .xlsx 再导入", line=rows.line_num
        ) from error
